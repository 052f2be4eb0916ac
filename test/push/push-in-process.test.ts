import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Cluster, Redis } from 'ioredis';
import { isOtpAuthError, memoryStore, type OtpAuth, type OtpAuthOptions } from '../../src/index.js';
import { revocationSet } from '../../src/stores/redis/push/revocation-set.js';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, freshRedis, redisUrl, startRedis, startRedisCluster } from '../support/redis.js';

/** Redis counts the life of what it keeps by the clock on the wall. */
const wall = { now: () => Date.now(), advanceSeconds: () => {} };

/** A process that goes on when Redis is emptied for the next test takes what comes then for a loss of data. */
const running: AuthApp[] = [];
afterEach(() => Promise.all(running.splice(0).map((app) => app.close())));

async function start(options: OtpAuthOptions): Promise<AuthApp> {
  const app = await startAuthApp({ revocation: 'push', ...options }, wall);
  running.push(app);
  if (options.revocation !== 'check') await untilUpToDate(app.auth, true);
  return app;
}

const untilUpToDate = (auth: OtpAuth, wanted: boolean) =>
  until(`upToDate is ${wanted}`, async () => (await auth.health()).revocation?.upToDate === wanted);

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`It has not come to this: ${what}`);
    await sleep(5);
  }
}

const isGood = ({ auth }: AuthApp, token: string) =>
  auth.api.authenticate(token).then(
    () => true,
    (error: unknown) => (isOtpAuthError(error) && error.code === 'invalid_token' ? false : String(error)),
  );

/** How often Redis was asked with this command since `CONFIG RESETSTAT`. */
async function callsOf(redis: Redis, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await redis.info('commandstats'))?.[1] ?? 0);
}

describeWithOwnRedis('what a request costs', () => {
  const ways = [
    ['push', 0],
    ['check', 20],
  ] as const;
  it.each(ways)('with revocation %s: %i commands for 20 requests with one token', async (revocation, commands) => {
    const server = await startRedis();
    const redis = new Redis(server.url);
    closeAfterFile(() => redis.disconnect());
    const app = await start({ redis: server.url, revocation });
    const { accessToken } = await app.signIn('jo@example.com');
    expect(await isGood(app, accessToken)).toBe(true);
    await redis.config('RESETSTAT');
    for (let count = 0; count < 20; count += 1) expect(await isGood(app, accessToken)).toBe(true);
    expect(await callsOf(redis, 'mget')).toBe(commands);
    for (const other of ['keys', 'scan', 'get', 'exists']) expect(await callsOf(redis, other)).toBe(0);
  });
});

