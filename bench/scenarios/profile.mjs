import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { listed } from '../figures.mjs';
import { startRedis } from '../redis.mjs';
import { startTarget } from '../target.mjs';
import { signIn } from './sign-in.mjs';

const NAMES = ['hand-written', 'express-otp-auth, check'];
const ROUNDS = 40;
const SHOWN = 16;

/** Where a whole sign-in's time goes in the server: samples of its processor, by the package whose code was running. */
export async function measure({ people }) {
  const parts = [];
  for (const name of NAMES) {
    console.log(`profiling ${name}`);
    const redis = await startRedis();
    const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-bench-'));
    const target = await startTarget(name, { redisUrl: redis.url }, ['--cpu-prof', `--cpu-prof-dir=${folder}`]);
    for (let round = 0; round < ROUNDS; round++)
      await signIn(target, { people, firstPerson: round * people, hasRefresh: false });
    await target.leave();
    const [file] = readdirSync(folder);
    parts.push(partsOf(JSON.parse(readFileSync(path.join(folder, file), 'utf8')), ROUNDS * people));
    rmSync(folder, { recursive: true });
    await redis.stop();
  }
  const [written, own] = parts;
  const names = [...new Set([...own.keys(), ...written.keys()])]
    .toSorted((a, b) => (own.get(b) ?? 0) - (own.get(a) ?? 0))
    .slice(0, SHOWN);
  const total = (part) => [...part.values()].reduce((sum, value) => sum + value, 0);
  const microseconds = (value = 0) => value.toFixed(1);
  return {
    sections: [
      listed(
        'Where the time of a sign-in goes',
        ['', ...NAMES.map((name) => `${name}, µs`)],
        [
          ...names.map((name) => [name, microseconds(written.get(name)), microseconds(own.get(name))]),
          ['all of it', microseconds(total(written)), microseconds(total(own))],
        ],
        'Of both requests, by the code that was running when the processor was looked at. Writing to sockets is a system call for each answer and each command to Redis: three commands in the hand-written one, five here, of which two count by network address.',
      ),
    ],
    goals: [],
  };
}

/** Microseconds a sign-in, by whose code. */
function partsOf({ nodes, samples, timeDeltas }, signIns) {
  const whose = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const parts = new Map();
  samples.forEach((id, index) => {
    const part = whose.get(id);
    if (part !== undefined) parts.set(part, (parts.get(part) ?? 0) + timeDeltas[index] / signIns);
  });
  return parts;
}

/** `undefined` while nothing was running. */
function ownerOf({ functionName, url }) {
  if (functionName === '(idle)') return undefined;
  if (functionName === '(garbage collector)') return 'collecting garbage';
  if (/^write(v|Utf8String|Latin1String|Buffer)$/.test(functionName) && url === '') return 'writing to sockets';
  if (/^(init|update|digest|Hmac|Hash|HashJob|SignJob|randomFillSync|RandomBytesJob)$/.test(functionName) && url === '')
    return 'hashing and random numbers, native';
  if (url === '') return 'other native code';
  if (url.startsWith('node:')) return "Node's own modules";
  const inModules = url.split('node_modules/').at(-1);
  return inModules === url ? 'the benchmark' : inModules.split('/', inModules.startsWith('@') ? 2 : 1).join('/');
}
