import { type BudgetRules, budgetOf } from '../core/budget.js';
import type { Problem } from '../errors.js';
import type { CheckedOptions } from './schema.js';
import { type Tree, valueAt } from './variables.js';

const PREDECESSORS_SECRET = 'change-me-in-production';
const SHORTEST_SECRET_BYTES = 32; // RFC 7518 §3.2: as long as the hash's output

/** What is well-formed, and still no way to run. */
export function refusals(given: Tree, production: boolean): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string) => problems.push({ path, message });
  const secrets = [valueAt(given, 'jwt.secret') ?? []].flat().filter((secret) => typeof secret === 'string');
  const cookie = { secure: valueAt(given, 'cookie.secure'), sameSite: valueAt(given, 'cookie.sameSite') };

  if (valueAt(given, 'jwt.secret') !== undefined && secrets.length === 0) refuse('jwt.secret', 'must not be empty');
  for (const secret of secrets) {
    if (Buffer.byteLength(secret) < SHORTEST_SECRET_BYTES)
      refuse(
        'jwt.secret',
        `must have ${SHORTEST_SECRET_BYTES} bytes at least; 'npx express-otp-auth secret' prints a good one`,
      );
    // A public key that serves as a secret is the oldest way to have tokens forged (RFC 8725 §2.1).
    if (/-----BEGIN [A-Z ]+-----/.test(secret))
      refuse('jwt.secret', 'must not be a key in PEM form: see jwt.privateKey');
  }
  if (![undefined, 'master'].includes(valueAt(given, 'redis.options.scaleReads') as string | undefined))
    refuse(
      'redis',
      "must not read from replicas, which learn of revocations too late. Hand over a Cluster client with scaleReads: 'master'",
    );
  if (given['revocation'] === 'push') {
    if (given['store'] !== undefined)
      refuse('revocation', "'push' needs Redis: a store of your own decides by itself how it knows what is revoked");
    else if (typeof given['redis'] === 'object' && typeof valueAt(given, 'redis.duplicate') !== 'function')
      refuse('revocation', "'push' needs a Redis client with duplicate(), to open one more connection");
  }
  if (cookie.sameSite === 'none' && cookie.secure !== true && !(production && cookie.secure === undefined))
    refuse('cookie.sameSite', "'none' needs cookie.secure: true, browsers refuse the cookie otherwise");
  if (valueAt(given, 'email.link') === true) {
    if ((given['pages'] ?? false) === false) refuse('email.link', 'needs pages: a link opens one');
    if (given['publicUrl'] === undefined) refuse('email.link', 'needs publicUrl: links begin with it');
    else if (production && /^http:\/\/(?!(?:localhost|127\.0\.0\.1)(?:[:/]|$))/.test(given['publicUrl'] as string))
      refuse('publicUrl', 'must be an https: URL with NODE_ENV=production: links begin with it');
  }
  const userStoreIs = valueAt(given, 'users.store');
  if (userStoreIs === undefined) {
    if (given['totp'] !== undefined) refuse('totp', 'needs users.store: a second factor belongs to an account');
    if (given['signUp'] === 'closed') refuse('signUp', "'closed' needs users.store: nobody would get a code");
    if (valueAt(given, 'users.firstAdmin') !== undefined)
      refuse('users.firstAdmin', 'needs users.store: an admin is an account');
  }
  if (userStoreIs === 'redis' && (given['store'] !== undefined || given['redis'] === 'memory:'))
    refuse('users.store', "'redis' keeps users in the Redis of the option redis, and here is none");
  if (!production) return problems;

  if (secrets.length === 0)
    refuse('jwt.secret', "is required with NODE_ENV=production; 'npx express-otp-auth secret' prints a good one");
  if (secrets.includes(PREDECESSORS_SECRET))
    refuse('jwt.secret', `must not be the well-known '${PREDECESSORS_SECRET}'`);
  if (given['magicOtp'] === true) refuse('magicOtp', 'lets anyone sign in as anyone: not with NODE_ENV=production');
  if (given['redis'] === 'memory:' && given['allowMemoryInProduction'] !== true)
    refuse(
      'redis',
      "'memory:' loses everything at restart: with NODE_ENV=production it needs allowMemoryInProduction: true",
    );
  if (userStoreIs === 'memory' && given['allowMemoryInProduction'] !== true)
    refuse(
      'users.store',
      "'memory' loses every account at restart: with NODE_ENV=production it needs allowMemoryInProduction: true",
    );
  if (cookie.secure === false) refuse('cookie.secure', 'must not be false with NODE_ENV=production');
  return problems;
}

/** Odds of a guesser that are too good, with what would make them worse. */
export function oddsProblems({ otp, limits }: Pick<CheckedOptions, 'otp' | 'limits'>): Problem[] {
  const { failuresPerDay, maxOddsPerYear } = limits;
  const oddsFor = (rules: Partial<BudgetRules>) =>
    budgetOf({ failuresPerDay, codeLength: otp.length, ...rules }).oddsPerYear;
  if (oddsFor({}) <= maxOddsPerYear) return [];

  const fewer = descending(failuresPerDay - 1, 1).find((most) => oddsFor({ failuresPerDay: most }) <= maxOddsPerYear);
  const longer = descending(10, otp.length + 1).findLast((digits) => oddsFor({ codeLength: digits }) <= maxOddsPerYear);
  const ways = [
    ...(fewer === undefined ? [] : [`lower limits.failuresPerDay to ${fewer}`]),
    ...(longer === undefined ? [] : [`raise otp.length to ${longer}`]),
    'raise limits.maxOddsPerYear',
  ];
  const percent = (odds: number) => `${Number((odds * 100).toPrecision(3))} %`;
  return [
    {
      path: 'limits.maxOddsPerYear',
      message: `${failuresPerDay} guesses in any 24 hours at codes of ${otp.length} digits give a stranger odds of ${percent(oddsFor({}))} a year, more than the ${percent(maxOddsPerYear)} that may be: ${ways.join(', or ')}`,
    },
  ];
}

function descending(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => from - step);
}

export function cookieProblems({ cookie }: Pick<CheckedOptions, 'cookie'>): Problem[] {
  const { name, deviceName, accessTokenName } = cookie;
  return [
    ...(deviceName === name ? [{ path: 'cookie.deviceName', message: 'must not be the same as cookie.name' }] : []),
    ...(accessTokenName === name || accessTokenName === deviceName
      ? [{ path: 'cookie.accessTokenName', message: 'must not be the name of another cookie' }]
      : []),
  ];
}

export function reviewCodeProblems({ reviewCodes, otp }: Pick<CheckedOptions, 'otp' | 'reviewCodes'>): Problem[] {
  return reviewCodes.flatMap(({ code }, index) =>
    code.length === otp.length
      ? []
      : [{ path: `reviewCodes.${index}.code`, message: `must have ${otp.length} digits, as otp.length says` }],
  );
}
