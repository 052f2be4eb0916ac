import { Cluster, Redis } from 'ioredis';
import { closeAfterFile } from '../support/closing.js';
import { freshRedis, describeWithOwnRedis, redisUrl, startRedis, startRedisCluster } from '../support/redis.js';

describe('the majors that the tests run on', () => {
  it.each([
    ['express', process.env['TEST_EXPRESS'] || '5'],
    ['ioredis', process.env['TEST_IOREDIS'] || '6'],
  ])('are those asked for: %s %s', (name, major) => {
    const { version } = jest.requireActual<{ version: string }>(`${name}/package.json`);
    expect(version.split('.')[0]).toBe(major);
  });
});

describe('the Redis of the tests', () => {
  it('is a real server that answers PING and says what it is', async () => {
    const redis = await freshRedis();
    expect(await redis.ping()).toBe('PONG');
    expect(await redis.info('server')).toMatch(/^redis_version:\d+\.\d+\.\d+/m);
  });

  it('runs Lua scripts and remembers keys', async () => {
    const redis = await freshRedis();
    expect(await redis.eval("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])", 1, 'k', 'v')).toBe(
      'v',
    );
  });

  it('gives this worker an empty database of its own, never database 0 of a Redis that was lent', async () => {
    const redis = await freshRedis();
    expect(new URL(redisUrl()).pathname).not.toMatch(/^\/0?$/);
    await redis.set('left', 'over');
    await expect((await freshRedis()).dbsize()).resolves.toBe(0);
  });
});

describeWithOwnRedis('a server of a test’s own', () => {
  it('can be frozen, killed, stopped and started again on the same port', async () => {
    const server = await startRedis({ args: ['--requirepass', 'hunter2'] });
    const client = new Redis(server.url, { password: 'hunter2', commandTimeout: 200, retryStrategy: () => 20 });
    closeAfterFile(() => client.disconnect());
    client.on('error', () => {});
    await client.set('key', 'value');

    server.pause();
    await expect(client.get('key')).rejects.toThrow('timed out');
    server.resume();
    await expect(client.get('key')).resolves.toBe('value');

    await server.kill();
    await expect(client.ping()).rejects.toThrow();
    await server.start();
    await expect(client.get('key')).resolves.toBeNull();
    await server.stop();
    await server.start();
    await expect(client.ping()).resolves.toBe('PONG');
  });

  it('does not start on a port that is taken, and says why', async () => {
    const server = await startRedis();
    await expect(startRedis({ args: ['--port', String(server.port)] })).rejects.toThrow(/in use/i);
  });
});

describeWithOwnRedis('a cluster of a test’s own', () => {
  it('has its slots on several nodes, and refuses a script whose keys are in different ones', async () => {
    const { nodes } = await startRedisCluster({ nodes: 3 });
    const cluster = new Cluster(nodes);
    closeAfterFile(() => cluster.disconnect());
    await Promise.all(Array.from({ length: 30 }, (_, index) => cluster.set(`key${index}`, index)));
    const held = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
    expect(held.filter((count) => count > 0)).toHaveLength(3);
    await expect(cluster.eval("return redis.call('MGET', unpack(KEYS))", 2, 'key1', 'key2')).rejects.toThrow(/slot/);
  });
});
