import { randomInt } from 'node:crypto';

/** Work that an answer does not wait for. */
export interface Background {
  /**
   * Starts the work after the answer is on its way. What it rejects with, nobody hears of: it reports by itself.
   *
   * @param withinMs of now it starts, at a random moment; 0: at once.
   */
  run(work: () => Promise<unknown>, withinMs?: number): void;
  /** Starts what has not begun yet, and resolves when all of it is done. */
  settle(): Promise<void>;
}

export function createBackground(): Background {
  const underway = new Set<Promise<unknown>>();
  const waiting = new Set<() => void>();

  const afterTheAnswer = (withinMs: number) =>
    new Promise<void>((resolve) => {
      const begin = () => {
        waiting.delete(begin);
        if (timer !== undefined) clearTimeout(timer);
        resolve();
      };
      const timer = withinMs === 0 ? undefined : setTimeout(begin, randomInt(withinMs));
      if (timer === undefined) setImmediate(begin);
      waiting.add(begin);
    });

  return {
    run(work, withinMs = 0) {
      const running = afterTheAnswer(withinMs)
        .then(work)
        .catch(() => {})
        .finally(() => underway.delete(running));
      underway.add(running);
    },
    async settle() {
      while (underway.size > 0) {
        for (const begin of waiting) begin();
        await Promise.all(underway);
      }
    },
  };
}
