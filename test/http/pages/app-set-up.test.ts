import { generateSync } from 'otplib';
import request from 'supertest';
import type { OtpAuthOptions } from '../../../src/index.js';
import type { AuthApp } from '../../support/auth-app.js';
import { JO, PlainBrowser, startPagedApp } from './support.js';

const ANA = 'ana@example.com';
const SET_UP = 'Set up your authenticator app';
const CODES = 'Keep your recovery codes';

/** Everybody must have a second factor. */
async function start(options: OtpAuthOptions = {}) {
  const app = await startPagedApp({ users: { store: 'memory' }, totp: 'required', ...options });
  return { app, browser: new PlainBrowser(app) };
}

const secretOn = ({ page }: PlainBrowser) => /<p class="secret" dir="ltr">([A-Z2-7]{32})<\/p>/.exec(page)?.[1] ?? '';
const recoveryCodesOn = ({ page }: PlainBrowser) =>
  [...page.matchAll(/<li>([\w-]{17})<\/li>/g)].map(([, code]) => code);
const continueOn = ({ page }: PlainBrowser) => /<a class="button" href="([^"]*)"/.exec(page)?.[1];
const codeOf = (app: AuthApp, secret: string) => generateSync({ secret, epoch: Math.floor(app.clock.now() / 1000) });
const cookieOf = ({ agent }: PlainBrowser, name: string) =>
  agent.jar.getCookie(name, { domain: '127.0.0.1', path: '/', secure: false, script: false })?.value;
const userOf = async (app: AuthApp, query = JO) => (await app.auth.api.listUsers({ query })).data[0]!;
const isEnrolled = async (app: AuthApp, address = JO) => (await userOf(app, address)).totpEnabled;

