import { Cluster, Redis } from 'ioredis';
import type { Store } from '../../src/core/ports.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import { describeStore } from '../../src/testing/describe-store.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, freshRedis, redisUrl, startRedisCluster } from '../support/redis.js';

let redis: Promise<Redis> | undefined;

describeStore(
  'redisStore',
  async () => {
    const client = await (redis ??= freshRedis());
    await client.flushdb();
    return redisStore(client);
  },
  { createPeer: () => onOwnConnection(new Redis(redisUrl())) },
);

describeWithOwnRedis('on a cluster of three nodes', () => {
  let cluster: Promise<Cluster> | undefined;
  let nodes: { host: string; port: number }[];

  const startCluster = async () => {
    ({ nodes } = await startRedisCluster({ nodes: 3 }));
    const client = new Cluster(nodes);
    closeAfterFile(() => client.disconnect());
    return client;
  };

  describeStore(
    'redisStore',
    async () => {
      const client = await (cluster ??= startCluster());
      await Promise.all(client.nodes('master').map((node) => node.flushall()));
      return redisStore(client);
    },
    { createPeer: () => onOwnConnection(new Cluster(nodes)) },
  );
});

/** A store that closes the connection it was given: for peers, whose connection nobody else has. */
function onOwnConnection(client: Redis | Cluster): Store {
  return { ...redisStore(client), close: async () => client.disconnect() };
}
