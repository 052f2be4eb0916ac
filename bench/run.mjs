// npm run bench: this package beside its peers, in one run. Each round runs every target in turn; medians are shown.
//   node bench/run.mjs [--rounds 5] [--seconds 4] [--only guard|sign-in|call]
import { execFileSync, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const folder = import.meta.dirname;
const root = path.dirname(folder);
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
const SECONDS = Number(options.seconds);
const CONNECTIONS = 64;
const TOKENS = 1000;

install();
const { credentials, GUARDS, REVOCABLE, SIGN_INS, signInPaths } = await import('./targets.mjs');
const { default: autocannon } = await import('autocannon');
const { plot } = await import('./plot.mjs');
const redis = await startRedis();
const sections = [];
try {
  if (runs('call')) sections.push(await measureCalls());
  if (runs('guard')) sections.push(...(await measureGuards()));
  if (runs('sign-in')) sections.push(await measureSignIns());
  report();
} finally {
  redis.stop();
}
process.exit();

function runs(name) {
  return options.only === undefined || options.only === name;
}

/** Installs the peers once, and links the package as it is built from this checkout. */
function install() {
  if (!existsSync(path.join(folder, 'node_modules/autocannon'))) {
    console.log('Installing the peers ...');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  }
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  const link = path.join(folder, 'node_modules/express-otp-auth');
  rmSync(link, { recursive: true, force: true });
  symlinkSync(root, link, 'dir');
}

async function startRedis() {
  const port = await freePort();
  const data = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-bench-'));
  const program = ['redis-server', 'valkey-server'].find((name) =>
    (process.env.PATH ?? '').split(path.delimiter).some((part) => existsSync(path.join(part, name))),
  );
  if (program === undefined) throw new Error('Install redis-server or valkey-server: the benchmark starts its own.');
  const server = spawn(program, ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', data], {
    stdio: 'ignore',
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    url: `redis://127.0.0.1:${port}`,
    stop() {
      server.kill();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A target in a process of its own. */
async function startTarget(name) {
  const child = fork(path.join(folder, 'serve.mjs'), [name], {
    env: { ...process.env, NODE_ENV: 'production', REDIS_URL: redis.url },
  });
  const ask = (question) =>
    new Promise((resolve) => {
      child.once('message', resolve);
      if (question) child.send(question);
    });
  const { port } = await ask();
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    cpuMicroseconds: async () => (await ask('cpu')).cpuMicroseconds,
    stop: () => child.kill(),
  };
}

async function tokensOf({ name, url }, count) {
  if (name === 'bare') return ['none'];
  const tokens = [];
  for (let start = 0; start < count; start += 50) {
    const batch = Array.from({ length: Math.min(50, count - start) }, async (_, index) => {
      const response = await fetch(`${url}/bench/token?email=user${start + index}@example.com`);
      if (!response.ok) throw new Error(`${name} gave no token: ${response.status}`);
      return response.text();
    });
    tokens.push(...(await Promise.all(batch)));
  }
  return tokens;
}

/** A figure for a target that lets anything pass is worth nothing. */
async function checkRefusals(target, token) {
  if (target.name === 'bare') return;
  const status = async (headers) => (await fetch(`${target.url}/me`, { headers })).status;
  const good = credentials(target.name, token);
  const expect = async (what, headers, expected) => {
    const got = await status(headers);
    if ((got === 200) !== (expected === 200)) throw new Error(`${target.name}: ${what} got ${got}`);
  };
  await expect('a good token', good, 200);
  await expect('a forged token', credentials(target.name, `${token.slice(0, -6)}AAAAAA`), 401);
  if (!REVOCABLE.includes(target.name)) return;
  await fetch(`${target.url}/bench/revoke`, { method: 'POST', headers: good });
  await expect('a revoked token', good, 401);
}

async function measureGuards() {
  const throughput = new Map(GUARDS.map((name) => [name, []]));
  const cpu = new Map(GUARDS.map((name) => [name, []]));
  const running = new Map();
  for (const name of GUARDS) {
    process.stdout.write(`starting ${name}\n`);
    const target = await startTarget(name);
    const [first, ...tokens] = await tokensOf(target, name === 'bare' ? 1 : TOKENS);
    await checkRefusals(target, first);
    const requests = (name === 'bare' ? [first] : tokens).map((token) => ({
      path: '/me',
      headers: credentials(name, token),
    }));
    running.set(name, { target, requests });
    await load(target, requests, 1);
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, { target, requests }] of running) {
      const before = await target.cpuMicroseconds();
      const { requestsPerSecond, count } = await load(target, requests, SECONDS);
      throughput.get(name).push(requestsPerSecond);
      cpu.get(name).push(((await target.cpuMicroseconds()) - before) / count);
      process.stdout.write(`round ${round} of ${ROUNDS}: ${name} ${Math.round(requestsPerSecond)}/s\n`);
    }
  }
  for (const { target } of running.values()) target.stop();
  return [
    section('Guarded route, requests a second', throughput, 'bare', { unit: '/s', better: 'more' }),
    section('Guarded route, CPU time of the server a request', cpu, 'bare', {
      unit: 'µs',
      better: 'less',
      of: 'least',
    }),
  ];
}

async function load({ url }, requests, seconds) {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: seconds, requests });
  if (result.non2xx > 0) throw new Error(`${result.non2xx} requests were refused`);
  return { requestsPerSecond: result.requests.total / result.duration, count: result.requests.total };
}

