import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { loadSettings } from '../../src/config.js';
import { builtPackage } from '../support/installed-package.js';

describe('the express-otp-auth program', () => {
  const program = path.join(builtPackage(), 'esm/cli/main.js');
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

  it('prints a new secret each time, alone on its line, that a production start accepts', () => {
    const [one, other] = [run('secret').stdout, run('secret').stdout];
    expect(one).toMatch(/^[\w-]{64}\n$/);
    expect(other).not.toBe(one);
    expect(() => loadSettings({}, { NODE_ENV: 'production', EXPRESS_OTP_AUTH_JWT_SECRET: one.trim() })).not.toThrow();
  });

  it('prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(path.join(__dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(run('--version').stdout).toBe(`${version}\n`);
  });

  it('says what it can do, and fails on what it cannot', () => {
    expect(run('--help').stdout).toContain('secret');
    const unknown = run('sercet');
    expect([unknown.status, unknown.stderr.includes('secret')]).toEqual([2, true]);
  });
});
