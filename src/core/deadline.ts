import { OtpAuthError } from '../errors.js';
import type { Logger, Store } from './ports.js';

/** Waits for one operation of the store, and not too long. Rejects with `store_unavailable` where it fails or is late. */
export type Deadline = <Answer>(operation: Promise<Answer>) => Promise<Answer>;

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
  let reachable = true;
  const failed = (error: unknown) => {
    if (reachable) logger.error(`express-otp-auth: the store does not answer: ${describe(error)}. ${advice}`);
    reachable = false;
    return new OtpAuthError('store_unavailable', 'The service cannot answer right now. Try again in a moment.', {
      retryAfterSeconds: 1,
      cause: error,
    });
  };
  const answered = () => {
    if (!reachable) logger.warn('express-otp-auth: the store answers again');
    reachable = true;
  };

  return async (operation) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      const answer = await Promise.race([operation, late]);
      answered();
      return answer;
    } catch (error) {
      throw failed(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

/**
 * The same store, with every operation bounded in time, and every failure answered as `store_unavailable`: a guard
 * in front of an application may neither hang nor let pass.
 */
export function withDeadline(store: Store, bounded: Deadline, logger: Logger): Store {
  return {
    async issueCode(request) {
      const operation = store.issueCode(request);
      try {
        return await bounded(operation);
      } catch (error) {
        // The store may still carry it out, after a freeze: a code that is never sent must not stay live.
        operation
          .then(() => store.withdrawCode({ ...request, issuedAtMs: request.nowMs }))
          .catch(() => logger.debug('express-otp-auth: a late code could not be withdrawn; it was never sent'));
        throw error;
      }
    },
    withdrawCode: (request) => bounded(store.withdrawCode(request)),
    consumeCode: (request) => bounded(store.consumeCode(request)),
    revokeDevices: (request) => bounded(store.revokeDevices(request)),
    countSms: (request) => bounded(store.countSms(request)),
    withdrawSms: (request) => bounded(store.withdrawSms(request)),
    confirmSms: (request) => bounded(store.confirmSms(request)),
    openSession: (request) => bounded(store.openSession(request)),
    rotateSession: (request) => bounded(store.rotateSession(request)),
    adoptSession: (request) => bounded(store.adoptSession(request)),
    endSession: (request) => bounded(store.endSession(request)),
    revokeToken: (request) => bounded(store.revokeToken(request)),
    endAllSessions: (request) => bounded(store.endAllSessions(request)),
    listSessions: (request) => bounded(store.listSessions(request)),
    isRevoked(query) {
      const answer = store.isRevoked(query);
      return typeof answer === 'boolean' ? answer : bounded(answer);
    },
    ping: () => bounded(store.ping()),
    close: () => store.close(),
  };
}

/** A connection's error by its code and address; a reply's by its first word (`OOM`, `READONLY`). Neither holds data. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code !== undefined && address !== undefined) return `${code} ${address}:${port}`;
  return code ?? error.message.slice(0, 120);
}
