import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type BudgetRules, budgetOf } from './core/budget.js';
import { type Identifier, parseEmail } from './core/identifier.js';
import type { Clock, CodeRules, Logger, Store } from './core/ports.js';
import type { User } from './core/users.js';
import type { UserStore } from './core/users/user-store.js';
import type { JwtAlgorithm } from './core/tokens.js';
import { OtpAuthError, type Problem } from './errors.js';
import {
  type OtpAuthOptions,
  type OutgoingEmail,
  type OutgoingSms,
  PAGE_TEXT_NAMES,
  type RenderedEmail,
  type RenderInput,
} from './options.js';
import type { RedisClient } from './stores/redis/redis-client.js';

/** All settings, complete: the one place that knows a default or a variable. */
export type Settings = ReturnType<typeof loadSettings>;

export const VARIABLE_PREFIX = 'EXPRESS_OTP_AUTH_';

/** How the text of a variable becomes an option's value. Text that does not fit is passed on, for the schema to refuse. */
const readers = {
  text: (text: string): unknown => text,
  number: (text: string): unknown => (/^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text),
  flag: (text: string): unknown => FLAGS[text.trim().toLowerCase()] ?? text,
  list: (text: string): unknown => text.split(',').map((part) => part.trim()),
  pem: (text: string): unknown => text.replaceAll('\\n', '\n'),
};

const FLAGS: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** Every environment variable (less its prefix), the option that it sets, and how it is read. */
export const VARIABLES: readonly (readonly [name: string, option: string, reader: keyof typeof readers])[] = [
  ['REDIS_URL', 'redis', 'text'],
  ['SMTP_SERVER', 'email.smtp.host', 'text'],
  ['SMTP_PORT', 'email.smtp.port', 'number'],
  ['SMTP_USERNAME', 'email.smtp.username', 'text'],
  ['SMTP_PASSWORD', 'email.smtp.password', 'text'],
  ['SMTP_SECURE', 'email.smtp.secure', 'flag'],
  ['MAIL_FROM', 'email.from', 'text'],
  ['MAIL_FROM_NAME', 'email.fromName', 'text'],
  ['OTP_LENGTH', 'otp.length', 'number'],
  ['OTP_EXPIRY_SECONDS', 'otp.expirySeconds', 'number'],
  ['OTP_MAX_ATTEMPTS', 'otp.maxAttempts', 'number'],
  ['OTP_RESEND_COOLDOWN_SECONDS', 'otp.resendCooldownSeconds', 'number'],
  ['OTP_LIVE_CODES', 'otp.liveCodes', 'number'],
  ['OTP_KEY_PREFIX', 'otp.keyPrefix', 'text'],
  ['JWT_SECRET', 'jwt.secret', 'list'],
  ['JWT_ALGORITHM', 'jwt.algorithm', 'text'],
  ['JWT_PRIVATE_KEY', 'jwt.privateKey', 'pem'],
  ['JWT_PUBLIC_KEYS', 'jwt.publicKeys', 'pem'],
  ['JWT_ISSUER', 'jwt.issuer', 'text'],
  ['JWT_AUDIENCE', 'jwt.audience', 'text'],
  ['ACCESS_TOKEN_EXPIRE_MINUTES', 'jwt.accessTokenMinutes', 'number'],
  ['REFRESH_TOKEN_EXPIRE_DAYS', 'jwt.refreshTokenDays', 'number'],
  ['SESSION_MAX_DAYS', 'jwt.sessionMaxDays', 'number'],
  ['REFRESH_GRACE_SECONDS', 'jwt.refreshGraceSeconds', 'number'],
  ['BLACKLIST_KEY_PREFIX', 'jwt.blacklistKeyPrefix', 'text'],
  ['SESSION_KEY_PREFIX', 'sessionKeyPrefix', 'text'],
  ['LIMIT_KEY_PREFIX', 'limitKeyPrefix', 'text'],
  ['USER_KEY_PREFIX', 'userKeyPrefix', 'text'],
  ['STORE_TIMEOUT_MS', 'storeTimeoutMs', 'number'],
  ['RECENT_SECONDS', 'recentSeconds', 'number'],
  ['REVOCATION', 'revocation', 'text'],
  ['COOKIE_NAME', 'cookie.name', 'text'],
  ['COOKIE_SECURE', 'cookie.secure', 'flag'],
  ['COOKIE_SAME_SITE', 'cookie.sameSite', 'text'],
  ['COOKIE_DOMAIN', 'cookie.domain', 'text'],
  ['COOKIE_PATH', 'cookie.path', 'text'],
  ['COOKIE_ACCESS_TOKEN', 'cookie.accessToken', 'flag'],
  ['ALLOWED_ORIGINS', 'allowedOrigins', 'list'],
  ['PAGES', 'pages', 'flag'],
  ['PUBLIC_URL', 'publicUrl', 'text'],
  ['EMAIL_LINK', 'email.link', 'flag'],
  ['SIGN_UP', 'signUp', 'text'],
  ['USER_STORE', 'users.store', 'text'],
  ['TOTP', 'totp', 'text'],
  ['FIRST_ADMIN', 'users.firstAdmin', 'text'],
  ['DISABLE_LOCAL_AUTH', 'magicOtp', 'flag'],
];

