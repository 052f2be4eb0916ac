import { cpSync } from 'node:fs';
import path from 'node:path';
import { call } from '../support/call.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';
import { projectWithPackage, runNode } from '../support/installed-package.js';
import { startProgram } from '../support/program.js';

jest.setTimeout(180_000); // A compiler, a server and a browser, on a machine that may have other things to do

describe('examples/server-rendered', () => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'server-rendered');
    cpSync(path.resolve(__dirname, '../../examples/server-rendered'), folder, { recursive: true });
  });
  const start = async () => {
    const server = startProgram(process.execPath, ['server.js'], { cwd: folder, env: { PORT: '0' } });
    return { server, url: await server.line(/^http:/) };
  };

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap', 'app.test.js'], folder)).toMatch(/^# pass 3$/m);
  });

  it('shows its home page to everybody, and ends by itself when it is told to', async () => {
    const { server, url } = await start();
    expect((await call(url, { method: 'GET' })).text).toContain('Sign in to write notes');
    server.signal('SIGTERM');
    await expect(server.ended).resolves.toEqual({ code: 0, signal: null });
  });

  describeInBrowser('in a browser', () => {
    it.each([true, false])('signs in, takes a note and signs out, JavaScript: %s', async (javaScriptEnabled) => {
      const { server, url } = await start();
      const browser = (await launchBrowser())!;
      const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await page.goto(url);
      await page.getByRole('link', { name: 'Sign in to write notes' }).click();
      await page.getByLabel('E-mail address').fill('jo@example.com');
      await page.getByRole('button', { name: 'Send me a code' }).click();
      const [, code = ''] = /: (\d{6}) /.exec(await server.line(/^To jo@example\.com/)) ?? [];
      await page.getByLabel('Code of 6 digits').fill(code);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL('**/notes');
      await page.getByLabel('New note').fill('Buy tea');
      await page.getByRole('button', { name: 'Add' }).click();
      await page.getByRole('listitem').getByText('Buy tea').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('link', { name: 'Sign in to write notes' }).click();
      await page.getByRole('heading', { name: 'Sign in to Notebook' }).waitFor();
    });
  });
});
