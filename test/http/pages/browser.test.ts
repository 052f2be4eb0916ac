import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import jsqr from 'jsqr';
import { generateSync } from 'otplib';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import type { OtpAuthOptions } from '../../../src/index.js';
import { type AuthApp, startAuthApp } from '../../support/auth-app.js';
import { call } from '../../support/call.js';
import { describeInBrowser, launchBrowser } from '../../support/chromium.js';
import { JO } from './support.js';

const AXE = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
const SYSTEM_CLOCK = { now: () => new Date().getTime(), advanceSeconds: () => {} };

interface AxeResults {
  violations: { id: string; impact: string; nodes: { html: string }[] }[];
}

/** What the page asks the browser to let pass, and what the browser refuses it. */
type Complaints = string[];

describeInBrowser('the sign-in page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = (await launchBrowser())!;
  });

  const start = (options: OtpAuthOptions = {}) =>
    startAuthApp(
      {
        pages: true,
        ...options,
        cookie: { accessToken: true, ...options.cookie },
        otp: { resendCooldownSeconds: 30, ...options.otp },
        limits: { requestsPerIpPerMinute: 1000, verifiesPerIpPerMinute: 1000 },
      },
      SYSTEM_CLOCK,
    );
  const openPage = async (options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: Complaints }> => {
    const context = await browser.newContext({ viewport: { width: 900, height: 760 }, ...options });
    const page = await context.newPage();
    const complaints: Complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused/i.test(message.text())) complaints.push(message.text());
    });
    return { page, complaints };
  };
  const askForCode = async (page: Page, app: AuthApp, address = JO) => {
    await page.goto(`${app.url}/me`);
    await page.locator('#address').fill(address);
    await page.keyboard.press('Enter');
    await page.locator('#code').waitFor();
  };
  /** What axe finds that is serious, a line each. Where scripts are off, the page's markup is judged in a page where they are on. */
  const findings = async (page: Page) => {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  };
  const isFocused = (target: Locator) => target.evaluate((element) => element === element.ownerDocument.activeElement);
  const tabTo = async (page: Page, target: Locator) => {
    for (let presses = 0; presses < 10 && !(await isFocused(target)); presses += 1) await page.keyboard.press('Tab');
  };
  const isWithinWindow = (page: Page) =>
    page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

  describe.each([
    ['with JavaScript', true],
    ['without JavaScript', false],
  ])('%s', (_what, javaScriptEnabled) => {
    it('signs in by keyboard alone, and goes back where it came from', async () => {
      const app = await start();
      const { page, complaints } = await openPage({ javaScriptEnabled });
      await page.goto(`${app.url}/me?tab=1`);
      // The field has the focus by itself.
      await page.locator('#address:focus').waitFor();
      await page.keyboard.type(JO);
      await page.keyboard.press('Enter');
      await page.locator('#code:focus').waitFor();
      const code = app.lastCode(JO);
      await page.keyboard.type(`${code.slice(0, 3)} ${code.slice(3)}`);
      await page.keyboard.press('Enter');
      await page.waitForURL(`${app.url}/me?tab=1`);
      expect(await page.locator('body').textContent()).toContain(JO);
      const cookies = await page.context().cookies();
      expect(cookies.map(({ name }) => name).toSorted()).toEqual(['access_token', 'device_token', 'refresh_token']);
      expect(cookies.every(({ httpOnly }) => httpOnly)).toBe(true);
      expect(complaints).toEqual([]);
    });

    it('puts the focus on the field that is wrong, which says why', async () => {
      const app = await start();
      const { page } = await openPage({ javaScriptEnabled });
      await askForCode(page, app);
      await page.locator('#code:focus').waitFor();
      await page.keyboard.type('000 000');
      await page.keyboard.press('Enter');
      await page.locator('.error').waitFor();
      const field = page.getByLabel('Code of 6 digits');
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      const described = ((await field.getAttribute('aria-describedby')) ?? '').split(' ');
      expect(await page.locator(`#${described[0]}`).textContent()).toContain('wrong, expired or used');
      await page.locator('#code:focus').waitFor();
      expect(await page.title()).toMatch(/^Error: /);
    });

    it('has one real field for the code, which browsers fill in', async () => {
      const app = await start();
      const { page } = await openPage({ javaScriptEnabled });
      await askForCode(page, app);
      expect(await page.locator('input:not([type=hidden])').count()).toBe(1);
      const field = page.locator('#code');
      expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
      expect(await field.getAttribute('inputmode')).toBe('numeric');
    });

    it.each([
      ['English, light', { locale: 'en-GB', colorScheme: 'light' }],
      ['English, dark', { locale: 'en-GB', colorScheme: 'dark' }],
      ['Persian, right to left', { locale: 'fa-IR', colorScheme: 'light' }],
      ['German, on a window of 320 pixels', { locale: 'de-DE', viewport: { width: 320, height: 640 } }],
    ] satisfies [string, BrowserContextOptions][])('is accessible: %s', async (_name, options) => {
      const app = await start({ sms: { send: () => {}, allowedCountries: ['DE'] } });
      const { page, complaints } = await openPage(options);
      // Scripts are what axe is: where the page is to be without its own, they are taken out of it.
      if (!javaScriptEnabled)
        await page.route('**/auth/**', async (route) => {
          const answer = await route.fetch({ maxRedirects: 0 });
          if (answer.status() !== 200) return route.fulfill({ response: answer });
          return route.fulfill({
            response: answer,
            body: (await answer.text()).replace(/<script[\s\S]*<\/script>/, ''),
          });
        });
      await page.goto(`${app.url}/auth/sign-in`);
      expect(await findings(page)).toEqual([]);
      expect(await isWithinWindow(page)).toBe(true);
      await page.locator('#address').fill('no address');
      await page.keyboard.press('Enter');
      await page.locator('.error').waitFor();
      expect(await findings(page)).toEqual([]);
      await page.locator('#address').fill('a.very.long.address.of.somebody@a-long-domain.example.com');
      await page.keyboard.press('Enter');
      await page.locator('#code').waitFor();
      expect(await findings(page)).toEqual([]);
      expect(await isWithinWindow(page)).toBe(true);
      expect(complaints).toEqual([]);
    });
  });

  describe('setting an authenticator app up', () => {
    const startRequired = () => start({ users: { store: 'memory' }, totp: 'required' });
    const codeFrom = (uri: string) => generateSync({ secret: new URL(uri).searchParams.get('secret') ?? '' });
    /** What a telephone's camera reads. */
    const scan = async (page: Page) => {
      const { data, width, height } = PNG.sync.read(await page.getByRole('img', { name: /QR/ }).screenshot());
      return jsqr.default(new Uint8ClampedArray(data), width, height)?.data ?? 'nothing to be read';
    };

    it.each([
      ['with JavaScript, light', { javaScriptEnabled: true, colorScheme: 'light' }],
      ['without JavaScript, dark', { javaScriptEnabled: false, colorScheme: 'dark' }],
    ] satisfies [string, BrowserContextOptions][])('goes by keyboard alone, %s', async (_what, options) => {
      const app = await startRequired();
      const { page, complaints } = await openPage(options);
      await askForCode(page, app);
      await page.keyboard.type(app.lastCode(JO));
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Set up your authenticator app' }).waitFor();
      const uri = await scan(page);
      expect(await page.getByRole('link', { name: 'Open an app on this device' }).getAttribute('href')).toBe(uri);

      const field = page.getByLabel('Code of 6 digits from the app');
      expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
      expect(await field.getAttribute('inputmode')).toBe('numeric');
      await tabTo(page, field);
      await page.keyboard.type('000000');
      await page.keyboard.press('Enter');
      await page.locator('.error').waitFor();
      expect(await scan(page)).toBe(uri);
      await page.locator('#code:focus').waitFor();
      await page.keyboard.type(codeFrom(uri));
      await page.keyboard.press('Enter');

      await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor();
      expect(await page.getByRole('listitem').count()).toBe(10);
      await tabTo(page, page.getByRole('link', { name: 'Continue' }));
      await page.keyboard.press('Enter');
      await page.waitForURL(`${app.url}/me`);
      expect(JSON.parse((await page.locator('body').textContent()) ?? '')).toMatchObject({ amr: ['otp', 'totp'] });
      expect(complaints).toEqual([]);
    });

    it.each([
      ['English, light', { locale: 'en-GB', colorScheme: 'light' }],
      ['English, dark', { locale: 'en-GB', colorScheme: 'dark' }],
      ['Persian, on a window of 320 pixels', { locale: 'fa-IR', viewport: { width: 320, height: 640 } }],
      [
        'German, on one of 1280 pixels at 400 %',
        { locale: 'de-DE', viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
      ],
    ] satisfies [string, BrowserContextOptions][])('is accessible: %s', async (_name, options) => {
      const app = await startRequired();
      const { page, complaints } = await openPage(options);
      await askForCode(page, app);
      await page.locator('#code').fill(app.lastCode(JO));
      await page.keyboard.press('Enter');
      await page.locator('.qr').waitFor();
      expect(await findings(page)).toEqual([]);
      expect(await isWithinWindow(page)).toBe(true);
      await page.locator('#code').fill(codeFrom((await page.locator('.app a').getAttribute('href')) ?? ''));
      await page.keyboard.press('Enter');
      await page.locator('.codes').waitFor();
      expect(await page.locator('h1:focus').count()).toBe(1);
      expect(await page.locator('nav').isVisible()).toBe(false); // the page in another language would not show them again
      expect(await findings(page)).toEqual([]);
      expect(await isWithinWindow(page)).toBe(true);
      expect(complaints).toEqual([]);
    });
  });

  it.each([
    ['with JavaScript', true],
    ['without JavaScript', false],
  ])('takes a recovery code in place of the app’s, by keyboard alone, %s', async (_what, javaScriptEnabled) => {
    const app = await start({ users: { store: 'memory' }, totp: 'optional', otp: { resendCooldownSeconds: 0 } });
    const headers = { Authorization: (await app.signIn(JO)).authorization };
    const { body: enrolled } = await call(`${app.url}/auth/totp/enroll`, { headers });
    const code = generateSync({ secret: String(enrolled['secret']) });
    const { body: confirmed } = await call(`${app.url}/auth/totp/confirm`, { headers, body: { code } });
    const [recoveryCode = ''] = confirmed['recovery_codes'] as string[];

    const { page, complaints } = await openPage({ javaScriptEnabled });
    await askForCode(page, app);
    await page.keyboard.type(app.lastCode(JO));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'One more step' }).waitFor();
    await page.locator('#code:focus').waitFor();
    await tabTo(page, page.locator('summary'));
    await page.keyboard.press('Space');
    if (javaScriptEnabled) expect(await findings(page)).toEqual([]);
    await tabTo(page, page.locator('#recovery_code'));
    await page.keyboard.type('nonsense');
    await page.keyboard.press('Enter');
    await page.locator('#recovery_code-error').waitFor();
    await page.locator('#recovery_code:focus').waitFor();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(recoveryCode);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.url}/me`);
    expect(complaints).toEqual([]);
  });

  it('does not reload between its steps where JavaScript runs', async () => {
    const app = await start();
    const { page } = await openPage();
    await page.goto(`${app.url}/auth/sign-in`);
    await page.evaluate('window.isSamePage = true');
    await page.locator('#address').fill(JO);
    await page.keyboard.press('Enter');
    await page.locator('#code').waitFor();
    await page.getByRole('button', { name: 'Use another address' }).click();
    await page.locator('#address').waitFor();
    expect(await page.evaluate('window.isSamePage')).toBe(true);
    expect(await page.locator('#address:focus').count()).toBe(1);
  });

  it('counts down to another code, and then sends one', async () => {
    const app = await start({ otp: { resendCooldownSeconds: 1 } });
    const { page } = await openPage();
    await askForCode(page, app);
    const resend = page.getByRole('button', { name: 'Send another code' });
    await page.getByText('You can ask for another code in 1 second.').waitFor();
    await page.locator('button:enabled', { hasText: 'Send another code' }).click();
    await page.getByText('We sent another code to').waitFor();
    expect(await resend.count()).toBe(1);
    expect(app.mails).toHaveLength(2);
    expect(await page.locator('#code:focus').count()).toBe(1);
  });

  it('fills in a code from an SMS by itself (WebOTP)', async () => {
    let code = '';
    const app = await start({ sms: { send: (sms) => (code = sms.code), allowedCountries: ['DE'] } });
    const { page } = await openPage();
    // What a telephone's browser has, and a desktop's has not.
    await page.addInitScript(`
      window.OTPCredential = class {};
      Object.defineProperty(navigator, 'credentials', { value: { get: async () => ({ code: await codeFromSms() }) } });
    `);
    await page.exposeFunction('codeFromSms', () => code);
    await page.goto(`${app.url}/me`);
    await page.locator('#address').fill('+4915112345678');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.url}/me`);
    expect(await page.locator('body').textContent()).toContain('+4915112345678');
  });

  it('goes on as forms do where the network fails the script', async () => {
    const app = await start();
    const { page } = await openPage();
    await page.goto(`${app.url}/auth/sign-in`);
    let failures = 0;
    await page.route('**/auth/sign-in', (route) => {
      if (route.request().headers()['x-sign-in-script'] === undefined) return route.continue();
      failures += 1;
      return route.abort();
    });
    await page.locator('#address').fill(JO);
    await page.keyboard.press('Enter');
    await page.locator('#code').waitFor();
    expect(failures).toBe(1);
  });

  it('is right to left in Persian, with addresses and codes left to right', async () => {
    const app = await start();
    const { page } = await openPage({ locale: 'fa' });
    await askForCode(page, app);
    expect(await page.evaluate('getComputedStyle(document.body).direction')).toBe('rtl');
    expect(await page.evaluate(`getComputedStyle(document.querySelector('#code')).direction`)).toBe('ltr');
    await page.keyboard.type(app.lastCode(JO).replace(/\d/g, (digit) => String.fromCodePoint(0x6f0 + Number(digit))));
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.url}/me`);
  });

  it('can be read at 200 %: nothing is cut off, nothing scrolls sideways', async () => {
    const app = await start();
    // A window of 1280 by 1024 at 200 % (WCAG 2.2, 1.4.4), and then one of 320 at 400 % of its text.
    const { page } = await openPage({ viewport: { width: 640, height: 512 }, deviceScaleFactor: 2 });
    await askForCode(page, app);
    expect(await isWithinWindow(page)).toBe(true);
    await page.evaluate(`document.documentElement.style.setProperty('font-size', '200%')`);
    expect(await isWithinWindow(page)).toBe(true);
    for (const button of await page.getByRole('button').all()) {
      const isWhole = await button.evaluate(
        (one) => one.scrollWidth <= one.clientWidth + 1 && one.scrollHeight <= one.clientHeight + 1,
      );
      expect(isWhole).toBe(true);
    }
  });

  it('is dark where the user wants it so', async () => {
    const app = await start();
    const backgrounds = await Promise.all(
      (['light', 'dark'] as const).map(async (colorScheme) => {
        const { page } = await openPage({ colorScheme });
        await page.goto(`${app.url}/auth/sign-in`);
        return page.evaluate('getComputedStyle(document.body).backgroundColor');
      }),
    );
    expect(backgrounds).toEqual(['rgb(244, 245, 247)', 'rgb(16, 18, 22)']);
  });

  it('goes on to another origin where the application sends its users there', async () => {
    const [app, elsewhere] = [await start(), await start()];
    app.app.get('/out', (_req, res) => res.redirect(`${elsewhere.url.replace('127.0.0.1', 'localhost')}/auth/sign-in`));
    for (const javaScriptEnabled of [true, false]) {
      const { page, complaints } = await openPage({ javaScriptEnabled });
      await page.goto(`${app.url}/auth/sign-in?return_to=/out`);
      const address = `out-${javaScriptEnabled}@example.com`;
      await page.locator('#address').fill(address);
      await page.keyboard.press('Enter');
      await page.locator('#code').waitFor(); // the message is there by then
      await page.locator('#code').fill(app.lastCode(address));
      await page.keyboard.press('Enter');
      await page.waitForURL('http://localhost:*/**');
      expect(complaints).toEqual([]);
    }
  });

  describe('a link in a message', () => {
    const linkIn = (app: AuthApp) =>
      /https:\/\/app\.example\.com(\S+)/.exec(app.mails.at(-1)?.text ?? '')?.[1] ?? 'no link';
    const startWithLinks = () => start({ email: { link: true }, publicUrl: 'https://app.example.com/auth' });

    it.each([true, false])('signs in by its button, JavaScript: %s', async (javaScriptEnabled) => {
      const app = await startWithLinks();
      const { page, complaints } = await openPage({ javaScriptEnabled });
      await askForCode(page, app);
      const tab = await page.context().newPage();
      await tab.goto(app.url + linkIn(app));
      await tab.getByRole('button', { name: 'Sign in' }).click();
      await tab.waitForURL(`${app.url}/me`);
      expect(await tab.locator('body').textContent()).toContain(JO);
      expect(complaints).toEqual([]);
    });

    it('shows the code to type in another browser, in any language', async () => {
      const app = await startWithLinks();
      const { page } = await openPage();
      await askForCode(page, app);
      const { page: other, complaints } = await openPage();
      await other.goto(app.url + linkIn(app));
      await other.getByText(app.lastCode(JO), { exact: true }).waitFor();
      expect(await findings(other)).toEqual([]);
      await other.getByRole('link', { name: 'Deutsch' }).click();
      await other.getByRole('heading', { name: 'Geben Sie diesen Code dort ein' }).waitFor();
      await other.getByText(app.lastCode(JO), { exact: true }).waitFor();
      expect(await other.context().cookies()).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
});
