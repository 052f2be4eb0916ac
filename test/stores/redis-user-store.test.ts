import { Cluster, Redis } from 'ioredis';
import { redisUserStore } from '../../src/stores/redis/redis-user-store.js';
import { describeUserStore } from '../../src/testing/describe-user-store.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, freshRedis, startRedisCluster } from '../support/redis.js';

let redis: Promise<Redis> | undefined;

describeUserStore('redisUserStore', async () => {
  const client = await (redis ??= freshRedis());
  await client.flushdb();
  return redisUserStore(client);
});

describeWithOwnRedis('on a cluster of three nodes', () => {
  let cluster: Promise<Cluster> | undefined;

  const startCluster = async () => {
    const { nodes } = await startRedisCluster({ nodes: 3 });
    const client = new Cluster(nodes);
    closeAfterFile(() => client.disconnect());
    return client;
  };

  describeUserStore('redisUserStore', async () => {
    const client = await (cluster ??= startCluster());
    await Promise.all(client.nodes('master').map((node) => node.flushall()));
    return redisUserStore(client);
  });
});

describe('redisUserStore', () => {
  it('leaves nothing behind of a user who is deleted, and writes under its prefix alone', async () => {
    const client = await freshRedis();
    const store = redisUserStore(client, { user: 'people_' });
    const roles = ['user', 'admin'];
    const user = await store.create({ email: 'jane@example.com', roles, disabled: false, createdAt: new Date() });
    const keys = await client.keys('*');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith('people_'))).toEqual([]);
    await store.delete(user === 'taken' ? '' : user.id);
    expect(await client.keys('*')).toEqual([]);
  });

  it('finds users by a query also beyond the first thousand', async () => {
    const store = redisUserStore(await freshRedis());
    const create = (place: number) =>
      store.create({ email: `user-${place}@example.com`, roles: [], disabled: false, createdAt: new Date(place) });
    await Promise.all(Array.from({ length: 2100 }, (_, place) => create(place)));
    const { users, count } = await store.list({ skip: 1, limit: 2, query: '00@' });
    expect(users.map(({ email }) => email)).toEqual(['user-200@example.com', 'user-300@example.com']);
    expect(count).toBe(20);
  });
});