describe('a second factor that everybody must have: on the page, who has none', () => {
  it('sets an app up, keeps the recovery codes, and goes back with a session that is good', async () => {
    const { app, browser } = await start();
    await browser.signIn(JO, '/auth/sign-in?return_to=%2Fme%3Ftab%3D1');
    expect(browser).toMatchObject({ status: 200, heading: SET_UP, next: undefined });
    const secret = secretOn(browser);
    expect(browser.page).toContain(`href="otpauth://totp/Express%20App:jo%40example.com?secret=${secret}&amp;issuer=`);
    expect(browser.page).toMatch(/<div class="qr" role="img" aria-label="[^"]+"><svg/);
    expect(browser.page).toMatch(/<label for="code">Code of 6 digits from the app<\/label>/);

    await browser.submit('confirm', { code: codeOf(app, secret).replace(/(...)/, '$1 ') });
    expect(browser).toMatchObject({ status: 200, heading: CODES, next: undefined });
    expect(new Set(recoveryCodesOn(browser)).size).toBe(10);
    expect(continueOn(browser)).toBe('/me?tab=1');
    const [recoveryCode = ''] = recoveryCodesOn(browser);
    const me = await browser.agent.get('/me');
    expect(me).toMatchObject({ status: 200, body: { email: JO, amr: ['otp', 'totp'] } });
    expect(cookieOf(browser, 'pending_sign_in') ?? '').toBe('');

    const elsewhere = await new PlainBrowser(app).signIn();
    expect(elsewhere.heading).toBe('One more step');
    await elsewhere.submit('recovery_code', { recovery_code: recoveryCode });
    expect((await elsewhere.open('/me')).status).toBe(200);
  });

  it('does so after a link as well', async () => {
    const { app, browser } = await start({ email: { link: true } });
    await browser.askForCode(JO, '/auth/sign-in?return_to=/me');
    const [, link = ''] = /https:\/\/app\.example\.com(\S+?)#/.exec(app.mails[0]?.text ?? '') ?? [];
    await browser.open(link);
    await browser.submit('');
    expect(browser.heading).toBe(SET_UP);
    await browser.submit('confirm', { code: codeOf(app, secretOn(browser)) });
    expect(continueOn(browser)).toBe('/me');
    expect((await browser.open('/me')).status).toBe(200);
  });

  it('gets a refresh cookie that is good, where access tokens are in no cookie', async () => {
    const { app, browser } = await start({ cookie: { accessToken: false } });
    await browser.signIn();
    await browser.submit('confirm', { code: codeOf(app, secretOn(browser)) });
    expect(browser.heading).toBe(CODES);
    const { body } = await browser.agent.post('/auth/refresh');
    const { access_token } = body as { access_token: string };
    const me = await request(app.url).get('/me').set('Authorization', `Bearer ${access_token}`);
    expect(me.body).toMatchObject({ email: JO, amr: ['otp', 'totp'] });
  });

  it('may reload the page, mistype, and come back to it: the app knows the same secret still', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    const secret = secretOn(browser);
    await browser.open('/auth/sign-in?locale=de');
    expect(secretOn(browser)).toBe(secret);
    await browser.open('/me');
    for (const [code, status] of [
      ['000000', 400],
      ['12', 400],
    ] as const) {
      await browser.submit('confirm', { code });
      expect(browser).toMatchObject({
        status,
        error: 'This code is wrong or used. Wait for the next one, and try again.',
      });
      expect(browser.page).toContain('aria-describedby="code-error hint" aria-invalid="true"');
      expect(secretOn(browser)).toBe(secret);
    }
    await browser.submit('confirm', { code: codeOf(app, secret) });
    expect(browser.heading).toBe(CODES);
  });

  it('may guess no more often than elsewhere', async () => {
    const { app, browser } = await start({ limits: { secondFactorFailuresPerDay: 2 } });
    await browser.signIn();
    const secret = secretOn(browser);
    for (const _ of [1, 2]) await browser.submit('confirm', { code: '000000' });
    await browser.submit('confirm', { code: codeOf(app, secret) });
    expect(browser.status).toBe(429);
    expect(Number(browser.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('sees the recovery codes once: the same form again goes on', async () => {
    const { app, browser } = await start();
    await browser.signIn(JO, '/auth/sign-in?return_to=/me');
    const form = { step: 'confirm', sign_in: '', code: codeOf(app, secretOn(browser)) };
    form.sign_in = /name="sign_in" value="([^"]+)"/.exec(browser.page)?.[1] ?? '';
    await browser.submit('confirm', form);
    await browser.submit('confirm', form);
    expect(browser).toMatchObject({ heading: 'You are signed in', next: '/me' });
    expect(recoveryCodesOn(browser)).toEqual([]);
  });

  it('is led there too who signed in elsewhere than on the page, and loses nothing who set the app up there', async () => {
    const { app, browser } = await start();
    await app.auth.api.requestOtp({ email: JO });
    await browser.agent.post('/auth/verify-otp').send({ email: JO, otp: app.lastCode(JO) });
    await browser.open('/me');
    expect(browser).toMatchObject({ heading: SET_UP, address: '/auth/sign-in?return_to=%2Fme' });
    expect(secretOn(browser)).toBe('');
    await browser.submit('set_up');
    expect(browser.heading).toBe(SET_UP);
    expect(secretOn(browser)).toHaveLength(32);

    const { secret } = (await browser.agent.post('/auth/totp/enroll')).body as { secret: string };
    await browser.agent.post('/auth/totp/confirm').send({ code: codeOf(app, secret) });
    await browser.open('/me?tab=2');
    expect(browser).toMatchObject({ status: 200, address: '/me?tab=2' });
  });

  it('signs in anew where that was long ago', async () => {
    const { app, browser } = await start({ recentSeconds: 60, otp: { expirySeconds: 300 } });
    await app.auth.api.requestOtp({ email: JO });
    await browser.agent.post('/auth/verify-otp').send({ email: JO, otp: app.lastCode(JO) });
    app.clock.advanceSeconds(61);
    await browser.open('/me');
    expect(browser.heading).toBe('Sign in to Express App');
    const posted = await browser.agent.post('/auth/sign-in').type('form').send({ step: 'set_up' });
    expect(posted.status).toBe(400);
  });

  it('is signed out by going back to the address', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    await browser.submit('restart');
    expect(browser.heading).toBe('Sign in to Express App');
    expect(cookieOf(browser, 'refresh_token') ?? '').toBe('');
    expect(await app.auth.api.listSessions((await userOf(app)).id)).toHaveLength(0);
  });
});