const PREDECESSORS_SECRET = 'change-me-in-production';
const SHORTEST_SECRET_BYTES = 32; // RFC 7518 §3.2: as long as the hash's output

const aFunction = <T>(what: string) =>
  z.custom<T>((value) => typeof value === 'function', `must be a function ${what}`);
const anObjectWith = <T>(...methods: string[]) =>
  z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    `must be an object with ${methods.join(', ')}`,
  );
const wholeNumber = (least: number, most: number) => z.int().min(least).max(most);
// Braces would take over the hash tag that keeps a user's keys together in a Cluster.
const keyPrefix = z
  .string()
  .max(64)
  .regex(/^[^{}\s]*$/, 'must have no braces and no white space');
const cookieName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be a cookie name (RFC 6265 §4.1.1)');
const oneLine = z.string().regex(/^[^\p{Cc}]*$/u, 'must have no line breaks and no control characters');
const asList = <Item>(item: z.ZodType<Item>) =>
  z.union([item.transform((one) => [one]), z.array(item)], `must be one or a list`);

const redisUrl = z
  .string()
  .refine(
    (text) => text === 'memory:' || ['redis:', 'rediss:'].includes(URL.canParse(text) ? new URL(text).protocol : ''),
    "must be a redis:// or rediss:// URL, or 'memory:'",
  );
const redisClient = anObjectWith<RedisClient>('evalsha', 'eval', 'mget');
const origin = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      new URL(text).origin !== 'null' &&
      [new URL(text).origin, `${new URL(text).origin}/`].includes(text.toLowerCase()),
    'must be an origin such as https://app.example.com',
  )
  .transform((text) => new URL(text).origin);
const emailAddress = z
  .string()
  .refine(
    (text) => parseEmail(text) !== undefined || /^[\w.+-]+@localhost$/.test(text),
    'must be one plain e-mail address',
  )
  .transform((text) => parseEmail(text)?.value ?? text);

const STORE: (keyof Store)[] = [
  ...(['issueCode', 'withdrawCode', 'consumeCode', 'inspectCodes', 'revokeDevices'] as const),
  ...(['countSms', 'withdrawSms', 'confirmSms', 'judgeFactor', 'revokeToken', 'isRevoked'] as const),
  ...(['openSession', 'rotateSession', 'adoptSession', 'endSession', 'raiseSession'] as const),
  ...(['endAllSessions', 'listSessions', 'takeLease', 'returnLease', 'ping', 'close'] as const),
];
const USER_STORE = ['findById', 'findByIdentifier', 'create', 'update', 'delete', 'list'];
const userStore = anObjectWith<UserStore>(...USER_STORE);
const NO_PLAIN_IDENTIFIER = 'must be one plain e-mail address, or a phone number as +4915112345678';
// `XX` is nobody's code, and `UK` stands for `GB`: numbers of neither would ever be let through. The names take
// longer to read than all the rest of this file, so only who sends SMS waits for them.
const isCountry = (code: string) =>
  /^[A-Z]{2}$/.test(code) &&
  new Intl.Locale(`und-${code}`).region === code &&
  new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(code) !== undefined;
const country = z.string().refine(isCountry, 'must be an ISO 3166-1 code such as "DE"');

const publicUrl = z
  .string()
  .refine((text) => {
    const { protocol, search, hash, username } = URL.canParse(text) ? new URL(text) : new URL('none:');
    return ['https:', 'http:'].includes(protocol) && search + hash + username === '';
  }, 'must be where browsers find the router, such as https://app.example.com/auth')
  .transform((text) => new URL(text).href.replace(/\/+$/, ''));
/** A path of this origin: neither `//host` nor anything that a browser would make of it. */
const ownPath = z
  .string()
  .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, "must be a path of the application, such as '/account'");
