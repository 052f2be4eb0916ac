import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSettings } from '../../src/config.js';

describe('the express-otp-auth program', () => {
  const root = path.join(__dirname, '../..');
  const output = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-cli-'));
  const program = path.join(output, 'cli/main.js');
  beforeAll(() => {
    const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.cjs.json', '--outDir', output], { cwd: root });
  });
  afterAll(() => rmSync(output, { recursive: true }));
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

  it('prints a new secret each time, alone on its line, that a production start accepts', () => {
    const [one, other] = [run('secret').stdout, run('secret').stdout];
    expect(one).toMatch(/^[\w-]{64}\n$/);
    expect(other).not.toBe(one);
    expect(() => loadSettings({}, { NODE_ENV: 'production', EXPRESS_OTP_AUTH_JWT_SECRET: one.trim() })).not.toThrow();
  });

  it('says what it can do, and fails on what it cannot', () => {
    expect(run('--help').stdout).toContain('secret');
    const unknown = run('sercet');
    expect([unknown.status, unknown.stderr.includes('secret')]).toEqual([2, true]);
  });
});
