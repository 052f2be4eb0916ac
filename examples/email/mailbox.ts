import type { OutgoingEmail } from 'express-otp-auth';

/** `Shop <codes@example.com>`, as providers take it; a name with punctuation stands in quotes (RFC 5322 §3.2.4). */
export function mailbox({ name, address }: OutgoingEmail['from']): string {
  const isPlain = /^[\p{L}\p{N} ]+$/u.test(name);
  return `${isPlain ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${address}>`;
}
