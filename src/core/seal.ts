import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Secrets } from './secrets.js';

/** What a sealed text is for: one made for one thing is nothing to the other. */
export type SealPurpose = 'sign-in-cookie' | 'sign-in-link';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12; // NIST SP 800-38D §8.2.2: random, and far fewer messages than 2^32 under one key
const TAG_BYTES = 16;

/** Encrypts what a browser carries for us: it can neither read nor change it. */
export function seal(secrets: Secrets, purpose: SealPurpose, content: object): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, secrets.current.signIn, nonce);
  cipher.setAAD(Buffer.from(purpose));
  const text = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
}

/** What was sealed under one of the listed secrets, for this purpose; `undefined` for anything else. */
export function unseal(secrets: Secrets, purpose: SealPurpose, sealed: string): unknown {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  for (const { signIn } of secrets.all) {
    const decipher = createDecipheriv(ALGORITHM, signIn, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(tag);
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as unknown;
    } catch {
      // Another secret's, or nobody's.
    }
  }
  return undefined;
}