describe('a process whose revocations are pushed', () => {
  let redis: Redis;
  beforeEach(async () => {
    redis = await freshRedis();
  });

  it('refuses what was revoked before it started, and asks Redis for that alone', async () => {
    const early = await start({ redis: redisUrl() });
    const { accessToken } = await early.signIn('jo@example.com');
    await early.auth.api.logout({ accessToken });
    const late = await start({ redis: redisUrl() });
    expect(await isGood(late, accessToken)).toBe(false);
  });

  it.each(['token and session', 'session', 'user'])(
    'hears of a revoked %s before the revoker gets its answer',
    async (what) => {
      const [one, other] = [await start({ redis: redisUrl() }), await start({ redis: redisUrl() })];
      const { accessToken } = await one.signIn('jo@example.com');
      const { sessionId } = await other.auth.api.authenticate(accessToken);
      const before = await one.auth.api.authenticate(accessToken);
      expect(before.sessionId).toBe(sessionId);
      const { api } = one.auth;
      if (what === 'token and session') await api.logout({ accessToken });
      else if (what === 'session') await api.revokeSession('jo@example.com', sessionId);
      else await api.revokeUser('jo@example.com');
      expect([await isGood(one, accessToken), await isGood(other, accessToken)]).toEqual([false, false]);
    },
  );

  it('hears of a session that ends by reuse, and of one that ends because there are too many', async () => {
    const options: OtpAuthOptions = { redis: redisUrl(), maxSessionsPerUser: 1, jwt: { refreshGraceSeconds: 0 } };
    const [one, other] = [await start(options), await start(options)];
    const first = await one.signIn('jo@example.com');
    expect(await isGood(other, first.accessToken)).toBe(true);
    const second = await one.signIn('jo@example.com');
    expect(await isGood(other, first.accessToken)).toBe(false);

    expect(await isGood(other, second.accessToken)).toBe(true);
    await one.auth.api.refresh({ refreshToken: second.refreshToken });
    await expect(one.auth.api.refresh({ refreshToken: second.refreshToken })).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    expect(await isGood(other, second.accessToken)).toBe(false);
  });

  it('hears of a revocation under each of the secrets that are listed', async () => {
    const [old, young] = [
      'the old secret of more than thirty-two bytes',
      'the new secret of more than thirty-two bytes',
    ];
    const [before, after] = [
      await start({ redis: redisUrl(), jwt: { secret: [old] } }),
      await start({ redis: redisUrl(), jwt: { secret: [young, old] } }),
    ];
    const { accessToken } = await before.signIn('jo@example.com');
    expect(await isGood(after, accessToken)).toBe(true);
    await before.auth.api.logout({ accessToken });
    expect(await isGood(after, accessToken)).toBe(false);
  });

  it('hears of what is revoked by a process that is set to check', async () => {
    const [pushed, checking] = [
      await start({ redis: redisUrl() }),
      await start({ redis: redisUrl(), revocation: 'check' }),
    ];
    const { accessToken } = await checking.signIn('jo@example.com');
    expect(await isGood(pushed, accessToken)).toBe(true);
    await checking.auth.api.logout({ accessToken });
    // It is crossed off, which it learns within the time that the lease lasts; it may be back at once.
    await until('the token is refused', async () => (await isGood(pushed, accessToken)) === false);
    await untilUpToDate(pushed.auth, true);
    expect(await isGood(pushed, accessToken)).toBe(false);
  });

  it('takes no token for good that was issued before Redis lost its data', async () => {
    const [one, other] = [await start({ redis: redisUrl() }), await start({ redis: redisUrl() })];
    const { accessToken } = await one.signIn('jo@example.com');
    await sleep(1000 - (Date.now() % 1000)); // the second in which it was issued is over
    expect(await isGood(other, accessToken)).toBe(true);
    await redis.flushdb();
    await until('the token is refused', async () => (await isGood(other, accessToken)) === false);
    const late = await start({ redis: redisUrl() });
    expect(await isGood(late, accessToken)).toBe(false);
    const after = await one.signIn('jo@example.com');
    expect(await isGood(late, after.accessToken)).toBe(true);
  });

  it('takes no revoked token for good that it is shown for the first time after Redis lost its data', async () => {
    const one = await start({ redis: redisUrl() });
    const { accessToken } = await one.signIn('jo@example.com');
    await one.auth.api.logout({ accessToken });
    const late = await start({ redis: redisUrl() });
    expect(await isGood(late, accessToken)).toBe(false);
    await redis.flushdb(); // and `late` has not asked the registry since
    expect(await isGood(late, accessToken)).toBe(false);
  });

  it('lets people in whose session began before the registry, which is asked about once', async () => {
    const checking = await start({ redis: redisUrl(), revocation: 'check' });
    const [stays, goes] = [await checking.signIn('jo@example.com'), await checking.signIn('jo@example.com')];
    const pushed = await start({ redis: redisUrl() });
    expect([await isGood(pushed, stays.accessToken), await isGood(pushed, goes.accessToken)]).toEqual([true, true]);
    await checking.auth.api.logout(goes);
    await until('the token is refused', async () => (await isGood(pushed, goes.accessToken)) === false);
    expect(await isGood(pushed, stays.accessToken)).toBe(true);
  });

  it('opens one connection besides the client that it was given, and closes that one alone', async () => {
    const client = new Redis(redisUrl(), { keyPrefix: 'of-the-application:', connectionName: 'given' });
    closeAfterFile(() => client.disconnect());
    await client.ping();
    const given = { ...client.options };
    const connections = async () => String(await redis.client('LIST')).match(/name=given/g)?.length ?? 0;
    expect(await connections()).toBe(1);
    const app = await start({ redis: client });
    const other = await start({ redis: redisUrl() });
    expect(await connections()).toBe(2);
    const { accessToken } = await app.signIn('jo@example.com');
    await app.auth.api.logout({ accessToken });
    expect(await isGood(app, accessToken)).toBe(false);
    await other.close();
    await app.close();
    while ((await connections()) > 1) await sleep(5);
    expect(client.status).toBe('ready');
    expect(client.options).toEqual(given);
  });

  it('leaves the registry when it is closed, so that nobody waits for it', async () => {
    const app = await start({ redis: redisUrl() });
    const members = async () =>
      (await redis.hkeys('blacklist_{registry}:members')).filter((name) => name.startsWith('m:'));
    expect(await members()).toHaveLength(1);
    await app.close();
    expect(await members()).toHaveLength(0);
  });

  it('asks Redis, and revokes all the same, where it may not use channels', async () => {
    await redis.call('ACL', 'SETUSER', 'channelless', 'on', '>password', '~*', '+@all', 'resetchannels');
    const url = new URL(redisUrl());
    [url.username, url.password] = ['channelless', 'password'];
    const app = await startAuthApp({ redis: url.href, revocation: 'push' }, wall);
    running.push(app);
    const { accessToken } = await app.signIn('jo@example.com');
    expect(await isGood(app, accessToken)).toBe(true);
    await app.auth.api.logout({ accessToken });
    expect(await isGood(app, accessToken)).toBe(false);
    expect((await app.auth.health()).revocation).toEqual({ upToDate: false });
    await redis.call('ACL', 'DELUSER', 'channelless');
  });

  it('is not confused by what others publish', async () => {
    const app = await start({ redis: redisUrl() });
    const { accessToken } = await app.signIn('jo@example.com');
    const channels = (await redis.pubsub('CHANNELS', 'blacklist_feed:*')) as string[];
    const noise = [
      '',
      '{',
      'null',
      '[]',
      '[[],[]]',
      '[["a",1,"u"],[["id"],["user","x","y"],[1,2,3],null]]',
      '{"member":1}',
      '{"member":"a","numbers":[null,"x"]}',
      '"text"',
      '1e400',
    ];
    for (const channel of channels) for (const text of noise) await redis.publish(channel, text);
    await sleep(50);
    expect(await isGood(app, accessToken)).toBe(true);
    await app.auth.api.logout({ accessToken });
    expect(await isGood(app, accessToken)).toBe(false);
  });
});

