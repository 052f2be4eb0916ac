import type { Revocation } from '../revocation-news.js';

/** A revocation, and whose. */
export interface OfUser {
  userKey: string;
  revocation: Revocation;
}

/** Puts revocations back that Redis may have lost, and does not give up. */
export interface Restoration {
  /** Begins anew, with these. */
  start(revocations: Iterable<OfUser>): void;
  /** Goes on with what could not be put back. */
  goOn(): void;
}

const AT_ONCE = 100;

/** @param write - Puts one back; rejects where Redis does not answer. */
export function restoration(write: (one: OfUser) => Promise<unknown>): Restoration {
  let left: OfUser[] = [];
  let isUnderway = false;

  async function writeAll(): Promise<void> {
    if (isUnderway) return;
    isUnderway = true;
    for (;;) {
      const batch = left.splice(0, AT_ONCE);
      const outcomes = await Promise.allSettled(batch.map(write));
      const failed = batch.filter((_, index) => outcomes[index]?.status === 'rejected');
      left.push(...failed);
      if (failed.length > 0 || left.length === 0) break;
    }
    isUnderway = false;
  }

  return {
    start(revocations) {
      left = [...revocations];
      void writeAll();
    },
    goOn() {
      if (left.length > 0) void writeAll();
    },
  };
}
