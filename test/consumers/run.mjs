// Packs the package once, and installs the tarball in fresh folders as seven kinds of application would: each must
// install, compile or be bundled where it is built, sign in and out on its own server, and exit by itself once it has closed.
// `node test/consumers/run.mjs esm jest-commonjs` runs the named ones alone.
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect, promisify } from 'node:util';
import { signInAndOut } from './sign-in.mjs';

const here = import.meta.dirname;
const root = path.resolve(here, '../..');
const exitWithinMs = 10_000;
const mostBytes = 25e6;

const all = readdirSync(here, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`There is no consumer ${unknown.join(', ')}: there are ${all.join(', ')}.`);

const scratch = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-consumers-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

// `prepack` builds it: what is tested is what would be published.
const packed = await run('npm', ['pack', '--json', '--pack-destination', scratch], root);
const tarball = path.join(scratch, /"filename":\s*"([^"]+\.tgz)"/.exec(packed)[1]);

// Two at a time: installing is mostly waiting.
const queue = [...chosen];
const failures = [];
await Promise.all(
  Array.from({ length: 2 }, async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      const startedAt = performance.now();
      let outcome = 'ok';
      try {
        await tryConsumer(name);
      } catch (error) {
        outcome = 'FAILED';
        failures.push(inspect(error));
      }
      console.log(`consumer ${name}: ${outcome} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    }
  }),
);
for (const failure of failures) console.error(`\n${failure}`);
process.exit(failures.length > 0 ? 1 : 0);

async function tryConsumer(name) {
  const folder = path.join(scratch, name);
  cpSync(path.join(here, name), folder, { recursive: true });
  await run('npm', ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], folder);
  if (name === 'commonjs') checkSize(path.join(folder, 'node_modules'));
  const { main, scripts = {} } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  if (scripts.build) await run('npm', ['run', 'build'], folder);
  if (scripts.test) await run('npm', ['test'], folder);
  if (main) await tryServer(name, path.join(folder, main), folder);
}

/** Of the package with its dependencies and Express: this consumer has nothing else. */
function checkSize(modules) {
  const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
  if (bytes > mostBytes)
    throw new Error(`${(bytes / 1e6).toFixed(1)} MB are installed; ${mostBytes / 1e6} are the limit`);
}

/** Starts a consumer's server, which tells us its port and the mail it sends; tells it to close, and waits for its end. */
async function tryServer(name, program, cwd) {
  const server = fork(program, { cwd, env: environment(), silent: true });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (said += text));
  const exited = once(server, 'exit');
  const told = async (member) => {
    for (;;) {
      const [message] = await Promise.race([once(server, 'message'), exited.then(() => [undefined])]);
      if (message === undefined) throw new Error('the server has ended');
      if (member in message) return message[member];
    }
  };
  try {
    const port = await told('port');
    await signInAndOut(`http://127.0.0.1:${port}`, () => told('mail'));
    server.send('close');
    const timer = setTimeout(() => server.kill('SIGKILL'), exitWithinMs);
    const [code, signal] = await exited;
    clearTimeout(timer);
    if (signal) throw new Error(`the server had closed everything, and was still running ${exitWithinMs} ms later`);
    if (code !== 0) throw new Error(`the server ended with exit code ${code}`);
  } catch (error) {
    throw new Error(`The server of ${name} failed. It said:\n${said}`, { cause: error });
  } finally {
    server.kill('SIGKILL');
  }
}

async function run(command, args, cwd) {
  try {
    return (await promisify(execFile)(command, args, { cwd, env: environment(), maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  }
}

/** Ours, without what npm, jest or the developer's shell would configure the consumer with. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|command|execpath)|EXPRESS_OTP_AUTH_|NODE_ENV$|JEST_)/.test(name),
  );
  return Object.fromEntries(kept);
}
