import { gzipSync } from 'node:zlib';
import type { Random } from './fuzz-random.js';
import { hostileText, hostileToken, hostileValue, likelyValue, type Loot } from './fuzz-values.js';

/** One line of the router's table. */
export interface FuzzRoute {
  /** Lower case. */
  method: string;
  /** As in the table: `/sessions/:id`. */
  path: string;
}

/** A request as it goes over the wire. */
export interface HostileRequest {
  method: string;
  /** With the query string. */
  path: string;
  /** Names may come several times. */
  headers: [name: string, value: string][];
  body: Buffer;
  /** The route that the path is of; `undefined` where it may be of none. */
  route: FuzzRoute | undefined;
  /** What goes over a socket as it is, in place of all the above. */
  raw?: Buffer;
}

export interface Surface {
  mountPath: string;
  routes: readonly FuzzRoute[];
  /** Of the package's cookies. */
  cookieNames: readonly string[];
}

/** Every field that any body has. */
const FIELDS = [
  'email',
  'phone_number',
  'otp',
  'code',
  'username',
  'password',
  'grant_type',
  'refresh_token',
  'token',
  'mfa_token',
  'device_token',
  'token_transport',
  'recovery_code',
  'full_name',
  'roles',
  'disabled',
  'locale',
  'id',
  'skip',
  'limit',
  'query',
  'return_to',
  'scope',
  'client_id',
];
/** By which Object.prototype is reached where a value is merged carelessly. */
const POLLUTION = [
  '{"__proto__":{"roles":["admin"],"isAdmin":true}}',
  '{"constructor":{"prototype":{"roles":["admin"]}}}',
  '{"__proto__":null,"email":"jo@example.com"}',
];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH'];
const LARGEST_BODY_BYTES = 8192;

/** One request that nobody who means well would send: most of it good enough to get far, some of it not. */
export function hostileRequest(random: Random, surface: Surface, loot: Loot): HostileRequest {
  const any = random.pick(surface.routes);
  // Large files, and pictures that take long to draw: seldom, there is nothing new in them.
  const isCostly = any.path.startsWith('/docs/') || any.path === '/totp/enroll';
  const target = isCostly && random.chance(0.9) ? random.pick(surface.routes) : any;
  const isForm = /^\/(?:token|revoke)$/.test(target.path);
  const method = random.chance(0.85) ? target.method.toUpperCase() : random.pick(METHODS);
  const { path, isOwn } = pathOf(random, surface, target, loot);
  const hasBody = random.chance(method === 'GET' || method === 'HEAD' ? 0.1 : 0.93);
  const { body, mediaType } = hasBody ? bodyOf(random, isForm, loot) : { body: Buffer.alloc(0), mediaType: undefined };
  const headers: [string, string][] = [];
  if (mediaType !== undefined) headers.push(['Content-Type', mediaType]);
  headers.push(...headersOf(random, surface, loot));
  if (body.length > 0 && random.chance(0.05)) headers.push(['Transfer-Encoding', 'chunked']);
  else if (body.length > 0) headers.push(['Content-Length', String(body.length)]);
  const request = { method, path, headers, body, route: isOwn ? target : undefined };
  return random.chance(0.04) ? { ...request, raw: rawOf(random, request) } : request;
}

function pathOf(
  random: Random,
  { mountPath }: Surface,
  { path }: FuzzRoute,
  loot: Loot,
): { path: string; isOwn: boolean } {
  let isOwn = true;
  const filled = path.replaceAll(/:\w+/g, () => {
    if (random.chance(0.6) && loot.ids.length > 0) return encodeURIComponent(random.pick(loot.ids));
    const text = hostileText(random).toWellFormed();
    // An empty one, or one with dots that are resolved on the way, makes it another path.
    if (/^\.*$/.test(text) || random.chance(0.3)) {
      isOwn = false;
      return random.pick(['%E0%A4%A', '%', '%00', '..%2f..', '%c0%ae', '.', '', '%2e%2e', 'a/b']);
    }
    return encodeURIComponent(text);
  });
  const query = random.chance(0.15) ? `?${queryOf(random, loot)}` : '';
  if (random.chance(0.95)) return { path: mountPath + filled + query, isOwn };
  const odd = random.pick([
    `${mountPath}/${filled}`,
    `${mountPath}${filled}/`,
    `${mountPath}${filled.toUpperCase()}`,
    `${mountPath}${filled}%00`,
    `${mountPath}${filled}/..${filled}`,
    `${mountPath}//..${filled}`,
    `${mountPath}${filled}%2f`,
    `${mountPath}/%E0%A4%A`,
    `${mountPath}${filled};jsessionid=1`,
    `http://evil.example${mountPath}${filled}`,
    `${mountPath}/__proto__`,
  ]);
  return { path: odd + query, isOwn: false };
}

