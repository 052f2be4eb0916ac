import { randomInt } from 'node:crypto';

/** Work that an answer does not wait for. */
export interface Background {
  /** Starts the work when the answer is on its way. What it rejects with, nobody hears of: it reports by itself. */
  run(work: () => Promise<unknown>): void;
  /**
   * Starts the work at once. Resolves when it is done or has taken so long, and rejects where it fails before that; it
   * goes on in the background then.
   */
  attend(work: () => Promise<unknown>, patienceMs: number): Promise<void>;
  /** Starts what has not begun yet, and resolves when all of it is done. */
  settle(): Promise<void>;
}

/** Taken now, before an application's test puts a clock of its own in their place. */
const { setImmediate: nextTurn, setTimeout: later } = globalThis;

/**
 * @param spreadMs Each piece of work begins at a random moment within this time, so that it slows down no request whose
 *   time would tell of it. 0: at once.
 */
export function createBackground({ spreadMs }: { spreadMs: number }): Background {
  const underway = new Set<Promise<unknown>>();
  const waiting = new Set<() => void>();

  const afterTheAnswer = () =>
    new Promise<void>((resolve) => {
      const begin = () => {
        waiting.delete(begin);
        if (timer !== undefined) clearTimeout(timer);
        resolve();
      };
      const timer = spreadMs === 0 ? undefined : later(begin, randomInt(spreadMs));
      if (timer === undefined) nextTurn(begin);
      waiting.add(begin);
    });

  return {
    run(work) {
      const running = afterTheAnswer()
        .then(work)
        .catch(() => {})
        .finally(() => underway.delete(running));
      underway.add(running);
    },
    attend(work, patienceMs) {
      return new Promise((resolve, reject) => {
        const timer = later(resolve, patienceMs);
        const running = work()
          .then(() => resolve(), reject)
          .finally(() => {
            clearTimeout(timer);
            underway.delete(running);
          });
        underway.add(running);
      });
    },
    async settle() {
      while (underway.size > 0) {
        for (const begin of waiting) begin();
        await Promise.all(underway);
      }
    },
  };
}
