import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Authenticate, AuthenticatedUser } from '../core/authenticate.js';
import { isLater, type NowOrLater, whenKnown } from '../core/now-or-later.js';
import type { Clock } from '../core/ports.js';
import { bearerToken } from './bearer.js';
import type { BrowserSessions } from './browser-session.js';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { sendProblem } from './problem.js';
import type { NoteRefusal } from './refusals.js';

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- the way that Express's types are extended
  namespace Express {
    /** As Passport's types have it, so that both can be installed. */
    // oxlint-disable-next-line typescript/no-empty-object-type -- merged with others' declarations
    interface User extends AuthenticatedUser {}
    interface Request {
      user?: User | undefined;
    }
  }
}

/** What stands in front of an application's routes. */
export interface Guards {
  /** 401 without a valid access token, else sets `req.user`. */
  requireUser: RequestHandler;
  /** As `requireUser`, and lets requests without credentials through. A bad token is still 401. */
  optionalUser: RequestHandler;
  /** 403 unless the user has one of the roles. After `requireUser`, or instead of it. Throws `config_invalid` for what are no roles. */
  requireRole(...roles: string[]): RequestHandler;
  /** 401 as RFC 9470 has it unless the user signed in within so many seconds. After `requireUser`, or instead of it. Throws `config_invalid` for what is no number of seconds. @default the option `recentSeconds` */
  requireRecent(seconds?: number): RequestHandler;
}

export function createGuards(deps: {
  authenticate: Authenticate;
  clock: Clock;
  recentSeconds: number;
  noteRefusal: NoteRefusal;
  /** Where cookies may say whose a request is. */
  browser?: BrowserSessions | undefined;
}): Guards {
  const { browser } = deps;
  // Not `req.user`: other middleware may have set that, from a source that this guard knows nothing of.
  const authenticated = Symbol('authenticated');
  type Known = Request & { [authenticated]?: AuthenticatedUser };

  function remember(req: Request, user: AuthenticatedUser): AuthenticatedUser {
    (req as Known)[authenticated] = user;
    req.user = user;
    return user;
  }
  function authenticate(req: Request, res: Response): NowOrLater<AuthenticatedUser> {
    const token = bearerToken(req);
    if (token !== undefined) return whenKnown(deps.authenticate(token), (user) => remember(req, user));
    if (browser === undefined)
      throw new OtpAuthError('token_missing', 'Send an access token as "Authorization: Bearer …".');
    // Once for a request: what its cookies say may have been refreshed already.
    return (req as Known)[authenticated] ?? whenKnown(browser.authenticate(req, res), (user) => remember(req, user));
  }
  const userOf = (req: Request, res: Response) => (req as Known)[authenticated] ?? authenticate(req, res);
  const guard = guardWith(browser, (req, error) => deps.noteRefusal(req, error, (req as Known)[authenticated]?.id));

  return {
    requireUser: guard(authenticate),

    optionalUser: guard((req, res) => {
      if (bearerToken(req) !== undefined) return authenticate(req, res);
      if (browser?.hasCookies(req) !== true) return undefined;
      return unlessSignedOut(() => authenticate(req, res));
    }),

    requireRole(...roles) {
      // Nobody has a list for a role: the mistake would let nobody through, and look like a missing role.
      if (roles.length === 0 || !roles.every((role) => typeof role === 'string'))
        throw new OtpAuthError(
          'config_invalid',
          "requireRole takes roles, one at least: requireRole('admin', 'editor').",
        );
      return guard((req, res) =>
        whenKnown(userOf(req, res), (user) => {
          if (!roles.some((role) => user.roles.includes(role)))
            throw new OtpAuthError('insufficient_scope', 'You may not do this.');
        }),
      );
    },

    requireRecent(seconds = deps.recentSeconds) {
      // No sign-in is older than NaN seconds: the mistake would let everybody through.
      if (!Number.isFinite(seconds) || seconds < 0)
        throw new OtpAuthError('config_invalid', 'requireRecent takes a number of seconds, 0 at least.');
      return guard((req, res) =>
        whenKnown(userOf(req, res), (user) => {
          if (deps.clock.now() / 1000 - user.authTime > seconds)
            throw new OtpAuthError('reauthentication_required', 'Sign in again to do this.', {
              maxAgeSeconds: seconds,
            });
        }),
      );
    },
  };
}

/** Nobody, where cookies name nobody any more: a browser sends them whether or not they are good for anything. */
async function unlessSignedOut(
  authenticate: () => NowOrLater<AuthenticatedUser>,
): Promise<AuthenticatedUser | undefined> {
  try {
    return await authenticate();
  } catch (error) {
    if (isOtpAuthError(error) && error.status === 401) return undefined;
    throw error;
  }
}

/** Lets the request through when the check returns or resolves; answers with its error when it throws or rejects. */
function guardWith(browser: BrowserSessions | undefined, noteRefusal: NoteRefusal) {
  const refuse = (error: unknown, req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return; // the application has given up on the request
    if (!isOtpAuthError(error)) {
      next(error);
      return;
    }
    noteRefusal(req, error);
    if (browser?.sendToSignIn(req, res, error) !== true) sendProblem(res, error);
  };
  return (check: (req: Request, res: Response) => NowOrLater<unknown>): RequestHandler =>
    (req, res, next) => {
      let checking: NowOrLater<unknown>;
      try {
        checking = check(req, res);
      } catch (error) {
        refuse(error, req, res, next);
        return;
      }
      if (!isLater(checking)) next();
      else
        checking.then(
          () => next(),
          (error: unknown) => refuse(error, req, res, next),
        );
    };
}
