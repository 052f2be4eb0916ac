import { guardedBy, KEY, SECRET, verifyWith } from './common.mjs';

/** Signature and expiry alone: nothing can be revoked. */
export const withKeyObject = async () => guardedBy([verifyWith(KEY)]);

/** What most applications write. */
export const withString = async () => guardedBy([verifyWith(SECRET)]);
