import http from 'node:http';
import { Cluster, Redis } from 'ioredis';
import { isOtpAuthError, otpAuth, type OtpAuthEvent, type OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, SECRET, startAuthApp, type Surroundings } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { closeAfterFile } from '../support/closing.js';
import { describeOnEachStore } from '../support/each-store.js';
import { describeWithOwnRedis, redisUrl, startRedis, startRedisCluster } from '../support/redis.js';

const CLIENT = '203.0.113.7';
const DEFAULTS = { requestsPerIpPerMinute: 20, verifiesPerIpPerMinute: 60 };
const BEHIND_A_PROXY: Surroundings = { prepare: (app) => app.set('trust proxy', 1) };

let people = 0;
const someone = () => `person-${(people += 1)}@example.com`;

/** Asks for a code, each time for someone else, so that no limit but the address's can be met. */
const ask = ({ url }: AuthApp, ip = CLIENT) =>
  call(`${url}/auth/request-otp`, { body: { email: someone() }, headers: { 'X-Forwarded-For': ip } });
const guess = ({ url }: AuthApp, ip = CLIENT) =>
  call(`${url}/auth/verify-otp`, { body: { email: someone(), otp: '123456' }, headers: { 'X-Forwarded-For': ip } });

async function statusesOf(times: number, act: () => Promise<{ status: number }>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let time = 0; time < times; time += 1) {
    const { status } = await act();
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

describeOnEachStore('the limits per address', (stored) => {
  const start = (options: OtpAuthOptions = {}, surroundings = BEHIND_A_PROXY) =>
    startAuthApp({ ...stored(), limits: DEFAULTS, ...options }, fakeClock(), surroundings);

  it('let 20 requests for codes through in a minute, and answer the 21st with what a client needs to wait', async () => {
    const app = await start();
    const hits: OtpAuthEvent<'limit.hit'>[] = [];
    app.auth.events.on('limit.hit', (event) => hits.push(event));
    const first = await ask(app);
    expect(first.status).toBe(200);
    expect(first.headers['ratelimit']).toMatch(/^"requests-per-ip"; r=19; t=\d+$/);
    expect(first.headers['ratelimit-policy']).toMatch(/^"requests-per-ip"; q=20; w=60(?:; pk=:.+:)?$/);
    expect(await statusesOf(19, () => ask(app))).toEqual({ 200: 19 });

    const refused = await ask(app);
    expect(refused.status).toBe(429);
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(refused.headers['cache-control']).toBe('no-store');
    expect(refused.headers['ratelimit']).toMatch(/^"requests-per-ip"; r=0; t=\d+$/);
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.body).toMatchObject({ status: 429, code: 'rate_limited', retry_after: seconds });
    expect(Object.keys(refused.headers).filter((name) => name.includes('limit'))).toEqual([
      'ratelimit',
      'ratelimit-policy',
    ]);
    expect(app.mails).toHaveLength(20);
    expect(hits).toEqual([
      expect.objectContaining({ limit: 'requests_per_ip_per_minute', retryAfterSeconds: seconds, ip: CLIENT }),
    ]);
    expect(hits[0]).not.toHaveProperty('identifier');
  });

  it('let 60 codes be handed in in a minute, over /verify-otp and /token together', async () => {
    const app = await start();
    const byForm = () =>
      call(`${app.url}/auth/token`, {
        body: new URLSearchParams({ grant_type: 'password', username: someone(), password: '123456' }).toString(),
        headers: { 'X-Forwarded-For': CLIENT, 'Content-Type': 'application/x-www-form-urlencoded' },
      });
    expect(await statusesOf(40, () => guess(app))).toEqual({ 400: 40 });
    expect(await statusesOf(20, byForm)).toEqual({ 400: 20 });

    const refused = await guess(app);
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(refused.headers['ratelimit-policy']).toMatch(/^"verifies-per-ip"; q=60; w=60/);
    const refusedForm = await byForm();
    expect([refusedForm.status, refusedForm.body['error']]).toEqual([429, 'rate_limited']);
    expect(refusedForm.headers['retry-after']).toBe(String(refused.body.retry_after));
    // Asking for codes is another count.
    expect((await ask(app)).status).toBe(200);
  });

  it('refuse even the right code', async () => {
    const app = await start({ limits: { verifiesPerIpPerMinute: 1 } });
    const email = someone();
    await app.auth.api.requestOtp({ email });
    await guess(app);
    const headers = { 'X-Forwarded-For': CLIENT };
    const verify = () => call(`${app.url}/auth/verify-otp`, { body: { email, otp: app.lastCode(email) }, headers });
    expect((await verify()).status).toBe(429);
    app.clock.advanceSeconds(60);
    expect((await verify()).status).toBe(200);
  });

  it('are those of the options', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 2, verifiesPerIpPerMinute: 3 } });
    expect(await statusesOf(4, () => ask(app))).toEqual({ 200: 2, 429: 2 });
    expect(await statusesOf(4, () => guess(app))).toEqual({ 400: 3, 429: 1 });
  });

  it('start anew a minute later', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 1 } });
    expect(await statusesOf(2, () => ask(app))).toEqual({ 200: 1, 429: 1 });
    app.clock.advanceSeconds(59);
    expect((await ask(app)).status).toBe(429);
    app.clock.advanceSeconds(1);
    expect((await ask(app)).status).toBe(200);
  });

  it('keep addresses apart', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 1 } });
    for (const ip of ['203.0.113.1', '203.0.113.2', '2001:db8:0:1::1', '2001:db8:0:2::1'])
      expect(await statusesOf(2, () => ask(app, ip))).toEqual({ 200: 1, 429: 1 });
  });

  it.each([
    ['all addresses of an IPv6 /64', ['2001:db8:0:1::1', '2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8::1:0:0:0:2']],
    [
      'an IPv4 address in its IPv6 forms',
      ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'],
    ],
    ['an address with a port, as some proxies write it', ['192.0.2.9', '192.0.2.9:4711', '192.0.2.9:4712']],
    ['an IPv6 address with a port', ['[2001:db8:0:9::1]:1', '[2001:db8:0:9::2]:2', '2001:db8:0:9::3']],
    ['all that is no address', ['unknown', '_hidden', 'x'.repeat(1000), '1.2.3']],
  ])('count %s for one', async (_name, addresses) => {
    const app = await start({ limits: { requestsPerIpPerMinute: 1 } });
    const [first, ...others] = addresses;
    expect((await ask(app, first)).status).toBe(200);
    for (const ip of others) expect([ip, (await ask(app, ip)).status]).toEqual([ip, 429]);
  });

  it('are not escaped by a forged X-Forwarded-For where no proxy is trusted, and the console stays quiet', async () => {
    const noises = [jest.spyOn(console, 'warn'), jest.spyOn(console, 'error')];
    const app = await start({ limits: { requestsPerIpPerMinute: 3 } }, {});
    const forged = async () =>
      call(`${app.url}/auth/request-otp`, {
        body: { email: someone() },
        headers: {
          'X-Forwarded-For': `198.51.100.${(people % 250) + 1}`,
          Forwarded: `for=198.51.100.${(people % 250) + 1}`,
          'X-Real-IP': `198.51.100.${(people % 250) + 1}`,
        },
      });
    expect(await statusesOf(6, forged)).toEqual({ 200: 3, 429: 3 });
    for (const noise of noises) {
      expect(noise).not.toHaveBeenCalled();
      noise.mockRestore();
    }
  });

  it('believe as many proxies as the application does, and what they say alone', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 1 } });
    // The client wrote the first two itself; the one trusted proxy added the last.
    expect((await ask(app, '198.51.100.1, 198.51.100.2, 203.0.113.50')).status).toBe(200);
    expect((await ask(app, '198.51.100.3, 198.51.100.4, 203.0.113.50')).status).toBe(429);
  });

  it('count malformed requests, and none that has nothing in it', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 4 } });
    const headers = { 'X-Forwarded-For': CLIENT };
    const empty = [undefined, {}, [], 'not JSON'];
    for (const body of empty) {
      const answer = await call(`${app.url}/auth/request-otp`, {
        body,
        headers: { ...headers, 'Content-Type': 'application/json' },
      });
      expect(answer.status).toBe(400);
    }
    const asText = { ...headers, 'Content-Type': 'text/plain' };
    expect(
      (await call(`${app.url}/auth/request-otp`, { body: '{"email":"jo@example.com"}', headers: asText })).status,
    ).toBe(415);
    const malformed = () => call(`${app.url}/auth/request-otp`, { body: { email: 'nobody' }, headers });
    expect(await statusesOf(5, malformed)).toEqual({ 400: 4, 429: 1 });
  });

  it("are not used up by a foreign page that has its visitor's browser hand in codes", async () => {
    const app = await start({ limits: { verifiesPerIpPerMinute: 1 } });
    const foreign = () =>
      call(`${app.url}/auth/verify-otp`, {
        body: { email: someone(), otp: '123456' },
        headers: { 'X-Forwarded-For': CLIENT, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      });
    expect(await statusesOf(3, foreign)).toEqual({ 403: 3 });
    expect((await guess(app)).status).toBe(400);
  });

  it('hold for the functions as well, where they are told who asks', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 2, verifiesPerIpPerMinute: 1 } });
    const { api } = app.auth;
    const from = { ip: `::ffff:${CLIENT}` };
    await ask(app);
    await api.requestOtp({ email: someone() }, from);
    const refused = await api.requestOtp({ email: someone() }, from).catch((error: unknown) => error);
    expect(isOtpAuthError(refused) && [refused.code, refused.details.retryAfterSeconds]).toEqual([
      'rate_limited',
      expect.any(Number),
    ]);
    await expect(api.verifyOtp({ email: someone(), otp: '123456' }, from)).rejects.toMatchObject({
      code: 'invalid_otp',
    });
    await expect(api.verifyOtp({ email: someone(), otp: '123456' }, from)).rejects.toMatchObject({
      code: 'rate_limited',
      status: 429,
    });
    // The application's own calls are for no address.
    for (let time = 0; time < 5; time += 1) await api.requestOtp({ email: someone() });
  });

  it('count exactly, with all requests at once', async () => {
    const app = await start();
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(app)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
  });

  it('leave the request as the application knows it', async () => {
    const app = await start({}, { prepare: (express) => express.set('trust proxy', 1) });
    const seen: object[] = [];
    app.auth.events.on('otp.requested', (event) => seen.push(event));
    await ask(app);
    expect(JSON.stringify(seen)).not.toMatch(/limit/);
  });
});

