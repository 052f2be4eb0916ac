import { z } from 'zod';
import { type Identifier, parseEmail } from '../core/identifier.js';
import type { Clock, Logger, Store } from '../core/ports.js';
import type { User } from '../core/users.js';
import type { UserStore } from '../core/users/user-store.js';
import {
  type OutgoingEmail,
  type OutgoingSms,
  PAGE_TEXT_NAMES,
  type RenderedEmail,
  type RenderInput,
} from '../options.js';
import type { RedisClient } from '../stores/redis/redis-client.js';

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

/** In place of zod's "expected object": what the value has to be. What is wrong inside of it keeps its own message. */
const insteadOfType = (message: string) => ({
  error: ({ code }: { code?: string | undefined }) => (code === 'invalid_type' ? message : undefined),
});

const NO_REDIS = "must be a redis:// or rediss:// URL, an ioredis client, or 'memory:'";
const redisUrl = z
  .string()
  .refine(
    (text) => text === 'memory:' || ['redis:', 'rediss:'].includes(URL.canParse(text) ? new URL(text).protocol : ''),
    NO_REDIS,
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
const NO_DATE = 'must be a valid date';
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
  insteadOfType('must be true, false or { appName, logoUrl, css, returnTo, locales }'),
);

/** The options as they may be given, with their defaults. */
export const schema = z.strictObject({
  redis: z.union([redisUrl, redisClient], NO_REDIS).default('redis://localhost:6379/0'),
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
        .array(country, insteadOfType('is required: a list of countries such as ["DE"]'))
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
  allowedOrigins: z.array(origin, insteadOfType("must be a list such as ['https://app.example.com']")).default([]),
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
    .strictObject(
      {
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
      },
      insteadOfType('must be { store, firstAdmin }'),
    )
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
        expiresAt: z.union([z.string(), z.number(), z.date()], NO_DATE).pipe(z.coerce.date(NO_DATE)),
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

/** The options with their defaults, before what depends on more than one of them. */
export type CheckedOptions = z.output<typeof schema>;

function isLanguageTag(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text)[0] === text;
  } catch {
    return false;
  }
}

/** A phone number in E.164 form as it stands: it is compared with canonical ones. */
export function plainIdentifier(text: string): Identifier | undefined {
  return /^\+[1-9][0-9]{6,14}$/.test(text) ? { kind: 'phone', value: text } : parseEmail(text);
}