const httpsUrl = z
  .string()
  .refine((text) => text.startsWith('https://') && URL.canParse(text), 'must be an https: URL');
const pageText = oneLine.min(1).max(500).optional();
const pageTexts = z.strictObject({
  ...(Object.fromEntries(PAGE_TEXT_NAMES.map((name) => [name, pageText])) as Record<
    (typeof PAGE_TEXT_NAMES)[number],
    typeof pageText
  >),
  direction: z.enum(['ltr', 'rtl']).optional(),
});
const languageTag = z.string().refine((text) => isLanguageTag(text), 'must be a language tag such as "it" or "pt-BR"');
const pagesSchema = z.strictObject(
  {
    appName: oneLine.min(1).max(100).optional(),
    logoUrl: z
      .union(
        [ownPath, httpsUrl, z.string().regex(/^data:image\/[\w+.-]+[;,]/)],
        "must be a path such as '/logo.svg', an https: URL or a data: URL of an image",
      )
      .optional(),
    css: z.union([ownPath, httpsUrl], "must be a path such as '/sign-in.css', or an https: URL").optional(),
    returnTo: ownPath.default('/'),
    locales: z.record(languageTag, pageTexts).default({}),
  },
  {
    error: ({ code }) =>
      code === 'invalid_type' ? 'must be true, false or { appName, logoUrl, css, returnTo, locales }' : undefined,
  },
);

