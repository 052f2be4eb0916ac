import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { closeAfterFile } from '../support/closing.js';
import { describeInBrowser, launchBrowser } from '../support/chromium.js';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

const email = 'ann@example.com';

describe('examples/spa', () => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'spa');
    cpSync(path.resolve('examples/spa'), folder, { recursive: true });
  });

  it('compiles and builds, with the types as a bundler’s project resolves them', () => {
    runInstalled('tsc', [], folder);
    expect(runInstalled('vite', ['build'], folder)).toContain('dist/index.html');
  });

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap'], folder)).toMatch(/^# pass 3$/m);
  });

  describeInBrowser('in a browser', () => {
    it('signs in with a code, stays signed in after a reload and in a second tab, and signs out in both', async () => {
      const { url, said } = await startExample(folder);
      const browser = (await launchBrowser())!;
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      await page.getByLabel('E-mail address').fill(email);
      await page.keyboard.press('Enter');
      await page.getByLabel('Code from the e-mail').fill('000000');
      await page.keyboard.press('Enter');
      await page.getByText('This code is wrong').waitFor();
      const code = /^\d{6}$/m.exec(said())?.[0] ?? 'no code';
      await page.getByLabel('Code from the e-mail').fill(code);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: `Hello, ${email}.` }).waitFor();

      await page.reload();
      await page.getByRole('heading', { name: `Hello, ${email}.` }).waitFor();
      const second = await context.newPage();
      await second.goto(url);
      await second.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('E-mail address').waitFor();
      await second.getByLabel('E-mail address').waitFor();
    });
  });
});

/** Runs the example's server; resolves when it says where it is. */
async function startExample(cwd: string): Promise<{ url: string; said: () => string }> {
  const { NODE_ENV: _nodeEnv, ...env } = process.env;
  const server = spawn(process.execPath, ['server.js'], {
    cwd,
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  closeAfterFile(async () => {
    server.kill();
    await ended;
  });
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    void ended.then(() => reject(new Error('the example has ended')));
    createInterface({ input: server.stdout }).on('line', (line) => {
      text += `${line}\n`;
      if (line.startsWith('http://')) resolve(line);
    });
  });
  return { url, said: () => text };
}
