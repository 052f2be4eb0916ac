import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
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
  const built = builtPackage();
  for (const kind of kinds) cpSync(path.join(built, kind), path.join(installed, 'dist', kind), { recursive: true });
  return project;
}

const DAY_MS = 86_400_000;

/** The folder of what `npm run build` makes of the present sources; made once for all test files. */
export function builtPackage(): string {
  const cache = path.join(root, 'node_modules/.cache/express-otp-auth');
  mkdirSync(cache, { recursive: true });
  const folder = path.join(cache, hashOfSources());
  if (existsSync(folder)) return folder;
  for (const old of readdirSync(cache).map((name) => path.join(cache, name)))
    if (Date.now() - statSync(old).mtimeMs > DAY_MS) rmSync(old, { recursive: true, force: true });

  const output = mkdtempSync(`${folder}-`);
  // Its exit code is left to `npm run typecheck`: what is wrong elsewhere is not for this test to report.
  spawnSync(process.execPath, ['scripts/build.mjs', output], { cwd: root });
  if (hashOfSources() !== path.basename(folder)) {
    rmSync(output, { recursive: true }); // somebody saved a file in the meantime
    return builtPackage();
  }
  try {
    renameSync(output, folder);
  } catch {
    rmSync(output, { recursive: true }); // another test file was faster
  }
  return folder;
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  const names = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const files = [
    ...names.map((name) => path.join('src', name)),
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
    'package.json',
  ];
  for (const file of files.toSorted((one, other) => (one < other ? -1 : 1)))
    hash.update(file).update(readFileSync(path.join(root, file)));
  return hash.digest('hex').slice(0, 16);
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
