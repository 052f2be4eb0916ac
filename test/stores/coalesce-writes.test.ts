import { Redis } from 'ioredis';
import { openRedis } from '../../src/stores/redis/open-redis.js';
import type { RedisClient } from '../../src/stores/redis/redis-client.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, startRedis } from '../support/redis.js';

/** How often Redis has read from a connection. */
async function readsOf(redis: Redis): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}

describeWithOwnRedis("the package's own client", () => {
  const COMMANDS = 100;
  /** Reads that a hundred commands of one turn of the event loop cost. */
  async function readsFor(client: RedisClient, redis: Redis): Promise<number> {
    await client.ping();
    const before = await readsOf(redis);
    await Promise.all(Array.from({ length: COMMANDS }, () => client.ping()));
    return (await readsOf(redis)) - before;
  }

  it('writes the commands of one turn at once', async () => {
    const { url } = await startRedis();
    const redis = new Redis(url);
    const own = openRedis(url, 1000, {});
    closeAfterFile(() => [redis, own].forEach((client) => client.disconnect()));
    expect(await readsFor(own, redis)).toBeLessThan(10);
  });

  it('gets its answers over each new connection', async () => {
    const { url } = await startRedis();
    const redis = new Redis(url);
    const own = openRedis(url, 5000, { maxRetriesPerRequest: null, autoResendUnfulfilledCommands: true });
    closeAfterFile(() => [redis, own].forEach((client) => client.disconnect()));
    for (let times = 0; times < 20; times += 1) {
      const answers = Array.from({ length: 5 }, () => own.ping());
      const killing = redis.call('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES');
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['PONG']));
      await killing;
      expect(await own.ping()).toBe('PONG');
    }
  });
});
