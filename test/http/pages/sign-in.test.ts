import { generateSync } from 'otplib';
import request from 'supertest';
import type { OtpAuthOptions } from '../../../src/index.js';
import { JO, PlainBrowser, startPagedApp } from './support.js';

describe('the sign-in page, without JavaScript', () => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startPagedApp(options);
    return { app, browser: new PlainBrowser(app) };
  };

  it('signs in: from a page that needs it, by address and code, and back', async () => {
    const { app, browser } = await start();
    await browser.open('/me?tab=1');
    expect(browser.address).toBe('/auth/sign-in?return_to=%2Fme%3Ftab%3D1');
    await browser.submit('address', { address: ' Jo@Example.com ' });
    expect(browser.page).toContain(JO);
    await browser.submit('code', { code: app.lastCode(JO) });
    expect(browser).toMatchObject({ status: 200, heading: 'You are signed in', next: '/me?tab=1' });
    await browser.open('/me?tab=1');
    expect(JSON.parse(browser.page)).toMatchObject({ email: JO, amr: ['otp'] });
  });

  it.each([
    ['123 456', (code: string) => code.replace(/(...)/, '$1 ')],
    ['123-456', (code: string) => code.replace(/(...)/, '$1-')],
    ['line breaks around it', (code: string) => `\n ${code}\r\n`],
    ['Persian digits', (code: string) => code.replace(/\d/g, (digit) => String.fromCodePoint(0x6f0 + Number(digit)))],
    [
      'full-width digits',
      (code: string) => code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ],
  ])('takes a code as people paste it: %s', async (_what, pasted) => {
    const { app, browser } = await start();
    await browser.askForCode();
    await browser.submit('code', { code: pasted(app.lastCode(JO)) });
    expect(browser.next).toBe('/');
  });

  it('keeps address and code out of every URL', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    expect(browser.address).not.toMatch(/jo|example|@/);
    await browser.submit('code', { code: app.lastCode(JO) });
    expect(browser.address).not.toMatch(/jo@|[0-9]{6}/);
  });

  it('can be reloaded at every step, which sends nothing again', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    await browser.open('/auth/sign-in');
    expect(browser.heading).toBe('Enter your code');
    expect(app.mails).toHaveLength(1);
    await browser.submit('code', { code: app.lastCode(JO) });
    expect(browser.next).toBe('/');
  });

  it('tells what is wrong beside the field, keeps what was typed, and never as markup', async () => {
    const { browser } = await start();
    await browser.open('/auth/sign-in');
    await browser.submit('address', { address: '"><script>alert(1)</script>' });
    expect(browser).toMatchObject({ status: 400, error: 'Enter one e-mail address, such as name@example.com.' });
    expect(browser.page).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
    expect(browser.page).toContain('aria-describedby="address-error hint" aria-invalid="true"');
    expect(browser.page).toContain('<title>Error: Sign in to Express App</title>');

    await browser.submit('address', { address: JO });
    await browser.submit('code', { code: '12' });
    expect(browser).toMatchObject({ status: 400, error: 'Enter the 6 digits of the code.' });
    await browser.submit('code', { code: '000000' });
    expect(browser.error).toBe('This code is wrong, expired or used. Check it, or ask for another.');
  });

  it('tells how long to wait, also a person who asked too often', async () => {
    const { app, browser } = await start({ otp: { resendCooldownSeconds: 30 } });
    await browser.askForCode();
    expect(browser.page).toContain('You can ask for another code in 30 seconds.');
    app.clock.advanceSeconds(3);
    await browser.submit('resend');
    expect(browser.page).toContain('You can ask for another code in 27 seconds.');
    expect(app.mails).toHaveLength(1);

    app.clock.advanceSeconds(27);
    await browser.submit('resend');
    expect(browser.page).toContain('We sent another code to');
    expect(app.mails).toHaveLength(2);

    const stranger = new PlainBrowser(app);
    await stranger.askForCode();
    expect(stranger).toMatchObject({ status: 429, error: 'Too many attempts. You can try again in 30 seconds.' });
    expect(stranger.headers['retry-after']).toBe('30');
  });

  it('starts over with another address', async () => {
    const { app, browser } = await start();
    await browser.askForCode();
    await browser.submit('restart');
    expect(browser.heading).toBe('Sign in to Express App');
    await browser.signIn('ana@example.com');
    expect(app.mails.map(({ to }) => to)).toEqual([JO, 'ana@example.com']);
    expect(browser.next).toBe('/');
  });

  it('tells a browser that keeps no cookies', async () => {
    const { app } = await start();
    const posted = await request(app.url).post('/auth/sign-in').type('form').send({ step: 'address', address: JO });
    const page = await request(app.url).get(`/auth/sign-in${posted.headers['location']}`);
    expect(page.text).toContain('your browser keeps no cookies');
  });

  it('holds the limits of the endpoints', async () => {
    const { app, browser } = await start({ limits: { failuresPerDay: 3, requestsPerIpPerMinute: 2 } });
    await browser.askForCode();
    for (const _ of [1, 2, 3]) await browser.submit('code', { code: '000000' });
    await browser.submit('code', { code: app.lastCode(JO) });
    expect(browser.status).toBe(429);
    const other = new PlainBrowser(app);
    await other.askForCode('ana@example.com');
    await other.askForCode('bo@example.com');
    expect(other.status).toBe(429);
  });

  it('says so where the message cannot be sent', async () => {
    const { browser } = await start({ email: { send: () => Promise.reject(new Error('no')) } });
    await browser.askForCode();
    expect(browser).toMatchObject({ status: 502, error: 'The message could not be sent. Try again.' });
  });

  it('sends who is signed in on, and lets them sign in anew where that is asked for', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    await browser.open('/auth/sign-in?return_to=%2Fme');
    expect(browser.address).toBe('/me');
    await browser.open('/auth/sign-in?return_to=%2Fme&prompt=login');
    expect(browser.heading).toBe('Sign in to Express App');
    await browser.signIn();
    const { sessions } = await app.auth.api.explain(JO);
    expect(sessions.count).toBe(1); // the one before has ended
  });

  it('takes codes by SMS, where they are on', async () => {
    const texts: string[] = [];
    const { browser } = await start({ sms: { send: ({ code }) => texts.push(code), allowedCountries: ['DE'] } });
    await browser.open('/auth/sign-in');
    expect(browser.page).toContain('E-mail address or phone number');
    await browser.submit('address', { address: '+1 212 555 0100' });
    expect(browser.error).toBe('Enter an e-mail address, or a phone number with its country code.');
    await browser.submit('address', { address: '+49 151 1234 5678' });
    expect(browser.page).toContain('data-otp="sms"');
    await browser.submit('code', { code: texts[0] ?? '' });
    await browser.open('/me');
    expect(JSON.parse(browser.page)).toMatchObject({ phoneNumber: '+4915112345678' });
  });

  it('signs out with a form, and needs nobody signed in for it', async () => {
    const { app, browser } = await start();
    await browser.signIn();
    await browser.open('/auth/sign-out');
    expect(browser.heading).toBe('Sign out of Express App?');
    await browser.open('/me');
    expect(browser.status).toBe(200);
    const posted = await browser.agent.post('/auth/sign-out').type('form').send({ return_to: '/bye' });
    expect(posted).toMatchObject({ status: 303, headers: { location: '/bye' } });
    await browser.open('/me');
    expect(browser.heading).toBe('Sign in to Express App');
    expect(
      (await request(app.url).post('/auth/sign-out').type('form').send({ return_to: '//evil.example' })).headers[
        'location'
      ],
    ).toBe('/');
  });
});

