import { createHmac, randomInt } from 'node:crypto';

const HOW_MANY = 10;
const CHARACTERS = '23456789abcdefghjkmnpqrstuvwxyz'; // none that is easily taken for another
const LENGTH = 15; // 31^15 is 2^74: beyond guessing, NIST SP 800-63B-4 §3.1.2.1 asks for 64 bits
const GROUP = /.{5}(?=.)/g;

/** Ten codes, in groups of five: `abcde-fghjk-mnpqr`. */
export function drawRecoveryCodes(): string[] {
  return Array.from({ length: HOW_MANY }, () =>
    Array.from({ length: LENGTH }, () => CHARACTERS[randomInt(CHARACTERS.length)])
      .join('')
      .replace(GROUP, '$&-'),
  );
}

/**
 * What is kept of a code, inside the sealed state. Keyed by the app's secret, which is the user's own and as random as
 * can be: it goes on when the application's secret is replaced. 74 random bits need no slow hash.
 */
export function hashRecoveryCode(appSecret: string, code: string): string {
  const canonical = code.toLowerCase().replace(/[\s-]/g, '');
  return createHmac('sha256', appSecret).update(`recovery-code\0${canonical}`).digest('base64url').slice(0, 22);
}
