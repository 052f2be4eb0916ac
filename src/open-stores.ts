import type { Store as IpHits } from 'express-rate-limit';
import type { Settings } from './config.js';
import { createDeadline } from './core/deadline.js';
import type { Store } from './core/ports.js';
import { type CheckedUserStore, checkedUserStore } from './core/users/checked-user-store.js';
import type { UserStore } from './core/users/user-store.js';
import { memoryStore } from './stores/memory/memory-store.js';
import { memoryUserStore } from './stores/memory/memory-user-store.js';
import { failFast } from './stores/redis/fail-fast.js';
import { redisIpHits } from './stores/redis/ip-hits.js';
import { keysFor, type KeyPrefixes } from './stores/redis/keys.js';
import { openRedis } from './stores/redis/open-redis.js';
import { type DuplicableClient, openSubscriber } from './stores/redis/push/open-subscriber.js';
import { pushedRedisStore } from './stores/redis/pushed-redis-store.js';
import type { RedisClient } from './stores/redis/redis-client.js';
import { redisStore } from './stores/redis/redis-store.js';
import { redisUserStore } from './stores/redis/redis-user-store.js';

/** The store that the settings name, and what else is kept where it is. `close` ends what was opened here alone. */
export function openStore(settings: Settings): {
  store: Store;
  /** Where revocations are pushed. */
  isUpToDate?: () => boolean;
  /** Counts of requests by address of the network: in Redis where that is the store, else in this process. */
  openIpHits: (limit: string) => IpHits | undefined;
  /** Where there is a Redis. */
  openRedisUsers?: () => UserStore;
  advice: string;
  close(): Promise<void>;
} {
  const { store, redis, redisOptions, storeTimeoutMs, production, clock, ...prefixes } = settings;
  const keyPrefixes = {
    otp: prefixes.otp.keyPrefix,
    blacklist: prefixes.jwt.blacklistKeyPrefix,
    limit: prefixes.limitKeyPrefix,
    session: prefixes.sessionKeyPrefix,
    user: prefixes.userKeyPrefix,
  };
  const inThisProcess = () => undefined;
  const inRedis = (client: RedisClient) => (limit: string) => redisIpHits(client, keysFor(keyPrefixes).ipHits(limit));
  if (store !== undefined)
    return {
      store,
      openIpHits: inThisProcess,
      advice: 'It is the one in the option store.',
      close: async () => {},
    };
  if (redis === 'memory:') {
    const memory = memoryStore({ clock });
    return { store: memory, openIpHits: inThisProcess, advice: '', close: () => memory.close() };
  }
  if (typeof redis !== 'string') {
    const client = failFast(redis, storeTimeoutMs);
    const inIt = storeInRedis(redis, client, keyPrefixes, settings);
    return {
      ...inIt,
      openIpHits: inRedis(client),
      openRedisUsers: () => redisUserStore(client, keyPrefixes),
      advice: 'It is the client in the option redis.',
      close: () => inIt.store.close(),
    };
  }

  const own = openRedis(redis, storeTimeoutMs, redisOptions);
  const client = failFast(own, storeTimeoutMs);
  const inIt = storeInRedis(own, client, keyPrefixes, settings);
  const { host } = new URL(redis);
  return {
    ...inIt,
    openIpHits: inRedis(client),
    openRedisUsers: () => redisUserStore(client, keyPrefixes),
    advice: production
      ? `Redis is expected at ${host}.`
      : `Redis is expected at ${host}; EXPRESS_OTP_AUTH_REDIS_URL=memory: needs no Redis.`,
    close: async () => {
      await inIt.store.close();
      client.disconnect();
    },
  };
}

/** Users are asked for within the store's time as well; a store that is down is told of by itself. */
export function openUserStore(
  { users, storeTimeoutMs, logger }: Settings,
  openRedisUsers: (() => UserStore) | undefined,
): CheckedUserStore | undefined {
  const store =
    users.store === 'memory' ? memoryUserStore() : users.store === 'redis' ? openRedisUsers?.() : users.store;
  const advice = 'It is the one that keeps the users, users.store.';
  return store && checkedUserStore(store, createDeadline({ timeoutMs: storeTimeoutMs, logger, advice }));
}

/** @param client - The same one as `given`, made to fail fast. */
function storeInRedis(
  given: RedisClient,
  client: RedisClient,
  keyPrefixes: KeyPrefixes,
  { revocation, revocationWaitMs, storeTimeoutMs, clock, logger }: Settings,
): { store: Store; isUpToDate?: () => boolean } {
  if (revocation === 'check') return { store: redisStore(client, keyPrefixes) };
  const store = pushedRedisStore(client, keyPrefixes, {
    openSubscriber: () => openSubscriber(given as DuplicableClient),
    clock,
    logger,
    // The revocation itself has to be done within the store's time as well.
    waitMs: Math.min(revocationWaitMs, storeTimeoutMs / 2),
  });
  return { store, isUpToDate: () => store.isUpToDate() };
}
