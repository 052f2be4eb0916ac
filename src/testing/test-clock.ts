import type { Clock } from '../core/ports.js';

/** Time that passes when it is told to. */
export interface TestClock extends Clock {
  /** Lets so many seconds pass, for codes, tokens, limits and sessions alike. */
  advance(seconds: number): void;
}

/** A clock that shows the present, to the second, and then stands still. */
export function testClock(): TestClock {
  let nowMs = Math.floor(Date.now() / 1000) * 1000;
  return {
    now: () => nowMs,
    advance(seconds) {
      if (!(seconds >= 0)) throw new TypeError('clock.advance takes a number of seconds, from 0 on');
      nowMs += seconds * 1000;
    },
  };
}
