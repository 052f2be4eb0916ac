import path from 'node:path';
import { once } from 'node:events';
import { best, compared, inTurn, timesBetter } from '../figures.mjs';
import { costing, hammer } from '../load.mjs';
import { startProcess } from '../process.mjs';
import { startRedis } from '../redis.mjs';
import { credentials, isOwn, isRevocable, startTarget } from '../target.mjs';

const BARE = 'bare Express';
const MAP = 'a Map of tokens';
const PUSH = 'express-otp-auth, push';
const CHECK = 'express-otp-auth, check';
const EXPRESS_JWT = 'express-jwt + ioredis';
const NEAR = [
  BARE,
  MAP,
  'jsonwebtoken, key object',
  'jsonwebtoken, string',
  '@auth/express',
  EXPRESS_JWT,
  'passport-jwt + ioredis',
  'better-auth',
  CHECK,
  'express-otp-auth, check, no cache',
  PUSH,
  'express-otp-auth, push, no cache',
];
const FAR = [BARE, 'jsonwebtoken, key object', EXPRESS_JWT, 'passport-jwt + ioredis', 'better-auth', CHECK, PUSH];
const TOKENS = 1000;

/** A guarded route with Redis on the same machine. */
export async function measureNear({ rounds, seconds }) {
  const figures = await measure(NEAR, { rounds, seconds, connections: 64 });
  const peer = best(figures.perSecond, NEAR.filter(isRevocable).filter(isPeer), { better: 'more' });
  return {
    sections: [
      compared('Guarded route, requests a second', figures.perSecond, BARE, {
        unit: '/s',
        better: 'more',
        plotted: true,
      }),
      compared('Guarded route, CPU time of the server a request', figures.cpu, BARE, {
        unit: 'µs',
        better: 'less',
        of: 'least',
        plotted: true,
      }),
      compared('Guarded route, memory of the server', figures.megabytes, BARE, { unit: 'MB', better: 'less' }),
    ],
    goals: [
      {
        what: 'guard, `push`, against bare Express: CPU per request, least disturbed round',
        atLeast: 0.85,
        reached: timesBetter(figures.cpu, PUSH, BARE, { better: 'less', of: 'least' }),
        most: [timesBetter(figures.cpu, MAP, BARE, { better: 'less', of: 'least' }), MAP],
      },
      {
        what: `guard, \`push\`, throughput, against the fastest peer that can revoke (${peer})`,
        atLeast: 1.5,
        reached: timesBetter(figures.perSecond, PUSH, peer, { better: 'more' }),
        most: [timesBetter(figures.perSecond, BARE, peer, { better: 'more' }), BARE],
      },
      {
        what: 'guard, `check`, against express-jwt + isRevoked, CPU per request',
        atLeast: 1.1,
        reached: timesBetter(figures.cpu, CHECK, EXPRESS_JWT, { better: 'less', of: 'least' }),
      },
    ],
  };
}

/** The same with Redis a millisecond away, and few connections: what a request waits for is what counts. */
export async function measureFar({ rounds, seconds }) {
  const figures = await measure(FAR, { rounds, seconds, connections: 4, millisecondsAway: 1 });
  const peer = best(figures.perSecond, FAR.filter(isRevocable).filter(isPeer), { better: 'more' });
  return {
    sections: [
      compared('Guarded route, Redis 1 ms away each way, 4 connections, requests a second', figures.perSecond, BARE, {
        unit: '/s',
        better: 'more',
        plotted: true,
      }),
    ],
    goals: [
      {
        what: `guard, \`push\`, Redis 1 ms away, 4 connections, against the fastest peer that can revoke (${peer})`,
        atLeast: 15,
        reached: timesBetter(figures.perSecond, PUSH, peer, { better: 'more' }),
        most: [timesBetter(figures.perSecond, BARE, peer, { better: 'more' }), BARE],
      },
    ],
  };
}

const isPeer = (name) => !isOwn(name);

async function measure(names, { rounds, seconds, connections, millisecondsAway }) {
  const redis = await startRedis();
  const distance = millisecondsAway && (await putAway(redis.port, millisecondsAway));
  const redisUrl = distance ? `redis://127.0.0.1:${distance.port}` : redis.url;
  const running = new Map();
  for (const name of names) {
    console.log(`starting ${name}`);
    const target = await startTarget(name, { redisUrl });
    const [first, ...tokens] = await tokensOf(target, TOKENS + 1);
    await checkRefusals(target, first);
    const requests = tokens.map((token) => ({ path: '/me', headers: credentials(name, token) }));
    running.set(name, { target, requests });
  }
  const figures = await inTurn(rounds, names, async (name) => {
    const { target, requests } = running.get(name);
    // Before the first round every token is seen once, where there are caches.
    const { perSecond, cpu } = await costing(target, () => hammer(target, requests, { connections, seconds }));
    return { perSecond, cpu, megabytes: (await target.figures()).rssBytes / 1e6 };
  });
  for (const { target } of running.values()) target.stop();
  distance?.stop();
  await redis.stop();
  return figures;
}

async function putAway(port, milliseconds) {
  const child = startProcess(path.join(import.meta.dirname, '../distance.mjs'), [port, milliseconds], {
    core: 'store',
  });
  const [{ port: near }] = await once(child, 'message');
  return { port: near, stop: () => child.kill() };
}

async function tokensOf({ name, url }, count) {
  const domain = `${name.replaceAll(/\W+/g, '-')}.example.com`; // nobody is asked twice, by whichever target
  const tokens = [];
  for (let start = 0; start < count; start += 50) {
    const batch = Array.from({ length: Math.min(50, count - start) }, async (_, index) => {
      const response = await fetch(`${url}/bench/token?email=user${start + index}@${domain}`);
      if (!response.ok) throw new Error(`${name} gave no token: ${response.status}`);
      return response.text();
    });
    tokens.push(...(await Promise.all(batch)));
  }
  return tokens;
}

/** A figure for a target that lets anything pass is worth nothing. */
async function checkRefusals(target, token) {
  const good = credentials(target.name, token);
  const expect = async (what, headers, passes) => {
    const { status } = await fetch(`${target.url}/me`, { headers });
    if ((status === 200) !== passes) throw new Error(`${target.name}: ${what} got ${status}`);
  };
  await expect('a good token', good, true);
  if (target.name === BARE) return;
  await expect('a forged token', credentials(target.name, `${token.slice(0, -6)}AAAAAA`), false);
  if (!isRevocable(target.name)) return;
  await fetch(`${target.url}/bench/revoke`, { method: 'POST', headers: good });
  await expect('a revoked token', good, false);
}
