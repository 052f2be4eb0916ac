import { closeAfterFile } from '../support/closing.js';

const TICK_MS = 5;
/** A tick that comes later than this was kept waiting by the machine, not by what is tested. */
const LONGEST_TICK_MS = 20;

let passedMs = 0;
let lastTick: number | undefined;

/** Milliseconds in which this process could have done something: on a busy machine they pass more slowly than by the clock. */
export function ownTime(): number {
  if (lastTick === undefined) start();
  return passedMs + sinceLastTick();
}

function start(): void {
  lastTick = performance.now();
  const timer = setInterval(() => {
    passedMs += sinceLastTick();
    lastTick = performance.now();
  }, TICK_MS);
  closeAfterFile(() => clearInterval(timer));
}

function sinceLastTick(): number {
  return Math.min(performance.now() - (lastTick as number), LONGEST_TICK_MS);
}
