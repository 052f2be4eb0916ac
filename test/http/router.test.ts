import express, { type Express, type RequestHandler, Router } from 'express';
import { otpAuth } from '../../src/index.js';
import { fakeClock, SECRET, startAuthApp, type Surroundings } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { closeAfterFile } from '../support/closing.js';

const JO = 'jo@example.com';
const express4 = jest.requireActual<typeof express>('express4');

const start = (surroundings: Surroundings) => startAuthApp({}, fakeClock(), surroundings);
type App = Awaited<ReturnType<typeof start>>;

/** The whole way of a browser, over HTTP. */
async function mainWay({ url, lastCode }: App, mountPath = '/auth') {
  const post = (path: string, body?: unknown, headers = {}) => call(url + mountPath + path, { body, headers });
  const me = (token: unknown) =>
    call(`${url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${String(token)}` } });

  const requested = await post('/request-otp', { email: JO });
  const signedIn = await post('/verify-otp', { email: JO, otp: lastCode(JO) });
  const cookie = signedIn.cookies.find(({ name }) => name === 'refresh_token')?.value ?? '';
  const welcome = await me(signedIn.body.access_token);
  const refreshed = await post('/refresh', undefined, { Cookie: `refresh_token=${cookie}` });
  const next = refreshed.cookies.find(({ name }) => name === 'refresh_token')?.value ?? '';
  const loggedOut = await post('/logout', undefined, { Cookie: `refresh_token=${next}` });
  const farewell = await me(refreshed.body.access_token);
  const again = await post('/refresh', undefined, { Cookie: `refresh_token=${next}` });
  expect(welcome.body['id']).toBe(JO);
  return [requested, signedIn, welcome, refreshed, loggedOut, farewell, again].map(({ status }) => status);
}
const ALL_GOOD = [200, 200, 200, 200, 200, 401, 401];

describe.each<[string, () => Express]>([
  ['Express 4', express4],
  ['Express 5', express],
])('in an application of %s', (_version, createApp) => {
  const parsers: [string, RequestHandler[]][] = [
    ['nothing', []],
    ['express.json()', [express.json()]],
    ['express.json() of Express 4', [express4.json()]],
    ['express.json() with a limit of its own', [express.json({ limit: '1mb', strict: false })]],
    ['express.urlencoded()', [express.urlencoded({ extended: true })]],
    ['both', [express.json(), express.urlencoded({ extended: false })]],
    ['express.raw()', [express.raw({ type: '*/*' })]],
    ['express.text()', [express.text({ type: '*/*' })]],
    ['a parser that Express knows nothing of', [parserOfItsOwn]],
    ['a cookie parser', [cookieParserLike]],
    ['all of them', [express.json(), express.urlencoded({ extended: true }), cookieParserLike]],
    [
      'an empty body of its own',
      [
        (req, _res, next) => {
          req.body ??= {};
          next();
        },
      ],
    ],
  ];

  it.each(parsers)('goes all the way where the application has run %s before', async (_what, handlers) => {
    const app = await start({ createApp, prepare: (application) => handlers.map((each) => application.use(each)) });
    expect(await mainWay(app)).toEqual(ALL_GOOD);
  });

  it.each(parsers)('answers bad bodies the same where the application has run %s before', async (_what, handlers) => {
    const { url, mails } = await start({
      createApp,
      prepare: (application) => handlers.map((each) => application.use(each)),
    });
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      call(`${url}/auth/request-otp`, { body, headers });
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await post({ email: [JO] })).body.code).toBe('invalid_request');
    expect((await post(undefined)).body.code).toBe('invalid_request');
    expect((await post(`email=${JO}`, form)).body.code).toBe('unsupported_media_type');
    const large = await post({ email: JO, padding: 'x'.repeat(9000) });
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    const chunked = await post({ email: JO, padding: 'x'.repeat(9000) }, { 'Transfer-Encoding': 'chunked' });
    expect(chunked.status).toBe(413);
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const deep = await post(nested, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
    expect([deep.status, deep.body.code]).toEqual([413, 'payload_too_large']);
    expect(mails).toEqual([]);
  });

  it.each(['/auth', '/', '/api/v1/auth', '/auth/'])('goes all the way mounted at %s', async (mountPath) => {
    const app = await start({ createApp, mountPath });
    expect(await mainWay(app, mountPath.replace(/\/$/, ''))).toEqual(ALL_GOOD);
  });

  it('leaves unknown paths to the application, without a header of its own', async () => {
    const { app, url } = await start({ createApp });
    app.use((_req, res) => {
      res.status(418).json({ mine: true });
    });
    for (const path of ['/auth', '/auth/', '/auth/unknown', '/auth/request-otp/x', '/auth/request-otpx']) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await call(url + path, { method });
        expect([answer.status, answer.headers['cache-control']]).toEqual([418, undefined]);
      }
    }
  });

  it('leaves the application’s other routes alone', async () => {
    const { app, url } = await start({ createApp, mountPath: '/' });
    app.post('/echo', express.text({ type: '*/*', limit: '1mb' }), (req, res) => {
      res.send(String((req.body as string).length));
    });
    const headers = { 'Content-Type': 'text/plain' };
    const answer = await call(`${url}/echo`, { body: 'x'.repeat(100_000), headers });
    expect(answer.text).toBe('100000');
    expect(answer.headers['cache-control']).toBeUndefined();
  });
});

