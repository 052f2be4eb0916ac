import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { storeUnavailable } from '../errors.js';
import type { Clock, Store } from './ports.js';
import { randomId } from './random-id.js';

/** Does work of a name alone, in this process and in all others of the same store, one after the other. */
export type Exclusively = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

const SHORTEST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 25;
/** Steps of the stores that the work may take: with fewer than these, the lease outlives it. */
const MOST_STEPS = 20;
/** Steps' time after which nobody waits for others any longer; they may have ended with the lease in hand. */
const PATIENCE_STEPS = 5;

/**
 * For what takes more than one step: reading, deciding and writing while another does the same would undo the decision.
 * What it returns rejects with `store_unavailable` where others don't get done in time.
 */
export function createExclusively({
  store,
  clock,
  storeTimeoutMs,
}: {
  store: Pick<Store, 'takeLease' | 'returnLease'>;
  clock: Clock;
  storeTimeoutMs: number;
}): Exclusively {
  const forMs = MOST_STEPS * storeTimeoutMs;
  const lastOf = new Map<string, Promise<unknown>>();

  const take = async (name: string, holder: string, giveUpAt: number) => {
    while (!(await store.takeLease({ name, holder, nowMs: clock.now(), forMs }))) {
      if (performance.now() > giveUpAt) throw storeUnavailable();
      await setTimeout(randomInt(SHORTEST_WAIT_MS, LONGEST_WAIT_MS));
    }
  };
  const withLease = async <Result>(name: string, giveUpAt: number, work: () => Promise<Result>) => {
    if (performance.now() > giveUpAt) throw storeUnavailable();
    const holder = randomId();
    await take(name, holder, giveUpAt);
    try {
      return await work();
    } finally {
      await store.returnLease({ name, holder }).catch(() => {}); // it ends by itself
    }
  };

  return (name, work) => {
    const giveUpAt = performance.now() + PATIENCE_STEPS * storeTimeoutMs;
    // In line within this process, so that its requests don't contend with each other for the lease.
    const turn = (lastOf.get(name) ?? Promise.resolve()).then(() => withLease(name, giveUpAt, work));
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (lastOf.get(name) === settled) lastOf.delete(name);
      });
    lastOf.set(name, settled);
    return turn;
  };
}
