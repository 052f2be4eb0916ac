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

/** What a code is good for. */
export interface CodeUse {
  purpose: CodePurpose;
  identifier: Identifier;
  /** Whose code it is, where somebody is signed in: nobody else can use it. */
  userId?: string | undefined;
}

/** What is stored instead of a code; keyed, because a million codes are soon tried. One hash for each listed secret, newest first. */
export function hashCode(secrets: Secrets, { purpose, identifier, userId }: CodeUse, code: string): string[] {
  const owner = userId === undefined ? [] : [userId];
  const message = JSON.stringify([purpose, identifier.kind, identifier.value, code, ...owner]);
  return secrets.all.map((era) => createHmac('sha256', era.code).update(message).digest('base64url'));
}
