import { randomBytes } from 'node:crypto';
import type { Clock, Logger, RevocationQuery } from '../../../core/ports.js';
import type { Keys } from '../keys.js';
import type { RedisClient } from '../redis-client.js';
import { type RevocationNews, UNANNOUNCED } from '../revocation-news.js';
import { runScript } from '../run-script.js';
import { crossOffMembers } from '../scripts/cross-off-members.js';
import { liveMembers } from '../scripts/live-members.js';
import { restoreRevocation } from '../scripts/restore-revocation.js';
import { acknowledgements } from './acknowledgements.js';
import { joinRegistry } from './membership.js';
import { type Message, stampOf, takenIn } from './message.js';
import { type OfUser, restoration } from './restoration.js';
import { revocationSet } from './revocation-set.js';
import type { SubscriberClient } from './subscription.js';
import { LEASE_MS, OLDEST_ANSWER_MS } from './timing.js';

/** What Redis has to say of a token. */
export interface RedisAnswers {
  isRevoked(query: RevocationQuery): Promise<boolean>;
  /** Whether the token's session is there, or the token is of none. */
  hasSession(query: RevocationQuery): Promise<boolean>;
}

/** Revocations that come by themselves. */
export interface PushedRevocations {
  news: RevocationNews;
  /** At once where the process knows; else it asks Redis. */
  isRevoked(query: RevocationQuery): boolean | Promise<boolean>;
  /** Whether it answers from memory at this moment. */
  isUpToDate(): boolean;
  /** Leaves the registry, so that nobody waits for this process, and closes the subscription. */
  close(): Promise<void>;
}

export interface PushedRevocationsDeps {
  client: RedisClient;
  keys: Keys;
  /** Opens the connection that revocations come by: the only one that is opened. */
  openSubscriber: () => SubscriberClient;
  clock: Clock;
  logger: Logger;
  /** How long a revocation waits for processes to take it in. */
  waitMs: number;
  redis: RedisAnswers;
}

/** Redis may lose what it acknowledged last: what was heard of for so long is put back at once, all else a little later. */
const RECENT_MS = 10_000;
const MOST_RECENT = 10_000;
const FAREWELL_MS = 200;
/** A process that was never up to date for so long says so in the log. */
const TROUBLE_MS = 5000;

/**
 * Keeps the revocations of all processes in the memory of this one. See `joinRegistry` for why what it answers is true.
 */
