import type { Revocation } from '../revocation-news.js';

/** A revocation, and whose. */
export interface OfUser {
  userKey: string;
  revocation: Revocation;
}

/** Puts revocations back that Redis may have lost, and does not give up. */
export interface Restoration {
  /** Begins anew: with the first ones at once, and with some of the others whenever `goOn` is called. */
  start(first: Iterable<OfUser>, others: Iterable<OfUser>): void;
  /** Goes on with what could not be put back, and with the others. */
  goOn(): void;
}

const AT_ONCE = 100;
/** Every process puts back what it knows, most of which is there: not so fast that Redis has no time for anything else. */
const OTHERS_EACH_TIME = 500;

/** @param write - Puts one back; rejects where Redis does not answer. */
export function restoration(write: (one: OfUser) => Promise<unknown>): Restoration {
  let left: OfUser[] = [];
  let others: Iterator<OfUser> | undefined;
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

  function takeOthers(): void {
    while (others !== undefined && left.length < OTHERS_EACH_TIME) {
      const next = others.next();
      if (next.done === true) others = undefined;
      else left.push(next.value);
    }
  }

  return {
    start(first, rest) {
      left = [...first];
      others = rest[Symbol.iterator]();
      takeOthers();
      void writeAll();
    },
    goOn() {
      if (left.length === 0) takeOthers();
      if (left.length > 0) void writeAll();
    },
  };
}
