import { randomUUID } from 'node:crypto';

const MOST_IN_A_MILLISECOND = 0x1000;
let lastMs = 0;
let counter = 0;

/**
 * A new user's id: a UUID of version 7 (RFC 9562 §5.7, with the counter of §6.2, method 1). Those of one process are in
 * the order that they were made in, so that lists are, also where several users are made within a millisecond; and a
 * database's index grows at its end.
 */
export function newUserId(): string {
  // oxlint-disable-next-line no-restricted-properties -- an id's place among others, which no application's clock may set
  const nowMs = Date.now();
  counter += 1;
  // Where the clock is set back, or a millisecond is full, time goes on all the same.
  if (nowMs > lastMs || counter === MOST_IN_A_MILLISECOND) {
    lastMs = Math.max(nowMs, lastMs + 1);
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const variantAndRandom = randomUUID().slice(19);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variantAndRandom}`;
}
