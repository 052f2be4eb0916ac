import { OtpAuthError } from '../errors.js';
import { hashCode } from './code.js';
import type { Emit } from './events.js';
import { type Identifier, maskIdentifier } from './identifier.js';
import type { Clock, CodePurpose, CodeRules, ReturningDevice, Store } from './ports.js';
import type { Requester } from './requester.js';
import { identifierKeyFor, type Secrets } from './secrets.js';
import type { Sessions, SignIn } from './sessions.js';
import type { SmsGuard } from './sms-guard.js';
import type { MfaChallenge } from './totp/mfa-challenge.js';
import type { Users } from './users.js';

/** A person types a code in. */
export interface OtpAttempt {
  identifier: Identifier;
  purpose: CodePurpose;
  code: string;
  /** Whose code it must be, where somebody is signed in. */
  userId?: string | undefined;
  requester: Requester;
  device?: ReturningDevice | undefined;
}

export interface ConsumeCodeDeps {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  emit: Emit;
  rules: CodeRules;
  /** Where codes go by SMS. */
  smsGuard?: SmsGuard | undefined;
}

/** Resolves when the code was right, and has thereby been used up. */
export type ConsumeOtp = (attempt: OtpAttempt) => Promise<void>;

/** What it returns rejects with `invalid_otp`, `rate_limited` or `store_unavailable`. */
export function createConsumeOtp({ store, secrets, clock, emit, rules, smsGuard }: ConsumeCodeDeps): ConsumeOtp {
  return async ({ identifier, purpose, code, userId, requester, device }) => {
    const nowMs = clock.now();
    const context = { at: nowMs, identifier: maskIdentifier(identifier), ...requester, purpose };
    const consumed = await store.consumeCode({
      identifierKey: identifierKeyFor(secrets, identifier),
      purpose,
      device,
      nowMs,
      rules,
      codeHashes: hashCode(secrets, { purpose, identifier, userId }, code),
    });
    switch (consumed.outcome) {
      case 'accepted':
        emit('otp.verified', context);
        // Statistics: nobody waits for them, and signing in does not hang on them.
        if (identifier.kind === 'phone') smsGuard?.confirm(identifier).catch(() => {});
        return;
      case 'limited': {
        const retryAfterSeconds = Math.ceil(consumed.retryAfterMs / 1000);
        emit('otp.rejected', { ...context, reason: 'failures_per_day' });
        emit('limit.hit', { ...context, limit: 'failures_per_day', retryAfterSeconds });
        throw new OtpAuthError('rate_limited', 'Too many wrong codes. Wait before you try again.', {
          retryAfterSeconds,
        });
      }
      case 'rejected':
        emit('otp.rejected', { ...context, reason: consumed.reason });
        throw invalidOtp();
    }
  };
}

/** `totpCode`: the second factor, where it comes with the first. */
export type VerifyOtp = (attempt: Omit<OtpAttempt, 'purpose'> & { totpCode?: string | undefined }) => Promise<SignIn>;

/** Signs in with a code: uses it up, finds the user, opens the session. */
export function createVerifyOtp(deps: {
  consumeOtp: ConsumeOtp;
  users: Users;
  sessions: Sessions;
  clock: Clock;
  /** Asked where users may have a second factor. */
  challenge?: Pick<MfaChallenge, 'complete'> | undefined;
}): VerifyOtp {
  return async (attempt) => {
    const decidedAtMs = deps.clock.now();
    await deps.consumeOtp({ ...attempt, purpose: 'sign-in' });
    const user = await deps.users.signIn(attempt.identifier, attempt.requester);
    if (user === undefined) throw invalidOtp();
    const amr = (await deps.challenge?.complete(user.id, { ...attempt, decidedAtMs })) ?? ['otp'];
    const signIn = await deps.sessions.open(user, amr, decidedAtMs, attempt.requester);
    if (signIn === undefined) throw invalidOtp();
    return signIn;
  };
}

/** One answer for all. */
function invalidOtp(): OtpAuthError {
  return new OtpAuthError('invalid_otp', 'The code is wrong, expired or used. Ask for a new one.');
}
