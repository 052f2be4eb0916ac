import type { Random } from './fuzz-random.js';

/** What somebody who means no good may have got hold of. */
export interface Loot {
  emails: readonly string[];
  phoneNumbers: readonly string[];
  codes: readonly string[];
  accessTokens: readonly string[];
  refreshTokens: readonly string[];
  deviceTokens: readonly string[];
  /** Of users and sessions. */
  ids: readonly string[];
}

const TEXTS = [
  '',
  ' ',
  '\0',
  'null',
  'undefined',
  'NaN',
  '__proto__',
  'constructor',
  '../../../../etc/passwd',
  '%00',
  '%s%n%x',
  '${7*7}{{7*7}}<%= 7*7 %>',
  '<script>alert(1)</script>',
  "' OR '1'='1' --",
  '*/ EVAL "return 1" 0',
  '\r\nSet-Cookie: refresh_token=planted',
  '\ud800 half a pair',
  '\u202egnp.exe',
  'ﬀ İ ẞ ŉ',
  '𝟎𝟏𝟐𝟑𝟒𝟓',
  '٠١٢٣٤٥',
  '0e123456',
  '-000001',
  '1e5',
  '000000',
  '\t123456\n',
  'j:{"refresh_token":"x"}',
  's:x.y',
  'a'.repeat(300),
  'é'.repeat(2_000),
  '('.repeat(500),
];

const EMAILS = [
  'a@b',
  'a@@example.com',
  'jo@example.com,eve@example.com',
  'jo@example.com;eve@example.com',
  'jo@example.com\r\nBcc: eve@example.com',
  '"jo"@example.com',
  'Jo <jo@example.com>',
  'group: jo@example.com, eve@example.com;',
  'jo(comment)@example.com',
  'jo@[127.0.0.1]',
  'jo@exämple.com',
  'jo@xn--exmple-cua.com',
  'jo@example.com.',
  '.jo@example.com',
  'jo..jo@example.com',
  'JO@EXAMPLE.COM',
  'jo+tag@example.com',
  'jo%40example.com@evil.example',
  `${'a'.repeat(250)}@example.com`,
  `${'a@'.repeat(200)}example.com`,
  `a@${'a.'.repeat(200)}com`,
  'jo\0@example.com',
  'јо@example.com',
  'jo@example.com\u200b',
];

const PHONE_NUMBERS = [
  '+',
  '+0',
  '+4915112345678',
  '0151 12345678',
  '+49 (151) 1234',
  '+999999999999999999',
  'tel:+1',
  '１２３',
  '+1;ext=1',
];

/** One token, a little changed, or one of another make altogether. */
export function hostileToken(random: Random, { accessTokens, refreshTokens, deviceTokens }: Loot): string {
  const token = random.pick([...accessTokens, ...refreshTokens, ...deviceTokens, 'x.y.z']);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return random.pick<() => string>([
    () => token,
    () => token,
    () => flipOne(random, token),
    () => token.slice(0, random.int(token.length)),
    () => `${token}${random.pick(['=', '.', '.x', '\u00e9', 'A'])}`,
    () => `${json({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    () =>
      `${json({ alg: 'HS256', typ: 'at+jwt', kid: random.pick(['', '__proto__', '../key', 'x'.repeat(999)]) })}.${payload}.${signature}`,
    () =>
      `${json({ alg: 'HS256', typ: 'at+jwt', crit: ['exp'], jku: 'https://evil.example/jwks' })}.${payload}.${signature}`,
    () => `${header}.${json(hostileValue(random, { depth: 2 }))}.${signature}`,
    () => `${header}.${Buffer.from('{"sub":"\\ud800","exp":1e999}').toString('base64url')}.${signature}`,
    () => `${header}.${payload}.${payload}`,
    () => '.'.repeat(random.int(9_000)),
    () => `${'A'.repeat(random.int(9_000))}.B.C`,
    () => random.pick(TEXTS),
  ])();
}

/** What a field of this name may hold in a good request, or may be mistaken to. */
export function likelyValue(random: Random, name: string, loot: Loot): unknown {
  const flag = () => random.chance(0.5);
  switch (name) {
    case 'email':
      return random.chance(0.7) ? random.pick(loot.emails) : random.pick(EMAILS);
    case 'phone_number':
      return random.pick([...loot.phoneNumbers, ...PHONE_NUMBERS]);
    case 'username':
    case 'identifier':
      return random.pick([...loot.emails, ...loot.phoneNumbers, ...EMAILS, ...PHONE_NUMBERS]);
    case 'otp':
    case 'password':
    case 'code':
      return random.pick([...loot.codes, String(random.int(1_000_000)).padStart(6, '0')]);
    case 'refresh_token':
    case 'token':
    case 'mfa_token':
    case 'device_token':
      return hostileToken(random, loot);
    case 'token_transport':
      return random.pick(['cookie', 'body', 'BODY', 'header']);
    case 'grant_type':
      return random.pick(['password', 'refresh_token', 'client_credentials', 'authorization_code', 'toString']);
    case 'roles':
      return random.pick<unknown>([['user'], ['admin'], [], ['admin', 'admin'], 'admin', [['admin']], [1]]);
    case 'disabled':
      return flag();
    case 'locale':
      return random.pick(['en', 'de-DE', 'zz', '__proto__', 'en-US-x-'.repeat(9), '../de']);
    case 'recovery_code':
      return random.pick(['aaaaa-bbbbb', 'AAAAABBBBB', random.pick(TEXTS)]);
    case 'skip':
    case 'limit':
      return random.pick<unknown>([0, 1, -1, 1e9, 1.5, '1', 'x', null]);
    case 'id':
      return random.pick([...loot.ids, ...TEXTS]);
    default:
      return random.pick(TEXTS);
  }
}

/** Anything that JSON can say, and some of what it cannot. */
export function hostileValue(random: Random, { depth }: { depth: number }): unknown {
  const inner = () => hostileValue(random, { depth: depth - 1 });
  const scalar = random.pick<() => unknown>([
    () => null,
    () => random.chance(0.5),
    () => random.pick([0, -0, -1, 1.5, 2 ** 53, 1e308, -1e308, 5e-324, 123456]),
    () => random.pick(TEXTS),
    () => random.pick(EMAILS),
    () => random.pick(PHONE_NUMBERS),
  ]);
  if (depth === 0 || random.chance(0.6)) return scalar();
  return random.pick<() => unknown>([
    () => Array.from({ length: random.int(4) }, inner),
    () => Object.fromEntries(Array.from({ length: random.int(4) }, () => [random.pick(TEXTS), inner()])),
    () => [inner()],
    () => ({ $ne: inner(), $gt: '' }),
    () => Object.fromEntries(['toString', 'valueOf', 'then', 'length'].map((name) => [name, inner()])),
    () => ({ toJSON: inner(), constructor: { prototype: { isAdmin: true } } }),
    // What cannot be compared with a number: whoever tries gets a TypeError.
    () => ({ length: { toString: 0, valueOf: 0 }, size: { toString: 0, valueOf: 0 } }),
  ])();
}

/** Text of any kind, for header fields, paths and query strings. */
export function hostileText(random: Random): string {
  return random.pick([...TEXTS, ...EMAILS]);
}

function flipOne(random: Random, text: string): string {
  const place = random.int(text.length);
  const other = random.pick(['A', 'b', '0', '_', '-', '.', '=', ' ']);
  return text.slice(0, place) + other + text.slice(place + 1);
}
