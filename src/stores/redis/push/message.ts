import type { Revocation } from '../revocation-news.js';

/** What processes say to each other over Redis. */
export type Message =
  /** `from` has revoked something of a user's, and waits for an acknowledgement of `number`; 0 asks for none. */
  | { kind: 'revoked'; from: string; number: number; userKey: string; revocations: Revocation[] }
  /** The member has taken these in. */
  | { kind: 'taken_in'; member: string; numbers: number[] }
  /** A process hears itself: what it asked at this time of its own clock has come round. */
  | { kind: 'echo'; askedAtMs: number };

/** The part of a `revoked` that is known before its script has run; `scripts/announce.ts` adds the other. */
export function stampOf(from: string, number: number, userKey: string): string {
  return JSON.stringify([from, number, userKey]);
}

export function takenIn(member: string, numbers: readonly number[]): string {
  return JSON.stringify({ member, numbers });
}

/** `undefined` where the text is none of ours: anyone who can reach Redis can publish. */
export function readMessage(text: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value === 'number') return { kind: 'echo', askedAtMs: value };
  if (Array.isArray(value)) return readRevoked(value);
  const { member, numbers } = (value ?? {}) as { member?: unknown; numbers?: unknown };
  if (typeof member !== 'string' || !Array.isArray(numbers)) return undefined;
  return { kind: 'taken_in', member, numbers: numbers.filter((number) => typeof number === 'number') };
}

/** `[[from, number, user key], [['id', id, life], ['user', time, life], …]]`, times and lives as text. */
function readRevoked([stamp, revoked]: unknown[]): Message | undefined {
  if (!Array.isArray(stamp) || !Array.isArray(revoked)) return undefined;
  const [from, number, userKey] = stamp as unknown[];
  if (typeof from !== 'string' || typeof number !== 'number' || typeof userKey !== 'string') return undefined;
  const revocations = revoked.map(readRevocation).filter((revocation) => revocation !== undefined);
  return { kind: 'revoked', from, number, userKey, revocations };
}

function readRevocation(entry: unknown): Revocation | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [what, named, life] = entry as unknown[];
  const lifeMs = Number(life);
  if (typeof named !== 'string' || !Number.isFinite(lifeMs)) return undefined;
  if (what === 'id') return { what, id: named, lifeMs };
  if (what === 'user' && Number.isFinite(Number(named))) return { what, revokedAtMs: Number(named), lifeMs };
  return undefined;
}