export function pushedRevocations(deps: PushedRevocationsDeps): PushedRevocations {
  const { client, keys, logger, redis } = deps;
  const monotonic = () => performance.now();
  const process = randomBytes(12).toString('base64url');
  const known = revocationSet(monotonic);
  /** Those of this process, and what others have revoked just now: they are put back first where Redis has lost them. */
  const own = revocationSet(monotonic);
  let recent: (OfUser & { heardAtMs: number })[] = [];
  const taken = acknowledgements();
  const membership = joinRegistry({
    ...deps,
    process,
    monotonic,
    onMessage: hear,
    onDataLost: () => restored.start([...own.entries(), ...recent], known.entries()),
    onTick() {
      known.sweep();
      own.sweep();
      forgetRecent();
      restored.goOn();
      sayIfInTrouble();
    },
  });

  // --- what others have revoked

  /** Revoker → numbers of what it has to be told of. */
  const unacknowledged = new Map<string, number[]>();

  function hear(message: Exclude<Message, { kind: 'echo' }>): void {
    if (message.kind === 'taken_in') {
      taken.taken(message.member, message.numbers);
      return;
    }
    const { from, number, userKey, revocations } = message;
    for (const revocation of revocations) {
      known.add(userKey, revocation);
      if (from !== process && recent.length < MOST_RECENT) recent.push({ userKey, revocation, heardAtMs: monotonic() });
    }
    if (number > 0 && from !== process) acknowledge(from, number);
  }

  function acknowledge(from: string, number: number): void {
    // All that has come in one piece is acknowledged in one.
    if (unacknowledged.size === 0) queueMicrotask(sendAcknowledgements);
    unacknowledged.set(from, [...(unacknowledged.get(from) ?? []), number]);
  }

  function sendAcknowledgements(): void {
    for (const [from, numbers] of unacknowledged) {
      const channel = membership.channelOf(from);
      for (const name of membership.memberNames()) {
        // One that gets lost costs this process its place in the registry, which it then takes again.
        if (channel !== undefined) client.call('PUBLISH', channel, takenIn(name, numbers)).catch(() => {});
      }
    }
    unacknowledged.clear();
  }

  // --- what this process revokes

  const news: RevocationNews = {
    async spread(userKey, run, revokedBy) {
      const number = taken.expect();
      try {
        const channel = membership.channel();
        const reply = await run(channel === undefined ? UNANNOUNCED : [channel, stampOf(process, number, userKey)]);
        const revocations = revokedBy(reply);
        for (const revocation of revocations) {
          known.add(userKey, revocation);
          own.add(userKey, revocation);
        }
        if (revocations.length > 0) await everyoneHasTaken(number);
        return reply;
      } finally {
        taken.forget(number);
      }
    },
  };

  async function everyoneHasTaken(number: number): Promise<void> {
    const members = (await runScript(client, liveMembers, [keys.registry], [LEASE_MS])) as string[];
    for (const name of membership.memberNames()) taken.taken(name, [number]);
    if (membership.isListening()) await taken.wait(number, members, deps.waitMs);
    const silent = taken.missing(number, members);
    if (silent.length > 0) await runScript(client, crossOffMembers, [keys.registry], silent);
  }

  // --- what Redis has lost

  const restored = restoration(({ userKey, revocation }) => {
    const isId = revocation.what === 'id';
    const key = isId ? keys.revoked(userKey, revocation.id) : keys.revokedUser(userKey);
    const named = isId ? revocation.id : revocation.revokedAtMs;
    const announcement = [membership.channel() ?? '', stampOf(process, 0, userKey)];
    return runScript(
      client,
      restoreRevocation,
      [key, keys.sessions(userKey)],
      [revocation.what, named, Math.ceil(revocation.lifeMs), ...announcement],
    );
  });

  function forgetRecent(): void {
    const oldestMs = monotonic() - RECENT_MS;
    if (recent.length > 0 && (recent[0] as { heardAtMs: number }).heardAtMs < oldestMs)
      recent = recent.filter(({ heardAtMs }) => heardAtMs >= oldestMs);
  }

  // --- what is asked of it

  function isRevoked(query: RevocationQuery): boolean | Promise<boolean> {
    if (known.has(query)) return true;
    const epoch = membership.current();
    if (epoch !== undefined && (query.issuedAtSeconds >= epoch.coversIssuedSinceSeconds || epoch.cleared.has(query)))
      return false;
    return askRedis(query);
  }

  async function askRedis(query: RevocationQuery): Promise<boolean> {
    for (let attemptsLeft = 3; attemptsLeft > 0; attemptsLeft -= 1) {
      const state = await membership.askState();
      const epoch = membership.current();
      const askedAtMs = monotonic();
      if (askedAtMs < state.settlesAtMs) throw new Error('Redis has just been restarted, or another server took over');
      // Whatever loses a user's revocations, a server that is emptied or a node of a Cluster, loses the sessions as well.
      const [isRevoked, hasSession] = await Promise.all([redis.isRevoked(query), redis.hasSession(query)]);
      if (isRevoked || !hasSession || known.has(query)) return true;
      if (!membership.isStill(state) || monotonic() - askedAtMs > OLDEST_ANSWER_MS) continue;
      epoch?.cleared.add(query);
      return false;
    }
    throw new Error('Redis gave no answer in time');
  }

  // --- for whoever runs it

  let upToDateAtMs = monotonic();
  let isInTrouble = false;

  function sayIfInTrouble(): void {
    const nowMs = monotonic();
    if (membership.current() !== undefined) {
      if (isInTrouble) logger.info('express-otp-auth: revocations are pushed to this process again');
      isInTrouble = false;
      upToDateAtMs = nowMs;
    } else if (!isInTrouble && nowMs - upToDateAtMs > TROUBLE_MS) {
      isInTrouble = true;
      logger.warn(
        `express-otp-auth: revocations are not pushed to this process, so it asks Redis on every request: ${membership.trouble()}`,
      );
    }
  }

  return {
    news,
    isRevoked,
    isUpToDate: () => membership.current() !== undefined,
    async close() {
      const names = [...membership.memberNames()];
      membership.close();
      if (names.length === 0) return;
      const left = runScript(client, crossOffMembers, [keys.registry], names).catch(() => {});
      await Promise.race([left, new Promise((resolve) => void setTimeout(resolve, FAREWELL_MS).unref())]);
    },
  };
}
