import { execFile } from 'node:child_process';
import { inspect, promisify } from 'node:util';
import { Redis } from 'ioredis';
import { memoryStore, otpAuth, type OtpAuthEvent, type OtpAuthOptions } from '../src/index.js';
import { fakeClock, recordingLogger, SECRET, START_MS, startAuthApp } from './support/auth-app.js';
import { call } from './support/call.js';
import { closeAfterFile } from './support/closing.js';
import { describeOnEachStore } from './support/each-store.js';
import { projectWithPackage } from './support/installed-package.js';
import { readToken } from './support/jwt.js';
import { describeWithOwnRedis, freshRedis, redisUrl, startRedis } from './support/redis.js';
import { startSmtp } from './support/smtp.js';

const JO = 'jo@example.com';

/** A factory's product without an application around it. */
function make(options: OtpAuthOptions = {}) {
  const logged: string[] = [];
  const codes: string[] = [];
  const auth = otpAuth({
    redis: 'memory:',
    logger: recordingLogger(logged),
    clock: fakeClock(),
    ...options,
    jwt: { secret: SECRET, ...options.jwt },
    otp: { resendCooldownSeconds: 0, ...options.otp },
    email: { send: ({ text }) => codes.push(/^\d{6,10}$/m.exec(text)?.[0] ?? ''), ...options.email },
  });
  closeAfterFile(() => auth.close());
  return {
    auth,
    logged,
    codes,
    signIn: async (email = JO) => {
      await auth.api.requestOtp({ email });
      return auth.api.verifyOtp({ email, otp: codes.at(-1) ?? '' });
    },
  };
}

