import type { RequestHandler } from 'express';
import type { Sessions } from '../core/sessions.js';
import type { Tokens } from '../core/tokens.js';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { presentedRefreshToken } from './presented-refresh-token.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';
import type { Schemas } from './schemas.js';

/** `POST /refresh` */
export function refreshEndpoint(deps: {
  sessions: Sessions;
  tokens: Tokens;
  schemas: Schemas;
  cookie: RefreshCookie;
}): RequestHandler {
  return handle(async (req, res) => {
    try {
      const { token, transport } = presentedRefreshToken(req, deps);
      if (token === undefined)
        throw new OtpAuthError('token_missing', 'Send the refresh cookie, or refresh_token in the body.');
      const signIn = await deps.sessions.refresh(token, requesterOf(req));
      const { accessToken, expiresIn, refreshToken } = signIn;
      // A token that came by cookie never appears where a page's scripts can read it.
      if (transport === 'cookie') deps.cookie.set(req, res, signIn);
      sendJson(res, {
        access_token: accessToken,
        token_type: 'bearer',
        expires_in: expiresIn,
        ...(transport === 'body' ? { refresh_token: refreshToken } : {}),
      });
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'invalid_refresh_token') deps.cookie.clear(req, res);
      throw error;
    }
  });
}
