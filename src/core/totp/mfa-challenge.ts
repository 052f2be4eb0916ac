import { OtpAuthError } from '../../errors.js';
import { type Identifier, isHeldBy } from '../identifier.js';
import type { Clock, NoticeKind, Store } from '../ports.js';
import { randomId } from '../random-id.js';
import type { Requester } from '../requester.js';
import { type Secrets, userKeyFor } from '../secrets.js';
import type { Sessions, SignIn } from '../sessions.js';
import type { MfaClaims, Tokens } from '../tokens.js';
import type { Users } from '../users.js';
import type { Change } from '../users/accounts.js';
import type { UserRecord, UserStore } from '../users/user-store.js';
import type { FactorAttempt, JudgeFactor, SecondFactor } from './second-factor.js';

/** Signing in of users who have a second factor. */
export interface MfaChallenge {
  /**
   * The methods of a sign-in whose first factor is good, as of `decidedAtMs`: with `totpCode`, the second is judged at once.
   *
   * @throws OtpAuthError `mfa_required` with a token for `answer`, where the second factor is outstanding; `invalid_totp`
   */
  complete(
    userId: string,
    attempt: { identifier: Identifier; decidedAtMs: number; totpCode?: string | undefined; requester: Requester },
  ): Promise<string[]>;
  /** @throws OtpAuthError `invalid_token`, `invalid_totp`, `rate_limited` */
  answer(mfaToken: string, attempt: FactorAttempt, by: Change): Promise<SignIn & { identifier: Identifier }>;
}

/** How long a sign-in may wait for its second factor. */
export const CHALLENGE_SECONDS = 600;

export function createMfaChallenge(deps: {
  userStore: Pick<UserStore, 'findById'>;
  users: Users;
  store: Pick<Store, 'isRevoked'>;
  secrets: Secrets;
  secondFactor: SecondFactor;
  sessions: Sessions;
  tokens: Tokens;
  clock: Clock;
  /** Tells the user of what happened. */
  notify: (user: UserRecord, kind: NoticeKind, locale: string) => void;
}): MfaChallenge {
  const { secondFactor, secrets, tokens, clock } = deps;

  const enforcedFor = async (userId: string) => {
    const user = await deps.userStore.findById(userId);
    if (!user) return undefined;
    const state = secondFactor.enforced(user);
    return state && { user, state };
  };

  const judge = async (judgement: JudgeFactor) => {
    const judged = await secondFactor.judge(judgement);
    await secondFactor.tidy(judgement.user, judged);
    return judged.method;
  };

  return {
    async complete(userId, { identifier, decidedAtMs, totpCode, requester }) {
      const enforced = await enforcedFor(userId);
      if (enforced === undefined) {
        // What follows the code of a user without a second factor is a wrong password, not a detail to overlook.
        if (totpCode !== undefined) throw new OtpAuthError('invalid_otp');
        return ['otp'];
      }
      if (totpCode !== undefined) {
        await judge({ ...enforced, attempt: { code: totpCode }, requester });
        return ['otp', 'totp'];
      }
      const iat = Math.floor(clock.now() / 1000);
      const { kind, value } = identifier;
      const mfaToken = tokens.signMfa({
        sub: userId,
        jti: randomId(),
        iat,
        exp: iat + CHALLENGE_SECONDS,
        decided_ms: decidedAtMs,
        ...(kind === 'email' ? { email: value } : { phone_number: value }),
      });
      throw new OtpAuthError('mfa_required', 'Enter the code of your authenticator app, or a recovery code.', {
        mfaToken,
        methods: enforced.state.recoveryHashes.length > 0 ? ['totp', 'recovery_code'] : ['totp'],
      });
    },

    async answer(mfaToken, attempt, { requester, locale }) {
      const claims = tokens.verifyMfa(mfaToken);
      const identifier = identifierOf(claims);
      // Whatever ends a user's sessions ends the sign-ins that are under way.
      const isRevoked = await deps.store.isRevoked({
        userKeys: secrets.all.map((era) => userKeyFor(era, claims.sub)),
        tokenId: claims.jti,
        issuedAtSeconds: claims.iat,
      });
      if (isRevoked) throw new OtpAuthError('invalid_token');
      const user = await deps.users.find(claims.sub);
      const enforced = await enforcedFor(claims.sub);
      // The address may be another's by now, and whoever reads there has shown nothing of this user's.
      if (user === undefined || enforced === undefined || !isHeldBy(user, identifier))
        throw new OtpAuthError('invalid_token');
      const method = await judge({ ...enforced, attempt, challengeId: claims.jti, requester });
      if (method === 'recovery_code') deps.notify(enforced.user, 'recovery_code_used', locale);
      const signIn = await deps.sessions.open(user, ['otp', method], claims.decided_ms, requester);
      if (signIn === undefined) throw new OtpAuthError('invalid_token');
      return { ...signIn, identifier };
    },
  };
}

function identifierOf({ email, phone_number }: MfaClaims): Identifier {
  return email === undefined ? { kind: 'phone', value: phone_number ?? '' } : { kind: 'email', value: email };
}
