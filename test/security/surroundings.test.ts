import net from 'node:net';
import type { Response } from 'express';
import { memoryStore, type OtpAuthOptions, type Store } from '../../src/index.js';
import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';

/** What else an application may have done, that the package has to bear. */
describe('an application that has another Promise in the place of the global one', () => {
  const ownPromise = Promise;
  afterEach(() => {
    globalThis.Promise = ownPromise;
  });

  it('has guards that let nobody through whose cookie is not good', async () => {
    const app = await startAuthApp({ cookie: { accessToken: true } });
    const { auth } = app;
    for (const [path, guard] of Object.entries({
      user: auth.requireUser,
      role: auth.requireRole('admin'),
      recent: auth.requireRecent(60),
      optional: auth.optionalUser,
    }))
      app.app.get(`/for/${path}`, guard, (req, res) => void res.json({ user: req.user?.id ?? 'nobody' }));
    const { refreshToken } = await app.signIn('jo@example.com');

    globalThis.Promise = class<Value> extends ownPromise<Value> {} as typeof ownPromise;
    const get = async (path: string, value: string) => {
      const { status, body } = await call(`${app.url}/for/${path}`, {
        method: 'GET',
        headers: { Cookie: `refresh_token=${value}` },
      });
      return [status, body['user']];
    };
    for (const path of ['user', 'role', 'recent']) expect(await get(path, 'garbage')).toEqual([401, undefined]);
    expect(await get('optional', 'garbage')).toEqual([200, 'nobody']);
    expect(await get('user', refreshToken)).toEqual([200, 'jo@example.com']);
  });
});

