import path from 'node:path';
import { build } from 'esbuild';
import type { RequestHandler } from 'express';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { OtpClient, OtpClientOptions } from '../../src/client/index.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';
import { startWeatherServer, type WeatherServer } from './weather-server.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

const email = 'ann@example.com';
const HOUR_SECONDS = 3600;

// What a page's scripts have. TypeScript's own types of it would be there for all of the package's sources.
declare const client: OtpClient;
declare const told: string[];
declare const navigator: { locks: { query(): Promise<{ pending?: object[] }> } };
declare const document: { cookie: string };
declare const localStorage: object;
declare const sessionStorage: object;
declare const indexedDB: { databases(): Promise<object[]> };
declare const caches: { keys(): Promise<string[]> };

/** A page that makes a client, as a single-page application does when it starts. */
async function clientPages(options: OtpClientOptions): Promise<RequestHandler> {
  const entryPoint = path.resolve('src/client/index.ts');
  const bundled = await build({ entryPoints: [entryPoint], bundle: true, format: 'esm', write: false });
  const script = bundled.outputFiles[0]?.text ?? '';
  const page = `<!doctype html><script type="module">
    import { createOtpClient } from '/client.js';
    globalThis.told = [];
    globalThis.client = createOtpClient(${JSON.stringify(options)});
    client.subscribe((user) => told.push(user?.id ?? String(user)));
  </script>`;
  return (req, res, next) => {
    if (req.path === '/client.js') res.type('js').send(script);
    else if (req.path === '/') res.type('html').send(page);
    else next();
  };
}

