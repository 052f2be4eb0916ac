import type { Request, Response } from 'express';
import { hasSecondFactor } from '../../core/authenticate.js';
import type { Clock, SessionRecord } from '../../core/ports.js';
import type { Sessions, SignIn } from '../../core/sessions.js';
import type { Tokens } from '../../core/tokens.js';
import type { Enrolment } from '../../core/totp/enrolment.js';
import { isOtpAuthError } from '../../errors.js';
import { theOneMeant } from '../presented-refresh-token.js';
import type { RefreshCookie } from '../refresh-cookie.js';
import { requesterOf } from '../requester.js';

/** A session that the browser's cookies name, while it lives. */
export interface OwnSession {
  refreshToken: string;
  userId: string;
  session: SessionRecord;
}

/**
 * Setting an authenticator app up on the page, where everybody must have one: by whoever has just signed in, in the
 * browser that did so. Until then the session is good for nothing else; then it is raised, and goes on.
 */
export interface AppSetUp extends Pick<Enrolment, 'enroll' | 'present'> {
  /** The browser's own session; `undefined` where its cookies name none that lives, or another than this one. */
  find(req: Request, sessionId?: string): Promise<OwnSession | undefined>;
  /** What the session still lacks; `sign-in` where that was too long ago for setting anything up. */
  missing(own: OwnSession): 'nothing' | 'app' | 'sign-in';
  /** New tokens for the session, which say what it has come to. */
  renew(req: Request, res: Response, own: OwnSession): Promise<SignIn>;
  /**
   * Confirms the secret that this browser was shown, and raises the session.
   *
   * @throws OtpAuthError `invalid_totp`, `rate_limited`, `conflict`
   */
  confirm(
    req: Request,
    res: Response,
    own: OwnSession,
    attempt: { secret: string; code: string; locale: string },
  ): Promise<string[]>;
}

export function createAppSetUp(deps: {
  enrolment: Pick<Enrolment, 'enroll' | 'present' | 'confirm'>;
  sessions: Pick<Sessions, 'list' | 'refresh'>;
  tokens: Pick<Tokens, 'authenticRefresh'>;
  cookie: RefreshCookie;
  clock: Clock;
  recentSeconds: number;
}): AppSetUp {
  const { enrolment, sessions, tokens, cookie, clock } = deps;

  const renew = async (req: Request, res: Response, { refreshToken }: OwnSession) => {
    const signIn = await sessions.refresh(refreshToken, requesterOf(req));
    cookie.set(req, res, signIn);
    return signIn;
  };

  return {
    enroll: (userId) => enrolment.enroll(userId),
    present: (secret, account) => enrolment.present(secret, account),
    renew,

    async find(req, sessionId) {
      const refreshToken = theOneMeant(cookie.read(req), (one) => tokens.authenticRefresh(one)) ?? '';
      const claims = tokens.authenticRefresh(refreshToken);
      if (claims === undefined || (sessionId !== undefined && sessionId !== claims.sid)) return undefined;
      const session = (await sessions.list(claims.sub)).find(({ id }) => id === claims.sid);
      return session && { refreshToken, userId: claims.sub, session };
    },

    missing({ session }) {
      if (hasSecondFactor(session.amr)) return 'nothing';
      return clock.now() - session.startedAtMs > deps.recentSeconds * 1000 ? 'sign-in' : 'app';
    },

    async confirm(req, res, own, { secret, code, locale }) {
      const holder = { userId: own.userId, sessionId: own.session.id, secret };
      const { recoveryCodes } = await enrolment.confirm(holder, code, { requester: requesterOf(req), locale });
      try {
        await renew(req, res, own);
      } catch (error) {
        // The codes can't be shown again. Whoever has them signs in once more.
        if (!isOtpAuthError(error)) throw error;
      }
      return recoveryCodes;
    },
  };
}
