import { once } from 'node:events';
import { connect } from 'node:net';
import type { ErrorRequestHandler } from 'express';
import { type Browser, type Page } from 'playwright-core';
import { startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';

describe('the page of the API document', () => {
  it('is there only where it is asked for', async () => {
    const { url } = await startAuthApp();
    expect((await call(`${url}/auth/docs`, { method: 'GET' })).status).toBe(404);
  });

  it('lets a page load from nowhere else, and nobody frame it', async () => {
    const { url } = await startAuthApp({ docs: true, email: { fromName: 'Tom & <Jerry>' } });
    const page = await call(`${url}/auth/docs`, { method: 'GET' });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect(page.text).toContain('<title>Tom &amp; &lt;Jerry&gt;</title>');
    expect(page.text).not.toMatch(/https?:\/\//);
    const file = await call(`${url}/auth/docs/swagger-ui.css`, { method: 'GET' });
    expect([file.status, file.headers['x-content-type-options']]).toEqual([200, 'nosniff']);
    expect((await call(`${url}/auth/docs/package.json`, { method: 'GET' })).status).toBe(404);
  });

  it('sends whoever adds a slash to where its files are', async () => {
    const { url } = await startAuthApp({ docs: true });
    const answer = await call(`${url}/auth/docs/`, { method: 'GET' });
    expect([answer.status, answer.headers.location]).toEqual([301, '../docs']);
  });
});

describe('a browser that goes away while it is sent a file', () => {
  it('is no error of the application', async () => {
    const { app, url } = await startAuthApp({ docs: true });
    const heard: unknown[] = [];
    app.use(((error, _req, res, _next) => {
      heard.push(error);
      res.end();
    }) as ErrorRequestHandler);
    const { port } = new URL(url);
    for (let times = 0; times < 20; times += 1) {
      const socket = connect(Number(port), '127.0.0.1').resume();
      // It announces a body, and ends before it is there.
      socket.end('GET /auth/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n');
      await once(socket, 'close');
    }
    expect(heard).toEqual([]);
  });
});

describeInBrowser('the page of the API document in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = (await launchBrowser())!;
  });

  it.each(['/auth', '/deep/down/auth'])(
    'signs in with its dialog and calls a guarded endpoint, at %s',
    async (mountPath) => {
      const { auth, url, lastCode } = await startAuthApp({ docs: true }, undefined, { mountPath });
      const page = await browser.newPage();
      const complaints = complaintsOf(page);
      await page.goto(`${url}${mountPath}/docs`);

      await auth.api.requestOtp({ email: 'ann@example.com' });
      await page.getByRole('button', { name: 'Authorize', exact: true }).click();
      const dialog = page.locator('.dialog-ux');
      await dialog.locator('#oauth_username').fill('ann@example.com');
      await dialog.locator('#oauth_password').fill(lastCode('ann@example.com'));
      await dialog
        .locator('.auth-container', { hasText: 'code (OAuth2, password)' })
        .getByRole('button', { name: 'Apply given OAuth2 credentials' })
        .click();
      await dialog
        .getByText('access_token')
        .or(dialog.getByRole('button', { name: 'Remove authorization' }))
        .first()
        .waitFor();
      await dialog.getByRole('button', { name: 'Close' }).last().click();

      const operation = page.locator('#operations-Sessions-listSessions');
      await operation.locator('button.opblock-summary-control').click();
      await operation.getByRole('button', { name: 'Execute' }).click();
      const answer = operation.locator('.live-responses-table .response').first();
      await answer.waitFor();
      expect(await answer.locator('.response-col_status').innerText()).toContain('200');
      expect(await answer.innerText()).toContain('"current": true');
      expect(await operation.locator('.request-url').innerText()).toContain(`${url}${mountPath}/sessions`);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});

/** What the browser refuses, or cannot do; and whatever is fetched from elsewhere. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!/^(?:data:|blob:|http:\/\/127\.0\.0\.1:)/.test(request.url())) complaints.push(request.url());
  });
  return complaints;
}
