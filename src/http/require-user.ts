import type { Request, RequestHandler, Response } from 'express';
import type { Authenticate, AuthenticatedUser } from '../core/authenticate.js';
import type { Clock } from '../core/ports.js';
import { bearerToken } from './bearer.js';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { sendProblem } from './problem.js';

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
  /** 403 unless the user has one of the roles. After `requireUser`, or instead of it. */
  requireRole(...roles: string[]): RequestHandler;
  /** 401 as RFC 9470 has it unless the user signed in within so many seconds. After `requireUser`, or instead of it. @default the option `recentSeconds` */
  requireRecent(seconds?: number): RequestHandler;
}

export function createGuards(deps: { authenticate: Authenticate; clock: Clock; recentSeconds: number }): Guards {
  // Not `req.user`: other middleware may have set that, from a source that this guard knows nothing of.
  const authenticated = new WeakMap<Request, AuthenticatedUser>();

  async function authenticate(req: Request): Promise<AuthenticatedUser> {
    const token = bearerToken(req);
    if (token === undefined)
      throw new OtpAuthError('token_missing', 'Send an access token as "Authorization: Bearer …".');
    const user = await deps.authenticate(token);
    authenticated.set(req, user);
    req.user = user;
    return user;
  }
  const userOf = async (req: Request) => authenticated.get(req) ?? authenticate(req);

  return {
    requireUser: guard(authenticate),

    optionalUser: guard(async (req) => {
      if (bearerToken(req) !== undefined) await authenticate(req);
    }),

    requireRole: (...roles) =>
      guard(async (req) => {
        const user = await userOf(req);
        if (!roles.some((role) => user.roles.includes(role)))
          throw new OtpAuthError('insufficient_scope', 'You may not do this.');
      }),

    requireRecent: (seconds = deps.recentSeconds) =>
      guard(async (req) => {
        const user = await userOf(req);
        if (deps.clock.now() / 1000 - user.authTime > seconds)
          throw new OtpAuthError('reauthentication_required', 'Sign in again to do this.', { maxAgeSeconds: seconds });
      }),
  };
}

/** Lets the request through when the check resolves; answers with its error when it rejects. */
function guard(check: (req: Request) => Promise<unknown>): RequestHandler {
  return (req: Request, res: Response, next) => {
    check(req).then(
      () => next(),
      (error: unknown) => {
        if (isOtpAuthError(error)) sendProblem(res, error);
        else next(error);
      },
    );
  };
}
