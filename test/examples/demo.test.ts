import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { call } from '../support/call.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';
import { closeAfterFile } from '../support/closing.js';
import { projectWithPackage } from '../support/installed-package.js';
import { type Program, startProgram } from '../support/program.js';
import { describeWithOwnRedis, freshRedis, redisUrl, startRedis } from '../support/redis.js';
import { startSmtp, type TestSmtp } from '../support/smtp.js';

const root = path.resolve(__dirname, '../..');
const email = 'jo@example.com';

jest.setTimeout(180_000); // A compiler and a browser, on a machine that may have other things to do

let project: string;
beforeAll(() => {
  project = projectWithPackage({ kinds: ['esm'] });
  cpSync(path.join(root, 'examples/demo'), path.join(project, 'demo'), { recursive: true });
});

async function startDemo(env: Record<string, string> = {}): Promise<{ program: Program; url: string }> {
  const program = startProgram(process.execPath, ['demo/start.mjs'], { cwd: project, env });
  return { program, url: urlIn(await program.line(/http:/)) };
}

function urlIn(line: string): string {
  return /http:\/\/\S+/.exec(line)?.[0] ?? 'no address';
}

describe('the demo', () => {
  it('prints its address and nothing else, whatever happens there', async () => {
    const { program, url } = await startDemo();
    await call(`${url}/auth/request-otp`, { body: { email } });
    const messages = (await call(`${url}/demo/messages`, { method: 'GET' })).body as unknown as { text: string }[];
    const otp = /^\d{6}$/m.exec(messages[0]?.text ?? '')?.[0];
    expect(await call(`${url}/auth/verify-otp`, { body: { email, otp } })).toMatchObject({ status: 200 });
    program.signal('SIGINT');
    await expect(program.ended).resolves.toEqual({ code: 0, signal: null });
    expect(program.said()).toMatch(/^The demo runs at http:\/\/localhost:\d+ \(Ctrl-C ends it\)$/);
  });

  it('takes the port that it is given, and says so where that is taken', async () => {
    const first = await startDemo();
    const { port } = new URL(first.url);
    const second = startProgram(process.execPath, ['demo/start.mjs'], { cwd: project, env: { PORT: port } });
    await expect(second.ended).resolves.toEqual({ code: 1, signal: null });
    expect(second.said()).toBe(`Port ${port} is taken: set PORT to another, or leave it out for any free one.`);

    first.program.signal('SIGTERM');
    await expect(first.program.ended).resolves.toEqual({ code: 0, signal: null });
    const third = await startDemo({ PORT: port });
    expect(third.url).toBe(`http://localhost:${port}`);
  });

  it.each([
    ['a port that is none', { PORT: 'eighty' }, /^PORT must be a number from 0 to 65535, not "eighty"\.$/],
    ['a bad configuration', { EXPRESS_OTP_AUTH_OTP_LENGTH: '4' }, /^The configuration is not valid:\n.*OTP_LENGTH/],
  ])('says what is wrong with %s, without a stack', async (_what, env, words) => {
    const program = startProgram(process.execPath, ['demo/start.mjs'], { cwd: project, env });
    await expect(program.ended).resolves.toEqual({ code: 1, signal: null });
    expect(program.said()).toMatch(words);
    expect(program.said()).not.toMatch(/^ +at /m);
  });

  it('cannot be reached from other machines, which could read its mail', async () => {
    const { url } = await startDemo();
    const others = Object.values(os.networkInterfaces())
      .flat()
      .flatMap((address) => (address && !address.internal && address.family === 'IPv4' ? [address.address] : []));
    // The second address of this machine's loopback is a stranger's as well.
    for (const address of ['127.0.0.2', ...others])
      await expect(call(url.replace('localhost', address), { method: 'GET' })).rejects.toThrow();
  });

  it('starts from a fresh checkout by npm run demo, with nothing built, and ends by Ctrl-C', async () => {
    const checkout = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-checkout-')));
    closeAfterFile(() => rmSync(checkout, { recursive: true, force: true }));
    const files = readdirSync(root).filter((name) => /^(package\.json|tsconfig.*|scripts|src|examples)$/.test(name));
    for (const name of files) cpSync(path.join(root, name), path.join(checkout, name), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'));

    const program = startProgram('npm', ['run', 'demo'], { cwd: checkout, terminal: true });
    const url = urlIn(await program.line(/http:/));
    expect(await call(url, { method: 'GET' })).toMatchObject({ status: 200 });
    expect(await call(`${url}/client/index.js`, { method: 'GET' })).toMatchObject({ status: 200 });
    program.signal('SIGINT');
    await program.ended;
    await expect(call(url, { method: 'GET' })).rejects.toThrow('ECONNREFUSED');
    expect(program.said().match(/http:/g)).toHaveLength(1);
  });
});

describeInBrowser('the demo in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = (await launchBrowser())!;
  });

  /** A page whose every complaint, and every request to somebody else, ends up in `troubles`. */
  async function openPage(url: string, options: Parameters<Browser['newContext']>[0] = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(String(error)));
    // A refused request is reported as well, and is what the demo shows.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) troubles.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`)) troubles.push(request.url());
    });
    await page.goto(url);
    await focusOn(page, 'E-mail address');
    return { page, troubles };
  }

  it('goes the whole way by keyboard: code, protected answer, refresh, reload, log-out, tokens refused', async () => {
    const { url } = await startDemo();
    const { page, troubles } = await openPage(url);
    const { keyboard } = page;
    await expectText(page, 'Store in this process', 'Mail caught here', 'No mail yet.');

    await keyboard.type('jo at example');
    await keyboard.press('Enter');
    await alertSays(page, 'That is not an e-mail address. Type one, such as jo@example.com.');
    await focusOn(page, 'E-mail address');
    await keyboard.type(` ${email.toUpperCase()} `); // replaces what was there, which is selected
    await keyboard.press('Enter');

    await focusOn(page, `Code from the message to ${email.toUpperCase()}`);
    await statusSays(page, /^A message is in the mailbox/);
    const mail = page.getByRole('article', { name: 'is your Express App sign-in code' });
    const code = /^\d{6}$/m.exec(await mail.innerText())?.[0] ?? 'no code';
    await expectText(page, `To ${email}`, 'It works once, for', 'Send a new code in 0:');

    await keyboard.type(code.replace(/\d/g, (digit) => `${(Number(digit) + 1) % 10}`));
    await keyboard.press('Enter');
    await alertSays(page, /^This code is wrong/);
    await focusOn(page, 'Code from the message');
    await keyboard.type('123');
    await keyboard.press('Enter');
    await alertSays(page, /^Type all the digits/);
    await keyboard.type(` ${code.slice(0, 3)} ${code.slice(3)} `);
    await keyboard.press('Enter');

    await focusOn(page, `Signed in as ${email}`);
    await expectText(page, 'for 60:00 more', 'in an HttpOnly cookie');
    const first = await protectedAnswer(page);
    expect(first).toMatchObject({ message: `Only ${email} gets this answer.`, amr: ['otp'] });

    await pressButton(page, 'Refresh tokens');
    await statusSays(page, /new access token/);
    const second = await protectedAnswer(page);
    expect(second.sessionId).toBe(first.sessionId);
    expect(second.tokenId).not.toBe(first.tokenId);

    await page.reload();
    await statusSays(page, /^Welcome back/);
    await focusOn(page, `Signed in as ${email}`);
    expect((await protectedAnswer(page)).sessionId).toBe(first.sessionId);

    await pressButton(page, 'Log out');
    await focusOn(page, 'Signed out');
    await expectText(
      page,
      'The access token: refused (401 invalid_token)',
      'The refresh token: refused (401 invalid_refresh_token)',
    );
    await statusSays(page, 'Neither token works any more.');
    await page.reload();
    await focusOn(page, 'E-mail address');

    // Nothing that could be used is shown of any token.
    expect(await page.locator('body').innerHTML()).not.toMatch(/eyJ[\w-]+\.[\w-]+\./);
    expect(troubles).toEqual([]);
  });

  it('takes the code out of the message at the press of a button', async () => {
    const { url } = await startDemo();
    const { page } = await openPage(url);
    await askForCode(page);
    await pressButton(page, 'Put the code into the form');
    await focusOn(page, 'Code from the message');
    await page.keyboard.press('Enter');
    await focusOn(page, `Signed in as ${email}`);
  });

  it('counts down, sends a new code when it may, and says when a code has expired', async () => {
    const { url } = await startDemo();
    const { page } = await openPage(url);
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await askForCode(page);
    await page.clock.runFor(29_000);
    await expectText(page, 'It works once, for 4:31 more.');
    expect(await page.getByRole('button', { name: 'Send a new code in 0:01' }).isDisabled()).toBe(true);
    await page.clock.runFor(1_000);
    // The server's clock has not moved, so it says no.
    await pressButton(page, 'Send a new code');
    await alertSays(page, /^That was too often\. Try again in \d+ seconds?\.$/);
    await page.clock.runFor(270_000);
    await expectText(page, 'It has expired. Send a new one.');
  });

  it('signs out what another tab has signed out', async () => {
    const { url } = await startDemo();
    const { page } = await openPage(url);
    await signInWithCaughtMail(page);
    const other = await page.context().newPage();
    await other.goto(url);
    await pressButton(other, 'Log out');
    await focusOn(other, 'Signed out');
    await pressButton(page, 'Ask again');
    await statusSays(page, /^Your sign-in has ended/);
    await focusOn(page, 'E-mail address');
  });

  it('says so where the demo is gone', async () => {
    const { program, url } = await startDemo();
    const { page } = await openPage(url);
    await signInWithCaughtMail(page);
    program.signal('SIGINT');
    await program.ended;
    for (const name of ['Ask again', 'Refresh tokens', 'Log out']) {
      await pressButton(page, name);
      await alertSays(page, 'There is no answer. Is the demo still running?');
    }
  });

  it.each([
    ['a phone', { viewport: { width: 320, height: 568 } }],
    [
      'a screen of 1280 pixels at 200 % zoom, in the dark',
      { viewport: { width: 640, height: 360 }, colorScheme: 'dark' },
    ],
    ['a wide screen', { viewport: { width: 1440, height: 900 } }],
  ] as const)('fits %s and can be read and used by everybody, at every step', async (_screen, options) => {
    const { url } = await startDemo();
    const { page } = await openPage(url, options);
    await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const check = async () => {
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: object[] }[] };
      expect(violations.map(({ id, nodes }) => ({ id, nodes }))).toEqual([]);
    };
    await check();
    await page.keyboard.press('Enter');
    await alertSays(page, /^That is not/);
    await check();
    await askForCode(page);
    await check();
    await pressButton(page, 'Put the code into the form');
    await page.keyboard.press('Enter');
    await protectedAnswer(page);
    await check();
    await pressButton(page, 'Log out');
    await focusOn(page, 'Signed out');
    for (const exchange of await page.locator('summary').all()) await exchange.press('Enter');
    await check();
  });

  it('goes the same way on a real Redis and a real SMTP server, and says in words what fails there', async () => {
    const redis = await freshRedis();
    const smtp = await startSmtp();
    closeAfterFile(() => smtp.close());
    const { program, url } = await startDemo(onRealServers(redisUrl(), smtp));
    const { page, troubles } = await openPage(url);
    await expectText(page, 'Store Redis', 'Mail by SMTP', 'look into the mailbox');

    smtp.fail({ at: 'message', how: 'refuse' });
    await page.keyboard.type(email);
    await page.keyboard.press('Enter');
    await alertSays(page, 'The message could not be sent. Is the mail server running?');
    smtp.fail(undefined);
    await page.keyboard.press('Enter');
    await focusOn(page, 'Code from the message');
    await statusSays(page, `A message is on its way to ${email}.`);
    await smtp.waitFor(email);
    await page.keyboard.type(smtp.lastCode(email));
    await page.keyboard.press('Enter');
    await focusOn(page, `Signed in as ${email}`);
    const first = await protectedAnswer(page);
    expect(await redis.keys('*')).not.toEqual([]);

    await pressButton(page, 'Refresh tokens');
    await statusSays(page, /new access token/);
    expect((await protectedAnswer(page)).tokenId).not.toBe(first.tokenId);
    await pressButton(page, 'Log out');
    await statusSays(page, 'Neither token works any more.');

    expect(troubles.filter((text) => !text.includes('502'))).toEqual([]);
    program.signal('SIGINT');
    await expect(program.ended).resolves.toEqual({ code: 0, signal: null });
  });

  describeWithOwnRedis('where Redis goes away', () => {
    it('says so, and goes on when it is back', async () => {
      const server = await startRedis();
      const smtp = await startSmtp();
      closeAfterFile(() => smtp.close());
      const { url } = await startDemo(onRealServers(server.url, smtp));
      const { page } = await openPage(url);
      await server.stop();
      await page.keyboard.type(email);
      await page.keyboard.press('Enter');
      await alertSays(page, /^The application does not reach its store\. Is Redis running\?/);
      await server.start();
      await until(async () => {
        await page.keyboard.press('Enter');
        return focusOn(page, 'Code from the message', 1000).then(
          () => true,
          () => false,
        );
      });
    });
  });
});

