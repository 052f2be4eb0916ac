import type { Identifier } from './identifier.js';
import type { Clock, CodeLimit, CodeRules, CodeStatus, ReturningDevice, Store } from './ports.js';
import { identifierKeyFor, type Secrets } from './secrets.js';
import type { Sessions } from './sessions.js';

/**
 * How the latest attempt to sign in with a code stands:
 *
 * - `none`: no message was sent in the last 24 hours;
 * - `waiting`: a code was sent, and has not been typed in;
 * - `wrong_code`: a code was sent, wrong ones were typed in, and the right one still works;
 * - `attempts_used_up`: a code was sent, and too many wrong ones were typed in: a new one has to be asked for;
 * - `not_sent`: the message was not sent: it could not be handed over, or the address may not receive one;
 * - `signed_in`: the code was right;
 * - `over`: the code has expired, or was used so long ago that nothing is left of it.
 */
export type SignInOutcome = 'none' | 'waiting' | 'wrong_code' | 'attempts_used_up' | 'not_sent' | 'signed_in' | 'over';

/** What support staff may know of somebody who cannot sign in. It holds no code, and nothing that helps to guess one. */
export interface Explanation {
  /** As it is compared and counted, whatever was typed. */
  identifier: string;
  /** Messages of the last 24 hours, newest first. */
  sentAt: Date[];
  /** Refused codes of the last 24 hours, newest first. */
  refusedAt: Date[];
  lastOutcome: SignInOutcome;
  /** The newest code that works. */
  pendingCode?: { expiresAt: Date; guessesLeft: number } | undefined;
  /** Limits that are reached now, and until when; `failures_per_day` stands against codes both sent and typed in. */
  limits: { limit: CodeLimit; until: Date }[];
  /** Live sessions. */
  sessions: { count: number; lastSignInAt?: Date | undefined; lastUsedAt?: Date | undefined };
}

export type Explain = (identifier: Identifier, device?: ReturningDevice) => Promise<Explanation>;

export interface ExplainDeps {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  rules: CodeRules;
  sessions: Pick<Sessions, 'list'>;
  /** `undefined` where nobody has the identifier. */
  userIdOf: (identifier: Identifier) => Promise<string | undefined>;
}

/** Nothing is stored for its sake, so it tells what limits and sessions have to keep anyway. */
export function createExplain({ store, secrets, clock, rules, sessions, userIdOf }: ExplainDeps): Explain {
  return async (identifier, device) => {
    const nowMs = clock.now();
    const identifierKey = identifierKeyFor(secrets, identifier);
    const [status, userId] = await Promise.all([
      store.inspectCodes({ identifierKey, purpose: 'sign-in', device, nowMs }),
      userIdOf(identifier),
    ]);
    const live = userId === undefined ? [] : await sessions.list(userId);
    const lastSignInMs = latest(live.map(({ startedAtMs }) => startedAtMs));
    const lastUsedMs = latest(live.map(({ lastUsedAtMs }) => lastUsedAtMs));
    const pending = status.codes.find((code) => works(code, rules));
    return {
      identifier: identifier.value,
      sentAt: status.sentAtMs.map(toDate),
      refusedAt: status.failedAtMs.map(toDate),
      lastOutcome: outcomeOf(status, rules, lastSignInMs),
      pendingCode: pending && {
        expiresAt: toDate(pending.expiresAtMs),
        guessesLeft: rules.maxAttempts - pending.wrongGuesses,
      },
      limits: reachedLimits(status, rules, nowMs),
      sessions: {
        count: live.length,
        lastSignInAt: lastSignInMs === undefined ? undefined : toDate(lastSignInMs),
        lastUsedAt: lastUsedMs === undefined ? undefined : toDate(lastUsedMs),
      },
    };
  };
}

type LiveCode = CodeStatus['codes'][number];

function outcomeOf(
  { sentAtMs, codes, usedCodes }: CodeStatus,
  rules: CodeRules,
  lastSignInMs: number | undefined,
): SignInOutcome {
  const [newest] = codes;
  if (newest !== undefined) return stateOf(newest, rules);
  const [lastSentMs] = sentAtMs;
  // A right code uses up all others: where none is live, and one was used, the used one was the latest.
  if (usedCodes > 0) return 'signed_in';
  if (lastSentMs === undefined) return 'none';
  return lastSignInMs !== undefined && lastSignInMs >= lastSentMs ? 'signed_in' : 'over';
}

function stateOf(code: LiveCode, { maxAttempts }: CodeRules): SignInOutcome {
  if (code.isWithdrawn) return 'not_sent';
  if (code.wrongGuesses >= maxAttempts) return 'attempts_used_up';
  return code.wrongGuesses > 0 ? 'wrong_code' : 'waiting';
}

function works({ isWithdrawn, wrongGuesses }: LiveCode, { maxAttempts }: CodeRules): boolean {
  return !isWithdrawn && wrongGuesses < maxAttempts;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function reachedLimits(status: CodeStatus, rules: CodeRules, nowMs: number): Explanation['limits'] {
  const limits: [limit: CodeLimit, entriesMs: number[], allowed: number, windowMs: number][] = [
    ['failures_per_day', status.failedAtMs, rules.failuresPerDay, DAY_MS],
    ['resend_cooldown', status.sentAtMs, 1, rules.resendCooldownMs],
    ['sends_per_hour', status.sentAtMs, rules.sendsPerHour, HOUR_MS],
    ['sends_per_day', status.sentAtMs, rules.sendsPerDay, DAY_MS],
  ];
  return limits.flatMap(([limit, entriesMs, allowed, windowMs]) => {
    const oldestThatCounts = entriesMs[allowed - 1];
    if (oldestThatCounts === undefined) return [];
    const untilMs = Math.min(oldestThatCounts, nowMs) + windowMs;
    return untilMs > nowMs ? [{ limit, until: toDate(untilMs) }] : [];
  });
}

function latest(timesMs: readonly number[]): number | undefined {
  return timesMs.length === 0 ? undefined : Math.max(...timesMs);
}

function toDate(timeMs: number): Date {
  return new Date(timeMs);
}