async function measureSignIns() {
  const rates = new Map(SIGN_INS.map((name) => [name, []]));
  const running = [];
  for (const name of SIGN_INS) running.push(await startTarget(name));
  let person = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    for (const target of running) {
      const { ask, verify } = signInPaths(target.name);
      const post = async ([route, body], ...details) => {
        const response = await fetch(target.url + route, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            Origin: target.name === 'better-auth' ? 'http://127.0.0.1' : target.url,
          },
          body: JSON.stringify(body(...details)),
        });
        if (!response.ok) throw new Error(`${target.name}: ${route} answered ${response.status}`);
        await response.arrayBuffer();
      };
      const start = performance.now();
      let count = 0;
      const signInForever = async () => {
        while (performance.now() - start < SECONDS * 1000) {
          const email = `person${person++}@example.com`;
          await post(ask, email);
          const code = await (await fetch(`${target.url}/bench/code?email=${email}`)).text();
          await post(verify, email, code);
          count++;
        }
      };
      await Promise.all(Array.from({ length: 16 }, signInForever));
      if (round === 0) continue; // to warm up
      rates.get(target.name).push(count / ((performance.now() - start) / 1000));
      process.stdout.write(
        `round ${round} of ${ROUNDS}: ${target.name} ${Math.round(rates.get(target.name).at(-1))} sign-ins/s\n`,
      );
    }
  }
  for (const target of running) target.stop();
  return section('Whole sign-ins (ask, verify, tokens) a second', rates, 'hand-written', {
    unit: '/s',
    better: 'more',
  });
}

/** Microseconds a call of the guard alone, in this process, without a network. */
async function measureCalls() {
  const { otpAuth } = await import('express-otp-auth');
  const { createSecretKey } = await import('node:crypto');
  const { default: jsonwebtoken } = await import('jsonwebtoken');
  const secret = 'a secret for the benchmark, of more than thirty-two bytes';
  const key = createSecretKey(Buffer.from(secret));
  const codes = new Map();
  const auth = otpAuth({
    redis: redis.url,
    revocation: 'push',
    jwt: { secret },
    email: { send: ({ to, text }) => codes.set(to, /\d{6}/.exec(text)[0]) },
  });
  const tokens = [];
  for (let index = 0; index < 100; index++) {
    const email = `caller${index}@example.com`;
    await auth.api.requestOtp({ email });
    tokens.push((await auth.api.verifyOtp({ email, otp: codes.get(email) })).accessToken);
  }
  const requests = tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
  for (const request of requests) await new Promise((resolve) => auth.requireUser(request, {}, resolve));

  const calls = {
    'express-otp-auth, push': (index) => auth.requireUser(requests[index % 100], {}, () => {}),
    'jsonwebtoken, key object': (index) => jsonwebtoken.verify(tokens[index % 100], key, { algorithms: ['HS256'] }),
    'jsonwebtoken, string': (index) => jsonwebtoken.verify(tokens[index % 100], secret, { algorithms: ['HS256'] }),
  };
  const figures = new Map(Object.keys(calls).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const chunks = name === 'jsonwebtoken, string' ? 20 : 200;
      let milliseconds = 0;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const start = performance.now();
        for (let index = 0; index < 100; index++) call(index);
        milliseconds += performance.now() - start;
        // Heartbeats say that no revocation was missed: as in a server, they must get through.
        await new Promise(setImmediate);
      }
      if (round > 0) figures.get(name).push((milliseconds * 1000) / (chunks * 100));
    }
  }
  await auth.close();
  return section('One call of the guard', figures, 'jsonwebtoken, key object', { unit: 'µs', better: 'less' });
}

function section(title, figures, base, { unit, better, of = 'median' }) {
  const pick = of === 'least' ? (values) => Math.min(...values) : median;
  const baseValues = figures.get(base);
  const rows = [...figures].map(([name, values]) => {
    const ratios = values.map((value, round) => value / baseValues[round]);
    return {
      name,
      value: pick(values),
      ratio: pick(values) / pick(baseValues),
      spread: [Math.min(...ratios), Math.max(...ratios)],
    };
  });
  return { title, unit, better, of, base, rows };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report() {
  const results = path.join(folder, 'results');
  mkdirSync(results, { recursive: true });
  const machine = `${os.cpus().length} cores (${os.cpus()[0].model.trim()}), Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  const rule = `${ROUNDS} rounds of ${SECONDS} s, all targets in turn within each, ${CONNECTIONS} connections, ${TOKENS} tokens in rotation`;
  const text = [
    '# Results',
    `Measured by \`npm run bench\` on ${machine}; ${rule}.`,
    ...sections.flatMap(({ title, unit, of, base, rows }) => [
      `## ${title}`,
      `${of === 'least' ? 'The least disturbed round' : 'Medians'}; ratios to "${base}", with the least and greatest of a round.`,
      ['| | ' + unit + ' | ratio | least to greatest |', '| --- | --- | --- | --- |']
        .concat(
          rows.map(
            ({ name, value, ratio, spread }) =>
              `| ${name} | ${format(value)} | ${format(ratio)} | ${spread.map(format).join(' to ')} |`,
          ),
        )
        .join('\n'),
    ]),
  ].join('\n\n');
  const name = `node-${process.versions.node.split('.')[0]}`;
  writeFileSync(path.join(results, `${name}.md`), `${text}\n`);
  writeFileSync(path.join(results, `${name}.svg`), plot(sections));
  console.log(`\n${text}\n\nWritten to bench/results/${name}.md and ${name}.svg`);
}

function format(value) {
  return String(Number(value.toPrecision(3)));
}