const schema = z.strictObject({
  redis: z.union([redisUrl, redisClient]).default('redis://localhost:6379/0'),
  redisOptions: z.record(z.string(), z.unknown()).default({}),
  store: anObjectWith<Store>(...STORE).optional(),
  storeTimeoutMs: wholeNumber(10, 60_000).default(1000),
  allowMemoryInProduction: z.boolean().default(false),
  email: z
    .strictObject({
      smtp: z
        .strictObject({
          host: z.string().min(1).default('127.0.0.1'),
          port: wholeNumber(1, 65_535).default(1025),
          username: z.string().min(1).optional(),
          password: z.string().optional(),
          secure: z.union([z.boolean(), z.literal('required')], "must be true, false or 'required'").optional(),
          pool: wholeNumber(1, 1000).default(20),
          timeoutMs: wholeNumber(100, 120_000).default(10_000),
          tls: z.custom<object>((value) => typeof value === 'object' && value !== null).optional(),
        })
        .prefault({}),
      from: emailAddress.optional(),
      fromName: oneLine.min(1).max(100).default('Express App'),
      transport: anObjectWith<{ sendMail(mail: object): Promise<unknown> }>('sendMail').optional(),
      send: aFunction<(mail: OutgoingEmail) => unknown>('that hands a message over').optional(),
      render: aFunction<(input: RenderInput) => RenderedEmail | Promise<RenderedEmail>>(
        'that returns { subject, text, html }',
      ).optional(),
      link: z.boolean().default(false),
    })
    .prefault({}),
  sms: z
    .strictObject({
      send: aFunction<(sms: OutgoingSms) => unknown>('that hands a text over'),
      allowedCountries: z
        .array(country)
        .min(1, 'must name the countries that messages may go to, such as ["DE", "SI"]'),
      defaultCountry: country.optional(),
      origin: origin.optional(),
      render: aFunction<(input: RenderInput) => string | Promise<string>>('that returns a text').optional(),
      minConversion: z.number().min(0).max(1).default(0.1),
      timeoutMs: wholeNumber(100, 120_000).default(10_000),
    })
    .optional(),
  delivery: z.enum(['await', 'background']).default('await'),
  otp: z
    .strictObject({
      length: wholeNumber(6, 10).default(6),
      expirySeconds: wholeNumber(30, 600).default(300),
      maxAttempts: wholeNumber(1, 10).default(5),
      resendCooldownSeconds: wholeNumber(0, 86_400).default(30),
      liveCodes: wholeNumber(1, 3).default(1),
      keyPrefix: keyPrefix.default('otp_'),
    })
    .prefault({}),
  jwt: z
    .strictObject({
      secret: asList(z.string()).optional(),
      algorithm: z
        .enum([
          'HS256',
          'HS384',
          'HS512',
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
        ])
        .default('HS256'),
      privateKey: z.string().optional(),
      publicKeys: asList(z.string()).default([]),
      issuer: z.string().min(1).optional(),
      audience: z.string().min(1).optional(),
      accessTokenMinutes: wholeNumber(1, 525_600).default(60),
      refreshTokenDays: wholeNumber(1, 3650).default(7),
      sessionMaxDays: wholeNumber(1, 3650).default(30),
      refreshGraceSeconds: wholeNumber(0, 60).default(10),
      blacklistKeyPrefix: keyPrefix.default('blacklist_'),
      verifiedTokenCache: wholeNumber(0, 1_000_000).default(10_000),
    })
    .prefault({}),
  sessionKeyPrefix: keyPrefix.default('session_'),
  limitKeyPrefix: keyPrefix.default('limit_'),
  userKeyPrefix: keyPrefix.default('user_'),
  recentSeconds: wholeNumber(1, 31_536_000).default(600),
  revocation: z.enum(['check', 'push']).default('check'),
  revocationWaitMs: wholeNumber(0, 5000).default(250),
  maxSessionsPerUser: wholeNumber(1, 1000).default(50),
  cookie: z
    .strictObject({
      name: cookieName.default('refresh_token'),
      deviceName: cookieName.default('device_token'),
      accessToken: z.boolean().default(false),
      accessTokenName: cookieName.default('access_token'),
      secure: z.union([z.boolean(), z.literal('auto')], "must be true, false or 'auto'").optional(),
      sameSite: z.enum(['strict', 'lax', 'none']).default('lax'),
      domain: z
        .string()
        .regex(/^\.?[a-z0-9.-]+$/i, 'must be a host name')
        .optional(),
      path: z
        .string()
        .regex(/^\/[\x21-\x3a\x3c-\x7e]*$/, "must start with '/'")
        .default('/'),
    })
    .prefault({}),
  allowedOrigins: z.array(origin).default([]),
  pages: z.preprocess((given) => (given === true ? {} : given === false ? undefined : given), pagesSchema.optional()),
  publicUrl: publicUrl.optional(),
  limits: z
    .strictObject({
      sendsPerHour: wholeNumber(1, 1_000_000).default(10),
      sendsPerDay: wholeNumber(1, 1_000_000).default(20),
      failuresPerDay: wholeNumber(1, 1_000_000).default(25),
      secondFactorFailuresPerDay: wholeNumber(1, 1_000_000).default(20),
      smsPerHour: wholeNumber(1, 1_000_000).default(1000),
      requestsPerIpPerMinute: wholeNumber(1, 1_000_000).default(20),
      verifiesPerIpPerMinute: wholeNumber(1, 1_000_000).default(60),
      maxOddsPerYear: z.number().positive().max(1).default(0.05),
    })
    .prefault({}),
  signUp: z.enum(['open', 'closed']).default('open'),
  users: z
    .strictObject({
      store: z
        .union(
          [z.enum(['redis', 'memory']), userStore],
          "must be 'redis', 'memory' or an object with " + USER_STORE.join(', '),
        )
        .optional(),
      firstAdmin: z
        .string()
        .refine((text) => plainIdentifier(text) !== undefined, NO_PLAIN_IDENTIFIER)
        .transform((text) => plainIdentifier(text) as Identifier)
        .optional(),
    })
    .prefault({}),
  totp: z
    .union(
      [
        z.enum(['optional', 'required']).transform((mode) => ({ required: mode === 'required', issuer: undefined })),
        z.strictObject({ issuer: oneLine.min(1).max(100).optional(), required: z.boolean().default(false) }),
      ],
      "must be 'optional', 'required' or { issuer, required }",
    )
    .optional(),
  docs: z.boolean().default(false),
  magicOtp: z.boolean().default(false),
  reviewCodes: z
    .array(
      z.strictObject({
        identifier: z.string().refine((text) => plainIdentifier(text) !== undefined, NO_PLAIN_IDENTIFIER),
        code: z.string().regex(/^[0-9]+$/, 'must be digits'),
        expiresAt: z.union([z.string(), z.number(), z.date()]).pipe(z.coerce.date()),
      }),
    )
    .default([]),
  claims:
    aFunction<(user: User) => Record<string, unknown> | Promise<Record<string, unknown>>>(
      'that returns an object',
    ).optional(),
  logger: anObjectWith<Logger>('debug', 'info', 'warn', 'error').optional(),
  clock: anObjectWith<Clock>('now').optional(),
});

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
export function codeRulesOf({ otp, limits }: Pick<z.output<typeof schema>, 'otp' | 'limits'>): CodeRules & BudgetRules {
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

type Environment = Record<string, string | undefined>;
type Tree = Record<string, unknown>;

/** The options, with the variables' values where an option is not given. An empty variable is one that is not set. */
function withEnvironment(options: Tree, env: Environment): Tree {
  let given = options;
  for (const [name, option, reader] of VARIABLES) {
    const text = env[VARIABLE_PREFIX + name];
    if (text === undefined || text === '' || valueAt(given, option) !== undefined) continue;
    given = withValueAt(given, option.split('.'), readers[reader](text));
  }
  return given;
}

function valueAt(tree: Tree, path: string): unknown {
  let value: unknown = tree;
  for (const key of path.split('.')) value = (value as Tree | undefined)?.[key];
  return value;
}

/** Copies the groups on the way and nothing else: what was handed over stays as it is. What is no group is left for the schema to refuse. */
function withValueAt(tree: Tree, [key, ...rest]: string[], value: unknown): Tree {
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const group = tree[key] ?? {};
  return isTree(group) ? { ...tree, [key]: withValueAt(group, rest, value) } : tree;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is well-formed, and still no way to run. */
function refusals(given: Tree, production: boolean): Problem[] {
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

/** The asymmetric algorithms' keys, as objects, and what is wrong with them. */
function readKeys(jwt: { algorithm: JwtAlgorithm; privateKey?: string | undefined; publicKeys: string[] }): {
  problems: Problem[];
  signingKey?: KeyObject;
  verificationKeys?: KeyObject[];
} {
  const problems: Problem[] = [];
  if (jwt.algorithm.startsWith('HS')) {
    const message = `does not fit jwt.algorithm ${jwt.algorithm}, which goes by jwt.secret`;
    if (jwt.privateKey !== undefined) problems.push({ path: 'jwt.privateKey', message });
    if (jwt.publicKeys.length > 0) problems.push({ path: 'jwt.publicKeys', message });
    return { problems };
  }
  const read = (path: string, pem: string, make: (pem: string) => KeyObject) => {
    try {
      const key = make(pem);
      if (keyFits(jwt.algorithm, key)) return [key];
      problems.push({ path, message: `does not fit jwt.algorithm ${jwt.algorithm}` });
    } catch {
      problems.push({ path, message: 'must be a key in PEM form' });
    }
    return [];
  };
  if (jwt.privateKey === undefined)
    problems.push({ path: 'jwt.privateKey', message: `is required with jwt.algorithm ${jwt.algorithm}` });
  const [signingKey] = jwt.privateKey === undefined ? [] : read('jwt.privateKey', jwt.privateKey, createPrivateKey);
  const further = jwt.publicKeys
    .flatMap((text) => text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [text])
    .flatMap((pem) => read('jwt.publicKeys', pem, createPublicKey));
  if (signingKey === undefined) return { problems };
  const all = [createPublicKey(signingKey), ...further];
  // One key shown twice is two keys of one name, which clients of a JWKS refuse to choose between.
  const verificationKeys = all.filter((key, place) => all.findIndex((other) => other.equals(key)) === place);
  return { problems, signingKey, verificationKeys };
}

/** RFC 7518 §3.3 to §3.5: RSA of 2048 bits at least; each ES algorithm has its curve. */
function keyFits(algorithm: JwtAlgorithm, key: KeyObject): boolean {
  const curves: Partial<Record<JwtAlgorithm, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };
  const curve = curves[algorithm];
  if (curve !== undefined) return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve;
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

/** Odds of a guesser that are too good, with what would make them worse. */
function oddsProblems({ otp, limits }: Pick<z.output<typeof schema>, 'otp' | 'limits'>): Problem[] {
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

function isLanguageTag(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text)[0] === text;
  } catch {
    return false;
  }
}

function cookieProblems({ cookie }: Pick<z.output<typeof schema>, 'cookie'>): Problem[] {
  const { name, deviceName, accessTokenName } = cookie;
  return [
    ...(deviceName === name ? [{ path: 'cookie.deviceName', message: 'must not be the same as cookie.name' }] : []),
    ...(accessTokenName === name || accessTokenName === deviceName
      ? [{ path: 'cookie.accessTokenName', message: 'must not be the name of another cookie' }]
      : []),
  ];
}

function reviewCodeProblems({ reviewCodes, otp }: Pick<z.output<typeof schema>, 'otp' | 'reviewCodes'>): Problem[] {
  return reviewCodes.flatMap(({ code }, index) =>
    code.length === otp.length
      ? []
      : [{ path: `reviewCodes.${index}.code`, message: `must have ${otp.length} digits, as otp.length says` }],
  );
}

/** A phone number in E.164 form as it stands: it is compared with canonical ones. */
function plainIdentifier(text: string): Identifier | undefined {
  return /^\+[1-9][0-9]{6,14}$/.test(text) ? { kind: 'phone', value: text } : parseEmail(text);
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
