import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { VARIABLE_PREFIX, VARIABLES } from '../src/config/variables.js';
import { loadSettings } from '../src/config.js';
import { memoryStore, otpAuth, OtpAuthError, type OtpAuthOptions } from '../src/index.js';
import { closeAfterFile } from './support/closing.js';

const SECRET = 'a secret for tests, of more than thirty-two bytes';
const OTHER_SECRET = 'another secret for tests, of more than thirty-two bytes';
const PRODUCTION = { NODE_ENV: 'production' };
const GOOD_IN_PRODUCTION: OtpAuthOptions = { jwt: { secret: SECRET } };

const pem = (key: KeyObject) =>
  key
    .export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' })
    .toString()
    .trim();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed25519 = generateKeyPairSync('ed25519');

/** The options may be anything: JavaScript has no types. */
const load = (options: unknown = {}, env: Record<string, string> = {}) => loadSettings(options as OtpAuthOptions, env);

function refusal(options: unknown, env: Record<string, string> = {}): OtpAuthError {
  try {
    load(options, env);
  } catch (error) {
    if (error instanceof OtpAuthError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}
const refusedPaths = (options: unknown, env: Record<string, string> = {}) => {
  const error = refusal(options, env);
  expect(error.code).toBe('config_invalid');
  for (const { path } of error.details.errors ?? []) expect(error.message).toContain(path);
  return [...new Set(error.details.errors?.map(({ path }) => path))];
};

const at = (tree: unknown, path: string) =>
  path.split('.').reduce((group, key) => (group as Record<string, unknown> | undefined)?.[key], tree);
const withOption = (path: string, value: unknown): Record<string, unknown> =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;

/** The contract's table: variable, option, a text that the variable may hold, what the option is then, the default. */
const TABLE: [variable: string, option: string, text: string, value: unknown, byDefault: unknown][] = [
  [
    'REDIS_URL',
    'redis',
    'rediss://user:pw@cache.example:6380/3',
    'rediss://user:pw@cache.example:6380/3',
    'redis://localhost:6379/0',
  ],
  ['SMTP_SERVER', 'email.smtp.host', 'smtp.example.com', 'smtp.example.com', '127.0.0.1'],
  ['SMTP_PORT', 'email.smtp.port', '587', 587, 1025],
  ['SMTP_USERNAME', 'email.smtp.username', 'mailer', 'mailer', undefined],
  ['SMTP_PASSWORD', 'email.smtp.password', 'pass, with a comma ', 'pass, with a comma ', undefined],
  ['SMTP_SECURE', 'email.smtp.secure', 'required', 'required', false],
  ['MAIL_FROM', 'email.from', 'Hello@Example.com', 'hello@example.com', 'no-reply@localhost'],
  ['MAIL_FROM_NAME', 'email.fromName', 'My Shop', 'My Shop', 'Express App'],
  ['OTP_LENGTH', 'otp.length', '8', 8, 6],
  ['OTP_EXPIRY_SECONDS', 'otp.expirySeconds', '600', 600, 300],
  ['OTP_MAX_ATTEMPTS', 'otp.maxAttempts', '3', 3, 5],
  ['OTP_RESEND_COOLDOWN_SECONDS', 'otp.resendCooldownSeconds', '60', 60, 30],
  ['OTP_LIVE_CODES', 'otp.liveCodes', '2', 2, 1],
  ['OTP_KEY_PREFIX', 'otp.keyPrefix', 'shop:otp:', 'shop:otp:', 'otp_'],
  [
    'JWT_SECRET',
    'jwt.secret',
    `${SECRET.replaceAll(',', ';')}, ${OTHER_SECRET.replaceAll(',', ';')}`,
    [SECRET, OTHER_SECRET].map((secret) => secret.replaceAll(',', ';')),
    undefined,
  ],
  ['JWT_ALGORITHM', 'jwt.algorithm', 'HS512', 'HS512', 'HS256'],
  ['JWT_ISSUER', 'jwt.issuer', 'https://issuer.example', 'https://issuer.example', undefined],
  ['JWT_AUDIENCE', 'jwt.audience', 'api', 'api', undefined],
  ['ACCESS_TOKEN_EXPIRE_MINUTES', 'jwt.accessTokenMinutes', '15', 15, 60],
  ['REFRESH_TOKEN_EXPIRE_DAYS', 'jwt.refreshTokenDays', '14', 14, 7],
  ['SESSION_MAX_DAYS', 'jwt.sessionMaxDays', '90', 90, 30],
  ['REFRESH_GRACE_SECONDS', 'jwt.refreshGraceSeconds', '0', 0, 10],
  ['BLACKLIST_KEY_PREFIX', 'jwt.blacklistKeyPrefix', 'b_', 'b_', 'blacklist_'],
  ['SESSION_KEY_PREFIX', 'sessionKeyPrefix', 's_', 's_', 'session_'],
  ['LIMIT_KEY_PREFIX', 'limitKeyPrefix', 'l_', 'l_', 'limit_'],
  ['USER_KEY_PREFIX', 'userKeyPrefix', 'u_', 'u_', 'user_'],
  ['STORE_TIMEOUT_MS', 'storeTimeoutMs', '250', 250, 1000],
  ['RECENT_SECONDS', 'recentSeconds', '60', 60, 600],
  ['REVOCATION', 'revocation', 'push', 'push', 'check'],
  ['COOKIE_NAME', 'cookie.name', 'rt', 'rt', 'refresh_token'],
  ['COOKIE_SECURE', 'cookie.secure', 'true', true, 'auto'],
  ['COOKIE_SAME_SITE', 'cookie.sameSite', 'strict', 'strict', 'lax'],
  ['COOKIE_DOMAIN', 'cookie.domain', 'example.com', 'example.com', undefined],
  ['COOKIE_PATH', 'cookie.path', '/auth', '/auth', '/'],
  [
    'ALLOWED_ORIGINS',
    'allowedOrigins',
    'https://a.example, https://b.example:8443',
    ['https://a.example', 'https://b.example:8443'],
    [],
  ],
  ['DISABLE_LOCAL_AUTH', 'magicOtp', 'true', true, false],
];

describe('the variables', () => {
  it.each(TABLE)(`${VARIABLE_PREFIX}%s sets %s`, (variable, option, text, value) => {
    const settings = load({}, { [VARIABLE_PREFIX + variable]: text });
    expect(at(settings, option)).toEqual(value);
  });

  it.each(TABLE)(
    '%s: an option wins over it, and it wins over the default',
    (variable, option, text, _value, byDefault) => {
      expect(at(load(), option)).toEqual(byDefault);
      const [given] = OTHERS[option] ?? [byDefault];
      if (given === undefined) throw new Error(`no other value for ${option}`);
      const settings = load(withOption(option, given), { [VARIABLE_PREFIX + variable]: text });
      expect([at(settings, option)].flat()).toEqual([given].flat());
    },
  );

  it.each(TABLE)('%s is as good as not set where it is empty', (variable, option, _text, _value, byDefault) => {
    expect(at(load({}, { [VARIABLE_PREFIX + variable]: '' }), option)).toEqual(byDefault);
    expect(at(load(withOption(option, undefined)), option)).toEqual(byDefault);
  });

  it('are those of the table, and set the options that the table names', () => {
    const known = new Map(VARIABLES.map(([variable, option]) => [variable, option]));
    for (const [variable, option] of TABLE) expect([variable, known.get(variable)]).toEqual([variable, option]);
    const elsewhere = ['JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEYS', 'SIGN_UP', 'USER_STORE', 'TOTP', 'FIRST_ADMIN'];
    const pages = ['PAGES', 'PUBLIC_URL', 'EMAIL_LINK', 'COOKIE_ACCESS_TOKEN'];
    const named = new Set([...TABLE.map(([variable]) => variable), ...elsewhere, ...pages]);
    expect(VARIABLES.map(([variable]) => variable).filter((variable) => !named.has(variable))).toEqual([]);
  });

  it('hold PEM keys on several lines, or on one with \\n', () => {
    const keys = {
      JWT_PRIVATE_KEY: pem(rsa.privateKey),
      JWT_PUBLIC_KEYS: [pem(rsa.publicKey), pem(pssFree())].join('\n'),
    };
    for (const bend of [(text: string) => text, (text: string) => text.replaceAll('\n', '\\n')]) {
      const settings = load(
        {},
        {
          [`${VARIABLE_PREFIX}JWT_ALGORITHM`]: 'RS256',
          [`${VARIABLE_PREFIX}JWT_PRIVATE_KEY`]: bend(keys.JWT_PRIVATE_KEY),
          [`${VARIABLE_PREFIX}JWT_PUBLIC_KEYS`]: bend(keys.JWT_PUBLIC_KEYS),
        },
      );
      expect(settings.jwt.signingKey?.equals(rsa.privateKey)).toBe(true);
      expect(settings.jwt.verificationKeys.length).toBeGreaterThanOrEqual(2);
    }
  });

  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['yes', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['off', false],
  ])('hold yes or no as %j', (text, value) => {
    expect(load({}, { [`${VARIABLE_PREFIX}DISABLE_LOCAL_AUTH`]: text }).magicOtp).toBe(value);
  });

  it.each([
    ['DISABLE_LOCAL_AUTH', 'maybe', 'magicOtp'],
    ['SMTP_PORT', 'smtp', 'email.smtp.port'],
    ['SMTP_PORT', ' ', 'email.smtp.port'],
    ['SMTP_PORT', '0x19', 'email.smtp.port'],
    ['OTP_LENGTH', '6.5', 'otp.length'],
    ['OTP_LENGTH', '6 digits', 'otp.length'],
    ['OTP_EXPIRY_SECONDS', '5m', 'otp.expirySeconds'],
    ['OTP_MAX_ATTEMPTS', 'NaN', 'otp.maxAttempts'],
    ['OTP_MAX_ATTEMPTS', 'Infinity', 'otp.maxAttempts'],
    ['COOKIE_SECURE', 'sometimes', 'cookie.secure'],
    ['COOKIE_SAME_SITE', 'Lax-ish', 'cookie.sameSite'],
    ['ALLOWED_ORIGINS', 'https://a.example,', 'allowedOrigins.1'],
    ['ALLOWED_ORIGINS', '*', 'allowedOrigins.0'],
    ['JWT_SECRET', `${'x'.repeat(32)},`, 'jwt.secret'],
    ['REDIS_URL', 'localhost:6379', 'redis'],
    ['MAIL_FROM', 'Shop <shop@example.com>', 'email.from'],
  ])('%s=%j is refused, by the names of the variable and of the option', (variable, text, option) => {
    const env = { [VARIABLE_PREFIX + variable]: text };
    expect(refusedPaths({}, env)).toEqual([option]);
    expect(refusal({}, env).message).toContain(`(${VARIABLE_PREFIX}${variable})`);
  });

  it('are read when the factory is called', () => {
    const name = `${VARIABLE_PREFIX}OTP_LENGTH`;
    process.env[name] = 'six';
    try {
      expect(() => otpAuth({ redis: 'memory:' })).toThrow(`otp.length (${name})`);
    } finally {
      delete process.env[name];
    }
  });
});

describe('defaults that follow from other settings', () => {
  it('email.from is the SMTP username if that is an address', () => {
    expect(load(withOption('email.smtp.username', 'Shop@Example.com')).email.from).toBe('shop@example.com');
    expect(load(withOption('email.smtp.username', 'apikey')).email.from).toBe('no-reply@localhost');
  });

  it('email.smtp.secure is true on port 465', () => {
    expect(load(withOption('email.smtp.port', 465)).email.smtp.secure).toBe(true);
    expect(load({ email: { smtp: { port: 465, secure: false } } }).email.smtp.secure).toBe(false);
    expect(load(withOption('email.smtp.port', 587)).email.smtp.secure).toBe(false);
  });

  it('cookie.secure is true in production', () => {
    expect(load(GOOD_IN_PRODUCTION, PRODUCTION).cookie.secure).toBe(true);
    expect(load({ ...GOOD_IN_PRODUCTION, cookie: { secure: 'auto' } }, PRODUCTION).cookie.secure).toBe('auto');
    expect(load().cookie.secure).toBe('auto');
  });
});

describe('an option out of its bounds', () => {
  it.each<[string, unknown[], unknown[]]>([
    ['otp.length', [5, 11, 6.5, '6', null, Number.NaN], [6, 10]],
    ['otp.expirySeconds', [29, 601, 0, -1], [30, 600]],
    ['otp.maxAttempts', [0, 11], [1, 10]],
    ['otp.liveCodes', [0, 4], [1, 3]],
    ['otp.resendCooldownSeconds', [-1, 0.5], [0, 60, 86_400]],
    ['jwt.refreshGraceSeconds', [-1, 61], [0, 60]],
    ['jwt.accessTokenMinutes', [0, -1, 0.5], [1, 60, 8 * 1440]],
    ['jwt.refreshTokenDays', [0, '7'], [1, 30, 400]],
    ['jwt.sessionMaxDays', [0], [1, 90]],
    // So high that it is as good as none: for tests of applications.
    ['limits.sendsPerHour', [0, -1, 1.5, '10', Number.POSITIVE_INFINITY], [1, 1_000_000]],
    ['limits.sendsPerDay', [0], [1, 1_000_000]],
    ['limits.secondFactorFailuresPerDay', [0], [1, 1_000_000]],
    ['limits.smsPerHour', [0], [1, 1_000_000]],
    ['limits.requestsPerIpPerMinute', [0], [1, 1_000_000]],
    ['storeTimeoutMs', [0, -1, '1000'], [100, 1000]],
    ['recentSeconds', [0, -1], [1, 600]],
    ['email.smtp.port', [0, 65_536, '25'], [1, 65_535]],
    ['email.smtp.secure', ['yes', 'STARTTLS', 1], [true, false, 'required']],
    [
      'email.from',
      ['a@example.com, b@example.com', 'Shop <a@example.com>', 'a@example.com\r\nBcc: b@example.com', 'nobody', ''],
      ['a@example.com'],
    ],
    ['email.fromName', ['Shop\r\nBcc: b@example.com', '', 5], ['Shop, Ltd. <x>']],
    ['email.send', ['send', {}], []],
    ['email.transport', [{}, 'smtp://localhost'], [{ sendMail: async () => {} }]],
    ['delivery', ['later', true], ['await', 'background']],
    ['cookie.name', ['a b', 'a;b', 'a=b', '', 'naïve', 'a\r\nb'], ['rt', '__Host-rt2'].slice(0, 1)],
    ['cookie.secure', ['yes', 0], [true, 'auto']],
    ['cookie.sameSite', ['Lax', 'None', true], ['lax', 'strict']],
    ['cookie.domain', ['https://example.com', 'a b', 'example.com; Secure', ''], ['example.com', '.example.com']],
    ['cookie.path', ['auth', '/a;b', '/a\r\nb', ''], ['/', '/auth']],
    [
      'allowedOrigins',
      [
        'https://a.example',
        ['a.example'],
        ['https://a.example/path'],
        ['*'],
        ['null'],
        ['file:///x'],
        ['https://user@a.example'],
      ],
      [['https://a.example']],
    ],
    ['redis', ['http://localhost', '', 6379, {}, null, 'memory'], ['redis://h', 'rediss://h', 'memory:']],
    ['otp.keyPrefix', ['{x}', 'a b', 'x'.repeat(65)], ['', 'a:b:']],
    ['jwt.algorithm', ['none', 'HS1', 'EdDSA', 'hs256'], ['HS256', 'HS384', 'HS512']],
    ['jwt.issuer', ['', 5], ['x']],
    ['claims', [{}, 'x'], [() => ({})]],
    ['logger', [{ warn: () => {} }, 'console'], [console]],
    ['clock', [Date.now, {}], [{ now: Date.now }]],
    ['magicOtp', ['true', 1], [true, false]],
    ['revocation', ['pull', true], ['check']],
  ])('is refused: %s', (option, bad, good) => {
    for (const value of bad) {
      const paths = refusedPaths(withOption(option, value));
      expect(paths).toHaveLength(1);
      expect(paths[0]).toMatch(new RegExp(`^${option.replaceAll('.', '\\.')}(?:$|\\.)`));
    }
    for (const value of good) expect(() => load(withOption(option, value))).not.toThrow();
  });
});

describe('the message about an option of the wrong kind', () => {
  const aCodeUntil = (expiresAt?: unknown) => ({
    reviewCodes: [{ identifier: 'a@example.com', code: '123456', expiresAt }],
  });
  const sms = { send: () => {} };

  it.each<[object, string]>([
    [
      { redis: 5 },
      "redis (EXPRESS_OTP_AUTH_REDIS_URL): must be a redis:// or rediss:// URL, an ioredis client, or 'memory:'",
    ],
    [{ redis: {} }, "must be a redis:// or rediss:// URL, an ioredis client, or 'memory:'"],
    [{ redis: 'http://localhost' }, "must be a redis:// or rediss:// URL, an ioredis client, or 'memory:'"],
    [aCodeUntil('x'), 'reviewCodes.0.expiresAt: must be a valid date'],
    [aCodeUntil(), 'reviewCodes.0.expiresAt: must be a valid date'],
    [{ sms }, 'sms.allowedCountries: is required: a list of countries such as ["DE"]'],
    [{ sms: { ...sms, allowedCountries: 'DE' } }, 'a list of countries such as ["DE"]'],
    [{ users: 'redis' }, 'users: must be { store, firstAdmin }'],
    [{ allowedOrigins: 'https://a.example' }, "must be a list such as ['https://app.example.com']"],
  ])('says what it has to be: %j', (options, message) => {
    expect(refusal(options).message).toContain(message);
    expect(refusal(options).message).not.toMatch(/Invalid input|expected/);
  });
});

describe('unknown options', () => {
  it('are refused at every depth, all of them', () => {
    const paths = refusedPaths({
      optLength: 6,
      otp: { lenght: 6, expiry: 5 },
      email: { smtp: { hostname: 'x' }, smpt: {} },
      jwt: { secert: SECRET },
      cookie: { httpOnly: false },
      limits: { sendsPerMinute: 1 },
    });
    expect(paths.toSorted()).toEqual(
      [
        'cookie.httpOnly',
        'email.smpt',
        'email.smtp.hostname',
        'jwt.secert',
        'limits.sendsPerMinute',
        'optLength',
        'otp.expiry',
        'otp.lenght',
      ].toSorted(),
    );
  });

  it.each(['x', 5, true, [], () => {}, null])('and %j instead of options', (options) => {
    expect(refusal(options).code).toBe('config_invalid');
  });

  it.each(['email', 'otp', 'jwt', 'cookie', 'limits'])('and what is no group in the place of %s', (group) => {
    const everyVariable = Object.fromEntries(TABLE.map(([variable, , text]) => [VARIABLE_PREFIX + variable, text]));
    for (const value of ['x', 5, true, []]) expect(refusedPaths({ [group]: value }, everyVariable)).toEqual([group]);
  });
});

describe('the options that were handed over', () => {
  it('are left as they are, and may be frozen', () => {
    const options = Object.freeze({
      otp: Object.freeze({ length: 8 }),
      jwt: Object.freeze({ secret: Object.freeze([SECRET]) }),
    });
    const before = JSON.stringify(options);
    const env = { [`${VARIABLE_PREFIX}OTP_MAX_ATTEMPTS`]: '3', [`${VARIABLE_PREFIX}SMTP_PORT`]: '25' };
    const settings = load(options, env);
    expect([settings.otp.length, settings.otp.maxAttempts, settings.email.smtp.port]).toEqual([8, 3, 25]);
    expect(JSON.stringify(options)).toBe(before);
  });

  it('keep clients, stores, functions and loggers as the very objects that they are', () => {
    const redis = new Redis({ lazyConnect: true });
    closeAfterFile(() => redis.disconnect());
    const [store, logger, send] = [memoryStore(), console, () => {}];
    expect(load({ redis }).redis).toBe(redis);
    const settings = load({ store, logger, email: { send } });
    expect(settings.store).toBe(store);
    expect(settings.logger).toBe(logger);
    expect(settings.email.send).toBe(send);
  });
});

describe('start-up refuses, in any environment,', () => {
  it.each<[string, unknown, string[]]>([
    ['an HMAC secret under 32 bytes', { jwt: { secret: 'x'.repeat(31) } }, ['jwt.secret']],
    ['one such secret among others', { jwt: { secret: [SECRET, 'x'.repeat(31)] } }, ['jwt.secret']],
    ['an empty secret', { jwt: { secret: '' } }, ['jwt.secret']],
    ['an empty list of secrets', { jwt: { secret: [] } }, ['jwt.secret']],
    ['a secret that is no text', { jwt: { secret: Buffer.alloc(32) } }, ['jwt.secret']],
    ['a PEM key for a secret', { jwt: { secret: pem(rsa.publicKey) } }, ['jwt.secret']],
    ['HS256 with a private key', { jwt: { secret: SECRET, privateKey: pem(rsa.privateKey) } }, ['jwt.privateKey']],
    ['HS256 with public keys', { jwt: { secret: SECRET, publicKeys: [pem(rsa.publicKey)] } }, ['jwt.publicKeys']],
    ['RS256 without a key', { jwt: { algorithm: 'RS256' } }, ['jwt.privateKey']],
    [
      'RS256 with a public key in the private one’s place',
      { jwt: { algorithm: 'RS256', privateKey: pem(rsa.publicKey) } },
      ['jwt.privateKey'],
    ],
    [
      'RS256 with a key of 1024 bits',
      { jwt: { algorithm: 'RS256', privateKey: pem(smallRsa.privateKey) } },
      ['jwt.privateKey'],
    ],
    [
      'RS256 with a key for PSS alone',
      { jwt: { algorithm: 'RS256', privateKey: pem(pss.privateKey) } },
      ['jwt.privateKey'],
    ],
    ['RS256 with an EC key', { jwt: { algorithm: 'RS256', privateKey: pem(p256.privateKey) } }, ['jwt.privateKey']],
    ['PS256 with an EC key', { jwt: { algorithm: 'PS256', privateKey: pem(p256.privateKey) } }, ['jwt.privateKey']],
    ['ES256 with an RSA key', { jwt: { algorithm: 'ES256', privateKey: pem(rsa.privateKey) } }, ['jwt.privateKey']],
    [
      'ES256 with a key of another curve',
      { jwt: { algorithm: 'ES256', privateKey: pem(p384.privateKey) } },
      ['jwt.privateKey'],
    ],
    [
      'ES256 with a key of Bitcoin’s curve',
      { jwt: { algorithm: 'ES256', privateKey: pem(secp256k1.privateKey) } },
      ['jwt.privateKey'],
    ],
    [
      'ES384 with a key of another curve',
      { jwt: { algorithm: 'ES384', privateKey: pem(p256.privateKey) } },
      ['jwt.privateKey'],
    ],
    [
      'ES512 with a key of another curve',
      { jwt: { algorithm: 'ES512', privateKey: pem(p384.privateKey) } },
      ['jwt.privateKey'],
    ],
    [
      'ES256 with an Ed25519 key',
      { jwt: { algorithm: 'ES256', privateKey: pem(ed25519.privateKey) } },
      ['jwt.privateKey'],
    ],
    ['a key that is no PEM', { jwt: { algorithm: 'RS256', privateKey: 'MIIE' } }, ['jwt.privateKey']],
    [
      'a further key that does not fit',
      { jwt: { algorithm: 'RS256', privateKey: pem(rsa.privateKey), publicKeys: [pem(p256.publicKey)] } },
      ['jwt.publicKeys'],
    ],
    [
      'a further key that is none',
      { jwt: { algorithm: 'RS256', privateKey: pem(rsa.privateKey), publicKeys: 'x' } },
      ['jwt.publicKeys'],
    ],
    [
      'a cookie with sameSite none and secure false',
      { cookie: { sameSite: 'none', secure: false } },
      ['cookie.sameSite'],
    ],
    [
      'a cookie with sameSite none and secure auto',
      { cookie: { sameSite: 'none', secure: 'auto' } },
      ['cookie.sameSite'],
    ],
    ['a cookie with sameSite none and nothing said of secure', { cookie: { sameSite: 'none' } }, ['cookie.sameSite']],
    [
      'a review code of another length',
      { reviewCodes: [{ identifier: 'a@example.com', code: '1234', expiresAt: 0 }] },
      ['reviewCodes.0.code'],
    ],
    [
      'a review code that is no digits',
      { reviewCodes: [{ identifier: 'a@example.com', code: 'abcdef', expiresAt: 0 }] },
      ['reviewCodes.0.code'],
    ],
    [
      'a review code of nobody',
      { reviewCodes: [{ identifier: 'a', code: '123456', expiresAt: 0 }] },
      ['reviewCodes.0.identifier'],
    ],
    [
      'a review code without an end',
      { reviewCodes: [{ identifier: 'a@example.com', code: '123456' }] },
      ['reviewCodes.0.expiresAt'],
    ],
    [
      'a review code with no time as its end',
      { reviewCodes: [{ identifier: 'a@example.com', code: '123456', expiresAt: 'soon' }] },
      ['reviewCodes.0.expiresAt'],
    ],
    [
      'odds of guessing above limits.maxOddsPerYear',
      { limits: { failuresPerDay: 1_000_000, sendsPerDay: 1000, sendsPerHour: 1000 } },
      ['limits.maxOddsPerYear'],
    ],
  ])('%s', (_what, options, paths) => {
    expect(refusedPaths(options)).toEqual(paths);
  });

  it.each<[string, KeyObject]>([
    ['RS256', rsa.privateKey],
    ['RS384', rsa.privateKey],
    ['RS512', rsa.privateKey],
    ['PS256', rsa.privateKey],
    ['PS384', rsa.privateKey],
    ['PS512', rsa.privateKey],
    ['ES256', p256.privateKey],
    ['ES384', p384.privateKey],
    ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ])('and accepts %s with a key that fits', (algorithm, key) => {
    expect(() => load({ jwt: { algorithm, privateKey: pem(key) } })).not.toThrow();
  });

  it('a Cluster client that reads what replicas know', () => {
    const clusterWith = (scaleReads: 'all' | 'master') =>
      new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true, scaleReads });
    expect(refusedPaths({ redis: clusterWith('all') })).toEqual(['redis']);
    expect(() => load({ redis: clusterWith('master') })).not.toThrow();
  });

  it('and accepts secrets of 32 bytes, whatever characters these are', () => {
    for (const secret of ['x'.repeat(32), 'ü'.repeat(16), [SECRET, OTHER_SECRET]])
      expect(() => load({ jwt: { secret } })).not.toThrow();
  });
});

