import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** Drawn ahead, because asking for a few bytes costs as much as asking for many. */
const drawn = Buffer.allocUnsafeSlow(ID_BYTES * 128);
let used = drawn.length;

/** 128 random bits. */
export function randomId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += ID_BYTES;
  return drawn.toString('base64url', used - ID_BYTES, used);
}
