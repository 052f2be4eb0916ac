import type { Clock, Logger, Store } from '../../core/ports.js';
import { keysFor, type KeyPrefixes } from './keys.js';
import { pushedRevocations } from './push/pushed-revocations.js';
import type { SubscriberClient } from './push/subscription.js';
import type { RedisClient } from './redis-client.js';
import { isOne } from './run-script.js';
import { createRedisStore } from './redis-store.js';

/** A store that is told of revocations as they happen. */
export interface PushedRedisStore extends Store {
  /** Whether it answers from memory at this moment; where not, it asks Redis. */
  isUpToDate(): boolean;
}

/**
 * `redisStore` that answers from memory what is revoked. `close()` closes the one connection that it opens.
 *
 * @param openSubscriber - Opens that connection, to listen.
 * @param waitMs - How long a revocation waits for every process to take it in.
 */
export function pushedRedisStore(
  client: RedisClient,
  prefixes: KeyPrefixes,
  deps: { openSubscriber: () => SubscriberClient; clock: Clock; logger: Logger; waitMs: number },
): PushedRedisStore {
  const keys = keysFor(prefixes);
  const pushed = pushedRevocations({
    ...deps,
    client,
    keys,
    redis: {
      isRevoked: async (query) => store.isRevoked(query),
      async hasSession({ userKeys, sessionId }) {
        if (sessionId === undefined) return true;
        const there = await Promise.all(
          userKeys.map((userKey) => client.call('HEXISTS', keys.sessions(userKey), sessionId)),
        );
        return there.some(isOne);
      },
    },
  });
  const store = createRedisStore(client, keys, pushed.news);
  return {
    ...store,
    isRevoked: (query) => pushed.isRevoked(query),
    isUpToDate: () => pushed.isUpToDate(),
    close: () => pushed.close(),
  };
}
