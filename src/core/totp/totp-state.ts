import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Era, Secrets } from '../secrets.js';

/** A user's second factor. */
export interface TotpState {
  /** RFC 4648 base32, as authenticator apps take it. */
  secret: string;
  /** Until it is confirmed, nothing is enforced. */
  isConfirmed: boolean;
  /** What is left of the recovery codes, hashed. */
  recoveryHashes: readonly string[];
}

const IV_BYTES = 12; // NIST SP 800-38D §8.2
const TAG_BYTES = 16;

/**
 * The state as one opaque text for the user store: AES-256-GCM under a key derived from the current secret, bound to
 * the user, so that one user's text is worth nothing in another's row.
 */
export function sealTotpState({ current }: Secrets, userId: string, state: TotpState): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', current.totpSecret, iv);
  cipher.setAAD(Buffer.from(userId));
  const text = Buffer.concat([cipher.update(JSON.stringify(state), 'utf8'), cipher.final()]);
  return `${current.id}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
}

/**
 * `undefined` where the user has none.
 *
 * @throws Error where there is one that no listed secret opens: the user must not pass without it.
 */
export function openTotpState(
  secrets: Secrets,
  userId: string,
  sealed: string | null | undefined,
): TotpState | undefined {
  if (sealed === null || sealed === undefined || sealed === '') return undefined;
  const [id = '', text = ''] = sealed.split('.');
  const era = secrets.find(id);
  if (era === undefined) throw new Error('the second factor was sealed under a secret that is no longer listed');
  return JSON.parse(decrypt(era, userId, Buffer.from(text, 'base64url'))) as TotpState;
}

/** Whether it was sealed under another than the newest secret, and should be sealed anew. */
export function isSealedUnderOldSecret({ current }: Secrets, sealed: string): boolean {
  return !sealed.startsWith(`${current.id}.`);
}

function decrypt(era: Era, userId: string, sealed: Buffer): string {
  const tagEnd = IV_BYTES + TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', era.totpSecret, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(userId));
  decipher.setAuthTag(sealed.subarray(IV_BYTES, tagEnd));
  return decipher.update(sealed.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8');
}
