import type { Clock, Store } from '../../core/ports.js';
import { codeLanes } from './code-lanes.js';
import { factors } from './factors.js';
import { createLeases } from './leases.js';
import { revocations } from './revocations.js';
import { smsCounts } from './sms-counts.js';
import { userSessions } from './user-sessions.js';

/** What {@link memoryStore} can be told. */
export interface MemoryStoreOptions {
  /**
   * Tells how long ago something was revoked; all other times come with the requests.
   * @default Date.now
   */
  clock?: Clock | undefined;
}

/**
 * Keeps codes, sessions and revocations in this process: for tests, demonstrations and applications of one process
 * that may forget everything when they end.
 *
 * Each operation runs from its beginning to its end before another one can start, and is atomic thereby. No timer is
 * used; what has ended is dropped along the way.
 */
export function memoryStore({ clock = { now: () => Date.now() } }: MemoryStoreOptions = {}): Store {
  const revoked = revocations(clock);
  const codes = codeLanes();
  const leases = createLeases();
  const sms = smsCounts();
  const secondFactors = factors();
  const sessions = userSessions(revoked);

  return {
    issueCode: async (request) => codes.issue(request),
    withdrawCode: async (request) => codes.withdraw(request),
    consumeCode: async (request) => codes.consume(request),
    inspectCodes: async (request) => codes.inspect(request),
    revokeDevices: async (request) => codes.revokeDevices(request),
    countSms: async (request) => sms.count(request),
    withdrawSms: async (request) => sms.withdraw(request),
    confirmSms: async (request) => sms.confirm(request),
    openSession: async (request) => sessions.open(request),
    rotateSession: async (request) => sessions.rotate(request),
    adoptSession: async (request) => sessions.adopt(request),
    endSession: async (request) => sessions.end(request),
    raiseSession: async (request) => sessions.raise(request),
    judgeFactor: async (request) => secondFactors.judge(request),
    revokeToken: async ({ userKey, tokenId, remainingMs }) => {
      if (remainingMs > 0) revoked.revokeToken(userKey, tokenId, remainingMs);
    },
    endAllSessions: async (request) => sessions.endAll(request),
    listSessions: async (request) => sessions.list(request),
    isRevoked: async (query) => revoked.isRevoked(query),
    takeLease: async (request) => leases.take(request),
    returnLease: async (request) => leases.giveBack(request),
    ping: async () => {},
    close: async () => {},
  };
}