describe('the router', () => {
  it('works within another router, and in an application within an application', async () => {
    const inner = express();
    const outer = Router();
    const app = await start({});
    inner.use('/auth', app.auth);
    outer.use('/inner', inner);
    app.app.use('/outer', outer);
    expect(await mainWay(app, '/outer/inner/auth')).toEqual(ALL_GOOD);
  });

  it('can be mounted at several paths of one application', async () => {
    const app = await start({});
    app.app.use('/also', app.auth);
    await call(`${app.url}/auth/request-otp`, { body: { email: JO } });
    const answer = await call(`${app.url}/also/verify-otp`, { body: { email: JO, otp: app.lastCode(JO) } });
    expect(answer.status).toBe(200);
  });

  it('can stand beside a second one with settings of its own', async () => {
    const app = await start({});
    const staff = otpAuth({
      redis: 'memory:',
      clock: app.clock,
      jwt: { secret: `${SECRET} for the staff` },
      cookie: { name: 'staff_token' },
      email: { send: (mail) => app.mails.push(mail) },
      otp: { resendCooldownSeconds: 0 },
    });
    closeAfterFile(() => staff.close());
    app.app.use('/staff/auth', staff);
    app.app.get('/staff', staff.requireUser, (_req, res) => {
      res.json({});
    });
    const { authorization } = await app.signIn(JO);
    const get = (path: string, Authorization: string) =>
      call(app.url + path, { method: 'GET', headers: { Authorization } });
    expect((await get('/staff', authorization)).status).toBe(401);
    await staff.api.requestOtp({ email: JO });
    const { accessToken } = await staff.api.verifyOtp({ email: JO, otp: app.lastCode(JO) });
    expect((await get('/staff', `Bearer ${accessToken}`)).status).toBe(200);
    expect((await get('/me', `Bearer ${accessToken}`)).status).toBe(401);
  });

  it('takes a path with a slash at its end, and in any case, as Express does', async () => {
    const { url } = await start({});
    for (const path of ['/auth/request-otp/', '/AUTH/Request-OTP'])
      expect((await call(url + path, { body: {} })).body.code).toBe('invalid_request');
  });
});

/** What cookie-parser does: cookies as members of an object, JSON ones parsed. */
function cookieParserLike(...[req, , next]: Parameters<RequestHandler>): void {
  const pairs = (req.headers.cookie ?? '').split('; ').map((pair) => pair.split('='));
  Object.assign(req, { secret: 'x', cookies: Object.fromEntries(pairs) as unknown, signedCookies: {} });
  next();
}

/** As those of serverless platforms: it reads the body, and leaves no note for Express's own parsers. */
function parserOfItsOwn(...[req, , next]: Parameters<RequestHandler>): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const isJson = req.headers['content-type']?.startsWith('application/json');
    if (isJson && chunks.length > 0) req.body = JSON.parse(Buffer.concat(chunks).toString());
    next();
  });
}
