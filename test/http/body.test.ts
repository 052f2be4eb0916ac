import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { freshRedis, redisUrl } from '../support/redis.js';

const JO = 'jo@example.com';

describe('a body that is not what the contract says', () => {
  let app: AuthApp;
  let redis: Redis;
  beforeAll(async () => {
    redis = await freshRedis();
    app = await startAuthApp({
      redis: redisUrl(),
      otp: { resendCooldownSeconds: 30 },
      limits: { requestsPerIpPerMinute: 10_000, verifiesPerIpPerMinute: 10_000 },
    });
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    call(`${app.url}/auth/${path}`, { body, headers });
  const paths = ({ body }: Answer) => [...new Set(body.errors?.map(({ path }) => path))].toSorted();

  /** Nothing was sent, and no code, no session and no failure was stored. */
  afterEach(async () => {
    expect(app.mails).toEqual([]);
    const stored = await redis.keys('*');
    expect(stored.filter((key) => /^(?:otp_|session_|blacklist_)|:(?:sends|failures)/.test(key))).toEqual([]);
  });

  const refused = (answer: Answer, expected: string[]) => {
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(paths(answer)).toEqual(expected);
    for (const { message } of answer.body.errors ?? []) expect(message).toMatch(/\S/);
  };

  const notAddresses: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a number', 42],
    ['a boolean', true],
    ['a list', [JO]],
    ['a list of one', [JO]],
    ['an object', { address: JO }],
    ['an object that pretends', { toString: JO, length: 3 }],
    ['empty', ''],
    ['white space', '   '],
    ['no @', 'jo.example.com'],
    ['two @', 'jo@joe@example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'jo@'],
    ['a domain without a dot', 'jo@localhost'],
    ['a list of addresses', 'jo@example.com,joe@example.com'],
    ['a list with semicolons', 'jo@example.com;joe@example.com'],
    ['a list with a space', 'jo@example.com joe@example.com'],
    ['a group', 'friends: jo@example.com, joe@example.com;'],
    ['a display name', 'Jo <jo@example.com>'],
    ['angle brackets', '<jo@example.com>'],
    ['a comment', 'jo(comment)@example.com'],
    ['a comment in the domain', 'jo@(comment)example.com'],
    ['a quoted local part', '"jo doe"@example.com'],
    ['a quoted @', '"jo@joe"@example.com'],
    ['an address literal', 'jo@[127.0.0.1]'],
    ['an IP address', 'jo@127.0.0.1'],
    ['a line break at the end', 'jo@example.com\n'],
    ['CR and LF', 'jo@example.com\r\nBcc: joe@example.com'],
    ['LF in the local part', 'jo\n@example.com'],
    ['NUL', 'jo\u0000@example.com'],
    ['NUL at the end', 'jo@example.com\u0000'],
    ['a soft hyphen', 'jo\u00ad@example.com'],
    ['a zero-width space', 'jo@exam\u200bple.com\u200b@x'],
    ['letters beyond ASCII', 'jö@example.com'],
    ['the Kelvin sign, which becomes a k', 'jo\u212a@example.com'],
    ['a fullwidth @', 'jo\uff20example.com'],
    ['fullwidth letters', '\uff4ao@example.com'],
    ['a non-breaking space around', '\u00a0jo@example.com'],
    ['two dots', 'jo..doe@example.com'],
    ['a dot in front', '.jo@example.com'],
    ['a dot at the end', 'jo.@example.com'],
    ['a domain with a dot at the end', 'jo@example.com.'],
    ['a domain with two dots', 'jo@example..com'],
    ['a label with a hyphen in front', 'jo@-example.com'],
    ['a percent escape', 'jo@example%2ecom'],
    ['a mail route', '@relay.example:jo@example.com'],
    ['a mailto URL', 'mailto:jo@example.com'],
    ['255 characters', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.com`],
    ['a local part of 65 characters', `${'a'.repeat(65)}@example.com`],
    ['a label of 64 characters', `jo@${'b'.repeat(64)}.com`],
    ['a lone surrogate', 'jo\ud800@example.com'],
    ['a lone surrogate in the domain', 'jo@ex\ud800mple.com'],
  ];

  it.each(notAddresses)(
    'is 400 at /request-otp and /verify-otp where the e-mail address is %s',
    async (_what, email) => {
      refused(await post('request-otp', { email }), ['email']);
      refused(await post('verify-otp', { email, otp: '123456' }), ['email']);
    },
  );

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 123456],
    ['a list', ['123456']],
    ['an object', { $ne: '' }],
    ['empty', ''],
    ['too short', '12345'],
    ['too long', '1234567'],
    ['fullwidth digits', '\uff11\uff12\uff13\uff14\uff15\uff16'],
    ['Arabic digits', '\u0661\u0662\u0663\u0664\u0665\u0666'],
    ['white space around', ' 123456'],
    ['a line break at the end', '123456\n'],
    ['a sign', '-12345'],
    ['an exponent', '1e4567'],
    ['letters', 'abcdef'],
    ['NUL', '12345\u0000'],
  ])('is 400 at /verify-otp where the code is %s', async (_what, otp) => {
    refused(await post('verify-otp', { email: JO, otp }), ['otp']);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 1],
    ['a list', ['x']],
    ['an object', {}],
    ['empty', ''],
  ])('is 400 at /refresh and /logout where refresh_token is %s', async (_what, refresh_token) => {
    for (const path of ['refresh', 'logout']) refused(await post(path, { refresh_token }), ['refresh_token']);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['a list', ['de']],
    ['empty', ''],
    ['markup', '<b>'],
    ['a path', '../de'],
    ['CR and LF', 'de\r\nX: y'],
    ['very long', 'de'.repeat(1000)],
  ])('is 400 at /request-otp where the locale is %s', async (_what, locale) => {
    refused(await post('request-otp', { email: JO, locale }), ['locale']);
  });

  it('is told of every problem at once, each with its path', async () => {
    const answer = await post('verify-otp', { email: 5, otp: 6, token_transport: 7 });
    refused(answer, ['email', 'otp', 'token_transport']);
  });

  it('is 400 with both an e-mail address and a phone number', async () => {
    const answer = await post('request-otp', { email: JO, phone_number: '+4915123456789' });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  });

  it('is 400 with a phone number where no SMS can be sent', async () => {
    for (const phone_number of ['+4915123456789', '', null, 4915123456789, ['+4915123456789']]) {
      const answer = await post('request-otp', { phone_number });
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    }
  });

  it.each<[string, string]>([
    ['broken JSON', '{"email":'],
    ['a JSON string', '"jo@example.com"'],
    ['a JSON number', '42'],
    ['null', 'null'],
    ['a list', '[{"email":"jo@example.com"}]'],
    ['JSON with a comment', '{/**/"email":"jo@example.com"}'],
    ['single quotes', "{'email':'jo@example.com'}"],
    ['a form', 'email=jo%40example.com'],
    ['nothing but white space', ' \n '],
    ['deep nesting', `${'['.repeat(4000)}${']'.repeat(4000)}`],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00]).toString('latin1')],
  ])('is 400 where it is %s', async (_what, text) => {
    for (const path of ['request-otp', 'verify-otp']) {
      const answer = await post(path, text, { 'Content-Type': 'application/json' });
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
      expect(answer.body.errors).not.toEqual([]);
      expect(answer.text).not.toMatch(/SyntaxError|Unexpected token|at JSON|node_modules/);
    }
  });

  it.each(['{"email":', '{"email":"jo@example.com"', "{'email':1}", 'null'])(
    'is called what it is where it is JSON by name alone: %s',
    async (text) => {
      const answer = await post('request-otp', text, { 'Content-Type': 'application/json' });
      expect(answer.body.errors).toEqual([{ path: '', message: 'is not valid JSON, or no object' }]);
    },
  );

  it('is 400 where there is none', async () => {
    for (const path of ['request-otp', 'verify-otp']) {
      const answer = await call(`${app.url}/auth/${path}`);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
      expect(answer.body.errors).not.toEqual([]);
    }
  });

  it('can pollute no prototype, and gets nothing from one', async () => {
    for (const text of [
      '{"__proto__":{"email":"jo@example.com","otp":"123456"}}',
      '{"constructor":{"prototype":{"email":"jo@example.com"}}}',
    ]) {
      for (const path of ['request-otp', 'verify-otp'])
        expect((await post(path, text, { 'Content-Type': 'application/json' })).status).toBe(400);
      expect((await post('refresh', text, { 'Content-Type': 'application/json' })).body.code).toBe('token_missing');
    }
    expect(({} as Record<string, unknown>)['email']).toBeUndefined();
  });

  it.each(['request-otp', 'verify-otp', 'refresh', 'logout'])('is 413 at /%s beyond 8192 bytes', async (path) => {
    const bodyOf = (bytes: number) => {
      const body = JSON.stringify({ email: 1, otp: 1, refresh_token: 1, x: '' });
      return body.replace('"x":""', `"x":"${'x'.repeat(bytes - body.length)}"`);
    };
    const headers = { 'Content-Type': 'application/json' };
    expect((await post(path, bodyOf(8192), headers)).status).toBe(400);
    for (const tooMuch of [bodyOf(8193), bodyOf(100_000)]) {
      const announced = await post(path, tooMuch, headers);
      const chunked = await post(path, tooMuch, { ...headers, 'Transfer-Encoding': 'chunked' });
      for (const answer of [announced, chunked]) {
        expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
        expect(answer.headers['cache-control']).toBe('no-store');
      }
    }
  });

  it('is 413 for an address of 100 kB', async () => {
    expect((await post('request-otp', { email: `${'a'.repeat(100_000)}@example.com` })).status).toBe(413);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/vnd.api+json',
    'application/jsonp',
    'text/json',
    'application/octet-stream',
    'json',
    '',
  ])('is 415 as %j', async (type) => {
    for (const path of ['request-otp', 'verify-otp', 'refresh', 'logout']) {
      const answer = await post(path, JSON.stringify({ email: JO, otp: '123456' }), { 'Content-Type': type });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    }
  });

  it('is 415 compressed, or in another character set', async () => {
    const json = JSON.stringify({ email: JO });
    for (const [body, headers] of [
      [gzipSync(json), { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }],
      [Buffer.from(json), { 'Content-Type': 'application/json', 'Content-Encoding': 'br' }],
      [Buffer.from(json, 'latin1'), { 'Content-Type': 'application/json; charset=iso-8859-1' }],
    ] as const)
      expect((await post('request-otp', body, headers)).status).toBe(415);
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'is not looked at where the method is %s',
    async (method) => {
      for (const path of ['request-otp', 'verify-otp', 'refresh', 'logout']) {
        const answer = await call(`${app.url}/auth/${path}`, { method });
        expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
        expect(answer.headers['cache-control']).toBe('no-store');
        if (method !== 'HEAD') expect(answer.body.code).toBe('method_not_allowed');
      }
    },
  );
});

describe('a good body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
  ])('is taken as %j', async (type) => {
    const app = await startAuthApp();
    const headers = { 'Content-Type': type };
    const answer = await call(`${app.url}/auth/request-otp`, { body: JSON.stringify({ email: JO }), headers });
    expect(answer.status).toBe(200);
  });

  it.each([
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`,
    'a@b.co',
    "!#$%&'*+/=?^_`{|}~-@example.com",
    'jo@xn--bcher-kva.example',
    'jo@1.example',
  ])('may hold the address %s', async (email) => {
    const app = await startAuthApp();
    expect((await call(`${app.url}/auth/request-otp`, { body: { email } })).status).toBe(200);
    expect(app.mails[0]?.to).toBe(email);
  });

  it('is 413 in chunks without an end, while they still come', async () => {
    const app = await startAuthApp();
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(
      'POST /auth/request-otp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (let time = 0; time < 9; time += 1) socket.write(`400\r\n${'x'.repeat(1024)}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 [^]*"code":"payload_too_large"/);
    socket.destroy();
  });

  it('ends nothing where it was refused for its kind, and goes on for more bytes than it may have', async () => {
    const app = await startAuthApp();
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', note);
    for (const [path, type] of [
      ['request-otp', 'application/json'],
      ['token', 'application/x-www-form-urlencoded'],
    ] as const) {
      const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
      socket.write(
        `POST /auth/${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 415 /);
      socket.write(
        `4000\r\n${'x'.repeat(0x4000)}\r\n0\r\n\r\nGET /auth/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      await once(socket, 'close');
    }
    process.off('uncaughtException', note);
    expect(uncaught).toEqual([]);
  });

  it('may come in chunks', async () => {
    const app = await startAuthApp();
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: JO }, headers })).status).toBe(200);
  });
});