describe('a second factor, on the page', () => {
  const start = async () => {
    const app = await startPagedApp({ users: { store: 'memory' }, totp: 'optional' });
    const { authorization } = await app.signIn(JO);
    const post = (path: string, body: object) =>
      request(app.url).post(`/auth${path}`).set('Authorization', authorization).send(body);
    const { secret } = (await post('/totp/enroll', {})).body as { secret: string };
    const code = () => generateSync({ secret, epoch: Math.floor(app.clock.now() / 1000) });
    const confirmed = await post('/totp/confirm', { code: code() });
    app.clock.advanceSeconds(30);
    return { app, code, recoveryCodes: (confirmed.body as { recovery_codes: string[] }).recovery_codes };
  };

  it('is asked for after the code', async () => {
    const { app, code } = await start();
    const browser = new PlainBrowser(app);
    await browser.signIn(JO, '/auth/sign-in?return_to=%2Fme');
    expect(browser.heading).toBe('One more step');
    await browser.submit('totp', { code: '000 000' });
    expect(browser).toMatchObject({
      status: 400,
      error: 'This code is wrong or used. Wait for the next one, and try again.',
    });
    await browser.submit('totp', { code: code().replace(/(...)/, '$1 ') });
    expect(browser.next).toBe('/me');
    await browser.open('/me');
    expect(JSON.parse(browser.page)).toMatchObject({ amr: ['otp', 'totp'] });
  });

  it('may be a recovery code', async () => {
    const { app, recoveryCodes } = await start();
    const browser = new PlainBrowser(app);
    await browser.signIn();
    await browser.submit('recovery_code', { recovery_code: 'nonsense' });
    expect(browser.error).toBe('This recovery code is wrong or used.');
    expect(browser.page).toMatch(/<details class="more" open/);
    await browser.submit('recovery_code', { recovery_code: recoveryCodes[0] ?? '' });
    expect(browser.next).toBe('/');
  });

  it('is no way around the code: the form alone does nothing', async () => {
    const { app, code } = await start();
    const browser = new PlainBrowser(app);
    await browser.askForCode();
    await browser.submit('totp', { code: code() });
    expect(browser.status).toBe(400);
    await browser.open('/me');
    expect(browser.heading).toBe('Enter your code');
  });
});

