import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { readKeys } from './config/keys.js';
import { cookieProblems, oddsProblems, refusals, reviewCodeProblems } from './config/refusals.js';
import { type CheckedOptions, plainIdentifier, schema } from './config/schema.js';
import { type Environment, isTree, VARIABLE_PREFIX, VARIABLES, withEnvironment } from './config/variables.js';
import type { BudgetRules } from './core/budget.js';
import { type Identifier, parseEmail } from './core/identifier.js';
import type { CodeRules, Logger } from './core/ports.js';
import { OtpAuthError, type Problem } from './errors.js';
import type { OtpAuthOptions } from './options.js';

/** All settings, complete. */
export type Settings = ReturnType<typeof loadSettings>;

/** Where the environment says that users are kept: for `/testing`, which puts a store of its own there. */
export function userStoreVariable(env: Environment = process.env): string | undefined {
  return env[`${VARIABLE_PREFIX}USER_STORE`];
}

/**
 * Options and environment as one complete, frozen whole.
 *
 * @throws OtpAuthError `config_invalid`, whose message lists every problem, each with its option and its variable.
 */
export function loadSettings(options: OtpAuthOptions = {}, env: Environment = process.env) {
  const production = env['NODE_ENV'] === 'production';
  if (!isTree(options)) throw configInvalid([{ path: 'options', message: 'must be an object' }]);
  const given = withEnvironment(options, env);
  const parsed = schema.safeParse(given);
  // The groups are read once more by themselves, so that a mistake in one does not hide those in another.
  const jwt = schema.shape.jwt.safeParse(given['jwt']);
  const keys = jwt.success ? readKeys(jwt.data) : { problems: [] };
  const only = (...names: string[]) => Object.fromEntries(names.map((name) => [name, given[name]]));
  const guessing = schema.pick({ otp: true, limits: true }).safeParse(only('otp', 'limits'));
  const cookies = schema.pick({ cookie: true }).safeParse(only('cookie'));
  const reviewing = schema.pick({ otp: true, reviewCodes: true }).safeParse(only('otp', 'reviewCodes'));
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap(problemsOf)),
    ...(cookies.success ? cookieProblems(cookies.data) : []),
    ...(reviewing.success ? reviewCodeProblems(reviewing.data) : []),
    ...refusals(given, production),
    ...(guessing.success ? oddsProblems(guessing.data) : []),
    ...keys.problems,
  ];
  if (!parsed.success || problems.length > 0) throw configInvalid(problems);

  const { email, cookie } = parsed.data;
  const { username, port } = email.smtp;
  return Object.freeze({
    ...parsed.data,
    production,
    // Whoever is not sent a message would be answered sooner.
    delivery: parsed.data.signUp === 'closed' ? ('background' as const) : parsed.data.delivery,
    email: {
      ...email,
      from: email.from ?? parseEmail(username ?? '')?.value ?? 'no-reply@localhost',
      smtp: { ...email.smtp, secure: email.smtp.secure ?? port === 465 },
    },
    jwt: {
      ...parsed.data.jwt,
      signingKey: keys.signingKey,
      verificationKeys: keys.verificationKeys ?? [],
      // Random where none is given, which `refusals` lets pass outside production only.
      secrets: (parsed.data.jwt.secret ?? [randomBytes(32).toString('base64url')]) as [string, ...string[]],
      secretIsRandom: parsed.data.jwt.secret === undefined,
    },
    cookie: { ...cookie, secure: cookie.secure ?? (production ? true : ('auto' as const)) },
    reviewCodes: parsed.data.reviewCodes.map(({ identifier, code, expiresAt }) => ({
      identifier: plainIdentifier(identifier) as Identifier,
      code,
      expiresAtMs: expiresAt.getTime(),
    })),
    clock: parsed.data.clock ?? { now: Date.now },
    logger: parsed.data.logger ?? consoleLogger,
  });
}

/** The limits as the store judges them. */
export function codeRulesOf({ otp, limits }: Pick<CheckedOptions, 'otp' | 'limits'>): CodeRules & BudgetRules {
  const { sendsPerHour, sendsPerDay, failuresPerDay } = limits;
  return {
    expiryMs: otp.expirySeconds * 1000,
    resendCooldownMs: otp.resendCooldownSeconds * 1000,
    liveCodes: otp.liveCodes,
    maxAttempts: otp.maxAttempts,
    codeLength: otp.length,
    sendsPerHour,
    sendsPerDay,
    failuresPerDay,
  };
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'is not an option' }));
}

function configInvalid(problems: readonly Problem[]): OtpAuthError {
  const lines = problems.map(({ path, message }) => {
    const variable = VARIABLES.find(([, option]) => option === path || path.startsWith(`${option}.`))?.[0];
    return `  ${path}${variable === undefined ? '' : ` (${VARIABLE_PREFIX}${variable})`}: ${message}`;
  });
  return new OtpAuthError('config_invalid', `The configuration is not valid:\n${lines.join('\n')}`, {
    errors: [...problems],
  });
}

/** Warnings and errors alone; nobody asked for more on their console. */
const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  // oxlint-disable-next-line no-console -- where warnings go until the application says otherwise
  warn: (...details) => console.warn(...details),
  // oxlint-disable-next-line no-console -- as above
  error: (...details) => console.error(...details),
};