describe('start-up refuses, with NODE_ENV=production,', () => {
  it.each<[string, OtpAuthOptions, string]>([
    ['a missing secret', {}, 'jwt.secret'],
    [
      'a missing secret, with an asymmetric algorithm too',
      { jwt: { algorithm: 'RS256', privateKey: pem(rsa.privateKey) } },
      'jwt.secret',
    ],
    ['change-me-in-production', { jwt: { secret: 'change-me-in-production' } }, 'jwt.secret'],
    ['change-me-in-production among others', { jwt: { secret: [SECRET, 'change-me-in-production'] } }, 'jwt.secret'],
    ['magic codes', { ...GOOD_IN_PRODUCTION, magicOtp: true }, 'magicOtp'],
    ["'memory:'", { ...GOOD_IN_PRODUCTION, redis: 'memory:' }, 'redis'],
    [
      "'memory:' with allowMemoryInProduction: false",
      { ...GOOD_IN_PRODUCTION, redis: 'memory:', allowMemoryInProduction: false },
      'redis',
    ],
    ['cookie.secure: false', { ...GOOD_IN_PRODUCTION, cookie: { secure: false } }, 'cookie.secure'],
  ])('%s', (_what, options, path) => {
    expect(refusedPaths(options, PRODUCTION)).toEqual([path]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['magic codes', { DISABLE_LOCAL_AUTH: '1' }, 'magicOtp'],
    ["'memory:'", { REDIS_URL: 'memory:' }, 'redis'],
    ['cookie.secure: false', { COOKIE_SECURE: 'false' }, 'cookie.secure'],
    ['a short secret', { JWT_SECRET: 'short' }, 'jwt.secret'],
  ])('%s from a variable', (_what, variables, path) => {
    const named = Object.entries({ JWT_SECRET: SECRET.replaceAll(',', ';'), ...variables });
    const env = Object.fromEntries(named.map(([name, text]) => [VARIABLE_PREFIX + name, text]));
    expect(refusedPaths({}, { ...PRODUCTION, ...env })).toEqual([path]);
  });

  it('and nothing of that elsewhere', () => {
    for (const NODE_ENV of ['development', 'test', 'Production', 'staging'])
      expect(() => load({ redis: 'memory:', magicOtp: true, cookie: { secure: false } }, { NODE_ENV })).not.toThrow();
  });

  it("and accepts 'memory:' with allowMemoryInProduction: true", () => {
    expect(load({ ...GOOD_IN_PRODUCTION, redis: 'memory:', allowMemoryInProduction: true }, PRODUCTION).redis).toBe(
      'memory:',
    );
  });
});

describe('a bad configuration', () => {
  it('is told of whole: every problem, each with its option and its variable, in one error', () => {
    const options = {
      unknown: 1,
      redis: 'memory:',
      magicOtp: true,
      otp: { length: 5, expirySeconds: 'soon' },
      jwt: { secret: 'short', algorithm: 'ES256', privateKey: 'x' },
      cookie: { secure: false, sameSite: 'none', name: 'a b' },
      email: { from: 'nobody', smtp: { port: 0 } },
      reviewCodes: [{ identifier: 'a', code: '12345', expiresAt: 0 }],
      allowedOrigins: ['*'],
      limits: { sendsPerHour: 0 },
    };
    const { message, details, code, name } = refusal(options, PRODUCTION);
    expect([name, code]).toEqual(['OtpAuthError', 'config_invalid']);
    const expected = [
      'unknown',
      'redis',
      'magicOtp',
      'otp.length',
      'otp.expirySeconds',
      'jwt.secret',
      'jwt.privateKey',
      'cookie.secure',
      'cookie.sameSite',
      'cookie.name',
      'email.from',
      'email.smtp.port',
      'reviewCodes.0.identifier',
      'allowedOrigins.0',
      'limits.sendsPerHour',
    ];
    const paths = new Set(details.errors?.map(({ path }) => path));
    expect([...paths].toSorted()).toEqual(expected.toSorted());
    const variables = new Map(VARIABLES.map(([variable, option]) => [option, variable]));
    for (const path of expected) {
      const variable = variables.get(path) ?? variables.get(path.replace(/\.\d+$/, ''));
      const line = message
        .split('\n')
        .find((each) => each.trim().startsWith(`${path} `) || each.trim().startsWith(`${path}:`));
      expect(line).toBeDefined();
      if (variable !== undefined) expect(line).toContain(`(${VARIABLE_PREFIX}${variable})`);
    }
  });

  it('is told of without the values: they may be secrets', () => {
    const { message } = refusal({
      jwt: { secret: 'hunter2', privateKey: 'hunter3', algorithm: 'hunter4' },
      redis: 'http://:hunter5@cache',
      email: { smtp: { password: 5, username: '' }, from: 'hunter6' },
    });
    expect(message).not.toMatch(/hunter/);
  });

  it('is refused by the factory before anything is opened', () => {
    expect(() => otpAuth({ otp: { length: 3 } })).toThrow(
      expect.objectContaining({ name: 'OtpAuthError', code: 'config_invalid' }) as Error,
    );
  });
});

/** Values that differ from what the table's text says. */
const OTHERS: Record<string, [unknown]> = {
  'email.smtp.username': ['another'],
  'email.smtp.password': ['another'],
  'email.smtp.secure': [true],
  'email.from': ['another@example.com'],
  'jwt.secret': [['x'.repeat(40)]],
  'jwt.issuer': ['another'],
  'jwt.audience': ['another'],
  'cookie.domain': ['another.example'],
};

/** Another RSA key that fits. */
function pssFree(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
}