describe('an application that answers by itself while the package waits for something', () => {
  const faults: unknown[] = [];
  const note = (fault: unknown) => faults.push(fault);
  beforeEach(() => {
    faults.length = 0;
    process.on('unhandledRejection', note).on('uncaughtException', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  });

  /** It runs out of patience whenever the store is asked. */
  const startImpatient = async (options: OtpAuthOptions = {}) => {
    let isImpatient = false;
    const open = new Set<Response>();
    const giveUp = () => {
      if (isImpatient) for (const res of open) if (!res.headersSent) res.status(503).send('too slow');
      open.clear();
    };
    const app = await startAuthApp({ store: askedStore(giveUp), ...options }, fakeClock(), {
      prepare: (application) =>
        application.use((_req, res, next) => {
          open.add(res);
          next();
        }),
    });
    const { accessToken, refreshToken } = await app.signIn('jo@example.com');
    isImpatient = true;
    return { ...app, accessToken, refreshToken, giveUp };
  };
  /** Whatever goes wrong goes wrong within some turns of the event loop. */
  const settle = async () => {
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  };

  type Tokens = { accessToken: string; refreshToken: string };
  const json = (body: object) => ({ body });
  const form = (body: string) => ({ body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  const bearer = (token: string) => ({ method: 'GET', headers: { Authorization: `Bearer ${token}` } });
  const byCookie = (token: string) => ({ method: 'GET', headers: { Cookie: `refresh_token=${token}` } });
  it.each<[string, string, (tokens: Tokens) => Parameters<typeof call>[1]]>([
    ['a code that is asked for', 'auth/request-otp', () => json({ email: 'ann@example.com' })],
    ['one that is asked for too often', 'auth/request-otp', () => json({ email: 'jo@example.com' })],
    ['a wrong code', 'auth/verify-otp', () => json({ email: 'jo@example.com', otp: '000000' })],
    ['a refresh', 'auth/refresh', ({ refreshToken }) => json({ refresh_token: refreshToken })],
    ['a log-out', 'auth/logout', ({ refreshToken }) => json({ refresh_token: refreshToken })],
    ['a form', 'auth/token', () => form('grant_type=password&username=jo@example.com&password=000000')],
    ['a refresh by form', 'auth/token', (own) => form(`grant_type=refresh_token&refresh_token=${own.refreshToken}`)],
    ['a revocation', 'auth/revoke', ({ accessToken }) => form(`token=${accessToken}`)],
    ['sessions', 'auth/sessions', ({ accessToken }) => bearer(accessToken)],
    ['a guarded route', 'me', ({ accessToken }) => bearer(accessToken)],
    ['a guarded route, by cookie', 'me', ({ refreshToken }) => byCookie(refreshToken)],
  ])('is not ended by %s', async (_what, path, requestWith) => {
    const limits = { sendsPerHour: 1 };
    for (const options of [{ limits }, { limits, pages: true, cookie: { accessToken: true } }]) {
      const app = await startImpatient(options);
      const answer = await call(`${app.url}/${path}`, requestWith(app));
      expect(['too slow', 'token_missing']).toContain(answer.body.code ?? answer.text);
      await settle();
      // And where what it waits for fails.
      await app.auth.api.revokeUser('jo@example.com');
      await call(`${app.url}/${path}`, requestWith(app));
      await settle();
    }
    expect(faults).toEqual([]);
  });

  it.each(['"x"}', 'nonsense'])('is not ended by a body whose end comes late: %s', async (rest) => {
    const app = await startImpatient();
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    const head =
      'POST /auth/request-otp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n';
    socket.write(`${head}\r\n{"email":`);
    await settle();
    app.giveUp();
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write(rest.padEnd(31));
    await settle();
    socket.destroy();
    expect(faults).toEqual([]);
  });
});

/** Tells when it is asked something, and answers in a later turn of the event loop. */
function askedStore(onAsked: () => void): Store {
  return new Proxy(memoryStore(), {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...input: unknown[]) => {
        await new Promise(setImmediate);
        onAsked();
        await new Promise(setImmediate);
        return Reflect.apply(method, target, input) as unknown;
      };
    },
  });
}

describe('an application that lacks what its options need', () => {
  const SMS = { send: () => {}, allowedCountries: ['DE'] };
  const TOTP: OtpAuthOptions = { users: { store: 'memory' }, totp: 'optional' };
  const notInstalled = Object.assign(new Error('Cannot find module: /srv/internal'), { code: 'MODULE_NOT_FOUND' });
  const notReadable = new SyntaxError("Unexpected token 'export'\n\n  in /srv/internal");

  it.each<[string, OtpAuthOptions, Error, RegExp]>([
    ['otplib', TOTP, notInstalled, /^error .*totp needs otplib and qrcode: npm install otplib qrcode'$/],
    ['otplib', TOTP, notReadable, /^error .*otplib and qrcode, .*could not be loaded: .*'export' in \/srv\/internal"$/],
    ['libphonenumber-js/max', { sms: SMS }, notInstalled, /^error .*sms needs .*npm install libphonenumber-js'$/],
    ['swagger-ui-dist/absolute-path.js', { docs: true }, notInstalled, /^error .*docs needs .*npm install swagger-ui-/],
  ])('is told so in the log, and its callers nothing else: %s', async (library, options, cause, said) => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock(library, () => {
        throw cause;
      });
      const isolated = await import('../support/auth-app.js');
      const { url, auth, logged } = await isolated.startAuthApp(options);
      const answer = options.docs
        ? await call(`${url}/auth/docs`, { method: 'GET' })
        : await call(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } });
      expect([answer.status, answer.body.code]).toEqual([500, 'config_invalid']);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
      expect(answer.text.includes('not installed')).toBe(cause === notInstalled);
      expect(answer.text).not.toMatch(/internal|npm install/);
      expect(logged).toEqual([expect.stringMatching(said)]);
      const calling = auth.api.requestOtp({ email: 'jo@example.com' });
      if (options.docs) await calling;
      else await expect(calling).rejects.toMatchObject({ code: 'config_invalid' });
      jest.dontMock(library);
    });
  });

  it('and where a bundle has taken only the code of Swagger UI, not its files', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('swagger-ui-dist/absolute-path.js', () => () => '/srv/bundle');
      const isolated = await import('../support/auth-app.js');
      const { url, logged } = await isolated.startAuthApp({ docs: true });
      expect((await call(`${url}/auth/docs`, { method: 'GET' })).body.code).toBe('config_invalid');
      expect(logged).toEqual([expect.stringMatching(/^error .*swagger-ui-dist must be external/)]);
      jest.dontMock('swagger-ui-dist/absolute-path.js');
    });
  });
});
