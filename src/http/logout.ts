import type { Request, RequestHandler } from 'express';
import type { Logout } from '../core/logout.js';
import { bearerToken } from './bearer.js';
import { validBody } from './body.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { AccessCookie, RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';
import type { Schemas } from './schemas.js';

/** `POST /logout` */
export function logoutEndpoint(deps: {
  logout: Logout;
  schemas: Schemas;
  cookie: RefreshCookie;
  access?: AccessCookie | undefined;
}): RequestHandler {
  return handle(async (req, res) => {
    const { refresh_token } = validBody(deps.schemas.refreshToken, req.body ?? {});
    const cookies = deps.cookie.read(req);
    const refreshTokens = refresh_token === undefined ? cookies : [refresh_token, ...cookies];
    const accessToken =
      presentedAccessToken(req) ?? (refreshTokens.length === 0 ? deps.access?.read(req)[0] : undefined);
    const { spared } = await deps.logout({ accessToken, refreshTokens }, requesterOf(req));
    // Another user's cookie stays: that user did not log out.
    if (!cookies.some((token) => spared.includes(token))) deps.cookie.clear(req, res);
    sendJson(res, { message: 'Successfully logged out' });
  });
}

/** A malformed header is a token that is not authentic: it takes nothing from a cookie that is. */
function presentedAccessToken(req: Request): string | undefined {
  try {
    return bearerToken(req);
  } catch {
    return '';
  }
}