describeInBrowser('the client in the tabs of a browser', () => {
  let browser: Browser;
  let server: WeatherServer;
  let context: BrowserContext;

  beforeAll(async () => {
    browser = (await launchBrowser())!;
  });
  beforeEach(async () => {
    server = await startWeatherServer({}, await clientPages({ baseUrl: '/auth' }));
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  async function openTab(origin = server.origin): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(`${origin}/`);
    await tab.waitForFunction(() => 'client' in globalThis);
    return tab;
  }

  async function signIn(tab: Page, as = email): Promise<void> {
    await server.auth.api.requestOtp({ email: as });
    const otp = server.outbox.lastCode(as) ?? '';
    const { error } = await tab.evaluate(
      ([address, code]) => client.verifyOtp({ email: address!, otp: code! }),
      [as, otp],
    );
    expect(error).toBeNull();
  }

  const tokenOf = (tab: Page) => tab.evaluate(() => client.getAccessToken());
  const userOf = (tab: Page) => tab.evaluate(() => (client.user ? client.user.id : `${client.user}`));
  const statusOf = (tab: Page) => tab.evaluate(async () => (await client.fetch('/me')).status);
  const knowsUser = (tab: Page, id: string) =>
    tab.waitForFunction((expected) => (client.user ? client.user.id : `${client.user}`) === expected, id);
  const refreshes = () => server.answered.filter((line) => line.includes('/auth/refresh'));

  it('signs in, and the others know it at once, without a request of theirs', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    expect(await tokenOf(other)).toBe(await tokenOf(one));
    expect(await statusOf(other)).toBe(200);
    expect(refreshes()).toEqual([]);
  });

  it('makes one refresh where two tabs need one at the same moment', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    const expired = await tokenOf(one);
    server.clock.advance(HOUR_SECONDS);

    const { arrived, letGo } = server.hold('/auth/refresh');
    const statuses = [statusOf(one), statusOf(other)];
    await arrived;
    // Both have been answered 401 now: one refreshes, and the other one waits for it.
    await one.waitForFunction(async () => (await navigator.locks.query()).pending?.length === 1);
    letGo();
    expect(await Promise.all(statuses)).toEqual([200, 200]);
    expect(refreshes()).toEqual(['POST /auth/refresh 200']);
    expect(await tokenOf(other)).toBe(await tokenOf(one));
    expect(await tokenOf(one)).not.toBe(expired);
  });

  it('makes one refresh for two tabs that are opened together', async () => {
    const first = await openTab();
    await signIn(first);
    await first.close();
    const { arrived, letGo } = server.hold('/auth/refresh');
    const [one, other] = [await openTab(), await openTab()];
    expect(await userOf(one)).toBe('undefined');
    const results = [one, other].map((tab) => tab.evaluate(async () => (await client.refresh()).data?.user.id));
    await arrived;
    await one.waitForFunction(async () => (await navigator.locks.query()).pending?.length === 1);
    letGo();
    expect(await Promise.all(results)).toEqual([email, email]);
    expect(refreshes()).toEqual(['POST /auth/refresh 200']);
  });

  it('goes on by itself where the tab that was refreshing is closed', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    server.clock.advance(HOUR_SECONDS);
    const { arrived, letGo } = server.hold('/auth/refresh');
    void statusOf(one).catch(() => {});
    await arrived;
    const status = statusOf(other);
    await other.waitForFunction(async () => (await navigator.locks.query()).pending?.length === 1);
    await one.close();
    letGo();
    expect(await status).toBe(200);
    expect(await userOf(other)).toBe(email);
  });

  it('tries for itself where the tab that was refreshing could not reach the server', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    let breakDown = () => {};
    const broken = new Promise<void>((resolve) => {
      breakDown = resolve;
    });
    await one.route('**/auth/refresh', async (route) => {
      await broken;
      await route.abort();
    });
    const codeOf = (tab: Page) => tab.evaluate(async () => (await client.refresh()).error?.code);
    const sent = one.waitForRequest('**/auth/refresh');
    const failure = codeOf(one);
    await sent;
    const success = codeOf(other);
    await other.waitForFunction(async () => (await navigator.locks.query()).pending?.length === 1);
    breakDown();
    expect(await failure).toBe('network_error');
    expect(await success).toBeUndefined();
    expect(refreshes()).toEqual(['POST /auth/refresh 200']);
    expect(await tokenOf(one)).toBe(await tokenOf(other));
  });

  it('goes on by itself where the tab that was refreshing has been suspended', async () => {
    const [one, other] = [await openTab(), await context.newPage()];
    await other.clock.install();
    await other.goto(`${server.origin}/`);
    await other.waitForFunction(() => 'client' in globalThis);
    await signIn(one);
    await knowsUser(other, email);
    server.clock.advance(HOUR_SECONDS);
    await one.route('**/auth/refresh', () => {}); // never answered
    const sent = one.waitForRequest('**/auth/refresh');
    void statusOf(one).catch(() => {});
    await sent;
    const status = statusOf(other);
    await other.waitForFunction(async () => (await navigator.locks.query()).pending?.length === 1);
    await other.clock.runFor(10_000);
    expect(await status).toBe(200);
  });

  it('signs out in all of them', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    await other.evaluate(() => client.logout());
    await knowsUser(one, 'null');
    expect(await one.evaluate(() => told)).toEqual([email, 'null']);
    expect(await statusOf(one)).toBe(401);
    expect(refreshes()).toEqual([]);
  });

  it('signs in as somebody else in all of them, since they share the cookie', async () => {
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await knowsUser(other, email);
    await signIn(other, 'bob@example.com');
    await knowsUser(one, 'bob@example.com');
  });

  it('stays signed in while offline, and while the server is broken', async () => {
    const tab = await openTab();
    await signIn(tab);
    server.clock.advance(HOUR_SECONDS);
    const codeOf = () => tab.evaluate(async () => (await client.refresh()).error?.code);
    await context.setOffline(true);
    expect(await codeOf()).toBe('network_error');
    expect(await userOf(tab)).toBe(email);
    await context.setOffline(false);
    server.turn('bad_gateway');
    expect(await codeOf()).toBe('unexpected_response');
    expect(await userOf(tab)).toBe(email);
    server.turn('fine');
    expect(await statusOf(tab)).toBe(200);
    expect(await tab.evaluate(() => told)).not.toContain('null');
  });

  it('goes on after a reload, by the cookie alone: no script and no storage has a token', async () => {
    const tab = await openTab();
    await signIn(tab);
    const kept = await tab.evaluate(async () => ({
      cookie: document.cookie,
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
    }));
    expect(kept).toEqual({ cookie: '', local: {}, session: {}, databases: [], caches: [] });
    await tab.reload();
    await tab.waitForFunction(() => 'client' in globalThis);
    expect(await userOf(tab)).toBe('undefined');
    expect(await statusOf(tab)).toBe(200);
    expect(await userOf(tab)).toBe(email);
    expect(refreshes()).toEqual(['POST /auth/refresh 200']);
  });

  it('finds out that a visitor is signed out, and asks no more', async () => {
    const tab = await openTab();
    expect(await statusOf(tab)).toBe(401);
    expect(await statusOf(tab)).toBe(401);
    expect(await userOf(tab)).toBe('null');
    expect(refreshes()).toEqual(['POST /auth/refresh 401']);
  });

  it('keeps the tabs’ sessions apart with the refresh token in the body', async () => {
    server = await startWeatherServer({}, await clientPages({ baseUrl: '/auth', tokenTransport: 'body' }));
    const [one, other] = [await openTab(), await openTab()];
    await signIn(one);
    await signIn(other, 'bob@example.com');
    expect(await userOf(one)).toBe(email);
    expect(await userOf(other)).toBe('bob@example.com');
    expect(await context.cookies()).toEqual([]);
  });

  it('works from a page of another origin, where the server allows it', async () => {
    let pages: RequestHandler = (_req, _res, next) => next();
    const app = await startWeatherServer({}, (req, res, next) => pages(req, res, next));
    server = await startWeatherServer({ allowedOrigins: [app.origin] });
    pages = await clientPages({ baseUrl: `${server.origin}/auth` });
    const tab = await openTab(app.origin);
    await signIn(tab);
    await tab.reload();
    await tab.waitForFunction(() => 'client' in globalThis);
    const user = await tab.evaluate(
      async (url) => (await client.fetch(url)).json() as Promise<unknown>,
      `${server.origin}/me`,
    );
    expect(user).toEqual({ id: email });
    // The page's own server is not the one that the token is for.
    expect(await statusOf(tab)).toBe(401);
    expect(app.answered).not.toContain('POST /auth/refresh 401');
  });
});
