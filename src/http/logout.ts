import type { Request, RequestHandler } from 'express';
import type { Logout } from '../core/logout.js';
import type { Tokens } from '../core/tokens.js';
import { bearerToken } from './bearer.js';
import { presentedRefreshToken } from './presented-refresh-token.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import type { Schemas } from './schemas.js';

/** `POST /logout` */
export function logoutEndpoint(deps: {
  logout: Logout;
  tokens: Tokens;
  schemas: Schemas;
  cookie: RefreshCookie;
}): RequestHandler {
  return handle(async (req, res) => {
    const { token: refreshToken, transport } = presentedRefreshToken(req, deps);
    const { refreshTokenEnded } = await deps.logout({ accessToken: presentedAccessToken(req), refreshToken });
    // Another user's cookie stays: that user did not log out.
    if (refreshTokenEnded || transport === 'body' || refreshToken === undefined) deps.cookie.clear(req, res);
    res.json({ message: 'Successfully logged out' });
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
