import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Identifier } from './identifier.js';
import type { Clock, ReturningDevice } from './ports.js';
import { randomId } from './random-id.js';
import type { Era, Secrets } from './secrets.js';

/** How long a device is remembered after a sign-in. */
export const DEVICE_LIFE_MS = 90 * 86_400_000;

const MOST_IDENTIFIERS = 5;

/**
 * Tells the browsers and applications that signed in before, so that strangers who use up an identifier's allowance do
 * not lock them out (OWASP, "device cookies").
 *
 * A device token is a list of entries, `lane.issuedAt.signature` each. The signature covers the identifier, which is not
 * in the token: nobody can read from it whose it is, and for any other identifier the entry is worth nothing.
 */
export interface Devices {
  /** The device that one of the tokens shows for this identifier. Nothing forged, foreign or expired: a stranger's is `undefined`. */
  recognise(tokens: readonly string[], identifier: Identifier): ReturningDevice | undefined;
  /**
   * The token of a device that has just signed in. What it held for other identifiers goes on, the latest few of them;
   * a lane that it has for this one stays its lane, so that signing in again gives no fresh allowance.
   */
  remember(tokens: readonly string[], identifier: Identifier): string;
}

export function createDevices({ secrets, clock }: { secrets: Secrets; clock: Clock }): Devices {
  const isUnexpired = ({ issuedAtMs }: Entry) => clock.now() < issuedAtMs + DEVICE_LIFE_MS;
  const isOf = (identifier: Identifier) => (entry: Entry) =>
    secrets.all.some((era) => sameText(entry.signature, sign(era, identifier, entry)));

  return {
    recognise(tokens, identifier) {
      const [newest] = readEntries(tokens).filter(isUnexpired).filter(isOf(identifier)).toSorted(newestFirst);
      return newest && { lane: newest.lane, issuedAtMs: newest.issuedAtMs };
    },

    remember(tokens, identifier) {
      const held = readEntries(tokens).filter(isUnexpired);
      const own = held.filter(isOf(identifier)).toSorted(newestFirst);
      const unsigned = { lane: own[0]?.lane ?? randomId(), issuedAtMs: clock.now() };
      const renewed = { ...unsigned, signature: sign(secrets.current, identifier, unsigned) };
      const others = held.filter((entry) => !own.includes(entry));
      return [renewed, ...others].slice(0, MOST_IDENTIFIERS).map(writeEntry).join(SEPARATOR);
    },
  };
}

/** One identifier's device, as far as it is known before the identifier is. */
interface Entry {
  lane: string;
  issuedAtMs: number;
  signature: string;
}

const SEPARATOR = '~'; // neither base64url nor anything that a cookie escapes
const ENTRY = /^(?<lane>[\w-]{22})\.(?<issuedAt>[0-9a-z]{1,10})\.(?<signature>[\w-]{43})$/;

function readEntries(tokens: readonly string[]): Entry[] {
  const texts = new Set(tokens.flatMap((token) => token.split(SEPARATOR, MOST_IDENTIFIERS)));
  return [...texts].flatMap((text) => {
    const { lane, issuedAt, signature } = ENTRY.exec(text)?.groups ?? {};
    if (lane === undefined || issuedAt === undefined || signature === undefined) return [];
    return [{ lane, issuedAtMs: Number.parseInt(issuedAt, 36), signature }];
  });
}

const newestFirst = (one: Entry, other: Entry) => other.issuedAtMs - one.issuedAtMs;

function writeEntry({ lane, issuedAtMs, signature }: Entry): string {
  return `${lane}.${issuedAtMs.toString(36)}.${signature}`;
}

function sign(era: Era, identifier: Identifier, { lane, issuedAtMs }: Omit<Entry, 'signature'>): string {
  const message = JSON.stringify([identifier.kind, identifier.value, lane, issuedAtMs]);
  return createHmac('sha256', era.deviceCookie).update(message).digest('base64url');
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
