import { Redis, type RedisOptions } from 'ioredis';
import type { RedisClient } from '../src/index.js';
import { startAuthApp } from './support/auth-app.js';
import { call } from './support/call.js';
import { closeAfterFile } from './support/closing.js';
import { describeWithOwnRedis, freshRedis, redisUrl, startRedis } from './support/redis.js';

const JO = 'jo@example.com';
type ClientClass = new (url: string, options: RedisOptions) => Redis;
const { Redis: Redis5 } = jest.requireActual<{ Redis: ClientClass }>('ioredis5');

describe.each<[string, ClientClass]>([
  ['ioredis 5', Redis5],
  ['ioredis 6', Redis as ClientClass],
])('a client of %s that is handed over', (_version, Client) => {
  const start = async (options: RedisOptions = {}) => {
    await freshRedis();
    const redis = new Client(redisUrl(), options);
    closeAfterFile(() => redis.disconnect());
    const app = await startAuthApp({ redis });
    return { ...app, redis };
  };
  /** Signs in, refreshes, logs out, and is refused. */
  const wholeWay = async ({ auth, signIn, url }: Awaited<ReturnType<typeof start>>) => {
    const { authorization, refreshToken } = await signIn(JO);
    const me = () => call(`${url}/me`, { method: 'GET', headers: { Authorization: authorization } });
    expect((await call(`${url}/auth/request-otp`, { body: { email: 'joe@example.com' } })).status).toBe(200);
    expect((await me()).status).toBe(200);
    const { refreshToken: next } = await auth.api.refresh({ refreshToken });
    expect(await auth.api.listSessions(JO)).toHaveLength(1);
    await auth.api.logout({ refreshToken: next });
    expect((await me()).status).toBe(401);
    expect((await auth.health()).ok).toBe(true);
  };

  it('is used as it is: no command defined on it, no option changed, no listener left, and still open at the end', async () => {
    const app = await start();
    const { redis } = app;
    await redis.ping();
    const before = look(redis);
    await wholeWay(app);
    expect(look(redis)).toEqual(before);
    await app.auth.close();
    expect(look(redis)).toEqual(before);
    expect(redis.status).toBe('ready');
    expect(await redis.set('mine', 'x')).toBe('OK');
  });

  it.each<[string, RedisOptions]>([
    ['a key prefix', { keyPrefix: 'shop:' }],
    ['auto-pipelining', { enableAutoPipelining: true }],
    ['numbers as strings', { stringNumbers: true }],
    ['friendly error stacks', { showFriendlyErrorStack: true }],
    ['a lazy connection', { lazyConnect: true }],
    ['no offline queue', { enableOfflineQueue: false }],
    ['its own database', { db: Number(new URL(redisUrl()).pathname.slice(1)) }],
    ['no ready check', { enableReadyCheck: false }],
    ['endless retries', { maxRetriesPerRequest: null }],
    ...(Client === Redis5 ? [] : ([['the older protocol', { protocol: 2 }]] as [string, RedisOptions][])),
  ])('goes all the way with %s', async (_what, options) => {
    const app = await start(options);
    if (options.enableOfflineQueue === false) await new Promise((resolve) => app.redis.once('ready', resolve));
    await wholeWay(app);
    const raw = new Client(redisUrl(), {});
    closeAfterFile(() => raw.disconnect());
    const keys = await raw.keys('*');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(key.startsWith('shop:')).toBe(options.keyPrefix === 'shop:');
  });

  it('may answer numbers as strings to accounts, to people who end a session, and to pushed revocations', async () => {
    await freshRedis();
    const redis = new Client(redisUrl(), { stringNumbers: true });
    closeAfterFile(() => redis.disconnect());
    const app = await startAuthApp({ redis, revocation: 'push', users: { store: 'redis' } });
    const { auth, signIn, url } = app;
    const [here, there] = [await signIn(JO), await signIn(JO)];
    const as = (method: string, path: string) =>
      call(url + path, { method, headers: { Authorization: here.authorization } });
    const { sessionId, id } = await auth.api.authenticate(there.accessToken);
    expect((await as('GET', '/auth/sessions')).body['count']).toBe(2);
    expect((await as('DELETE', `/auth/sessions/${sessionId}`)).status).toBe(204);
    await expect(auth.api.authenticate(there.accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
    expect((await as('GET', '/me')).status).toBe(200);
    expect((await auth.api.listUsers()).count).toBe(1);
    expect(await auth.api.explain(JO)).toMatchObject({ lastOutcome: 'signed_in' });
    await auth.api.deleteUser(id);
    expect((await as('GET', '/me')).status).toBe(401);
    await app.close();
  });

  it('goes on with its own commands and its own scripts in between', async () => {
    const app = await start();
    const { redis } = app;
    redis.defineCommand('issueCode', { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], 'mine')" });
    await wholeWay(app);
    expect(await (redis as unknown as { issueCode(key: string): Promise<string> }).issueCode('my-key')).toBe('OK');
    expect(await redis.get('my-key')).toBe('mine');
  });
});

describeWithOwnRedis('a client that is handed over, when Redis is gone', () => {
  it.each<[string, ClientClass]>([
    ['ioredis 5', Redis5],
    ['ioredis 6', Redis as ClientClass],
  ])('%s: 503 in time, even where the client itself would wait for ever', async (_version, Client) => {
    const server = await startRedis();
    const redis = new Client(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => {});
    closeAfterFile(() => redis.disconnect());
    const app = await startAuthApp({ redis: redis as RedisClient });
    await app.signIn(JO);
    await server.kill();
    const answer = await call(`${app.url}/auth/request-otp`, { body: { email: 'joe@example.com' } });
    expect([answer.status, answer.body.code]).toEqual([503, 'store_unavailable']);
    await server.start();
    const deadline = performance.now() + 10_000;
    while (!(await app.auth.health()).ok && performance.now() < deadline) await new Promise(setImmediate);
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: 'jim@example.com' } })).status).toBe(200);
  });
});

describe('what is no client', () => {
  it.each([{}, { get: () => {} }, { evalsha: () => {} }, [], 5])('is refused at the start: %j', async (redis) => {
    await expect(startAuthApp({ redis: redis as never })).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

/** All of a client that a caller could notice. */
function look(redis: Redis) {
  return {
    members: Reflect.ownKeys(redis).map(String).toSorted(),
    prototype: Reflect.ownKeys(Object.getPrototypeOf(redis) as object).length,
    options: { ...redis.options },
    listeners: redis.eventNames().map((name) => [String(name), redis.listenerCount(name)]),
    scripts: Object.keys((redis as unknown as { scriptsSet?: object }).scriptsSet ?? {}),
  };
}