describe('without options', () => {
  it('has limits of 20 and 60', async () => {
    const auth = otpAuth({ redis: 'memory:', email: { send: () => {} }, jwt: { secret: SECRET } });
    closeAfterFile(() => auth.close());
    const from = { ip: CLIENT };
    const outcomes = async (times: number, act: () => Promise<unknown>) => {
      const all = await Promise.allSettled(Array.from({ length: times }, act));
      const limited = all.filter((each) => each.status === 'rejected' && each.reason.code === 'rate_limited');
      return times - limited.length;
    };
    expect(await outcomes(30, () => auth.api.requestOtp({ email: someone() }, from))).toBe(20);
    expect(await outcomes(70, () => auth.api.verifyOtp({ email: someone(), otp: '123456' }, from))).toBe(60);
  });
});

describe('users without any proxy', () => {
  const onLinux = process.platform === 'linux' ? it : it.skip; // the whole of 127/8 is this machine there

  onLinux('do not share a bucket', async () => {
    const app = await startAuthApp({ limits: { requestsPerIpPerMinute: 1 } });
    const from = async (localAddress: string) => {
      const client = http.request(`${app.url}/auth/request-otp`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        localAddress,
      });
      client.end(JSON.stringify({ email: someone() }));
      return new Promise<{ status: number }>((resolve, reject) => {
        client.on('error', reject);
        client.on('response', (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0 });
        });
      });
    };
    expect(await statusesOf(2, () => from('127.0.0.2'))).toEqual({ 200: 1, 429: 1 });
    expect(await statusesOf(2, () => from('127.0.0.3'))).toEqual({ 200: 1, 429: 1 });
  });
});

