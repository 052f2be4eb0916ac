import { createSecretKey } from 'node:crypto';
import { otpAuth } from 'express-otp-auth';
import jsonwebtoken from 'jsonwebtoken';
import { compared, inTurn, timesBetter } from '../figures.mjs';
import { startRedis } from '../redis.mjs';
import { SECRET } from '../targets/common.mjs';

const OURS = 'express-otp-auth, push';
const VERIFY = 'jsonwebtoken, key object';
const PEOPLE = 100;

/** Microseconds a call of the guard alone: one process, no network. */
export async function measure({ rounds }) {
  const redis = await startRedis();
  const codes = new Map();
  const auth = otpAuth({
    redis: redis.url,
    revocation: 'push',
    jwt: { secret: SECRET },
    email: { send: ({ to, text }) => codes.set(to, /\d{6}/.exec(text)[0]) },
  });
  const tokens = [];
  for (let person = 0; person < PEOPLE; person++) {
    const email = `person${person}@example.com`;
    await auth.api.requestOtp({ email });
    tokens.push((await auth.api.verifyOtp({ email, otp: codes.get(email) })).accessToken);
  }
  const requests = tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
  // The first time each token is asked about; from then on the process knows.
  for (const request of requests) await new Promise((resolve) => auth.requireUser(request, {}, resolve));

  const key = createSecretKey(Buffer.from(SECRET));
  let passed = 0;
  const next = () => void passed++;
  const calls = {
    [OURS]: (index) => auth.requireUser(requests[index], {}, next),
    [VERIFY]: (index) => jsonwebtoken.verify(tokens[index], key, { algorithms: ['HS256'] }),
    'jsonwebtoken, string': (index) => jsonwebtoken.verify(tokens[index], SECRET, { algorithms: ['HS256'] }),
  };
  const { microseconds } = await inTurn(rounds, Object.keys(calls), async (name) => {
    const call = calls[name];
    const times = name === OURS ? 3000 : 200;
    passed = 0;
    let milliseconds = 0;
    for (let time = 0; time < times; time++) {
      const start = performance.now();
      for (let index = 0; index < PEOPLE; index++) call(index);
      milliseconds += performance.now() - start;
      // As in a server, the news of revocations must get through.
      await new Promise(setImmediate);
    }
    if (name === OURS && passed !== times * PEOPLE) throw new Error(`${passed} of ${times * PEOPLE} calls passed`);
    return { microseconds: (milliseconds * 1000) / (times * PEOPLE) };
  });
  await auth.close();
  await redis.stop();
  return {
    sections: [compared('One call of the guard', microseconds, VERIFY, { unit: 'µs', better: 'less', plotted: true })],
    goals: [
      {
        what: 'guard, `push`, microseconds a call in one process, against `jsonwebtoken.verify` with a key object',
        atLeast: 8,
        reached: timesBetter(microseconds, OURS, VERIFY, { better: 'less' }),
      },
    ],
  };
}