describe('a foreign page', () => {
  const CROSS_SITE = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };

  it('cannot sign its visitors in, in or out of anything', async () => {
    const app = await startPagedApp();
    const browser = new PlainBrowser(app);
    await browser.askForCode();
    const code = app.lastCode(JO);
    const mails = app.mails.length;
    await browser.submit('code', { code }, CROSS_SITE);
    expect(browser.status).toBe(403);
    const posted = async (path: string) =>
      browser.agent.post(path).type('form').set(CROSS_SITE).send({ step: 'address', address: 'x@example.com' });
    expect((await posted('/auth/sign-in')).status).toBe(403);
    expect((await posted('/auth/sign-out')).status).toBe(403);
    expect(app.mails).toHaveLength(mails);
  });

  it('cannot have a form of its own taken: each names the sign-in that its browser began', async () => {
    const app = await startPagedApp();
    const [attacker, victim] = [new PlainBrowser(app), new PlainBrowser(app)];
    await attacker.askForCode('evil@example.com');
    const id = /name="sign_in" value="([^"]+)"/.exec(attacker.page)?.[1] ?? '';
    await victim.askForCode();
    await victim.submit('code', { sign_in: id, code: app.lastCode('evil@example.com') });
    expect(victim).toMatchObject({ status: 400, next: undefined });
    // Not even with the right code.
    for (const fields of [{}, { sign_in: id }]) {
      const form = { step: 'code', code: app.lastCode(JO), ...fields };
      expect((await victim.agent.post('/auth/sign-in').type('form').send(form)).status).toBe(400);
    }
    await victim.agent
      .post('/auth/sign-in')
      .type('form')
      .send({ step: 'code', code: app.lastCode('evil@example.com') });
    expect((await victim.open('/me')).heading).toBe('Enter your code');
  });

  it('is not what a form is whose page keeps its origin to itself', async () => {
    const app = await startPagedApp();
    const browser = new PlainBrowser(app);
    await browser.askForCode();
    await browser.submit('code', { code: app.lastCode(JO) }, { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' });
    expect(browser.next).toBe('/');
  });
});