function onRealServers(redis: string, smtp: TestSmtp): Record<string, string> {
  return {
    EXPRESS_OTP_AUTH_REDIS_URL: redis,
    EXPRESS_OTP_AUTH_SMTP_SERVER: smtp.host,
    EXPRESS_OTP_AUTH_SMTP_PORT: String(smtp.port),
  };
}

async function askForCode(page: Page): Promise<void> {
  await page.keyboard.type(email);
  await page.keyboard.press('Enter');
  await focusOn(page, 'Code from the message');
}

async function signInWithCaughtMail(page: Page): Promise<void> {
  await askForCode(page);
  await pressButton(page, 'Put the code into the form');
  await page.keyboard.press('Enter');
  await protectedAnswer(page);
}

/** Goes to a button with the Tab key alone, and presses it. */
async function pressButton(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true });
  await button.waitFor();
  for (let steps = 0; !(await isFocused(page, button)); steps += 1) {
    if (steps > 50) throw new Error(`The Tab key does not reach the button ${name}`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

/** Waits until the keyboard is at the field or the heading of that name. */
async function focusOn(page: Page, name: string, timeout = 10_000): Promise<void> {
  const named = page.getByRole('textbox', { name }).or(page.getByRole('heading', { name }));
  await named.and(page.locator(':focus')).waitFor({ timeout });
}

async function isFocused(page: Page, element: Locator): Promise<boolean> {
  return (await element.and(page.locator(':focus')).count()) > 0;
}

async function alertSays(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('alert').filter({ hasText: text }).waitFor();
}

async function statusSays(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

/** Waits until all of it can be seen, whatever elements it is in. */
async function expectText(page: Page, ...texts: string[]): Promise<void> {
  const seen = async () => (await page.locator('body').innerText()).replace(/\s+/g, ' ');
  await until(async () => {
    const all = await seen();
    return texts.every((text) => all.includes(text));
  }).catch(async () => {
    const all = await seen();
    for (const text of texts) expect(all).toContain(text);
  });
}

interface ProtectedAnswer {
  message: string;
  amr: string[];
  sessionId: string;
  tokenId: string;
}

/** The answer of the protected route, as the page shows it. */
async function protectedAnswer(page: Page): Promise<ProtectedAnswer> {
  const region = page.getByRole('region', { name: 'The protected answer' }).filter({ hasText: /\S/ });
  return JSON.parse(await region.innerText()) as ProtectedAnswer;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('This has not come true');
    await setTimeout(50);
  }
}
