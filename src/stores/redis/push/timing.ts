/**
 * The promise of `revocation: 'push'`, in numbers. A process answers from memory for `LEASE_MS` after it asked the
 * registry whether it is still told of revocations, and heard that it is. Whoever revokes crosses those off that have
 * not confirmed, before the revocation is acknowledged: so nothing is accepted later than `LEASE_MS` after that.
 * All of it by the monotonic clock, which nobody can set.
 */
export const LEASE_MS = 600;

/** How often a process asks the registry: two answers may be lost before its lease ends. */
export const RENEW_MS = 200;

/** An answer of Redis says what was so when it was asked; older than this it says nothing. */
export const OLDEST_ANSWER_MS = 800;

/**
 * After a restart or a failover, Redis may lack what it acknowledged last. For so long the processes put back what
 * they have revoked, and nobody takes its word.
 */
export const SETTLING_MS = 1000;

/** Tokens issued so long after a process was first told of revocations cannot have been revoked before. Covers clocks that differ. */
export const ISSUE_MARGIN_MS = 60_000;

/** A registry that no process has asked for so long is forgotten. */
export const REGISTRY_LIFE_MS = 25 * 3_600_000;
