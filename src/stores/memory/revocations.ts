import type { Clock, RevocationQuery } from '../../core/ports.js';
import { expiringMap } from './expiring-map.js';

/** Revoked tokens, sessions and users of one process. */
export interface Revocations {
  revokeToken(userKey: string, tokenId: string, forMs: number): void;
  revokeSession(userKey: string, sessionId: string, forMs: number): void;
  /** Revokes everything that was issued to the user before `revokedAtMs`. An earlier time than the one known changes nothing. */
  revokeUser(userKey: string, revokedAtMs: number, forMs: number): void;
  /** Whether all that the user held was revoked after this time. */
  coversSession(userKey: string, startedAtMs: number): boolean;
  /** Whether this very session was ended. */
  hasSession(userKey: string, sessionId: string): boolean;
  isRevoked(query: RevocationQuery): boolean;
}

/** Makes an empty list. The clock says how long ago something was revoked, and nothing else. */
export function revocations(clock: Clock): Revocations {
  const revokedIds = expiringMap<true>();
  const revokedUsers = expiringMap<number>();

  function revokeId(name: string, forMs: number): void {
    const nowMs = clock.now();
    revokedIds.set(name, true, nowMs + forMs, nowMs);
  }

  return {
    revokeToken(userKey, tokenId, forMs) {
      revokeId(tokenName(userKey, tokenId), forMs);
    },

    revokeSession(userKey, sessionId, forMs) {
      revokeId(sessionName(userKey, sessionId), forMs);
    },

    revokeUser(userKey, revokedAtMs, forMs) {
      const nowMs = clock.now();
      const known = revokedUsers.get(userKey, nowMs) ?? revokedAtMs;
      revokedUsers.set(userKey, Math.max(known, revokedAtMs), nowMs + forMs, nowMs);
    },

    coversSession(userKey, startedAtMs) {
      const revokedAtMs = revokedUsers.get(userKey, clock.now());
      return revokedAtMs !== undefined && revokedAtMs > startedAtMs;
    },

    hasSession: (userKey, sessionId) => revokedIds.get(sessionName(userKey, sessionId), clock.now()) !== undefined,

    isRevoked({ userKeys, tokenId, sessionId, issuedAtSeconds }) {
      const nowMs = clock.now();
      return userKeys.some((userKey) => {
        const revokedAtMs = revokedUsers.get(userKey, nowMs);
        return (
          revokedIds.get(tokenName(userKey, tokenId), nowMs) !== undefined ||
          (sessionId !== undefined && revokedIds.get(sessionName(userKey, sessionId), nowMs) !== undefined) ||
          // A token knows the second it was issued in, no more. Those of the same second are revoked by their sessions' ids.
          (revokedAtMs !== undefined && issuedAtSeconds < Math.floor(revokedAtMs / 1000))
        );
      });
    },
  };
}

// User keys are hashes: no space is ever in one.
const tokenName = (userKey: string, tokenId: string) => `${userKey} token ${tokenId}`;
const sessionName = (userKey: string, sessionId: string) => `${userKey} session ${sessionId}`;
