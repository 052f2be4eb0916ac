import { decrypt, encrypt } from './encrypt.js';
import type { Secrets } from './secrets.js';

/** What a sealed text is for: one made for one thing is nothing to the other. */
export type SealPurpose = 'sign-in-cookie' | 'sign-in-link';

/** Encrypts what a browser carries for us: it can neither read nor change it. */
export function seal(secrets: Secrets, purpose: SealPurpose, content: object): string {
  return encrypt(secrets.current.signIn, purpose, JSON.stringify(content)).toString('base64url');
}

/** What was sealed under one of the listed secrets, for this purpose; `undefined` for anything else. */
export function unseal(secrets: Secrets, purpose: SealPurpose, sealed: string): unknown {
  const encrypted = Buffer.from(sealed, 'base64url');
  for (const { signIn } of secrets.all) {
    try {
      return JSON.parse(decrypt(signIn, purpose, encrypted)) as unknown;
    } catch {
      // Another secret's, or nobody's.
    }
  }
  return undefined;
}