function queryOf(random: Random, loot: Loot): string {
  const name = random.pick([
    ...FIELDS,
    '__proto__[roles]',
    'constructor[prototype][roles]',
    'a[b][c]',
    'x[]',
    '%',
    'skip',
    'limit',
    'query',
  ]);
  const value = random.pick([
    () => encodeURIComponent(asText(likelyValue(random, name, loot))),
    () => encodeURIComponent(hostileText(random).toWellFormed()),
    () => '%E0%A4%A',
    () => 'a'.repeat(random.int(3_000)),
  ])();
  return Array.from({ length: 1 + random.int(3) }, () => `${name}=${value}`).join('&');
}

function bodyOf(random: Random, isForm: boolean, loot: Loot): { body: Buffer; mediaType: string | undefined } {
  const good = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const mediaType = random.chance(0.93)
    ? good
    : random.pick([
        `${good}; charset=utf-8`,
        `${good}; charset=utf-16le`,
        `${good}; charset=utf-7`,
        `${good}; charset=${'x'.repeat(200)}`,
        'application/json, application/x-www-form-urlencoded',
        'application/problem+json',
        'multipart/form-data; boundary=x',
        'text/plain',
        'application/xml',
        '*/*',
        '/',
        '',
        undefined,
      ]);
  const text = (random.chance(isForm ? 0.1 : 0.02) ? !isForm : isForm)
    ? formText(random, loot)
    : jsonText(random, loot);
  const bytes = Buffer.from(text);
  const body = random.chance(0.92)
    ? bytes
    : random.pick<() => Buffer>([
        () => bytes.subarray(0, random.int(bytes.length + 1)),
        () => Buffer.concat([Buffer.from('\ufeff'), bytes]),
        () => Buffer.from(text, 'utf16le'),
        () => Buffer.concat([bytes, Buffer.from([0xff, 0xfe, 0xc3, 0x28])]),
        () => brokenUtf8(random, bytes),
        () => gzipSync(bytes),
        () => Buffer.concat([bytes, bytes]),
        () =>
          Buffer.concat([bytes, Buffer.alloc(Math.max(0, LARGEST_BODY_BYTES - bytes.length + random.int(3) - 1), ' ')]),
        () => Buffer.alloc(LARGEST_BODY_BYTES + random.int(20_000), '[{"a":'),
      ])();
  return { body, mediaType };
}

function jsonText(random: Random, loot: Loot): string {
  if (random.chance(0.03)) return random.pick(POLLUTION);
  if (random.chance(0.04)) return JSON.stringify(hostileValue(random, { depth: 4 })) ?? '';
  if (random.chance(0.02)) return '['.repeat(random.int(8_000));
  if (random.chance(0.01)) return `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  if (random.chance(0.02)) return `{"email":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}}`;
  if (random.chance(0.02)) return '{"email":"jo@example.com","email":"eve@example.com","otp":1e999,"otp":-0}';
  return JSON.stringify(fieldsOf(random, loot));
}

function formText(random: Random, loot: Loot): string {
  if (random.chance(0.03))
    return random.pick(['grant_type[]=password', '__proto__[grant_type]=password', '&'.repeat(2_000), '%E0%A4%A=%']);
  const entries = Object.entries(fieldsOf(random, loot)).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(asText(value))}`,
  );
  return random.chance(0.05) ? [...entries, ...entries].join('&') : entries.join('&');
}

function asText(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed();
}

