import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { closeAfterFile } from './closing.js';

const root = path.resolve(__dirname, '../..');

/**
 * Makes an empty project that has this package installed, compiled from its present sources, and whatever this package
 * itself has installed. Returns its folder, which is removed after the file's last test.
 */
export function projectWithPackage({ kinds }: { kinds: readonly ('esm' | 'cjs')[] }): string {
  const project = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-project-')));
  closeAfterFile(() => rmSync(project, { recursive: true, force: true }));
  const modules = path.join(project, 'node_modules');
  const installed = path.join(modules, 'express-otp-auth');
  mkdirSync(installed, { recursive: true });
  for (const name of readdirSync(path.join(root, 'node_modules')))
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));

  copyFileSync(path.join(root, 'package.json'), path.join(installed, 'package.json'));
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  for (const kind of kinds) {
    const output = path.join(installed, 'dist', kind);
    // Its exit code is left to `npm run typecheck`: what is wrong elsewhere is not for this test to report.
    spawnSync(process.execPath, [tsc, '-p', `tsconfig.${kind}.json`, '--outDir', output], { cwd: root });
    writeFileSync(path.join(output, 'package.json'), JSON.stringify({ type: kind === 'esm' ? 'module' : 'commonjs' }));
  }
  return project;
}

/** Runs a program of the installed packages to its end, and returns what it printed; throws that where it fails. */
export function runInstalled(name: string, args: readonly string[], cwd: string): string {
  return run(path.join(root, 'node_modules/.bin', name), args, cwd);
}

/** The same for Node itself. */
export function runNode(args: readonly string[], cwd: string): string {
  return run(process.execPath, args, cwd);
}

function run(program: string, args: readonly string[], cwd: string): string {
  // What jest tells its own processes is not for a test runner that is started by a test.
  const { NODE_ENV: _nodeEnv, NODE_TEST_CONTEXT: _context, JEST_WORKER_ID: _worker, ...env } = process.env;
  try {
    return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${path.basename(program)} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
