import type { RedisClient } from '../redis-client.js';
import type { SubscriberClient } from './subscription.js';

/** A client that can open another connection to the same Redis: every ioredis `Redis` and `Cluster` can. */
export interface DuplicableClient extends RedisClient {
  duplicate(...overrides: unknown[]): SubscriberClient;
}

/** Opens a connection for one life, that says at once when it is lost. What the application chose about retries is for its own. */
export function openSubscriber(client: DuplicableClient): SubscriberClient {
  const options = { lazyConnect: false, enableOfflineQueue: true, keyPrefix: '' };
  if (client.isCluster === true) return client.duplicate([], { ...options, clusterRetryStrategy: null });
  return client.duplicate({
    ...options,
    autoResubscribe: false,
    retryStrategy: null,
    connectTimeout: 2000,
    socketTimeout: undefined,
    commandTimeout: undefined,
  });
}
