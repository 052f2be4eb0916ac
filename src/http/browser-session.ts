import type { Request, Response } from 'express';
import type { Authenticate, AuthenticatedUser } from '../core/authenticate.js';
import { isLater } from '../core/now-or-later.js';
import type { Sessions } from '../core/sessions.js';
import type { Tokens } from '../core/tokens.js';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { isNavigation, isSafe } from './navigation.js';
import { theOneMeant } from './presented-refresh-token.js';
import type { AccessCookie, RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';

/** Users that are known by cookies, as applications that render pages on the server have them. */
export interface BrowserSessions {
  /** Whether the request has a cookie that might say whose it is. */
  hasCookies(req: Request): boolean;
  /**
   * The user of the access cookie. Where that has expired, the refresh cookie gets a new one, on the way: nobody notices,
   * and a form that was being filled in meanwhile is not lost.
   *
   * Throws or rejects with `token_missing`, `invalid_token`, `cross_site_request`, or `store_unavailable`.
   */
  authenticate(req: Request, res: Response): AuthenticatedUser | Promise<AuthenticatedUser>;
  /** Sends a browser that asked for a page to sign in, and then back; `false` where that is not what the request or the error is about. */
  sendToSignIn(req: Request, res: Response, error: OtpAuthError): boolean;
}

export function createBrowserSessions(deps: {
  access: AccessCookie;
  cookie: RefreshCookie;
  tokens: Tokens;
  sessions: Sessions;
  authenticate: Authenticate;
  isCrossSite: (req: Request) => boolean;
  /** The path of the sign-in page, where there is one. */
  signInPath?: string | undefined;
}): BrowserSessions {
  const { access, cookie, tokens, sessions, signInPath } = deps;

  const refresh = async (req: Request, res: Response, refusal: OtpAuthError): Promise<AuthenticatedUser> => {
    const token = theOneMeant(cookie.read(req), (one) => tokens.authenticRefresh(one));
    // Whatever is fetched across sites may well be told that nobody is signed in; it changes nothing.
    if (token === undefined || (deps.isCrossSite(req) && !isNavigation(req))) throw refusal;
    try {
      const signIn = await sessions.refresh(token, requesterOf(req));
      cookie.set(req, res, signIn);
      return await deps.authenticate(signIn.accessToken);
    } catch (error) {
      if (!isOtpAuthError(error) || error.code !== 'invalid_refresh_token') throw error;
      cookie.clear(req, res);
      throw new OtpAuthError('invalid_token');
    }
  };
  const orRefresh = (req: Request, res: Response, error: unknown) => {
    if (isOtpAuthError(error) && error.code === 'invalid_token') return refresh(req, res, error);
    throw error;
  };

  const hasCookies = (req: Request) => access.read(req).length > 0 || cookie.read(req).length > 0;

  return {
    hasCookies,

    authenticate(req, res) {
      if (!hasCookies(req)) throw tokenMissing();
      const token = theOneMeant(access.read(req), (one) => tokens.authenticAccess(one));
      if (!isSafe(req) && deps.isCrossSite(req))
        throw new OtpAuthError('cross_site_request', 'This origin may not do this with a cookie.');
      if (token === undefined) return refresh(req, res, tokenMissing());
      try {
        const user = deps.authenticate(token);
        return isLater(user) ? user.catch((error: unknown) => orRefresh(req, res, error)) : user;
      } catch (error) {
        return orRefresh(req, res, error);
      }
    },

    sendToSignIn(req, res, error) {
      const isAboutSignIn = error.status === 401 || error.code === 'mfa_required';
      const sendsToken = req.headers.authorization !== undefined;
      if (signInPath === undefined || !isAboutSignIn || sendsToken || !isNavigation(req)) return false;
      const query = new URLSearchParams({ return_to: req.originalUrl });
      if (error.code === 'reauthentication_required') query.set('prompt', 'login');
      res.set('Cache-Control', 'no-store').redirect(303, `${signInPath}?${query.toString()}`);
      return true;
    },
  };
}

function tokenMissing(): OtpAuthError {
  return new OtpAuthError('token_missing', 'Send an access token as "Authorization: Bearer …", or sign in.');
}
