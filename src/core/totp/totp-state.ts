import { decrypt, encrypt } from '../encrypt.js';
import type { Secrets } from '../secrets.js';

/** A user's second factor. */
export interface TotpState {
  /** RFC 4648 base32, as authenticator apps take it. */
  secret: string;
  /** Until it is confirmed, nothing is enforced. */
  isConfirmed: boolean;
  /** What is left of the recovery codes, hashed. */
  recoveryHashes: readonly string[];
}

/**
 * The state as one opaque text for the user store: AES-256-GCM under a key derived from the current secret, bound to
 * the user, so that one user's text is worth nothing in another's row.
 */
export function sealTotpState({ current }: Secrets, userId: string, state: TotpState): string {
  const encrypted = encrypt(current.totpSecret, userId, JSON.stringify(state));
  return `${current.id}.${encrypted.toString('base64url')}`;
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
  return JSON.parse(decrypt(era.totpSecret, userId, Buffer.from(text, 'base64url'))) as TotpState;
}

/** Whether it was sealed under another than the newest secret, and should be sealed anew. */
export function isSealedUnderOldSecret({ current }: Secrets, sealed: string): boolean {
  return !sealed.startsWith(`${current.id}.`);
}
