import { domainToASCII } from 'node:url';

/** Where a code can be sent: a canonical e-mail address or phone number. Made of people's input by `parseEmail` and `phoneNumbers` alone. */
export type Identifier =
  { readonly kind: 'email'; readonly value: string } | { readonly kind: 'phone'; readonly value: string };

/** The one reader of each kind, used at every entrance; `undefined` for what is no such identifier. */
export interface ReadIdentifier {
  email(input: string): Identifier | undefined;
  phoneNumber(input: string): Identifier | undefined;
}

/** Reads what may be either: a user name, a user's id where there are no accounts. */
export function readEither(read: ReadIdentifier, input: string): Identifier | undefined {
  return input.includes('@') ? read.email(input) : read.phoneNumber(input);
}

const LONGEST_ADDRESS = 254; // RFC 5321 §4.5.3.1.3, less the angle brackets
const LONGEST_LOCAL_PART = 64; // RFC 5321 §4.5.3.1.1
const DOT_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/; // RFC 5322 §3.2.3, no quotes, no comments
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The canonical form of one plain e-mail address: trimmed, lower-cased whole, internationalised domain in punycode.
 * Anything else (lists, groups, display names, comments, quotes, literals, non-ASCII local parts) is `undefined`.
 */
export function parseEmail(input: string): Identifier | undefined {
  // Measured first: nothing below should see an address of any length.
  if (input.length > 2 * LONGEST_ADDRESS) return undefined;
  const address = input.replace(/^[ \t]+|[ \t]+$/g, '');
  const at = address.lastIndexOf('@');
  const localPart = address.slice(0, Math.max(at, 0)).toLowerCase();
  const domain = canonicalDomain(address.slice(at + 1));
  const value = `${localPart}@${domain}`;
  if (localPart.length > LONGEST_LOCAL_PART || value.length > LONGEST_ADDRESS) return undefined;
  // The Kelvin sign and its like become ASCII when lower-cased: the original must have been ASCII already.
  if (!isAscii(address.slice(0, Math.max(at, 0))) || !DOT_ATOM.test(localPart)) return undefined;
  return HOST_NAME.test(domain) ? { kind: 'email', value } : undefined;
}

/** The reader of an identifier that is a user's id too, where there is no user store. */
export function kindOf(value: string): Identifier['kind'] {
  return value.includes('@') ? 'email' : 'phone';
}

/** Where somebody can be reached, as user records and tokens have it. */
export interface Reachable {
  email?: string | null | undefined;
  phoneNumber?: string | null | undefined;
}

/** All that somebody can be reached by, the e-mail address first. */
export function identifiersOf({ email, phoneNumber }: Reachable): Identifier[] {
  const identifiers: Identifier[] = [];
  if (email) identifiers.push({ kind: 'email', value: email });
  if (phoneNumber) identifiers.push({ kind: 'phone', value: phoneNumber });
  return identifiers;
}

export function isHeldBy({ email, phoneNumber }: Reachable, { kind, value }: Identifier): boolean {
  return (kind === 'email' ? email : phoneNumber) === value;
}

export function maskedIdentifierOf(somebody: Reachable): string | undefined {
  return identifiersOf(somebody).map(maskIdentifier)[0];
}

/** `j***@example.com`, `+49***12`: enough for an operator who knows the person, nothing for anyone else. */
export function maskIdentifier({ kind, value }: Identifier): string {
  if (kind === 'phone') return `${value.slice(0, 3)}***${value.slice(-2)}`;
  return `${value.slice(0, 1)}***${value.slice(value.lastIndexOf('@'))}`;
}

function canonicalDomain(domain: string): string {
  // `domainToASCII` repairs much that is no host name (percent escapes, tabs, numbers as addresses), so it sees
  // only what holds letters beyond ASCII, and what comes out is judged again.
  return isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain);
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}