describe('the limits per address, on Redis', () => {
  const connect = (url: string) => {
    const redis = new Redis(url);
    closeAfterFile(() => redis.disconnect());
    return redis;
  };

  it('are those of all processes together', async () => {
    const redis = connect(redisUrl());
    await redis.flushdb();
    const options = { redis: redisUrl(), limits: { requestsPerIpPerMinute: 3 } };
    // Clocks of their own would have windows of their own.
    const apps = await Promise.all([1, 2].map(() => startAuthApp(options, systemClock, BEHIND_A_PROXY)));
    let turn = 0;
    expect(await statusesOf(6, () => ask(apps[(turn += 1) % 2] as AuthApp))).toEqual({ 200: 3, 429: 3 });
  });

  it('are kept under the prefix, for no longer than the minute, and name no address', async () => {
    const redis = connect(redisUrl());
    await redis.flushdb();
    const app = await startAuthApp({ redis: redisUrl(), limitKeyPrefix: 'my_limits_' }, systemClock, BEHIND_A_PROXY);
    await ask(app);
    const keys = await redis.keys('*ip:*');
    expect(keys).toEqual([expect.stringMatching(/^my_limits_ip:requests:[\w-]{22}$/)]);
    const remainingMs = await redis.pttl(keys[0] as string);
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(60_000);
  });

  it('leave a client that was handed over as it was', async () => {
    const redis = connect(redisUrl());
    await redis.flushdb();
    const before = { commands: Object.keys(redis), options: JSON.stringify(redis.options) };
    const app = await startAuthApp({ redis, limits: { requestsPerIpPerMinute: 1 } }, fakeClock(), BEHIND_A_PROXY);
    expect(await statusesOf(2, () => ask(app))).toEqual({ 200: 1, 429: 1 });
    await app.close();
    expect(Object.keys(redis)).toEqual(before.commands);
    expect(JSON.stringify(redis.options)).toBe(before.options);
    await expect(redis.ping()).resolves.toBe('PONG');
  });
});

