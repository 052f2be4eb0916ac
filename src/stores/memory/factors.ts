import type { FactorOutcome, JudgeFactorRequest } from '../../core/ports.js';
import { expiringMap } from './expiring-map.js';

const DAY_MS = 86_400_000;

interface UserFactors {
  /** Latest first. */
  failuresMs: number[];
  lastStep: number;
  usedHashes: Set<string>;
  /** Challenge → when nobody can answer it any more. */
  usedChallenges: Map<string, number>;
}

/** Second factors of one process: what was used, and what failed. */
export function factors() {
  const users = expiringMap<UserFactors>();

  return {
    judge({
      userKey,
      proof,
      challengeId,
      challengeMs,
      nowMs,
      failuresPerDay,
      rememberMs,
    }: JudgeFactorRequest): FactorOutcome {
      const user = users.get(userKey, nowMs) ?? {
        failuresMs: [],
        lastStep: -1,
        usedHashes: new Set(),
        usedChallenges: new Map<string, number>(),
      };
      users.set(userKey, user, nowMs + rememberMs, nowMs);

      // When a clock was set back, times in the future become this moment's: nobody waits longer than the window.
      user.failuresMs = user.failuresMs.map((time) => Math.min(time, nowMs)).filter((time) => nowMs - time < DAY_MS);
      const oldest = user.failuresMs[failuresPerDay - 1];
      if (oldest !== undefined) return { outcome: 'limited', retryAfterMs: oldest + DAY_MS - nowMs };

      if (proof === undefined) {
        user.failuresMs.unshift(nowMs);
        return { outcome: 'rejected', reason: 'wrong' };
      }
      // Each step once (RFC 6238 §5.2), and none before one that was used.
      const isUsed = proof.kind === 'totp' ? proof.step <= user.lastStep : user.usedHashes.has(proof.hash);
      if (isUsed) return { outcome: 'rejected', reason: 'replayed' };
      if (challengeId !== undefined && user.usedChallenges.has(challengeId)) return { outcome: 'answered' };
      if (proof.kind === 'totp') user.lastStep = proof.step;
      else user.usedHashes.add(proof.hash);
      for (const [id, endsAtMs] of user.usedChallenges) if (endsAtMs <= nowMs) user.usedChallenges.delete(id);
      if (challengeId !== undefined) user.usedChallenges.set(challengeId, nowMs + challengeMs);
      return { outcome: 'accepted', usedHashes: [...user.usedHashes] };
    },
  };
}