/** Fields that belong together more often than not, most of them likely. */
function fieldsOf(random: Random, loot: Loot): Record<string, unknown> {
  const names = random.pick([
    ['email'],
    ['phone_number'],
    ['email', 'otp'],
    ['email', 'otp', 'token_transport', 'device_token'],
    ['phone_number', 'otp'],
    ['refresh_token'],
    ['grant_type', 'username', 'password'],
    ['grant_type', 'refresh_token'],
    ['token'],
    ['mfa_token', 'code'],
    ['mfa_token', 'recovery_code'],
    ['code'],
    ['full_name'],
    ['email', 'full_name', 'roles', 'disabled'],
    Array.from({ length: random.int(6) }, () => random.pick(FIELDS)),
    FIELDS,
  ]);
  const chosen = random.chance(0.2) ? [...names, random.pick(FIELDS)] : names;
  return Object.fromEntries(
    chosen.map((name) => [
      name,
      random.chance(0.8) ? likelyValue(random, name, loot) : hostileValue(random, { depth: random.int(3) }),
    ]),
  );
}

function headersOf(random: Random, { cookieNames }: Surface, loot: Loot): [string, string][] {
  const headers: [string, string][] = [];
  const add = (probability: number, name: string, value: () => string) => {
    if (random.chance(probability)) headers.push([name, fieldValue(value())]);
  };
  add(0.35, 'Authorization', () => `Bearer ${random.pick(loot.accessTokens)}`);
  add(0.15, 'Authorization', () => authorization(random, loot));
  add(0.3, 'Cookie', () => cookies(random, cookieNames, loot));
  add(0.03, 'Cookie', () => cookies(random, cookieNames, loot));
  add(0.1, 'Origin', () =>
    random.pick(['null', 'https://evil.example', 'http://127.0.0.1', '', 'x', 'http://[', hostileText(random)]),
  );
  add(0.1, 'Sec-Fetch-Site', () =>
    random.pick(['cross-site', 'same-origin', 'same-site', 'none', 'CROSS-SITE', hostileText(random)]),
  );
  add(0.08, 'X-Forwarded-For', () =>
    random.pick(['1.2.3.4', '::1', '::ffff:1.2.3.4', '1.2.3.4, 5.6.7.8', 'x'.repeat(500), hostileText(random)]),
  );
  add(0.05, 'X-Forwarded-Host', () => hostileText(random));
  add(0.05, 'X-Forwarded-Proto', () => random.pick(['https', 'javascript', hostileText(random)]));
  add(0.08, 'Accept', () => random.pick(['*/*', 'text/html', 'application/json;q=0', '/', hostileText(random)]));
  add(0.06, 'Accept-Language', () => random.pick(['de', 'xx-'.repeat(200), '*', ';q=;q=', hostileText(random)]));
  add(0.06, 'User-Agent', () => random.pick(['', 'x'.repeat(5_000), hostileText(random)]));
  add(0.03, 'Content-Encoding', () => random.pick(['gzip', 'br', 'identity', 'x', hostileText(random)]));
  add(0.02, 'If-None-Match', () => '*');
  add(0.02, 'Range', () => 'bytes=0-0,5-');
  add(0.02, 'X-HTTP-Method-Override', () => 'DELETE');
  add(
    0.02,
    hostileText(random)
      .replaceAll(/[^\w-]/g, '')
      .slice(0, 60) || 'X',
    () => hostileText(random),
  );
  add(0.01, 'X-Long', () => 'a'.repeat(random.int(20_000)));
  return headers;
}

function authorization(random: Random, loot: Loot): string {
  const token = hostileToken(random, loot);
  return random.pick([
    `Bearer ${token}`,
    `bearer   ${token}  `,
    `Bearer ${token} ${token}`,
    `Bearer,${token}`,
    `Basic ${Buffer.from(`admin:${token.slice(0, 20)}`).toString('base64')}`,
    `Digest username="${token.slice(0, 30)}"`,
    'Bearer',
    'Bearer ',
    token,
  ]);
}

function cookies(random: Random, names: readonly string[], loot: Loot): string {
  const one = () => {
    const name = random.pick([
      ...names,
      ...names.map((each) => each.toUpperCase()),
      '__proto__',
      'constructor',
      '',
      'x',
    ]);
    const value = random.pick([
      () => hostileToken(random, loot),
      () => `j:${JSON.stringify({ refresh_token: hostileToken(random, loot) })}`,
      () => `"${hostileToken(random, loot)}"`,
      () => '%E0%A4%A',
      () => hostileText(random),
    ])();
    return random.chance(0.95) ? `${name}=${value}` : name;
  };
  return Array.from({ length: 1 + random.int(random.chance(0.05) ? 60 : 3) }, one).join(
    random.pick(['; ', '; ', ';', ', ']),
  );
}

