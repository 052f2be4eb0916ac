import express from 'express';
import request from 'supertest';
import type { OtpAuthOptions } from '../../../src/index.js';
import { fakeClock, startAuthApp } from '../../support/auth-app.js';
import { call } from '../../support/call.js';
import { JO, PlainBrowser, startPagedApp } from './support.js';

const ANA = 'ana@example.com';
const PAGE = { Accept: 'text/html' };

describe('an access token in a cookie', () => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startPagedApp(options);
    const { auth } = app;
    app.app.get('/home', auth.optionalUser, (req, res) => void res.json({ user: req.user?.email ?? null }));
    app.app.post(
      '/order',
      auth.requireUser,
      express.urlencoded(),
      (req, res) => void res.json({ user: req.user?.email }),
    );
    app.app.get('/admin', auth.requireRole('admin'), (_req, res) => void res.json({}));
    app.app.get('/danger', auth.requireRecent(60), (_req, res) => void res.json({}));
    const browser = new PlainBrowser(app);
    /** The value of the browser's cookie. */
    const cookieOf = (name: string) =>
      browser.agent.jar.getCookie(name, { domain: '127.0.0.1', path: '/', secure: false, script: false })?.value ?? '';
    return { app, browser, cookieOf };
  };

  it('is HttpOnly, for the whole site, and lives as long as the token', async () => {
    const { app } = await start({ cookie: { path: '/auth' } });
    await app.auth.api.requestOtp({ email: JO });
    const { cookies } = await call(`${app.url}/auth/verify-otp`, { body: { email: JO, otp: app.lastCode(JO) } });
    const [access, refresh] = ['access_token', 'refresh_token'].map((name) => cookies.find((one) => one.name === name));
    expect(access?.attributes).toMatchObject({ httponly: true, path: '/', samesite: 'Lax', 'max-age': '3600' });
    expect(refresh?.attributes).toMatchObject({ path: '/auth' });
  });

  it('is `__Host-` where it is Secure', async () => {
    const { app } = await start({ cookie: { secure: true } });
    await app.auth.api.requestOtp({ email: JO });
    const { cookies } = await call(`${app.url}/auth/verify-otp`, { body: { email: JO, otp: app.lastCode(JO) } });
    expect(cookies.find(({ name }) => name === '__Host-access_token')?.attributes).toMatchObject({ secure: true });
  });

  it('is not there unless it is asked for, or where tokens go in bodies', async () => {
    const { app } = await start({ cookie: { accessToken: false } });
    await app.auth.api.requestOtp({ email: JO });
    const answer = await call(`${app.url}/auth/verify-otp`, { body: { email: JO, otp: app.lastCode(JO) } });
    expect(answer.cookies.map(({ name }) => name)).not.toContain('access_token');
    const { accessToken } = await app.signIn(ANA);
    const withCookie = { Cookie: `access_token=${accessToken}` };
    expect((await request(app.url).get('/me').set(withCookie)).status).toBe(401);

    const on = await start();
    await on.app.auth.api.requestOtp({ email: JO });
    const body = { email: JO, otp: on.app.lastCode(JO), token_transport: 'body' };
    expect((await call(`${on.app.url}/auth/verify-otp`, { body })).cookies).toEqual([]);
  });

  it('signs in to every guarded route; a bearer token goes before it', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    expect((await browser.agent.get('/me')).body).toMatchObject({ email: JO });
    const { authorization } = await app.signIn(ANA);
    expect((await browser.agent.get('/me').set('Authorization', authorization)).body).toMatchObject({ email: ANA });
    expect((await browser.agent.get('/me').set('Authorization', 'Bearer nonsense')).status).toBe(401);
    expect((await browser.agent.get('/admin')).status).toBe(403);
    expect((await browser.agent.get('/auth/sessions')).body).toMatchObject({ count: 1 });
  });

  it('is not enough for what another site’s page has the browser do', async () => {
    const { browser, app } = await start();
    await browser.signIn();
    const post = (headers: Record<string, string>) => browser.agent.post('/order').set(headers);
    for (const headers of [
      { Origin: 'https://evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'null' },
    ]) {
      const refused = await post(headers as Record<string, string>);
      expect(refused).toMatchObject({ status: 403, body: { code: 'cross_site_request' } });
    }
    expect((await post({ Origin: app.url })).body).toEqual({ user: JO });
    expect((await post({})).body).toEqual({ user: JO });
    // Without cookies there is nothing to protect, and a bearer token is never sent by a foreign page.
    expect((await request(app.url).post('/order').set('Origin', 'https://evil.example')).status).toBe(401);
    const { authorization } = await app.signIn(JO);
    const byBearer = await post({ Origin: 'https://evil.example', Authorization: authorization });
    expect(byBearer.status).toBe(200);
  });

  it('is renewed on the way when it has expired, and a form that was being filled in is not lost', async () => {
    const { app, browser, cookieOf } = await start();
    await browser.signIn();
    const before = cookieOf('access_token');
    app.clock.advanceSeconds(2 * 3600);
    expect((await browser.agent.post('/order').type('form').send({ what: 'tea' })).body).toEqual({ user: JO });
    expect(cookieOf('access_token')).not.toBe(before);
    await browser.open('/me');
    expect(browser.status).toBe(200);
  });

  it('is renewed by several tabs at once, in one session', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    const header = browser.agent.jar
      .getCookies({ domain: '127.0.0.1', path: '/', secure: false, script: false })
      .toValueString();
    app.clock.advanceSeconds(2 * 3600);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call(`${app.url}/me`, { method: 'GET', headers: { ...PAGE, Cookie: header } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const successors = answers.map((answer) => answer.cookies.find(({ name }) => name === 'refresh_token')?.value);
    expect(new Set(successors).size).toBe(1);
    expect(
      (await call(`${app.url}/me`, { method: 'GET', headers: { Cookie: `refresh_token=${successors[0]}` } })).status,
    ).toBe(200);
  });

  it('is renewed through the sign-in page where the refresh cookie is not sent elsewhere', async () => {
    const { app, browser } = await start({ cookie: { path: '/auth' } });
    await browser.signIn();
    app.clock.advanceSeconds(2 * 3600);
    await browser.open('/me?tab=1');
    expect(browser).toMatchObject({ status: 200, address: '/me?tab=1' });
  });

  it('ends with its session: at logout, sign-out, and when the user is revoked', async () => {
    for (const end of ['/auth/logout', '/auth/logout-all', '/auth/sign-out'] as const) {
      const { app, browser, cookieOf } = await start();
      await browser.signIn();
      const token = cookieOf('access_token');
      const ending = browser.agent.post(end);
      expect((await (end === '/auth/sign-out' ? ending.type('form') : ending)).status).toBeLessThan(400);
      expect(cookieOf('access_token')).toBe('');
      expect((await request(app.url).get('/me').set('Cookie', `access_token=${token}`)).status).toBe(401);
    }
    const { app, browser } = await start();
    await browser.signIn();
    await app.auth.api.revokeUser(JO);
    expect((await browser.agent.get('/me')).status).toBe(401);
    expect((await browser.open('/me')).heading).toBe('Sign in to Express App');
  });

  it('logs out by itself where it is all that came', async () => {
    const { app, browser, cookieOf } = await start();
    await browser.signIn();
    const Cookie = `access_token=${cookieOf('access_token')}`;
    expect((await request(app.url).post('/auth/logout').set('Cookie', Cookie)).status).toBe(200);
    expect((await request(app.url).get('/me').set('Cookie', Cookie)).status).toBe(401);
  });

  it('that is no good lets a visitor of an open page be a visitor', async () => {
    const { app, browser } = await start();
    expect((await browser.agent.get('/home')).body).toEqual({ user: null });
    await browser.signIn();
    expect((await browser.agent.get('/home')).body).toEqual({ user: JO });
    app.clock.advanceSeconds(2 * 3600);
    expect((await browser.agent.get('/home')).body).toEqual({ user: JO });
    await app.auth.api.revokeUser(JO);
    expect((await browser.agent.get('/home')).body).toEqual({ user: null });
    expect((await browser.agent.get('/home').set('Authorization', 'Bearer x')).status).toBe(401);
  });

  it('that was planted beside the right one signs nobody else in', async () => {
    const { app, browser, cookieOf } = await start();
    await browser.signIn();
    const { accessToken: strangers } = await app.signIn(ANA);
    const me = (Cookie: string) => request(app.url).get('/me').set('Cookie', Cookie);
    const own = cookieOf('access_token');
    expect((await me(`access_token=nonsense; access_token=${own}`)).body).toMatchObject({ email: JO });
    expect((await me(`access_token=${strangers}; access_token=${own}`)).status).toBe(401);
  });

  it('that is too long for browsers is a mistake that is told, not a sign-in that gets lost', async () => {
    const { browser } = await start({ claims: () => ({ much: 'x'.repeat(4000) }) });
    await browser.signIn();
    expect(browser.status).toBe(500);
    expect(browser.page).toContain('does not fit into a cookie');
  });

  it('asks for a recent sign-in on the page, and goes back', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    app.clock.advanceSeconds(120);
    await browser.open('/danger');
    expect(browser.address).toBe('/auth/sign-in?return_to=%2Fdanger&prompt=login');
    expect(browser.heading).toBe('Sign in to Express App');
    await browser.submit('address', { address: JO });
    await browser.submit('code', { code: app.lastCode(JO) });
    await browser.open(browser.next ?? '');
    expect(browser).toMatchObject({ address: '/danger', status: 200 });
  });

  it('sends to the page who asks for one, and nobody else', async () => {
    const { app } = await start();
    const get = (headers: Record<string, string>) => request(app.url).get('/me').set(headers).redirects(0);
    const modern = { ...PAGE, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
    expect(await get(modern)).toMatchObject({ status: 303, headers: { location: '/auth/sign-in?return_to=%2Fme' } });
    expect((await get(PAGE)).status).toBe(303);
    expect((await get({ Accept: '*/*' })).status).toBe(401);
    expect((await get({ Accept: 'application/json' })).status).toBe(401);
    expect((await get({ ...PAGE, 'Sec-Fetch-Mode': 'cors' })).status).toBe(401);
    expect((await get({ ...modern, 'Sec-Fetch-Dest': 'iframe' })).status).toBe(401);
    expect((await get({ ...PAGE, Authorization: 'Bearer x' })).status).toBe(401);
    expect((await request(app.url).post('/order').set(PAGE)).status).toBe(401);
    const off = await startPagedApp({ pages: false });
    expect((await request(off.url).get('/me').set(PAGE).redirects(0)).status).toBe(401);
  });

  it('finds the page where publicUrl says that it is, and warns where nothing does', async () => {
    const elsewhere = await startPagedApp({ publicUrl: 'https://example.com/x/login/' });
    const sent = await request(elsewhere.url).get('/me').set(PAGE).redirects(0);
    expect(sent.headers['location']).toBe('/x/login/sign-in?return_to=%2Fme');

    const lost = await startAuthApp({ pages: true, cookie: { accessToken: true } }, fakeClock(), {
      mountPath: '/login',
    });
    for (const _ of [1, 2]) await request(lost.url).get('/login/sign-in');
    expect(lost.logged.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('set the option publicUrl'),
    ]);
  });
});
