// `npm run build && node scripts/screenshots.mjs`: makes the images of docs/images from the real thing.
// Takes Chromium from CHROMIUM_PATH, or from where Debian's package chromium puts it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const root = path.dirname(import.meta.dirname);
const images = path.join(root, 'docs/images');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  mkdirSync(images, { recursive: true });
  await takeDemo();
  await takeSignIn();
} finally {
  await browser.close();
}

/** The demo, with the message beside the form. */
async function takeDemo() {
  const demo = spawn(process.execPath, [path.join(root, 'examples/demo/start.mjs')], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface({ input: demo.stdout }), 'line');
    const page = await browser.newPage({ viewport: { width: 1120, height: 720 }, deviceScaleFactor: 1.5 });
    await page.goto(/http:\S+/.exec(line)[0]);
    await page.getByLabel('E-mail address').fill('jo@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Put the code into the form' }).click();
    await page.screenshot({ path: path.join(images, 'demo.png'), fullPage: true });
  } finally {
    demo.kill();
  }
}

/** The sign-in page, light and dark, side by side. */
async function takeSignIn() {
  const { default: express } = await import('express');
  const { otpAuth } = await import('express-otp-auth');
  const auth = otpAuth({ redis: 'memory:', pages: { appName: 'Notebook' }, email: { send: () => {} } });
  const server = express().use('/auth', auth).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const address = `http://127.0.0.1:${server.address().port}/auth/sign-in`;
    const shots = [];
    for (const [colorScheme, email] of [
      ['light', 'jo@example.com'],
      ['dark', 'ana@example.com'],
    ]) {
      const page = await browser.newPage({
        colorScheme,
        viewport: { width: 560, height: 640 },
        deviceScaleFactor: 1.5,
      });
      await page.goto(address);
      await page.getByLabel('E-mail address').fill(email);
      await page.keyboard.press('Enter');
      await page.getByLabel('Code of 6 digits').fill('123456');
      shots.push((await page.screenshot()).toString('base64'));
    }
    const both = await browser.newPage({ viewport: { width: 1120, height: 640 }, deviceScaleFactor: 1.5 });
    const sides = shots.map((shot) => `<img src="data:image/png;base64,${shot}" width="560" height="640">`);
    await both.setContent(`<body style="margin:0;display:flex">${sides.join('')}</body>`);
    await both.screenshot({ path: path.join(images, 'sign-in.png') });
  } finally {
    server.close();
    await auth.close();
  }
}