/** Node sends no others itself. */
function fieldValue(text: string): string {
  return Buffer.from(text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?'), 'latin1')
    .toString('latin1')
    .slice(0, 15_000);
}

function brokenUtf8(random: Random, bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes);
  if (broken.length > 0) broken[random.int(broken.length)] = random.pick([0x80, 0xc0, 0xff, 0xf5, 0xed]);
  return broken;
}

/** What a client library would not send. */
function rawOf(random: Random, { method, path, headers, body }: Omit<HostileRequest, 'route'>): Buffer {
  const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1');
  const start = Buffer.from(`${method} ${path.replaceAll(' ', '%20')} HTTP/1.1\r\nHost: 127.0.0.1\r\n`, 'latin1');
  const close = line('Connection: close');
  const fields = headers.filter(([name]) => !/^(?:transfer-encoding|content-length)$/i.test(name));
  const sent = Buffer.concat(fields.map(([name, value]) => line(`${name}: ${value}`)));
  const length = line(`Content-Length: ${body.length}`);
  const end = line('');
  return random.pick<() => Buffer>([
    // Fields that come twice, or that do not go together.
    () => Buffer.concat([start, sent, sent, length, close, end, body]),
    () => Buffer.concat([start, sent, length, line(`Content-Length: ${body.length + 5}`), close, end, body]),
    () => Buffer.concat([start, sent, length, line('Transfer-Encoding: chunked'), close, end, body]),
    () => Buffer.concat([start, sent, line('Transfer-Encoding: chunked, identity'), close, end, body]),
    () => Buffer.concat([start, sent, line('Content-Length: -1'), close, end, body]),
    () => Buffer.concat([start, sent, line('Content-Length: 99999999999999999999'), close, end, body]),
    // Less, or more, than was announced.
    () => Buffer.concat([start, sent, line(`Content-Length: ${body.length + 10}`), close, end, body]),
    () => Buffer.concat([start, sent, line('Content-Length: 1'), close, end, body]),
    // Pieces that are none.
    () => Buffer.concat([start, sent, line('Transfer-Encoding: chunked'), close, end, line('zz'), body]),
    () => Buffer.concat([start, sent, line('Transfer-Encoding: chunked'), close, end, line('ffffffffffff'), body]),
    () =>
      Buffer.concat([
        start,
        sent,
        line('Transfer-Encoding: chunked'),
        close,
        end,
        line(`${body.length.toString(16)};x=y`),
        body,
        line(''),
        line('0'),
        line('X-Trailer: x'),
        end,
      ]),
    // Bytes that no field or line may have.
    () => Buffer.concat([start, Buffer.from('X-Bytes: \xff\xfe\x80\r\n', 'latin1'), sent, length, close, end, body]),
    () => Buffer.concat([start, Buffer.from('Cookie: refresh_token=\0\r\n', 'latin1'), sent, length, close, end, body]),
    () =>
      Buffer.concat([start, Buffer.from('Authorization:\tBearer\x0bx\r\n', 'latin1'), sent, length, close, end, body]),
    () => Buffer.concat([start, line(' folded'), sent, length, close, end, body]),
    () => Buffer.concat([line(`${method} ${path.replaceAll(' ', '%20')} HTTP/1.0`), sent, length, end, body]),
    () => Buffer.concat([line(`${method} ${path.replaceAll(' ', '%20')} HTTP/9.9`), sent, end]),
    () => Buffer.concat([line(`${method} *`), end]),
    () => Buffer.concat([start, line('Expect: 100-continue'), sent, length, close, end, body]),
    () => Buffer.concat([start, line('Expect: the-unexpected'), sent, length, close, end, body]),
    () => Buffer.concat([start, line('Upgrade: websocket'), line('Connection: Upgrade'), sent, length, end, body]),
    () => Buffer.concat([start, Buffer.from('A: b\r\n'.repeat(3_000)), close, end]),
    () => Buffer.concat([start.subarray(0, random.int(start.length)), end]),
    // One after the other, before the first was answered.
    () => Buffer.concat([start, sent, length, end, body, start, sent, length, close, end, body]),
  ])();
}
