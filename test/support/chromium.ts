import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { closeAfterFile } from './closing.js';

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const wellKnown = ['/usr/bin', '/usr/local/bin', '/snap/bin'];
const macPrograms = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const howToGetChromium = 'no Chromium found: install the package chromium, or set CHROMIUM_PATH';

// A test's browser talks to the test alone: nothing is fetched, updated or reported in the background.
const quiet = [
  '--no-sandbox', // root, as which continuous integration runs, cannot have the sandbox
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where Chromium or Chrome is: CHROMIUM_PATH, or the first that is installed; undefined where there is none. */
export function findChromium(): string | undefined {
  const chosen = process.env['CHROMIUM_PATH'];
  if (chosen) return chosen; // a wrong path is a mistake to report, not a reason to skip
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), ...wellKnown].filter(Boolean);
  const files = programs.flatMap((program) => folders.map((folder) => path.join(folder, program)));
  return [...files, ...macPrograms].find(isProgram);
}

/** `describe` for tests in a real browser: skipped, and saying why, where there is none. */
export function describeInBrowser(name: string, body: () => void): void {
  if (findChromium()) describe(name, body);
  else describe.skip(`${name} (skipped: ${howToGetChromium})`, body);
}

/** Starts a headless browser, which is closed after the file's last test; undefined, with one message, where there is none. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = findChromium();
  if (!executablePath) {
    process.stderr.write(`Tests in a browser are skipped: ${howToGetChromium}.\n`);
    return undefined;
  }
  const browser = await chromium.launch({ executablePath, headless: true, args: quiet });
  closeAfterFile(() => browser.close());
  return browser;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
