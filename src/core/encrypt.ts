import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12; // NIST SP 800-38D §8.2.2: random, and far fewer messages than 2^32 under one key
const TAG_BYTES = 16;

/** AES-256-GCM: nonce, tag, text. `boundTo` says whose or what for: it is not in there, and opens nothing else. */
export function encrypt(key: KeyObject, boundTo: string, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(Buffer.from(boundTo));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
}

/** @throws Error for what was encrypted under another key, for something else, or is not whole */
export function decrypt(key: KeyObject, boundTo: string, encrypted: Buffer): string {
  const tagEnd = NONCE_BYTES + TAG_BYTES;
  if (encrypted.length < tagEnd) throw new Error('too short to have been encrypted');
  const decipher = createDecipheriv(ALGORITHM, key, encrypted.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(boundTo));
  decipher.setAuthTag(encrypted.subarray(NONCE_BYTES, tagEnd));
  return Buffer.concat([decipher.update(encrypted.subarray(tagEnd)), decipher.final()]).toString('utf8');
}
