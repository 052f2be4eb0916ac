import { setTimeout as sleep } from 'node:timers/promises';
import { type OtpAuthError, storeUnavailable } from '../errors.js';
import type { Logger, Store } from './ports.js';

/** Asks the store for one thing, and waits not too long. Rejects with `store_unavailable` where it fails or is late. */
export type Deadline = <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;

/** An outage is over when nothing has failed for so long: a store that can read but not write fails now and then. */
const CALM_MS = 5_000;

/** Makes one for everything that asks the same store. It says once in the log that the store is gone, and once that it is back. */
export function createDeadline({
  timeoutMs,
  logger,
  advice,
}: {
  timeoutMs: number;
  logger: Logger;
  advice: string;
}): Deadline {
  let lastFailure: number | undefined;
  const failed = (error: unknown): OtpAuthError => {
    if (lastFailure === undefined)
      logger.error(`express-otp-auth: the store does not answer: ${describe(error)}. ${advice}`);
    lastFailure = performance.now();
    return storeUnavailable(error);
  };
  const answered = () => {
    if (lastFailure === undefined || performance.now() - lastFailure < CALM_MS) return;
    logger.warn('express-otp-auth: the store answers again');
    lastFailure = undefined;
  };

  return (ask) =>
    new Promise((resolve, reject) => {
      const giveUp = () => reject(failed(new Error(`no answer within ${timeoutMs} ms`)));
      // Where it was this process that stood still, the answer is there and has only to be read.
      const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
      const refuse = (error: unknown) => {
        clearTimeout(timer);
        reject(failed(error));
      };
      try {
        ask().then((answer) => {
          clearTimeout(timer);
          answered();
          resolve(answer);
        }, refuse);
      } catch (error) {
        refuse(error); // an application's own store may throw, or hand out what is no promise
      }
    });
}

/**
 * The same store, with every operation bounded in time, and every failure answered as `store_unavailable`: a guard
 * in front of an application may neither hang nor let pass.
 */
export function withDeadline(store: Store, bounded: Deadline, logger: Logger): Store {
  let undoing = 0;
  let closed = false;
  /** Answers in time; and where it could not, undoes in the end what the store may carry out all the same, after a freeze. */
  const boundedOrUndone = async <Answer>(ask: () => Promise<Answer>, undo: () => Promise<unknown>): Promise<Answer> => {
    let operation: Promise<Answer> | undefined;
    try {
      return await bounded(() => (operation = ask()));
    } catch (error) {
      operation?.then(
        () => persist(undo),
        (failure: unknown) => (mayHaveBeenDone(failure) ? persist(undo) : undefined),
      );
      throw error;
    }
  };
  const isUndone = async (undo: () => Promise<unknown>): Promise<boolean> => {
    const giveUpAt = performance.now() + UNDO_FOR_MS;
    for (let pauseMs = FIRST_PAUSE_MS; !closed && performance.now() < giveUpAt; pauseMs *= 2) {
      try {
        await undo();
        return true;
      } catch {
        await sleep(Math.min(pauseMs, LONGEST_PAUSE_MS), undefined, { ref: false });
      }
    }
    return false;
  };
  const persist = async (undo: () => Promise<unknown>): Promise<void> => {
    if (undoing >= MOST_UNDONE_AT_ONCE) return;
    undoing += 1;
    if (!(await isUndone(undo))) logger.debug('express-otp-auth: what the store did too late could not be undone');
    undoing -= 1;
  };

  return {
    issueCode: (request) =>
      // Never sent, a code must not stay live; and whoever asked for it may ask again at once.
      boundedOrUndone(
        () => store.issueCode(request),
        () => store.withdrawCode({ ...request, issuedAtMs: request.nowMs }),
      ),
    withdrawCode: (request) => bounded(() => store.withdrawCode(request)),
    consumeCode: (request) => bounded(() => store.consumeCode(request)),
    inspectCodes: (request) => bounded(() => store.inspectCodes(request)),
    revokeDevices: (request) => bounded(() => store.revokeDevices(request)),
    countSms: (request) => bounded(() => store.countSms(request)),
    withdrawSms: (request) => bounded(() => store.withdrawSms(request)),
    confirmSms: (request) => bounded(() => store.confirmSms(request)),
    openSession: ({ userKey, session, revocationMs, ...request }) =>
      // Nobody holds its tokens, so nobody could find it in the list of sessions to be theirs.
      boundedOrUndone(
        () => store.openSession({ userKey, session, revocationMs, ...request }),
        () => store.endSession({ userKey, sessionId: session.id, revocationMs }),
      ),
    rotateSession: (request) => bounded(() => store.rotateSession(request)),
    adoptSession: (request) => bounded(() => store.adoptSession(request)),
    endSession: (request) => bounded(() => store.endSession(request)),
    raiseSession: (request) => bounded(() => store.raiseSession(request)),
    judgeFactor: (request) => bounded(() => store.judgeFactor(request)),
    revokeToken: (request) => bounded(() => store.revokeToken(request)),
    endAllSessions: (request) => bounded(() => store.endAllSessions(request)),
    listSessions: (request) => bounded(() => store.listSessions(request)),
    isRevoked(query) {
      let answer: boolean | Promise<boolean>;
      try {
        answer = store.isRevoked(query);
      } catch (error) {
        return bounded(() => Promise.reject(error as Error));
      }
      return typeof answer === 'boolean' ? answer : bounded(() => answer as Promise<boolean>);
    },
    // Nobody would give it back.
    takeLease: (request) =>
      boundedOrUndone(
        () => store.takeLease(request),
        () => store.returnLease(request),
      ),
    returnLease: (request) => bounded(() => store.returnLease(request)),
    ping: () => bounded(() => store.ping()),
    close() {
      closed = true;
      return store.close();
    },
  };
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** No code lives longer. */
const UNDO_FOR_MS = 600_000;
/** What is not undone ends by itself; a store that comes back is not to be buried under it. */
const MOST_UNDONE_AT_ONCE = 1000;

/** Not where it was never sent (`ENOTCONN`, `ECONNREFUSED`), and not where the store answered that it would not (ioredis's `ReplyError`). */
function mayHaveBeenDone(failure: unknown): boolean {
  const { code, name } = (failure ?? {}) as { code?: unknown; name?: unknown };
  return code !== 'ENOTCONN' && code !== 'ECONNREFUSED' && name !== 'ReplyError';
}

/** A connection's error by its code and address; a reply's by its first word (`OOM`, `READONLY`). Neither holds data. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'ENOTCONN') return error.message.slice(0, 120);
  if (code !== undefined && address !== undefined) return `${code} ${address}:${port}`;
  return code ?? error.message.slice(0, 120);
}
