import { createHmac, randomInt } from 'node:crypto';
import type { Identifier } from './identifier.js';
import type { CodePurpose } from './ports.js';
import type { Secrets } from './secrets.js';

/** A code of so many decimal digits, every one as likely as the others, leading zeros kept. */
export function drawCode(length: number): string {
  return randomInt(10 ** length)
    .toString()
    .padStart(length, '0');
}

/** What is stored instead of a code; keyed, because a million codes are soon tried. One hash for each listed secret, newest first. */
export function hashCode(secrets: Secrets, purpose: CodePurpose, identifier: Identifier, code: string): string[] {
  const message = JSON.stringify([purpose, identifier.kind, identifier.value, code]);
  return secrets.all.map((era) => createHmac('sha256', era.code).update(message).digest('base64url'));
}
