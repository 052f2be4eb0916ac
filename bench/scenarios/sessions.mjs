import { redisStore } from 'express-otp-auth';
import { fill, key, session } from '../fill.mjs';
import { compared, inTurn, timesBetter } from '../figures.mjs';
import { costing, eachOnce } from '../load.mjs';
import { startRedis } from '../redis.mjs';
import { credentials, startTarget } from '../target.mjs';
import { signIn } from './sign-in.mjs';

const TARGET = 'express-otp-auth, check';

/** The same operations on Redis with ever more live sessions of other users. */
export async function measure({ rounds, people, sessions }) {
  const running = new Map();
  for (const count of sessions) {
    const name = `${count.toLocaleString('en')} live sessions`;
    console.log(`opening ${count} sessions`);
    const redis = await startRedis();
    const store = redisStore(redis.client);
    await fill(count, () => store.openSession(session(key())));
    const target = await startTarget(TARGET, { redisUrl: redis.url });
    running.set(name, { redis, target });
  }
  const names = [...running.keys()];
  let person = 0;
  const figures = await inTurn(rounds, names, async (name) => {
    const { target } = running.get(name);
    person += people;
    const { 'sign-in /s': signIns, 'refresh /s': refreshes } = await signIn(target, { people, firstPerson: person });
    return { 'sign-in /s': signIns, 'refresh /s': refreshes, 'guard /s': await guard(target, people) };
  });
  for (const { redis, target } of running.values()) {
    target.stop();
    await redis.stop();
  }

  const [fewest, most] = [names[0], names.at(-1)];
  const rate = { unit: '/s', better: 'more' };
  return {
    sections: Object.entries(figures).map(([figure, values]) =>
      compared(`${LABELS[figure]}, by the sessions that are there`, values, fewest, rate),
    ),
    goals: Object.entries(figures).map(([figure, values]) => ({
      what: `${most} against ${fewest}: ${LABELS[figure].toLowerCase()}`,
      atLeast: 0.95,
      reached: timesBetter(values, most, fewest, rate),
    })),
  };
}

const LABELS = {
  'sign-in /s': 'Whole sign-ins a second',
  'refresh /s': 'Refreshes a second',
  'guard /s': 'Guarded requests a second',
};

async function guard(target, count) {
  const token = await (await fetch(`${target.url}/bench/token?email=guarded-${Math.random()}@example.com`)).text();
  const request = { method: 'GET', path: '/me', headers: credentials(TARGET, token) };
  const requests = Array.from({ length: count * 3 }, () => request);
  const { perSecond } = await costing(target, () => eachOnce(target, requests, { connections: 64 }));
  return perSecond;
}
