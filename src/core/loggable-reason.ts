const LONGEST = 200;
const ADDRESS = /[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+/g;
/** A code, or most of a phone number, however it is grouped. */
const DIGITS = /\d(?:[ -]?\d){5,}/g;
/** What could be a token or a key. */
const LONG_WORD = /[\w+/=-]{24,}/g;

/**
 * Why a message was not taken, fit for a log: by the failure's codes and its text, in which nothing is left that could
 * be an address, a code or a token. Providers quote what they were sent.
 */
export function loggableReason(error: unknown): string {
  const { code, responseCode, message } = (error ?? {}) as {
    code?: unknown;
    responseCode?: unknown;
    message?: unknown;
  };
  const codes = [code, responseCode].map(shown).filter(Boolean).join(' ');
  return [codes, shown(typeof error === 'string' ? error : message)].filter(Boolean).join(': ') || 'no reason given';
}

function shown(part: unknown): string {
  if (typeof part !== 'string' && typeof part !== 'number') return '';
  const plain = String(part)
    .slice(0, 50 * LONGEST)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return plain.replace(ADDRESS, '[address]').replace(LONG_WORD, '[…]').replace(DIGITS, '[digits]').slice(0, LONGEST);
}