describeWithOwnRedis('the limits per address, when Redis fails', () => {
  const storeTimeoutMs = 300;

  it('survive the loss of all scripts', async () => {
    const own = await startRedis();
    const redis = new Redis(own.url);
    closeAfterFile(() => redis.disconnect());
    const app = await startAuthApp(
      { redis: own.url, limits: { requestsPerIpPerMinute: 4 } },
      fakeClock(),
      BEHIND_A_PROXY,
    );
    const flushThenAsk = async () => {
      await redis.call('SCRIPT', 'FLUSH');
      return ask(app);
    };
    expect(await statusesOf(6, flushThenAsk)).toEqual({ 200: 4, 429: 2 });
  });

  it('let nobody through, and nobody wait, while there is no answer', async () => {
    const own = await startRedis();
    const errors: unknown[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (message: unknown) => errors.push(message) };
    const app = await startAuthApp({ redis: own.url, storeTimeoutMs, logger }, fakeClock(), BEHIND_A_PROXY);
    expect((await ask(app)).status).toBe(200);
    own.pause();
    try {
      const started = performance.now();
      const answers = await Promise.all([ask(app), guess(app), ask(app), guess(app)]);
      expect(performance.now() - started).toBeLessThan(storeTimeoutMs + 1000);
      for (const answer of answers) {
        expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
          503,
          'store_unavailable',
          '1',
        ]);
        expect(answer.headers['ratelimit']).toBeUndefined();
      }
    } finally {
      own.resume();
    }
    expect(errors).toEqual([expect.stringMatching(/the store does not answer/)]);
    expect(app.mails).toHaveLength(1);
  });

  it('need no Redis to start with, and count as soon as there is one', async () => {
    const own = await startRedis();
    await own.stop();
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    const errors: unknown[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (message: unknown) => errors.push(message) };
    const handedOver = new Redis(own.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    handedOver.on('error', () => {});
    closeAfterFile(() => handedOver.disconnect());
    const limits = { requestsPerIpPerMinute: 2 };
    const apps = await Promise.all(
      [own.url, handedOver].map((redis) =>
        startAuthApp({ redis, logger, limits, storeTimeoutMs }, fakeClock(), BEHIND_A_PROXY),
      ),
    );
    for (const [index, app] of apps.entries()) expect((await ask(app, `203.0.113.${index}`)).status).toBe(503);
    expect(errors).toHaveLength(2); // once each, and nothing from libraries

    await own.start();
    for (const [index, app] of apps.entries()) {
      await until(async () => (await app.auth.health()).ok);
      const { 200: passed, 429: refused } = await statusesOf(4, () => ask(app, `203.0.113.${index}`));
      // What the client kept for later, it has counted when it could.
      expect(passed).toBeLessThanOrEqual(2);
      expect(refused).toBeGreaterThanOrEqual(2);
    }
    process.off('unhandledRejection', onRejection);
    expect(rejections).toEqual([]);
  });

  it('count on a cluster, wherever a key is, and after its scripts are lost', async () => {
    const { nodes } = await startRedisCluster({ nodes: 3 });
    const cluster = new Cluster(nodes);
    closeAfterFile(() => cluster.disconnect());
    const app = await startAuthApp(
      { redis: cluster, limits: { requestsPerIpPerMinute: 2 } },
      fakeClock(),
      BEHIND_A_PROXY,
    );
    for (let client = 1; client <= 20; client += 1) {
      if (client === 10) await Promise.all(cluster.nodes('master').map((node) => node.call('SCRIPT', 'FLUSH')));
      expect(await statusesOf(3, () => ask(app, `203.0.113.${client}`))).toEqual({ 200: 2, 429: 1 });
    }
  });
});

const systemClock = { now: Date.now, advanceSeconds: () => {} };

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('It did not come to that.');
  }
}
