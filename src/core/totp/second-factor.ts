import { OtpAuthError, storeUnavailable } from '../../errors.js';
import type { Emit } from '../events.js';
import type { Exclusively } from '../exclusively.js';
import { maskedIdentifierOf } from '../identifier.js';
import { loggableReason } from '../loggable-reason.js';
import type { Clock, FactorProof, Logger, Store } from '../ports.js';
import type { Requester } from '../requester.js';
import { type Secrets, userKeyFor } from '../secrets.js';
import type { UserRecord, UserStore } from '../users/user-store.js';
import { hashRecoveryCode } from './recovery-codes.js';
import type { TotpLibrary } from './totp-library.js';
import { isSealedUnderOldSecret, openTotpState, sealTotpState, type TotpState } from './totp-state.js';

/** What someone shows besides the first factor. */
export type FactorAttempt = { code: string; recoveryCode?: undefined } | { recoveryCode: string; code?: undefined };

export interface JudgeFactor {
  user: UserRecord;
  state: TotpState;
  attempt: FactorAttempt;
  /** The challenge that the attempt answers: good for one success. */
  challengeId?: string | undefined;
  requester: Requester;
}

/** What a good attempt showed. */
export interface JudgedFactor {
  method: 'totp' | 'recovery_code';
  /** The user's recovery codes that were used up to now, as far as the store knows. */
  usedHashes: readonly string[];
}

export interface SecondFactor {
  /**
   * The user's state, confirmed or not; `undefined` where there is none.
   *
   * @throws OtpAuthError `store_unavailable` where no listed secret opens it: the user must not pass without it.
   */
  read(user: UserRecord): TotpState | undefined;
  /** The same, `undefined` where there is none that is enforced. */
  enforced(user: UserRecord): TotpState | undefined;
  /** The same for show, also where no listed secret opens the state: it would be asked for all the same. */
  isEnabled(user: UserRecord): boolean;
  /**
   * Judges an attempt, counts it and uses it up in one step of the store. The user's state stays as it is.
   *
   * @throws OtpAuthError `invalid_totp`, `rate_limited`; `invalid_token` where the challenge was answered before
   */
  judge(judgement: JudgeFactor): Promise<JudgedFactor>;
  /**
   * Takes what was used from the user's state, and seals it under the newest secret. Never rejects: until it works, the
   * store remembers what was used, and the old secret is listed.
   */
  tidy(user: UserRecord, judged: JudgedFactor): Promise<void>;
  /**
   * Changes the user's state while nobody else does: `work` gets the user as they are then. Not to be called from
   * within `work`.
   */
  change<Result>(userId: string, work: (user: UserRecord) => Promise<Result>): Promise<Result>;
}

export interface SecondFactorDeps {
  store: Store;
  userStore: Pick<UserStore, 'findById' | 'update'>;
  exclusively: Exclusively;
  secrets: Secrets;
  library: TotpLibrary;
  clock: Clock;
  emit: Emit;
  logger: Logger;
  failuresPerDay: number;
  challengeMs: number;
}

/** Until the used code is gone from the user's row, which is soon; long, because it costs nothing. */
const REMEMBER_USED_CODES_MS = 400 * 86_400_000;

export function createSecondFactor(deps: SecondFactorDeps): SecondFactor {
  const { store, secrets, library, clock, emit, logger } = deps;

  const prove = ({ state, attempt }: JudgeFactor, nowMs: number): FactorProof | undefined => {
    if (attempt.code !== undefined) {
      const step = library.matchingStep(state.secret, attempt.code, nowMs);
      return step === undefined ? undefined : { kind: 'totp', step };
    }
    const hash = hashRecoveryCode(state.secret, attempt.recoveryCode);
    return state.recoveryHashes.includes(hash) ? { kind: 'recovery_code', hash } : undefined;
  };

  const read = (user: UserRecord): TotpState | undefined => {
    try {
      return openTotpState(secrets, user.id, user.totp);
    } catch (cause) {
      const whose = maskedIdentifierOf(user) ?? 'a user';
      logger.error(
        `express-otp-auth: the second factor of ${whose} cannot be read: ${(cause as Error).message}. Until it can, or api.resetTotp() has taken it away, this user cannot sign in.`,
      );
      throw storeUnavailable(cause, 'The second factor cannot be judged.');
    }
  };

  // The store's limits know the user by this key as well.
  const keyOf = (userId: string) => userKeyFor(secrets.oldest, userId);

  const change: SecondFactor['change'] = (userId, work) =>
    deps.exclusively(`second-factor:${keyOf(userId)}`, async () => {
      const user = await deps.userStore.findById(userId);
      if (!user) throw new OtpAuthError('invalid_token');
      return work(user);
    });

  const enforced = (user: UserRecord): TotpState | undefined => {
    const state = read(user);
    return state?.isConfirmed === true ? state : undefined;
  };

  return {
    read,
    enforced,

    isEnabled(user) {
      try {
        return openTotpState(secrets, user.id, user.totp)?.isConfirmed === true;
      } catch {
        return true;
      }
    },

    async judge(judgement) {
      const { user, state, attempt, challengeId, requester } = judgement;
      const nowMs = clock.now();
      const context = { at: nowMs, userId: user.id, identifier: maskedIdentifierOf(user), ...requester };
      const judged = await store.judgeFactor({
        // Under the oldest secret, as all limits are: a new one in front gives no fresh allowance.
        userKey: keyOf(user.id),
        proof: prove(judgement, nowMs),
        challengeId,
        challengeMs: deps.challengeMs,
        nowMs,
        failuresPerDay: deps.failuresPerDay,
        rememberMs: REMEMBER_USED_CODES_MS,
      });
      if (judged.outcome === 'limited') {
        const retryAfterSeconds = Math.ceil(judged.retryAfterMs / 1000);
        emit('limit.hit', { ...context, limit: 'second_factor_failures_per_day', retryAfterSeconds });
        throw new OtpAuthError('rate_limited', 'Too many wrong codes. Wait before you try again.', {
          retryAfterSeconds,
        });
      }
      if (judged.outcome === 'rejected') {
        emit('totp.rejected', { ...context, reason: judged.reason });
        throw new OtpAuthError('invalid_totp', 'The code is wrong or was used. Wait for the next one.');
      }
      if (judged.outcome === 'answered') throw new OtpAuthError('invalid_token');
      const { usedHashes } = judged;
      if (attempt.recoveryCode === undefined) return { method: 'totp', usedHashes };
      emit('recovery_code.used', { ...context, remaining: unused(state, usedHashes).length });
      return { method: 'recovery_code', usedHashes };
    },

    async tidy({ id, totp }, { method, usedHashes }) {
      if (method === 'totp' && !(totp && isSealedUnderOldSecret(secrets, totp))) return;
      try {
        await change(id, async (user) => {
          const state = read(user);
          if (state === undefined) return;
          const recoveryHashes = unused(state, usedHashes);
          await deps.userStore.update(id, { totp: sealTotpState(secrets, id, { ...state, recoveryHashes }) });
        });
      } catch (cause) {
        logger.warn(`express-otp-auth: a second factor could not be brought up to date: ${loggableReason(cause)}`);
      }
    },

    change,
  };
}

function unused({ recoveryHashes }: TotpState, usedHashes: readonly string[]): string[] {
  return recoveryHashes.filter((hash) => !usedHashes.includes(hash));
}