describe('the factory', () => {
  it('returns a router that carries the guards, the functions, the events, health and close', () => {
    const { auth } = make();
    expect(typeof auth).toBe('function');
    for (const member of [
      'requireUser',
      'optionalUser',
      'requireRole',
      'requireRecent',
      'health',
      'close',
      'use',
    ] as const)
      expect(typeof auth[member]).toBe('function');
    for (const member of [
      'requestOtp',
      'verifyOtp',
      'refresh',
      'logout',
      'logoutAll',
      'listSessions',
      'revokeSession',
      'revokeUser',
      'authenticate',
    ] as const)
      expect(typeof auth.api[member]).toBe('function');
    expect(typeof auth.events.on).toBe('function');
  });

  it('needs no options at all, and opens nothing before it is asked for something', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    closeAfterFile(() => warn.mockRestore());
    const auth = otpAuth();
    await auth.close();
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describeOnEachStore('auth.api', (stored) => {
  it('does what the endpoints do', async () => {
    const { auth, codes } = make(stored());
    const from = { ip: '192.0.2.7', userAgent: 'A job' };
    expect(await auth.api.requestOtp({ email: ' Jo@Example.com ', locale: 'de' }, from)).toEqual({
      message: 'OTP sent successfully',
      expiresIn: 300,
      resendIn: 0,
    });
    const signedIn = await auth.api.verifyOtp({ email: JO, otp: codes[0] ?? '' }, from);
    expect(signedIn).toMatchObject({ tokenType: 'bearer', expiresIn: 3600, refreshExpiresIn: 604_800 });
    const user = await auth.api.authenticate(signedIn.accessToken);
    expect(user).toMatchObject({ id: JO, email: JO, roles: [], amr: ['otp'] });

    const refreshed = await auth.api.refresh({ refreshToken: signedIn.refreshToken }, from);
    expect(refreshed.refreshToken).not.toBe(signedIn.refreshToken);
    const [session, ...others] = await auth.api.listSessions(JO);
    expect(others).toEqual([]);
    expect(session).toEqual({
      id: user.sessionId,
      createdAt: new Date(START_MS),
      lastUsedAt: new Date(START_MS),
      expiresAt: new Date(START_MS + 7 * 86_400_000),
      ip: '192.0.2.7',
      userAgent: 'A job',
    });
    expect(await auth.api.logout(refreshed, from)).toEqual({ message: 'Successfully logged out' });
    await expect(auth.api.authenticate(refreshed.accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('applies the same limits, and says how long they last', async () => {
    const { auth } = make({ ...stored(), otp: { resendCooldownSeconds: 30 } });
    await auth.api.requestOtp({ email: JO });
    await expect(auth.api.requestOtp({ email: JO })).rejects.toMatchObject({
      code: 'rate_limited',
      status: 429,
      details: { retryAfterSeconds: 30 },
    });
  });

  it('ends one session, or all of a user, whoever owns the others', async () => {
    const { auth, signIn } = make(stored());
    const [one, two, three, joes] = [await signIn(), await signIn(), await signIn(), await signIn('joe@example.com')];
    const sessionOf = ({ accessToken }: { accessToken: string }) => String(readToken(accessToken).payload['sid']);
    expect(await auth.api.revokeSession(JO, sessionOf(one))).toBe(true);
    expect(await auth.api.revokeSession(JO, sessionOf(one))).toBe(false);
    expect(await auth.api.revokeSession(JO, sessionOf(joes))).toBe(false);
    await expect(auth.api.authenticate(one.accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
    expect((await auth.api.authenticate(two.accessToken)).id).toBe(JO);
    expect(await auth.api.revokeUser('JO@example.com')).toBe(2);
    for (const { accessToken, refreshToken } of [two, three]) {
      await expect(auth.api.authenticate(accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
      await expect(auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    }
    expect((await auth.api.authenticate(joes.accessToken)).id).toBe('joe@example.com');
    // Whoever signs in again after that is signed in.
    expect((await auth.api.authenticate((await signIn()).accessToken)).id).toBe(JO);
  });

  it('logs out everywhere with one access token', async () => {
    const { auth, signIn } = make(stored());
    const [one, two] = [await signIn(), await signIn()];
    expect(await auth.api.logoutAll({ accessToken: one.accessToken })).toMatchObject({ sessions: 2 });
    await expect(auth.api.authenticate(two.accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(auth.api.logoutAll({ accessToken: one.accessToken })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it.each<[string, (api: ReturnType<typeof make>['auth']['api']) => Promise<unknown>]>([
    ['requestOtp', (api) => api.requestOtp({ email: 5 } as never)],
    ['requestOtp without an address', (api) => api.requestOtp({} as never)],
    ['verifyOtp', (api) => api.verifyOtp({ email: JO, otp: 123_456 } as never)],
    ['verifyOtp with a list', (api) => api.verifyOtp({ email: [JO], otp: '123456' } as never)],
  ])('refuses what the endpoints refuse: %s', async (_what, act) => {
    await expect(act(make(stored()).auth.api)).rejects.toMatchObject({
      code: 'invalid_request',
      details: { errors: [expect.objectContaining({ path: expect.any(String) as string })] },
    });
  });

  it.each([undefined, null, 5, {}, []])('refuses %j for a token', async (token) => {
    const { api } = make(stored()).auth;
    await expect(api.authenticate(token as never)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(api.refresh({ refreshToken: token as never })).rejects.toMatchObject({ name: 'OtpAuthError' });
    await expect(api.logout({ accessToken: token as never, refreshToken: token as never })).rejects.toMatchObject({
      name: 'OtpAuthError',
    });
  });
});

describe('auth.events', () => {
  it('let no listener that throws or rejects disturb anybody', async () => {
    const { auth, logged, signIn } = make();
    const heard: string[] = [];
    auth.events.on('session.started', () => {
      throw new Error('listener');
    });
    auth.events.on('session.started', async () => Promise.reject(new Error('listener')));
    auth.events.on('session.started', () => {
      throw undefined;
    });
    auth.events.on('session.started', ({ sessionId }) => heard.push(String(sessionId)));
    const { accessToken } = await signIn();
    await new Promise(setImmediate);
    expect(heard).toEqual([readToken(accessToken).payload['sid']]);
    expect(logged.filter((line) => line.startsWith('error'))).toHaveLength(3);
  });

  it('can be listened to once, and no longer', async () => {
    const { auth, signIn } = make();
    const [once, off, all, rest] = [jest.fn(), jest.fn(), jest.fn(), jest.fn()];
    auth.events.once('otp.sent', once).on('otp.sent', off).on('otp.sent', rest).on('otp.verified', all);
    await signIn();
    auth.events.off('otp.sent', off).removeAllListeners('otp.verified');
    await signIn();
    expect([once, off, all, rest].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1, 2]);
    expect(auth.events.listenerCount('otp.sent')).toBe(1);
  });

  it('are typed by their names', () => {
    const { auth } = make();
    auth.events.on('limit.hit', (event: OtpAuthEvent<'limit.hit'>) => {
      const seconds: number = event.retryAfterSeconds;
      return [seconds, event.at, event.identifier, event.userId, event.sessionId, event.ip, event.userAgent];
    });
    // @ts-expect-error there is no such event
    auth.events.on('limit.missed', () => {});
    expect(auth.events.listenerCount('limit.hit')).toBe(1);
  });
});

describe('without a secret', () => {
  const withoutSecret = { jwt: { secret: undefined as never } };

  it('warns of a first admin to whom no code would go', () => {
    const users = { store: 'memory', firstAdmin: '+4915112345678' } as const;
    const sms = { send: () => {}, allowedCountries: ['DE'] };
    expect(make({ users }).logged).toEqual([expect.stringMatching(/^warn .*users\.firstAdmin is a phone number/)]);
    expect(make({ users, sms }).logged).toEqual([]);
  });

  it('a random one serves, with one warning', async () => {
    const { logged, signIn, auth } = make(withoutSecret);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^warn .*EXPRESS_OTP_AUTH_JWT_SECRET/);
    expect((await auth.api.authenticate((await signIn()).accessToken)).id).toBe(JO);
    expect(logged).toHaveLength(1);
  });

  it('that one is another in every process', async () => {
    const store = memoryStore();
    const [one, two] = [make({ ...withoutSecret, store }), make({ ...withoutSecret, store })];
    const { accessToken, refreshToken } = await one.signIn();
    await expect(two.auth.api.authenticate(accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(two.auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
  });

  it('is no matter where there is one: no warning at all', () => {
    expect(make().logged).toEqual([]);
  });
});

describe('magicOtp', () => {
  it('makes every code as many zeros as a code has digits, sends nothing, and warns once at the start', async () => {
    const { auth, logged, codes } = make({ magicOtp: true, otp: { length: 8 } });
    expect(logged.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    expect(await auth.api.requestOtp({ email: JO })).toMatchObject({ message: 'OTP sent successfully' });
    await expect(auth.api.verifyOtp({ email: JO, otp: '00000001' })).rejects.toMatchObject({ code: 'invalid_otp' });
    expect((await auth.api.verifyOtp({ email: JO, otp: '00000000' })).tokenType).toBe('bearer');
    await expect(auth.api.verifyOtp({ email: JO, otp: '00000000' })).rejects.toMatchObject({ code: 'invalid_otp' });
    await auth.api.requestOtp({ email: JO });
    expect((await auth.api.verifyOtp({ email: JO, otp: '00000000' })).tokenType).toBe('bearer');
    expect(codes).toEqual([]);
    expect(logged).toHaveLength(1);
  });

  it('is off by default: zeros are a wrong code', async () => {
    const { auth, codes } = make();
    await auth.api.requestOtp({ email: JO });
    if (codes[0] !== '000000')
      await expect(auth.api.verifyOtp({ email: JO, otp: '000000' })).rejects.toMatchObject({ code: 'invalid_otp' });
  });
});

describe('reviewCodes', () => {
  const REVIEWER = 'review@example.com';
  const start = (options: OtpAuthOptions = {}) => {
    const clock = fakeClock();
    const reviewCodes = [{ identifier: ' Review@Example.COM', code: '135790', expiresAt: '2026-01-15T13:00:00Z' }];
    return { clock, ...make({ clock, reviewCodes, ...options }) };
  };

  it('sign a reviewer in, again and again, without a message, and leave a line in the log', async () => {
    const { auth, codes, logged } = start();
    for (const _ of [1, 2]) {
      await auth.api.requestOtp({ email: REVIEWER });
      expect((await auth.api.verifyOtp({ email: REVIEWER, otp: '135790' })).tokenType).toBe('bearer');
    }
    expect(codes).toEqual([]);
    expect(logged.join('\n')).toMatch(/review/);
    expect(logged.join('\n')).not.toMatch(/135790|review@example\.com/);
  });

  it('are good for nobody else, and not before they were asked for', async () => {
    const { auth, codes } = start();
    await expect(auth.api.verifyOtp({ email: REVIEWER, otp: '135790' })).rejects.toMatchObject({ code: 'invalid_otp' });
    await auth.api.requestOtp({ email: JO });
    if (codes[0] !== '135790')
      await expect(auth.api.verifyOtp({ email: JO, otp: '135790' })).rejects.toMatchObject({ code: 'invalid_otp' });
  });

  it('are limited like any other', async () => {
    const { auth } = start({ otp: { resendCooldownSeconds: 30, maxAttempts: 2 } });
    await auth.api.requestOtp({ email: REVIEWER });
    await expect(auth.api.requestOtp({ email: REVIEWER })).rejects.toMatchObject({ code: 'rate_limited' });
    for (const otp of ['111111', '222222', '135790'])
      await expect(auth.api.verifyOtp({ email: REVIEWER, otp })).rejects.toMatchObject({ code: 'invalid_otp' });
  });

  it('are refused once expired, also when they were asked for before; then a code is drawn and sent', async () => {
    const { auth, clock, codes } = start();
    clock.advanceSeconds(3590);
    await auth.api.requestOtp({ email: REVIEWER });
    clock.advanceSeconds(10);
    await expect(auth.api.verifyOtp({ email: REVIEWER, otp: '135790' })).rejects.toMatchObject({ code: 'invalid_otp' });
    await auth.api.requestOtp({ email: REVIEWER });
    expect(codes).toHaveLength(1);
    if (codes[0] !== '135790')
      await expect(auth.api.verifyOtp({ email: REVIEWER, otp: '135790' })).rejects.toMatchObject({
        code: 'invalid_otp',
      });
    expect((await auth.api.verifyOtp({ email: REVIEWER, otp: codes[0] ?? '' })).tokenType).toBe('bearer');
  });
});

describe('health', () => {
  it('says that the store answers, and in how many milliseconds', async () => {
    for (const redis of ['memory:', redisUrl()]) {
      const { auth } = make({ redis });
      expect(await auth.health()).toMatchObject({
        ok: true,
        store: { ok: true, latencyMs: expect.any(Number) as number },
      });
    }
  });

  it('says that the store does not, and never throws', async () => {
    const { auth } = make({ redis: 'redis://127.0.0.1:1' });
    expect(await auth.health()).toMatchObject({ ok: false, store: { ok: false } });
    const broken = make({
      store: {
        ...memoryStore(),
        ping: () => {
          throw new Error('at once');
        },
      },
    });
    expect(await broken.auth.health()).toMatchObject({ ok: false, store: { ok: false } });
  });
});

describeWithOwnRedis('a store that is gone', () => {
  const STORE_TIMEOUT_MS = 1000;
  const SLACK_MS = 2000; // for a machine that is busy with other tests

  it.each<
    [
      string,
      (server: Awaited<ReturnType<typeof startRedis>>) => unknown,
      (server: Awaited<ReturnType<typeof startRedis>>) => unknown,
    ]
  >([
    ['frozen', (server) => server.pause(), (server) => server.resume()],
    ['killed', (server) => server.kill(), (server) => server.start()],
    ['stopped', (server) => server.stop(), (server) => server.start()],
  ])(
    'is 503 everywhere, within storeTimeoutMs, while Redis is %s; then all is well by itself',
    async (_how, end, begin) => {
      const server = await startRedis();
      const app = await startAuthApp({ redis: server.url, storeTimeoutMs: STORE_TIMEOUT_MS });
      const tokens = await app.signIn(JO);
      const sent = app.mails.length;
      await end(server);
      for (const _ of [1, 2]) {
        const { answers, tookMs } = await everything(app.url, tokens);
        for (const { status, body, headers, cookies } of answers) {
          expect([status, body.code, headers['retry-after']]).toEqual([503, 'store_unavailable', '1']);
          expect(headers['cache-control']).toBe('no-store');
          expect(cookies).toEqual([]); // the session may well be alive
        }
        expect(tookMs).toBeLessThan(STORE_TIMEOUT_MS + SLACK_MS);
      }
      expect(app.mails).toHaveLength(sent);

      await begin(server);
      const deadline = performance.now() + 10_000;
      while (!(await app.auth.health()).ok && performance.now() < deadline) await new Promise(setImmediate);
      const again = await app.signIn('again@example.com');
      const me = await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: again.authorization } });
      expect(me.status).toBe(200);

      const told = app.logged.filter((line) => line.includes('does not answer'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain(`127.0.0.1:${server.port}`);
      expect(told[0]).toContain('EXPRESS_OTP_AUTH_REDIS_URL=memory:');
    },
  );

  it('need not be there when the application starts', async () => {
    const server = await startRedis();
    await server.stop();
    const app = await startAuthApp({ redis: server.url, storeTimeoutMs: STORE_TIMEOUT_MS });
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: JO } })).status).toBe(503);
    await server.start();
    const deadline = performance.now() + 10_000;
    while (!(await app.auth.health()).ok && performance.now() < deadline) await new Promise(setImmediate);
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: JO } })).status).toBe(200);
  });

  it('says in the log why there is no connection, and not with which password', async () => {
    const server = await startRedis({ args: ['--requirepass', 'open-sesame'] });
    const redis = `redis://:knock-knock@127.0.0.1:${server.port}`;
    const { auth, logged } = make({ redis, storeTimeoutMs: 10_000 });
    const failure: unknown = await auth.api.requestOtp({ email: JO }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store_unavailable' });
    expect(logged.join('\n')).toContain('WRONGPASS');
    expect(logged.join('\n') + inspect(failure, { depth: 9 })).not.toContain('knock-knock');
  });

  it('is not told how to do without Redis in production', async () => {
    process.env['NODE_ENV'] = 'production';
    const { auth, logged } = make({ redis: 'redis://127.0.0.1:1' });
    process.env['NODE_ENV'] = 'test';
    await expect(auth.api.requestOtp({ email: JO })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(logged.join('\n')).toContain('127.0.0.1:1');
    expect(logged.join('\n')).not.toContain('memory:');
  });
});

describe('a store of the application’s own', () => {
  it.each<[string, () => Promise<never>]>([
    ['never answers', () => new Promise(() => {})],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('is 503 everywhere, within storeTimeoutMs, when it %s', async (_what, fail) => {
    const memory = memoryStore();
    const sick = { is: false };
    const store = new Proxy(memory, {
      get: (target, name: keyof typeof memory) => (sick.is && name !== 'close' ? fail : target[name]),
    });
    const app = await startAuthApp({ store, storeTimeoutMs: 100 });
    const tokens = await app.signIn(JO);
    sick.is = true;
    for (const { status, body, headers } of (await everything(app.url, tokens)).answers)
      expect([status, body.code, headers['retry-after']]).toEqual([503, 'store_unavailable', '1']);
    expect((await app.auth.health()).ok).toBe(false);
    sick.is = false;
    expect((await everything(app.url, tokens)).answers[0]?.status).toBe(200);
  });
});

describe('a connection that is idle for longer than storeTimeoutMs', () => {
  it('is good when it is needed again', async () => {
    const { auth, signIn, logged } = make({ redis: redisUrl(), storeTimeoutMs: 300 });
    const { accessToken } = await signIn('idle@example.com');
    await new Promise((resolve) => {
      setTimeout(resolve, 600); // the real clock of a real connection
    });
    expect((await auth.api.authenticate(accessToken)).id).toBe('idle@example.com');
    expect(logged).toEqual([]);
  });
});

describe('close', () => {
  let project: string;
  let smtp: Awaited<ReturnType<typeof startSmtp>>;
  beforeAll(async () => {
    project = projectWithPackage({ kinds: ['esm'] });
    smtp = await startSmtp();
    closeAfterFile(() => smtp.close());
  });

  /** Runs a module in a process of its own, to its natural end. */
  const runModule = async (code: string) => {
    const { EXPRESS_OTP_AUTH_REDIS_URL: _, NODE_ENV: _env, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      cwd: project,
      env: { ...env, REDIS: redisUrl(), SMTP_PORT: String(smtp.port), SECRET },
      timeout: 15_000,
    });
    return stdout;
  };
  const setUp = `
    import { otpAuth } from 'express-otp-auth';
    const options = { jwt: { secret: process.env.SECRET }, email: { smtp: { port: Number(process.env.SMTP_PORT) } } };
    process.on('exit', () => console.log('ended after', Math.round(performance.now() - closedAt), 'ms'));
    let closedAt;
  `;

  it.each([
    [
      'a Redis and an SMTP server in use',
      'process.env.REDIS',
      "await auth.api.requestOtp({ email: 'jo@example.com' });",
    ],
    ['a memory store in use', "'memory:'", "await auth.api.requestOtp({ email: 'jo@example.com' });"],
    ['nothing used', 'process.env.REDIS', ''],
    ['Redis not there', "'redis://127.0.0.1:1'", 'await auth.health();'],
  ])('lets the process end, with %s', async (_what, redis, use) => {
    await freshRedis();
    const told = await runModule(`${setUp}
      const auth = otpAuth({ ...options, redis: ${redis}, otp: { resendCooldownSeconds: 0 } });
      ${use}
      await auth.close();
      closedAt = performance.now();
    `);
    expect(Number(/ended after (\d+) ms/.exec(told)?.[1])).toBeLessThan(1000);
  });

  it('can be called twice; what is asked for afterwards fails, and hangs nowhere', async () => {
    const { auth } = make({ redis: redisUrl() });
    await auth.close();
    await auth.close();
    await expect(auth.api.requestOtp({ email: JO })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect((await auth.health()).ok).toBe(false);
  });

  it('leaves open what it was handed', async () => {
    const redis = new Redis(redisUrl());
    closeAfterFile(() => redis.disconnect());
    const closed = jest.fn();
    const store = { ...memoryStore(), close: async () => closed() };
    await make({ redis }).auth.close();
    await make({ store }).auth.close();
    expect(await redis.ping()).toBe('PONG');
    expect(closed).not.toHaveBeenCalled();
  });
});

/** Every endpoint and the guard, with tokens that were good. */
async function everything(url: string, { accessToken, refreshToken }: { accessToken: string; refreshToken: string }) {
  const Authorization = `Bearer ${accessToken}`;
  const post = (path: string, body: object, headers = {}) => call(`${url}/auth/${path}`, { body, headers });
  const begun = performance.now();
  const answers = await Promise.all([
    post('request-otp', { email: 'other@example.com' }),
    post('verify-otp', { email: JO, otp: '123456' }),
    post('refresh', {}, { Cookie: `refresh_token=${refreshToken}` }),
    post('logout', {}, { Authorization }),
    call(`${url}/me`, { method: 'GET', headers: { Authorization } }),
  ]);
  return { answers, tookMs: performance.now() - begun };
}
