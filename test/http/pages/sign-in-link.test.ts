import request from 'supertest';
import { OtpAuthError, otpAuth, type OtpAuthOptions } from '../../../src/index.js';
import { type AuthApp, SECRET } from '../../support/auth-app.js';
import { call, cookieHeader } from '../../support/call.js';
import { JO, PlainBrowser, startPagedApp } from './support.js';

const LINK = /https:\/\/app\.example\.com(\/auth\/sign-in\/link\?token=[\w-]+)#code=(\d+)/;

describe('a link beside the code', () => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startPagedApp({ ...options, email: { link: true, ...options.email } });
    const browser = new PlainBrowser(app);
    return { app, browser };
  };
  const linkIn = (app: AuthApp) => LINK.exec(app.mails.at(-1)?.text ?? '')?.[1] ?? 'no link';

  it('opens a page with one button, which signs in', async () => {
    const { app, browser } = await start();
    await browser.askForCode(JO, '/auth/sign-in?return_to=%2Fme');
    await browser.open(linkIn(app));
    expect(browser.heading).toBe('Sign in to Express App');
    expect(browser.page).toContain(JO);
    expect(browser.page.match(/<button/g)).toHaveLength(1);
    await browser.submit('');
    expect(browser.next).toBe('/me');
    await browser.open('/me');
    expect(JSON.parse(browser.page)).toMatchObject({ email: JO });
  });

  it('uses nothing up by being opened, however often, by whomever', async () => {
    const { app, browser } = await start({ otp: { maxAttempts: 1 } });
    await browser.askForCode();
    const link = linkIn(app);
    for (const method of ['GET', 'HEAD', 'GET']) {
      const answer = await call(app.url + link, { method });
      expect(answer).toMatchObject({ status: 200, cookies: [] });
      await browser.open(link);
      expect(browser.headers['set-cookie']).toBeUndefined();
    }
    await browser.open('/auth/sign-in');
    await browser.submit('code', { code: app.lastCode(JO) });
    expect(browser.next).toBe('/');
  });

  it('does not sign in anywhere but in the browser that asked', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    const link = linkIn(app);
    const other = new PlainBrowser(app);
    await other.open(link);
    expect(other.heading).toBe('Enter this code where you started');
    expect(other.page).not.toContain('<form');
    // Nor where it has asked for itself, with the number that its own form has.
    await other.askForCode('eve@example.com');
    const id = /name="sign_in" value="([^"]+)"/.exec(other.page)?.[1] ?? '';
    const posted = await other.agent.post(link).type('form').send({ sign_in: id });
    expect(posted.status).toBe(400);
    expect((await other.agent.get('/me')).status).toBe(401);
    expect((await request(app.url).post(link).type('form').send({})).status).toBe(400);
  });

  it('does not sign in where somebody else has asked for the same address', async () => {
    const { app, browser } = await start({ otp: { liveCodes: 2 } });
    const other = new PlainBrowser(app);
    await other.askForCode();
    await browser.askForCode();
    await other.open(linkIn(app));
    expect(other.heading).toBe('Enter this code where you started');
    await other.open('/auth/sign-in');
    const id = /name="sign_in" value="([^"]+)"/.exec(other.page)?.[1] ?? '';
    expect((await other.agent.post(linkIn(app)).type('form').send({ sign_in: id })).status).toBe(400);
  });

  it('names neither the address nor the code where servers see it', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    const [, path = '', code = ''] = LINK.exec(app.mails[0]?.text ?? '') ?? [];
    expect(code).toBe(app.lastCode(JO));
    expect(path).not.toContain(code);
    const token = Buffer.from(path.split('token=')[1] ?? '', 'base64url').toString('latin1');
    expect(token).not.toContain(code);
    expect(token).not.toContain('jo@');
    // What a log knows is not enough to learn the code.
    const opened = await request(app.url).get(path);
    expect(opened.text).not.toContain(code);
  });

  it('begins with publicUrl, whatever host a request names', async () => {
    const { app } = await start();
    const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' };
    await call(`${app.url}/auth/request-otp`, { body: { email: JO }, headers });
    expect(app.mails[0]?.text).toContain('https://app.example.com/auth/sign-in/link?');
    expect(app.mails[0]?.text).not.toContain('evil');
  });

  it('is a button in the message, in its language', async () => {
    const { app } = await start();
    await call(`${app.url}/auth/request-otp`, { body: { email: JO, locale: 'de' } });
    expect(app.mails[0]?.html).toMatch(/<a href="https:\/\/app\.example\.com[^"]+"[^>]*>Anmelden<\/a>/);
  });

  it('works where an application of its own has asked, in the browser that did', async () => {
    const { app } = await start();
    const asked = await call(`${app.url}/auth/request-otp`, { body: { email: JO } });
    const cookie = asked.cookies.find(({ name }) => name === 'pending_sign_in');
    expect(cookie?.attributes).toMatchObject({ httponly: true, samesite: 'Lax' });
    const page = await request(app.url).get(linkIn(app)).set(cookieHeader(cookie!));
    const id = /name="sign_in" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const posted = await request(app.url)
      .post(linkIn(app))
      .set(cookieHeader(cookie!))
      .type('form')
      .send({ sign_in: id });
    expect(posted.status).toBe(200);
    expect(String(posted.headers['set-cookie'])).toContain('refresh_token=ey');
  });

  it('is bound to no browser by a foreign page', async () => {
    const { app } = await start();
    const headers = { Origin: 'https://evil.example' };
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: JO }, headers })).cookies).toEqual([]);
  });

  it.each([
    ['expired', (link: string, app: AuthApp) => (app.clock.advanceSeconds(301), link)],
    ['changed', (link: string) => link.replace(/(?<=token=)./, (first) => (first === 'A' ? 'B' : 'A'))],
    ['cut short', (link: string) => link.slice(0, -5)],
    ['without its token', (link: string) => link.replace(/\?.*/, '')],
    ['with two tokens', (link: string) => `${link}&token=x`],
  ])('that is %s says so', async (_what, change) => {
    const { app, browser } = await start();
    await browser.askForCode();
    await browser.open(change(linkIn(app), app));
    expect(browser).toMatchObject({ status: 400, heading: 'This link no longer works' });
  });

  it('works once', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    const [link, code] = [linkIn(app), app.lastCode(JO)];
    const twin = new PlainBrowser(app);
    for (const cookie of browser.agent.jar.getCookies({ domain: '127.0.0.1', path: '/', secure: false, script: false }))
      twin.agent.jar.setCookie(cookie);
    await twin.open(link);
    await browser.submit('code', { code });
    await twin.submit('');
    expect(twin).toMatchObject({ status: 400, heading: 'This link no longer works' });
  });

  it('cannot be pressed by a foreign page', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    await browser.open(linkIn(app));
    await browser.submit('', {}, { 'Sec-Fetch-Site': 'cross-site' });
    expect(browser.status).toBe(403);
  });

  it('is not in a message by SMS, nor in one that a function asked for', async () => {
    const { app } = await start();
    await app.auth.api.requestOtp({ email: JO });
    expect(app.mails[0]?.text).not.toContain('https://');
  });

  it('is handed to `email.render`', async () => {
    const links: (string | undefined)[] = [];
    const { browser } = await start({
      email: {
        link: true,
        render: ({ link }) => {
          links.push(link);
          return { subject: 's', text: 't', html: 'h' };
        },
      },
    });
    await browser.askForCode();
    expect(links[0]).toMatch(LINK);
  });

  it.each([
    ['pages', { publicUrl: 'https://app.example.com/auth' }],
    ['publicUrl', { pages: true }],
  ])('needs %s', (missing, options) => {
    const make = () => otpAuth({ redis: 'memory:', jwt: { secret: SECRET }, email: { link: true }, ...options });
    expect(make).toThrow(OtpAuthError);
    expect(make).toThrow(`email.link (EXPRESS_OTP_AUTH_EMAIL_LINK): needs ${missing}`);
  });
});
