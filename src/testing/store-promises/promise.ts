import assert from 'node:assert/strict';
import type {
  CodeRules,
  ConsumeCode,
  ConsumeOutcome,
  IssueCode,
  IssueOutcome,
  OpenSession,
  RotateSession,
  SessionRecord,
  Store,
} from '../../core/ports.js';

/** Opens connections to the same data, the store under test among them: as many as asked for, or that one alone. */
export type Connect = (count: number) => Promise<Store[]>;

/** What is promised, and the check that it is kept. */
export type StorePromises = Record<string, (store: Store, connect: Connect) => Promise<void>>;

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The time that all steps are counted from: now, in whole seconds, for the sake of stores with expiry by date. */
export const START_MS = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;

export const RULES: CodeRules = {
  expiryMs: 5 * MINUTE_MS,
  liveCodes: 1,
  maxAttempts: 5,
  resendCooldownMs: 30 * SECOND_MS,
  sendsPerHour: 10,
  sendsPerDay: 20,
  failuresPerDay: 25,
};

/** Where a request differs from the usual one. */
type Differences<Request extends { rules: CodeRules }> = Partial<Omit<Request, 'rules' | 'nowMs'>> & {
  /** Milliseconds since {@link START_MS}. @default 0 */
  afterMs?: number;
  rules?: Partial<CodeRules>;
};

const USUAL_ADDRESS = { identifierKey: 'identifier', purpose: 'sign-in' } as const;

export const idOf = (code: string) => `id-${code}`;
export const hashOf = (code: string) => `hash-${code}`;

export function issue(
  store: Store,
  code: string,
  { afterMs = 0, rules, ...differences }: Differences<IssueCode> = {},
): Promise<IssueOutcome> {
  return store.issueCode({
    ...USUAL_ADDRESS,
    codeId: idOf(code),
    codeHash: hashOf(code),
    nowMs: START_MS + afterMs,
    rules: { ...RULES, ...rules },
    ...differences,
  });
}

/** Issues a code where that is no question. */
export async function issued(...request: Parameters<typeof issue>): Promise<void> {
  assert.deepEqual(await issue(...request), { outcome: 'issued' });
}

export function guess(
  store: Store,
  code: string,
  { afterMs = 0, rules, ...differences }: Differences<ConsumeCode> = {},
): Promise<ConsumeOutcome> {
  return store.consumeCode({
    ...USUAL_ADDRESS,
    codeHashes: [hashOf(code)],
    nowMs: START_MS + afterMs,
    rules: { ...RULES, ...rules },
    ...differences,
  });
}

/** The outcome of a guess in one word: `accepted`, `limited`, or why it was rejected. */
export async function verdict(...request: Parameters<typeof guess>): Promise<string> {
  const result = await guess(...request);
  return result.outcome === 'rejected' ? result.reason : result.outcome;
}

/** The outcome of issuing in one word: `issued`, or the limit that stands against it. */
export async function sending(...request: Parameters<typeof issue>): Promise<string> {
  const result = await issue(...request);
  return result.outcome === 'limited' ? result.limit : result.outcome;
}

/** Makes wrong guesses one after the other; all must be taken for wrong ones. */
export async function guessWrong(
  store: Store,
  times: number,
  differences: Parameters<typeof guess>[2] = {},
): Promise<void> {
  for (let time = 0; time < times; time += 1) assert.equal(await verdict(store, 'not-it', differences), 'wrong');
}

export const USER = 'user';
export const REVOCATION_MS = HOUR_MS;

/** A session of a week since its last use, and of a month in all. */
export function sessionRecord(id: string, startedAfterMs = 0, differences: Partial<SessionRecord> = {}): SessionRecord {
  const startedAtMs = START_MS + startedAfterMs;
  return {
    id,
    startedAtMs,
    lastUsedAtMs: startedAtMs,
    expiresAtMs: startedAtMs + 7 * DAY_MS,
    endsAtMs: startedAtMs + 30 * DAY_MS,
    amr: ['otp'],
    ip: '192.0.2.7',
    userAgent: 'Browser/1.0 (X11; Linux)',
    ...differences,
  };
}

export function opening(session: SessionRecord, differences: Partial<OpenSession> = {}): OpenSession {
  return {
    userKey: USER,
    session,
    refreshId: `${session.id}-refresh-1`,
    decidedAtMs: session.startedAtMs,
    nowMs: session.startedAtMs,
    maxSessions: 50,
    revocationMs: REVOCATION_MS,
    ...differences,
  };
}

/** Opens sessions where that is no question; each starts a second after the one before. */
export async function open(store: Store, ...ids: string[]): Promise<void> {
  for (const [place, id] of ids.entries()) {
    const outcome = await store.openSession(opening(sessionRecord(id, place * SECOND_MS)));
    assert.deepEqual(outcome, { outcome: 'opened', endedSessionIds: [] });
  }
}

/** Rotates the refresh token of session `a` from `presentedId` to `nextId`. */
export function rotation(
  presentedId: string,
  nextId: string,
  { afterMs = MINUTE_MS, ...differences }: Partial<RotateSession> & { afterMs?: number } = {},
): RotateSession {
  return {
    userKey: USER,
    sessionId: 'a',
    presentedId,
    nextId,
    nowMs: START_MS + afterMs,
    graceMs: 10 * SECOND_MS,
    idleMs: 7 * DAY_MS,
    revocationMs: REVOCATION_MS,
    moving: false,
    ...differences,
  };
}

export async function listedIds(store: Store, afterMs = HOUR_MS, userKey = USER): Promise<string[]> {
  const sessions = await store.listSessions({ userKey, nowMs: START_MS + afterMs });
  return sessions.map(({ id }) => id);
}

/** Whether the access token `token` of the session, issued at the given second, is revoked. */
export async function isRevoked(
  store: Store,
  sessionId: string,
  { tokenId = 'token', issuedAfterMs = HOUR_MS, userKeys = [USER] } = {},
): Promise<boolean> {
  const issuedAtSeconds = Math.floor((START_MS + issuedAfterMs) / SECOND_MS);
  return store.isRevoked({ userKeys, tokenId, sessionId, issuedAtSeconds });
}

/** Compares with what is expected; a member that is `undefined` is one that is not there. */
export function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(JSON.parse(JSON.stringify(actual)), JSON.parse(JSON.stringify(expected)));
}
