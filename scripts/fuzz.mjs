// Hostile requests to the built package, for as long as you like:
//   npm run fuzz -- --minutes 10 [--seed 1] [--redis redis://localhost:6379/9]
// With an odd seed the application has parsers of its own. Without --redis everything is in memory. The Redis database is not emptied; use one that holds nothing else.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import express from 'express';

const root = path.dirname(import.meta.dirname);
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    redis: { type: 'string', default: 'memory:' },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed))
  throw new Error('--minutes takes a number above 0, --seed a whole number');

const { otpAuth } = await import(pathToFileURL(path.join(root, 'dist/esm/index.js')).href);
const { startTarget } = await load('fuzz-target');
const { fuzz, summaryOf } = await load('fuzz-run');

const failures = [];
process.on('unhandledRejection', (reason) => failures.push(`unhandled rejection: ${String(reason?.stack ?? reason)}`));
process.on('uncaughtException', (error) => failures.push(`uncaught exception: ${String(error?.stack ?? error)}`));

const stored = values.redis === 'memory:' ? {} : { users: { store: 'redis' }, revocation: 'push' };
const parsesFirst = seed % 2 === 1;
const target = await startTarget({ otpAuth, express }, { redis: values.redis, ...stored }, { parsesFirst });
const where = values.redis === 'memory:' ? 'in memory' : 'on Redis';
console.log(`seed ${seed}, ${minutes} minutes, ${where}${parsesFirst ? ', after parsers of the application' : ''}`);
const report = await fuzz(target, { seed, requests: Infinity, forMs: minutes * 60_000 });
const haul = await target.signIn({ email: 'a-new-person@example.com' }).catch(() => undefined);
if (haul === undefined) failures.push('nobody can sign in any more');
await target.close();

failures.push(...report.findings);
for (const failure of failures) console.error(failure);
console.log(summaryOf(report));
process.exitCode = failures.length === 0 ? 0 : 1;

/** Compiles the tests' fuzzer, once, and loads one file of it. */
async function load(name) {
  const folder = path.join(root, 'node_modules/.cache/express-otp-auth-fuzz');
  if (load.isCompiled !== true) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}\n');
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: path.join(root, 'tsconfig.json'),
        // The tests are checked elsewhere; here only their types are taken away, and nothing that they import is compiled.
        compilerOptions: {
          noEmit: false,
          noCheck: true,
          noResolve: true,
          allowJs: false,
          rootDir: root,
          outDir: folder,
        },
        include: [path.join(root, 'test/security/fuzz-*.ts')],
        exclude: [],
      }),
    );
    const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
    execFileSync(process.execPath, [path.join(typescript, 'bin/tsc'), '-p', folder], { stdio: 'inherit' });
    load.isCompiled = true;
  }
  return import(pathToFileURL(path.join(folder, 'test/security', `${name}.js`)).href);
}
