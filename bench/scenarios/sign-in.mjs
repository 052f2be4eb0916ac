import { compared, inTurn, timesBetter } from '../figures.mjs';
import { costing, eachOnce } from '../load.mjs';
import { startRedis } from '../redis.mjs';
import { startTarget } from '../target.mjs';

const OURS = 'express-otp-auth, check';
const WRITTEN = 'hand-written';
const PROTECTED = 'hand-written, protected';
const BETTER_AUTH = 'better-auth';
const NAMES = [WRITTEN, PROTECTED, BETTER_AUTH, OURS];
const CANNOT_REFRESH = [PROTECTED, BETTER_AUTH];
const CONNECTIONS = 64;

/** Asking for a code, whole sign-ins, and refreshing; mails are handed to a function that does nothing. */
export async function measure({ rounds, people }) {
  const redis = await startRedis();
  const running = new Map();
  for (const name of NAMES) running.set(name, await startTarget(name, { redisUrl: redis.url }));
  let person = 0;
  const figures = await inTurn(rounds, NAMES, (name) => {
    person += people;
    return signIn(running.get(name), { people, firstPerson: person, hasRefresh: !CANNOT_REFRESH.includes(name) });
  });
  for (const target of running.values()) target.stop();
  await redis.stop();

  const refreshes = new Map([...figures['refresh /s']].filter(([name]) => !CANNOT_REFRESH.includes(name)));
  const rate = { unit: '/s', better: 'more' };
  return {
    sections: [
      compared('Asking for a code, requests a second', figures['ask /s'], WRITTEN, rate),
      compared('Whole sign-ins (ask, verify, tokens) a second', figures['sign-in /s'], WRITTEN, {
        ...rate,
        plotted: true,
      }),
      compared('Whole sign-ins, CPU time of the server each', figures['sign-in µs'], WRITTEN, {
        unit: 'µs',
        better: 'less',
        of: 'least',
      }),
      compared('Refreshing, requests a second', refreshes, WRITTEN, {
        ...rate,
        note: 'The hand-written one does not rotate: it signs a new access token. Better Auth has no refresh tokens.',
      }),
    ],
    goals: [
      {
        what: 'whole sign-in against hand-written Express + ioredis + jsonwebtoken with a key object (which has none of the protections)',
        atLeast: 0.9,
        reached: timesBetter(figures['sign-in /s'], OURS, WRITTEN, rate),
        most: [timesBetter(figures['sign-in /s'], PROTECTED, WRITTEN, rate), PROTECTED],
      },
      {
        what: 'whole sign-in against Better Auth',
        atLeast: 8,
        reached: timesBetter(figures['sign-in /s'], OURS, BETTER_AUTH, rate),
        most: [timesBetter(figures['sign-in /s'], PROTECTED, BETTER_AUTH, rate), PROTECTED],
      },
    ],
  };
}

/** So many people sign in, and refresh once: everybody asks, then everybody verifies. */
export async function signIn(target, { people, firstPerson, hasRefresh = true }) {
  const { ask, verify } = target.name === BETTER_AUTH ? BETTER_AUTH_REQUESTS : REQUESTS;
  const emails = Array.from({ length: people }, (_, index) => `person${firstPerson + index}@example.com`);
  const run = (requests) => costing(target, () => eachOnce(target, requests, { connections: CONNECTIONS }));

  const asked = await run(emails.map(ask));
  const codes = await (await fetch(`${target.url}/bench/codes`)).json();
  const verified = await run(emails.map((email) => verify(email, codes[email])));
  const cookies = verified.answers.map((headers) => refreshCookieOf(headers));
  const refreshed = hasRefresh && (await run(cookies.map(refresh)));
  return {
    'ask /s': asked.perSecond,
    'verify /s': verified.perSecond,
    'sign-in /s': 1 / (1 / asked.perSecond + 1 / verified.perSecond),
    'sign-in µs': asked.cpu + verified.cpu,
    'refresh /s': refreshed ? refreshed.perSecond : 0,
  };
}

const post = (path, body, headers = {}) => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const REQUESTS = {
  ask: (email) => post('/auth/request-otp', { email }),
  verify: (email, otp) => post('/auth/verify-otp', { email, otp }),
};
const origin = { origin: 'http://127.0.0.1' };
const BETTER_AUTH_REQUESTS = {
  ask: (email) => post('/api/auth/email-otp/send-verification-otp', { email, type: 'sign-in' }, origin),
  verify: (email, otp) => post('/api/auth/sign-in/email-otp', { email, otp }, origin),
};
const refresh = (cookie) => ({ method: 'POST', path: '/auth/refresh', headers: { cookie } });

function refreshCookieOf(headers) {
  const cookies = [headers['set-cookie'] ?? []].flat().map((cookie) => cookie.split(';')[0]);
  return cookies.find((cookie) => cookie.includes('refresh_token='));
}
