import { cpSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { generateSync } from 'otplib';
import { call } from '../support/call.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';
import { projectWithPackage, runNode } from '../support/installed-package.js';
import { type Program, startProgram } from '../support/program.js';

jest.setTimeout(180_000); // A compiler, a server and a browser, on a machine that may have other things to do

describe('examples/totp', () => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'totp');
    cpSync(path.resolve(__dirname, '../../examples/totp'), folder, { recursive: true });
  });
  const start = async () => {
    const server = startProgram(process.execPath, ['server.js'], { cwd: folder, env: { PORT: '0' } });
    return { server, url: await server.line(/^http:/) };
  };

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap', 'app.test.js'], folder)).toMatch(/^# pass 3$/m);
  });

  it('shows its account page to nobody who is not signed in, and ends by itself when it is told to', async () => {
    const { server, url } = await start();
    const page = await call(url, { method: 'GET', headers: { Accept: 'text/html' } });
    expect(page).toMatchObject({ status: 303, headers: { location: '/auth/sign-in?return_to=%2F' } });
    server.signal('SIGTERM');
    await expect(server.ended).resolves.toEqual({ code: 0, signal: null });
  });

  describeInBrowser('in a browser', () => {
    it('sets an app up, signs in with a recovery code, and turns the app off', async () => {
      const { server, url } = await start();
      const page = await (await launchBrowser())!.newPage();
      const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
      let signIns = 0;
      const signIn = async () => {
        signIns += 1;
        await page.getByLabel('E-mail address').fill('jo@example.com');
        await press('Send me a code');
        await page.getByLabel('Code of 6 digits').fill(await nthCode(server, signIns));
        await press('Sign in');
      };
      await page.goto(url);
      await signIn();
      await press('Set one up');
      await page.getByRole('heading', { name: 'Scan this with your app' }).waitFor();
      expect(await page.getByAltText('QR code').getAttribute('src')).toMatch(/^data:image\/png;base64,/);
      const secret = (await page.locator('#secret').textContent()) ?? '';
      await page.getByRole('textbox', { name: 'Code from the app' }).fill('000000');
      await press('Turn it on');
      await page.getByRole('alert').getByText('wrong').waitFor();
      await page.getByRole('textbox', { name: 'Code from the app' }).fill(generateSync({ secret }));
      await press('Turn it on');
      await page.getByRole('heading', { name: 'Keep these recovery codes' }).waitFor();
      const recoveryCodes = await page.getByRole('listitem').allTextContents();
      expect(recoveryCodes).toHaveLength(10);

      await press('Sign out');
      await signIn();
      await page.getByText('Use a recovery code instead').click();
      await page.getByLabel('Recovery code').fill(recoveryCodes[0] ?? '');
      await page.locator('details').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Your authenticator app is in use' }).waitFor();
      // The next code: this one has been used.
      const epoch = Math.floor(new Date().getTime() / 1000) + 30;
      await page.getByRole('textbox', { name: 'Code from the app' }).fill(generateSync({ secret, epoch }));
      await press('Turn it off');
      await page.getByRole('heading', { name: 'No authenticator app is in use' }).waitFor();
    });
  });
});

/** The code in the n-th message that a server without a mail server prints. */
async function nthCode(server: Program, n: number): Promise<string> {
  for (;;) {
    const codes = [...server.said().matchAll(/^To jo@example\.com: (\d{6}) /gm)];
    const code = codes[n - 1]?.[1];
    if (code !== undefined) return code;
    await setTimeout(20);
  }
}