describe('every page', () => {
  it('is not kept, not framed, and loads nothing that it does not name', async () => {
    const { app, headers, page } = await (async () => {
      const paged = await startPagedApp(
        { pages: { logoUrl: 'https://images.example/logo.svg', css: '/own.css' } },
        {
          prepare: (application) =>
            application.use((_req, res, next) => {
              res.set({ 'Content-Security-Policy': 'default-src *', 'Referrer-Policy': 'no-referrer' });
              next();
            }),
        },
      );
      const browser = await new PlainBrowser(paged).open('/auth/sign-in');
      return { app: paged, headers: browser.headers, page: browser.page };
    })();
    const nonce = /<script nonce="([^"]+)"/.exec(page)?.[1] ?? '';
    expect(nonce).toHaveLength(24);
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}' 'self'; img-src 'self' https://images.example; ` +
        "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect(page).not.toMatch(/\son\w+=|style=|javascript:/i);
    const again = await new PlainBrowser(app).open('/auth/sign-in');
    expect(again.page).not.toContain(nonce);
  });

  it('is a 405 for other methods, and a HEAD has no effects', async () => {
    const app = await startPagedApp();
    expect((await request(app.url).put('/auth/sign-in')).status).toBe(405);
    const head = await request(app.url).head('/auth/sign-in');
    expect(head.status).toBe(200);
    expect(head.headers['set-cookie']).toBeUndefined();
  });

  it('is not there where pages are off', async () => {
    const app = await startPagedApp({ pages: false });
    expect((await request(app.url).get('/auth/sign-in')).status).toBe(404);
  });
});

describe('the language of a page', () => {
  it.each([
    ['de', 'de', 'ltr', 'Bei Express App anmelden'],
    ['fr-CA, en;q=0.5', 'fr', 'ltr', 'Se connecter à Express App'],
    ['es', 'es', 'ltr', 'Acceder a Express App'],
    ['fa-IR', 'fa', 'rtl', 'ورود به Express App'],
    ['sl', 'sl', 'ltr', 'Prijava v Express App'],
    ['ja, xx', 'en', 'ltr', 'Sign in to Express App'],
    ['*', 'en', 'ltr', 'Sign in to Express App'],
  ])('is that of the browser: %s', async (accepted, tag, direction, heading) => {
    const browser = new PlainBrowser(await startPagedApp());
    await browser.open('/auth/sign-in', { 'Accept-Language': accepted });
    expect(browser.heading).toBe(heading);
    expect(browser.page).toContain(`<html lang="${tag}" dir="${direction}">`);
  });

  it('is the one that was chosen, through to the message', async () => {
    const app = await startPagedApp();
    const browser = new PlainBrowser(app);
    await browser.askForCode(JO, '/auth/sign-in?locale=sl');
    expect(browser.heading).toBe('Vnesite kodo');
    expect(app.mails[0]?.locale).toBe('sl');
  });

  it('may be one of the application’s own, in which English fills the gaps', async () => {
    const locales = { it: { name: 'Italiano', signInTitle: 'Accedi a {app}' }, de: { sendCode: 'Los' } };
    const browser = new PlainBrowser(await startPagedApp({ pages: { appName: 'Orto', locales } }));
    await browser.open('/auth/sign-in?locale=it-IT');
    expect(browser.heading).toBe('Accedi a Orto');
    expect(browser.page).toContain('Send me a code');
    await browser.open('/auth/sign-in?locale=de');
    expect(browser.page).toContain('Los');
  });
});