describeWithOwnRedis('two databases of one Redis', () => {
  it('have nothing to do with each other', async () => {
    const { url } = await startRedis();
    const [here, there] = [await start({ redis: `${url}/1` }), await start({ redis: `${url}/2` })];
    const [mineHere, mineThere] = [await here.signIn('jo@example.com'), await there.signIn('jo@example.com')];
    await there.auth.api.revokeUser('jo@example.com');
    expect(await isGood(there, mineThere.accessToken)).toBe(false);
    expect(await isGood(here, mineHere.accessToken)).toBe(true);
  });
});

describeWithOwnRedis('after a failover that lost what was revoked last', () => {
  it('the processes that revoked it put it back, for those too that come later', async () => {
    const [primary, replica] = [await startRedis(), await startRedis()];
    const admin = new Redis(replica.url);
    closeAfterFile(() => admin.disconnect());
    const client = new Redis(primary.url, {
      retryStrategy: () => 20,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    client.on('error', () => {});
    closeAfterFile(() => client.disconnect());
    const app = await start({ redis: client });
    const [byToken, byUser] = [await app.signIn('token@example.com'), await app.signIn('user@example.com')];
    await sleep(1100); // a user's revocation counts for the seconds before it
    await admin.replicaof('127.0.0.1', primary.port);
    while (!(await admin.info('replication')).includes('master_link_status:up')) await sleep(5);
    await admin.replicaof('NO', 'ONE'); // from here on it lacks everything
    await app.auth.api.logout({ accessToken: byToken.accessToken });
    await app.auth.api.revokeUser('user@example.com');
    await primary.kill();
    client.options.port = replica.port; // as Sentinel would have it

    await untilUpToDate(app.auth, false);
    await untilUpToDate(app.auth, true);
    const late = await start({ redis: replica.url });
    // For a second nobody takes the new server's word.
    while (typeof (await isGood(late, byToken.accessToken)) === 'string') await sleep(20);
    expect([await isGood(late, byToken.accessToken), await isGood(late, byUser.accessToken)]).toEqual([false, false]);
  });
});

describeWithOwnRedis('when a former master takes over again that never learnt of its replacement', () => {
  it('nobody takes its word before what was revoked since is put back', async () => {
    const [former, present] = [await startRedis(), await startRedis()];
    const clients: Redis[] = [];
    const connectTo = (port: number, retryMs: number) => {
      const client = new Redis({ port, retryStrategy: () => retryMs, maxRetriesPerRequest: 0 });
      client.on('error', () => {});
      closeAfterFile(() => client.disconnect());
      clients.push(client);
      return client;
    };
    const admin = new Redis(present.url);
    closeAfterFile(() => admin.disconnect());
    const one = await start({ redis: connectTo(former.port, 500) }); // the last to come back
    const { accessToken } = await one.signIn('jo@example.com');
    await admin.replicaof('127.0.0.1', former.port);
    while (!(await admin.info('replication')).includes('master_link_status:up')) await sleep(5);
    await admin.replicaof('NO', 'ONE');
    clients.forEach((client) => {
      client.options.port = present.port; // as Sentinel would have it
      client.disconnect(true);
    });
    await untilUpToDate(one.auth, false);
    await untilUpToDate(one.auth, true);
    await one.auth.api.logout({ accessToken });
    const late = await start({ redis: connectTo(present.port, 5) });
    await sleep(1100); // what came with the first change of servers is over
    clients.forEach((client) => {
      client.options.port = former.port;
    });
    await present.kill();

    const endsAtMs = performance.now() + 3000;
    while (performance.now() < endsAtMs) {
      expect(await isGood(late, accessToken)).not.toBe(true);
      await sleep(1);
    }
    expect(await isGood(late, accessToken)).toBe(false);
  });
});

describeWithOwnRedis('when Redis comes back with older data', () => {
  it('what was revoked since stays revoked, sessions and all, and those who heard of it put it back', async () => {
    const server = await startRedis();
    const redis = new Redis(server.url, { retryStrategy: () => 20 });
    redis.on('error', () => {});
    closeAfterFile(() => redis.disconnect());
    const [one, other] = [await start({ redis: server.url }), await start({ redis: server.url })];
    const [byId, byUser] = [await one.signIn('token@example.com'), await one.signIn('user@example.com')];
    await sleep(1100); // a user's revocation counts for the seconds before it
    const older = new Map<string, Buffer>();
    for (const key of await redis.keys('session_*')) older.set(key, (await redis.dumpBuffer(key)) as Buffer);
    await one.auth.api.logout({ accessToken: byId.accessToken });
    await one.auth.api.revokeUser('user@example.com');
    await one.close(); // deployed anew
    await server.stop();
    await server.start();
    for (const [key, value] of older) await redis.restore(key, 60_000, value);

    await untilUpToDate(other.auth, false);
    await untilUpToDate(other.auth, true);
    const late = await start({ redis: server.url });
    for (const { accessToken, refreshToken } of [byId, byUser]) {
      while (typeof (await isGood(late, accessToken)) === 'string') await sleep(20);
      expect(await isGood(late, accessToken)).toBe(false);
      await expect(late.auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    }
    expect(await redis.keys('session_*')).toEqual([]);
  });
});

describeWithOwnRedis('on a cluster', () => {
  it('revocations are pushed as well, whichever node has them', async () => {
    const { nodes } = await startRedisCluster({ nodes: 3 });
    const clients = [new Cluster(nodes), new Cluster(nodes)] as const;
    closeAfterFile(() => clients.forEach((client) => client.disconnect()));
    const [one, other] = [await start({ redis: clients[0] }), await start({ redis: clients[1] })];
    for (let user = 0; user < 20; user += 1) {
      const { accessToken } = await one.signIn(`user${user}@example.com`);
      expect(await isGood(other, accessToken)).toBe(true);
      await (user % 2 === 0 ? one : other).auth.api.logout({ accessToken });
      expect([await isGood(one, accessToken), await isGood(other, accessToken)]).toEqual([false, false]);
    }
    await Promise.all([one.close(), other.close()]);
    expect(clients.map(({ status }) => status)).toEqual(['ready', 'ready']);
  });
});

describeWithOwnRedis('on a cluster of which one node loses its data', () => {
  it('what was revoked before is refused by those who came later, and asked the registry’s node alone', async () => {
    const { servers } = await startRedisCluster({ nodes: 3 });
    const admins = servers.map(({ url }) => new Redis(url));
    closeAfterFile(() => admins.forEach((admin) => admin.disconnect()));
    const connect = () => {
      const client = new Cluster(servers.map(({ port }) => ({ host: '127.0.0.1', port })));
      closeAfterFile(() => client.disconnect());
      return client;
    };
    const client = connect();
    const one = await start({ redis: client });
    const tokens: string[] = [];
    for (let user = 0; user < 12; user += 1) tokens.push((await one.signIn(`user${user}@example.com`)).accessToken);
    for (const accessToken of tokens) await one.auth.api.logout({ accessToken });
    const late = await start({ redis: connect() });
    for (const admin of admins) if ((await admin.keys('blacklist_{registry}*')).length === 0) await admin.flushdb();
    for (const accessToken of tokens) expect(await isGood(late, accessToken)).toBe(false);

    client.emit('-node'); // as when a master is gone, and a replica that was behind has its place
    await until('all that was lost is back', async () => {
      const keys = await Promise.all(admins.map((admin) => admin.keys('blacklist_*')));
      return tokens.length * 2 === keys.flat().filter((key) => !key.includes('{registry}')).length;
    });
  });
});

describe('revocation: push', () => {
  it('changes nothing in memory, where every process has its own', async () => {
    const app = await startAuthApp({ revocation: 'push' });
    const { accessToken } = await app.signIn('jo@example.com');
    expect(await isGood(app, accessToken)).toBe(true);
    await app.auth.api.logout({ accessToken });
    expect(await isGood(app, accessToken)).toBe(false);
  });

  it.each<[string, OtpAuthOptions]>([
    ['a store of the application', { redis: undefined as never, store: memoryStore() }],
    [
      'a client that cannot open another connection',
      { redis: { evalsha() {}, eval() {}, mget() {}, on() {} } as never },
    ],
  ])('is refused with %s', async (_, options) => {
    await expect(startAuthApp({ ...options, revocation: 'push' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('revocation (EXPRESS_OTP_AUTH_REVOCATION)'),
    });
  });
});

describe('the revocations that a process knows of', () => {
  const LIFE_MS = 3_660_000;
  const userKey = (index: number) => `key-of-user-${String(index).padStart(10, '0')}`;
  const query = (index: number, id: string, issuedAtSeconds = 1000) => ({
    userKeys: [userKey(index)],
    tokenId: id,
    sessionId: `session of ${id}`,
    issuedAtSeconds,
  });

  it('take no more than 100 MB for 100,000 of them', () => {
    let nowMs = 0;
    const revoked = revocationSet(() => nowMs);
    const beforeBytes = heapBytes();
    for (let index = 0; index < 100_000; index += 1)
      revoked.add(userKey(index), { what: 'id', id: `0123456789abcdef${String(index)}`, lifeMs: LIFE_MS });
    const takenBytes = heapBytes() - beforeBytes;
    expect(revoked.size).toBe(100_000);
    expect(takenBytes).toBeLessThan(100_000_000);
    nowMs = LIFE_MS;
    for (let count = 0; count < 60; count += 1) revoked.sweep();
    expect(revoked.size).toBe(0);
  });

  it('leave with the tokens that they name, and not before', () => {
    let nowMs = 0;
    const revoked = revocationSet(() => nowMs);
    revoked.add(userKey(1), { what: 'id', id: 'short', lifeMs: 1000 });
    revoked.add(userKey(1), { what: 'id', id: 'long', lifeMs: 2000 });
    revoked.add(userKey(1), { what: 'user', revokedAtMs: 500_500, lifeMs: 3000 });
    revoked.add(userKey(1), { what: 'id', id: 'long', lifeMs: 1 });
    const sweepAt = (ms: number) => {
      nowMs = ms;
      revoked.sweep();
      revoked.sweep();
      return ['short', 'long'].map((id) => revoked.has(query(1, id))).concat(revoked.has(query(1, 'x', 499)));
    };
    expect(sweepAt(999)).toEqual([true, true, true]);
    expect(sweepAt(1000)).toEqual([false, true, true]);
    expect(sweepAt(2000)).toEqual([false, false, true]);
    expect(revoked.size).toBe(1);
    expect(sweepAt(3000)).toEqual([false, false, false]);
    expect(revoked.size).toBe(0);
  });

  it('name a user’s tokens of the seconds before, under any of the user’s keys', () => {
    const revoked = revocationSet(() => 0);
    revoked.add(userKey(1), { what: 'user', revokedAtMs: 500_500, lifeMs: 3000 });
    expect(revoked.has(query(1, 'x', 499))).toBe(true);
    expect(revoked.has(query(1, 'x', 500))).toBe(false);
    expect(revoked.has(query(2, 'x', 499))).toBe(false);
    expect(revoked.has({ ...query(2, 'x', 499), userKeys: [userKey(2), userKey(1)] })).toBe(true);
  });
});

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