describe('a second factor that nobody has to have', () => {
  it('is not asked for', async () => {
    const { browser } = await start({ totp: 'optional' });
    await browser.signIn(JO, '/auth/sign-in?return_to=/me');
    expect(browser.next).toBe('/me');
    const posted = await browser.agent.post('/auth/sign-in').type('form').send({ step: 'set_up' });
    expect(posted.text).not.toContain('otpauth:');
  });
});

describe('setting an app up, with strangers about', () => {
  const CROSS_SITE = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
  const plant = (from: PlainBrowser, into: PlainBrowser, name: string) =>
    into.agent.jar.setCookie(`${name}=${cookieOf(from, name)}; path=/`, '127.0.0.1', '/');

  it('is nothing that another site’s page can do', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    for (const step of ['set_up', 'confirm', 'restart']) {
      const [before, page] = [cookieOf(browser, 'pending_sign_in'), browser.page];
      const code = codeOf(app, secretOn(browser));
      await browser.submit(step, { code }, CROSS_SITE);
      expect(browser.status).toBe(403);
      expect(cookieOf(browser, 'pending_sign_in')).toBe(before);
      browser.page = page;
    }
    expect(await isEnrolled(app)).toBe(false);
  });

  it('shows no secret, and confirms none, that was drawn for another session', async () => {
    const { app, browser } = await start();
    const stranger = new PlainBrowser(app);
    await stranger.signIn(ANA);
    await browser.signIn();
    const strangers = secretOn(stranger);
    plant(stranger, browser, 'pending_sign_in');
    await browser.open('/me');
    expect(browser.heading).toBe(SET_UP);
    expect(browser.page).not.toContain(strangers);
    browser.page = stranger.page;
    await browser.submit('confirm', { code: codeOf(app, strangers) });
    expect(browser.status).toBe(400);
    expect([await isEnrolled(app), await isEnrolled(app, ANA)]).toEqual([false, false]);
  });

  it('takes a form of this browser’s own page alone', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    const code = codeOf(app, secretOn(browser));
    for (const id of [{}, { sign_in: 'x' }])
      expect(
        (
          await browser.agent
            .post('/auth/sign-in')
            .type('form')
            .send({ step: 'confirm', code, ...id })
        ).status,
      ).toBe(400);
    expect(await isEnrolled(app)).toBe(false);
  });

  it('ends with the session: what its cookie remembers is worth nothing then', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    const secret = secretOn(browser);
    await app.auth.api.revokeUser((await userOf(app)).id);
    await browser.submit('confirm', { code: codeOf(app, secret) });
    expect(browser).toMatchObject({ status: 400, heading: 'Sign in to Express App' });
    expect(await isEnrolled(app)).toBe(false);
    await browser.open('/auth/sign-in');
    expect(browser.page).not.toContain(secret);
  });

  it('confirms the secret that was shown, and none that came after it', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    const shown = secretOn(browser);
    await browser.agent.post('/auth/totp/enroll');
    await browser.submit('confirm', { code: codeOf(app, shown) });
    expect(browser).toMatchObject({ status: 400, heading: 'Sign in to Express App' });
    expect(await isEnrolled(app)).toBe(false);
  });

  it('asks for the app that was set up in another browser meanwhile', async () => {
    const { app, browser } = await start();
    const other = new PlainBrowser(app);
    await browser.signIn();
    const old = secretOn(browser);
    await other.signIn();
    await other.submit('confirm', { code: codeOf(app, secretOn(other)) });
    expect(other.heading).toBe(CODES);
    await browser.submit('confirm', { code: codeOf(app, old) });
    expect(browser).toMatchObject({ status: 400, heading: 'Sign in to Express App' });
    app.clock.advanceSeconds(30);
    await browser.signIn();
    expect(browser.heading).toBe('One more step');
    expect((await other.open('/me')).status).toBe(200);
  });

  it('keeps the secret out of every URL, and images out of the policy', async () => {
    const { browser } = await start();
    await browser.signIn();
    expect(browser.address).not.toMatch(/[A-Z2-7]{32}/);
    expect(browser.headers['content-security-policy']).toContain("img-src 'self';");
    expect(browser.headers['cache-control']).toBe('no-store');
  });
});
