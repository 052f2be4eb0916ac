import type { RevocationQuery } from '../../../core/ports.js';
import type { Revocation } from '../revocation-news.js';

/** The revocations that a process knows of. They leave with the tokens that they name. */
export interface RevocationSet {
  add(userKey: string, revocation: Revocation): void;
  has(query: RevocationQuery): boolean;
  /** Drops some of those whose tokens have ended. Called again and again, it gets to all of them. */
  sweep(): void;
  /** All that have not ended, with what is left of their lives. */
  entries(): Iterable<{ userKey: string; revocation: Revocation }>;
  /** Users with a revocation. */
  readonly size: number;
}

interface OfUser {
  revokedAtMs: number;
  untilMs: number;
  /** Id → end of its life. Most users with a revocation have few. */
  ids: Map<string, number> | undefined;
}

const LOOKED_AT_PER_SWEEP = 2000;

/** @param now monotonic, in milliseconds: a clock that is set forward must not make anyone forget. */
export function revocationSet(now: () => number): RevocationSet {
  const users = new Map<string, OfUser>();
  let round = users.entries();

  const dropEnded = (userKey: string, ofUser: OfUser, nowMs: number) => {
    for (const [id, untilMs] of ofUser.ids ?? []) if (untilMs <= nowMs) ofUser.ids?.delete(id);
    if (ofUser.ids?.size === 0) ofUser.ids = undefined;
    if (ofUser.untilMs <= nowMs) ofUser.revokedAtMs = Number.NEGATIVE_INFINITY;
    if (ofUser.untilMs <= nowMs && ofUser.ids === undefined) users.delete(userKey);
  };

  return {
    add(userKey, revocation) {
      const untilMs = now() + revocation.lifeMs;
      let ofUser = users.get(userKey);
      if (ofUser === undefined) {
        ofUser = { revokedAtMs: Number.NEGATIVE_INFINITY, untilMs: 0, ids: undefined };
        users.set(userKey, ofUser);
      }
      if (revocation.what === 'id') {
        ofUser.ids ??= new Map();
        ofUser.ids.set(revocation.id, Math.max(untilMs, ofUser.ids.get(revocation.id) ?? 0));
      } else {
        ofUser.revokedAtMs = Math.max(revocation.revokedAtMs, ofUser.revokedAtMs);
        ofUser.untilMs = Math.max(untilMs, ofUser.untilMs);
      }
    },

    has({ userKeys, tokenId, sessionId, issuedAtSeconds }) {
      if (users.size === 0) return false;
      for (const userKey of userKeys) {
        const ofUser = users.get(userKey);
        if (ofUser === undefined) continue;
        // What has ended and was not dropped yet names tokens that have ended too.
        if (ofUser.ids?.has(tokenId) === true) return true;
        if (sessionId !== undefined && ofUser.ids?.has(sessionId) === true) return true;
        if (issuedAtSeconds < Math.floor(ofUser.revokedAtMs / 1000)) return true;
      }
      return false;
    },

    sweep() {
      const nowMs = now();
      for (let looked = 0; looked < LOOKED_AT_PER_SWEEP; looked += 1) {
        const next = round.next();
        if (next.done === true) {
          round = users.entries();
          return;
        }
        dropEnded(...next.value, nowMs);
      }
    },

    *entries() {
      const nowMs = now();
      for (const [userKey, { revokedAtMs, untilMs, ids }] of users) {
        if (untilMs > nowMs) yield { userKey, revocation: { what: 'user', revokedAtMs, lifeMs: untilMs - nowMs } };
        for (const [id, until] of ids ?? [])
          if (until > nowMs) yield { userKey, revocation: { what: 'id', id, lifeMs: until - nowMs } };
      }
    },

    get size() {
      return users.size;
    },
  };
}
