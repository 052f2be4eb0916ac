import { createHmac, createSign, constants, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { deriveSecrets } from '../../src/core/secrets.js';
import { type AuthApp, SECRET, START_MS, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';
const NOW = START_MS / 1000;

type Part = Record<string, unknown>;
/** How a forger goes about it: what is not given is as in a good token. */
interface Forgery {
  header?: Part;
  payload?: Part;
  /** In the place of the payload's JSON. */
  text?: string;
  /** The secret, or what makes the signature. */
  sign?: string | Buffer | KeyObject | ((input: string) => string);
  /** A last touch. */
  bend?: (token: string) => string;
}

const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const HASHES: Record<string, string> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/** Makes a token like a good one but for the changes; a member that is `undefined` is left out. */
function forge(
  good: string,
  key: string | Buffer | KeyObject,
  { header, payload, text, sign = key, bend = (token) => token }: Forgery,
) {
  const { header: goodHeader, payload: goodPayload } = readToken(good);
  const newHeader = { ...goodHeader, ...header };
  const input = `${encode(newHeader)}.${encode(text ?? { ...goodPayload, ...payload })}`;
  const signature =
    typeof sign === 'function'
      ? sign(input)
      : createHmac(HASHES[String(newHeader['alg'])] ?? 'sha256', sign)
          .update(input)
          .digest('base64url');
  return bend(`${input}.${signature}`);
}

const flipped = (token: string) => {
  const dot = token.lastIndexOf('.');
  const last = token[dot + 1] === 'A' ? 'B' : 'A';
  return `${token.slice(0, dot + 1)}${last}${token.slice(dot + 2)}`;
};
const deep = '['.repeat(2000) + ']'.repeat(2000);
const { publicKey: foreignPublic, privateKey: foreignPrivate } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreignJwk = foreignPublic.export({ format: 'jwk' });

/** What no token of any kind may do. */
const COMMON: [string, Forgery][] = [
  ['alg none, without a signature', { header: { alg: 'none' }, sign: () => '' }],
  ['alg None, without a signature', { header: { alg: 'None' }, sign: () => '' }],
  ['alg NONE, signed', { header: { alg: 'NONE' } }],
  ['alg none, signed', { header: { alg: 'none' } }],
  ['no alg', { header: { alg: undefined } }],
  ['an empty alg', { header: { alg: '' } }],
  ['an alg that is a list', { header: { alg: ['HS256'] } }],
  ['another HMAC, of the right secret', { header: { alg: 'HS384' } }],
  ['a longer HMAC, of the right secret', { header: { alg: 'HS512' } }],
  [
    'RS256 by a key of its own',
    {
      header: { alg: 'RS256', jwk: foreignJwk },
      sign: (input) => createSign('sha256').update(input).sign(foreignPrivate, 'base64url'),
    },
  ],
  ['RS256 in name, HMAC in fact', { header: { alg: 'RS256' } }],
  ['alg in small letters', { header: { alg: 'hs256' } }],
  ['no typ', { header: { typ: undefined } }],
  ['typ JWT', { header: { typ: 'JWT' } }],
  ['a typ of another kind', { header: { typ: 'mfa+jwt' } }],
  ['typ in capitals', { header: { typ: 'AT+JWT' } }],
  ['a typ that is a list', { header: { typ: ['at+jwt'] } }],
  ['crit', { header: { crit: ['exp'] } }],
  ['an empty crit', { header: { crit: [] } }],
  ['crit of b64', { header: { crit: ['b64'], b64: false } }],
  ['b64', { header: { b64: true } }],
  ['jku', { header: { jku: 'https://evil.example/jwks.json' } }],
  ['jwk', { header: { jwk: { kty: 'oct', k: encode('evil') } } }],
  ['x5u', { header: { x5u: 'https://evil.example/cert.pem' } }],
  ['x5c', { header: { x5c: ['MII'] } }],
  ['zip', { header: { zip: 'DEF' } }],
  ['no kid', { header: { kid: undefined } }],
  ['an unknown kid', { header: { kid: 'unknown' } }],
  ['an empty kid', { header: { kid: '' } }],
  ['a kid that is a number', { header: { kid: 0 } }],
  ['a kid that is a list', { header: { kid: ['x'] } }],
  ['a kid that is an object', { header: { kid: { toString: 'x' } } }],
  ['a kid that is a path', { header: { kid: '../../../../dev/null' }, sign: '' }],
  ['a kid that is a query', { header: { kid: "x' UNION SELECT 'evil" }, sign: 'evil' }],
  ['a kid of every object', { header: { kid: '__proto__' }, sign: '' }],
  ['a kid of every constructor', { header: { kid: 'constructor' }, sign: '' }],
  ['an empty secret', { sign: '' }],
  ['a secret of a zero', { sign: '\0' }],
  ['another secret', { sign: 'another secret, of more than thirty-two bytes' }],
  ['the secret with a line break', { sign: `${SECRET}\n` }],
  ['a signature that is off by one letter', { bend: flipped }],
  ['no signature', { bend: (token) => token.slice(0, token.lastIndexOf('.') + 1) }],
  ['no signature and no dot', { bend: (token) => token.slice(0, token.lastIndexOf('.')) }],
  ['half a signature', { bend: (token) => token.slice(0, -20) }],
  ['a signature with padding', { bend: (token) => `${token}=` }],
  ['a fourth part', { bend: (token) => `${token}.${encode({})}` }],
  ['an empty part in front', { bend: (token) => `.${token}` }],
  [
    'another payload under the signature',
    { bend: (token) => token.replace(/\.[^.]*\./, `.${encode({ sub: 'evil@example.com', type: 'access' })}.`) },
  ],
  ['a space at the end', { bend: (token) => `${token} x` }],
  ['a space within', { bend: (token) => token.replace('.', '. ') }],
  ['quotes around', { bend: (token) => `"${token}"` }],
  ['standard base64', { bend: (token) => `${token.slice(0, -2)}+/` }],
  ['an exp that is missing', { payload: { exp: undefined } }],
  ['an exp that is null', { payload: { exp: null } }],
  ['an exp that is text', { payload: { exp: String(NOW + 60) } }],
  ['an exp that is a list', { payload: { exp: [NOW + 60] } }],
  ['an exp that is true', { payload: { exp: true } }],
  ['an exp with a fraction', { payload: { exp: NOW + 60.5 } }],
  ['an exp in milliseconds', { payload: { exp: START_MS + 60_000 } }],
  ['an exp beyond all numbers', { text: `{"exp":1e999}` }],
  ['an exp in 10,000 years', { payload: { exp: 3e11 } }],
  ['an exp before time', { payload: { exp: -1 } }],
  ['an exp that is now', { payload: { exp: NOW } }],
  ['an exp in the past', { payload: { iat: NOW - 120, exp: NOW - 60 } }],
  ['an exp before the iat', { payload: { iat: NOW + 3, exp: NOW + 2 } }],
  ['an iat that is missing', { payload: { iat: undefined } }],
  ['an iat that is text', { payload: { iat: String(NOW) } }],
  ['an iat with a fraction', { payload: { iat: NOW + 0.5 } }],
  ['an iat before time', { payload: { iat: -1 } }],
  ['an nbf in the future', { payload: { nbf: NOW + 60 } }],
  ['an nbf that is text', { payload: { nbf: 'soon' } }],
  ['a sub that is missing', { payload: { sub: undefined } }],
  ['a sub that is empty', { payload: { sub: '' } }],
  ['a sub that is a number', { payload: { sub: 1 } }],
  ['a sub that is an object', { payload: { sub: { id: JO } } }],
  ['a sub that is a list', { payload: { sub: [JO] } }],
  ['a sid that is missing', { payload: { sid: undefined } }],
  ['a sid that is a list', { payload: { sid: ['x'] } }],
  ['a sid that is empty', { payload: { sid: '' } }],
  ['a jti that is missing', { payload: { jti: undefined } }],
  ['a jti that is a number', { payload: { jti: 1 } }],
  ['a jti that is empty', { payload: { jti: '' } }],
  ['a type that is missing', { payload: { type: undefined } }],
  ['a type of another kind', { payload: { type: 'mfa' } }],
  ['a type that is a list', { payload: { type: ['access'] } }],
  ['a type in capitals', { payload: { type: 'ACCESS' } }],
  ['a payload that is a list', { text: '[]' }],
  ['a payload that is null', { text: 'null' }],
  ['a payload that is text', { text: `"${JO}"` }],
  ['a payload that is no JSON', { text: `sub=${JO}` }],
  ['a payload that is empty', { text: '{}' }],
  ['a payload of nothing', { text: '' }],
  ['a payload that is deep', { text: deep }],
];

/** Nothing of it is a token to begin with. */
const NONSENSE = [
  'x',
  '.',
  '..',
  '...',
  'a.b.c',
  `${encode({ alg: 'none' })}..`,
  'e30.e30.',
  'null',
  '[object Object]',
  '\u0000',
  'é.é.é',
];

describe('an access token', () => {
  let app: AuthApp;
  let good: string;
  beforeAll(async () => {
    app = await startAuthApp({ jwt: { issuer: 'https://issuer.example', audience: 'api' } });
    good = (await app.signIn(JO)).accessToken;
  });
  const statusOf = async (token: string) =>
    (await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${token}` } })).status;
  const expectRefused = async (token: string) => {
    await expect(app.auth.api.authenticate(token)).rejects.toMatchObject({ code: 'invalid_token' });
    // What Node's own parser lets into a header at all.
    if (/^[\x20-\x7e]*$/.test(token)) expect(await statusOf(token)).toBe(401);
  };

  it('is accepted when it is made the way that the package makes it', async () => {
    expect(await statusOf(forge(good, SECRET, {}))).toBe(200);
    expect(await statusOf(forge(good, SECRET, { payload: { nbf: NOW, further: 'claim' }, header: { cty: 'x' } }))).toBe(
      200,
    );
  });

  it.each<[string, Forgery]>([
    ...COMMON,
    ['an iat in the future', { payload: { iat: NOW + 60 } }],
    ['the typ of a refresh token', { header: { typ: 'rt+jwt' } }],
    ['the type of a refresh token', { payload: { type: 'refresh' } }],
    ['a life that is longer than one can be', { payload: { exp: NOW + 3601 } }],
    ['roles that are missing', { payload: { roles: undefined } }],
    ['roles that are text', { payload: { roles: 'admin' } }],
    ['roles that are numbers', { payload: { roles: [1] } }],
    ['roles that are an object', { payload: { roles: { 0: 'admin', length: 1 } } }],
    ['an amr that is missing', { payload: { amr: undefined } }],
    ['an amr that is text', { payload: { amr: 'otp' } }],
    ['an auth_time that is missing', { payload: { auth_time: undefined } }],
    ['an auth_time that is text', { payload: { auth_time: String(NOW) } }],
    ['an email that is a list', { payload: { email: [JO] } }],
    ['a phone number that is a number', { payload: { phone_number: 49 } }],
    ['no issuer', { payload: { iss: undefined } }],
    ['another issuer', { payload: { iss: 'https://issuer.example/' } }],
    ['an issuer that is a list', { payload: { iss: ['https://issuer.example'] } }],
    ['no audience', { payload: { aud: undefined } }],
    ['another audience', { payload: { aud: 'API' } }],
    ['an audience that is a list', { payload: { aud: ['other', 'api'] } }],
    ['the key of refresh tokens', { sign: deriveSecrets([SECRET]).current.refreshToken }],
  ])('is refused with %s', async (_what, forgery) => {
    await expectRefused(forge(good, SECRET, forgery));
  });

  it.each(NONSENSE)('is not %j', async (token) => {
    await expectRefused(token);
  });

  it('is not a refresh token, whatever its header says', async () => {
    const { refreshToken } = await app.signIn(JO);
    await expectRefused(refreshToken);
    const key = deriveSecrets([SECRET]).current.refreshToken;
    await expectRefused(forge(refreshToken, key, { header: { typ: 'at+jwt' }, payload: { type: 'access' } }));
    const claims = readToken(good).payload;
    await expectRefused(forge(refreshToken, key, { header: { typ: 'at+jwt' }, payload: claims }));
  });

  it('is written in UTF-8, and in no other encoding of Unicode', async () => {
    const text = Buffer.from(JSON.stringify(readToken(good).payload), 'utf16le').toString('latin1');
    await expectRefused(forge(good, SECRET, { text }));
    const name = 'ژاله 名前 é 😀';
    expect((await app.auth.api.authenticate(forge(good, SECRET, { payload: { name } }))).claims['name']).toBe(name);
  });

  it('of 100 kB is refused without being looked at', async () => {
    const padding = 'x'.repeat(100_000);
    for (const token of [padding, forge(good, SECRET, { payload: { padding } }), `${good}${padding}`])
      await expect(app.auth.api.authenticate(token)).rejects.toMatchObject({ code: 'invalid_token' });
    expect((await call(`${app.url}/auth/refresh`, { body: { refresh_token: padding } })).status).toBe(413);
  });

  it('is not refused for the claims that the application adds, as long as it fits into a header', async () => {
    const claims = { plan: 'x'.repeat(7000) };
    const large = await startAuthApp({ claims: () => claims });
    const { authorization } = await large.signIn(JO);
    const me = await call(`${large.url}/me`, { method: 'GET', headers: { Authorization: authorization } });
    expect(me.status).toBe(200);
  });

  it('need not name an issuer or an audience where none is configured', async () => {
    const lax = await startAuthApp();
    const { accessToken } = await lax.signIn(JO);
    const me = await lax.auth.api.authenticate(forge(accessToken, SECRET, { payload: { iss: 'x', aud: ['y'] } }));
    expect(me.id).toBe(JO);
  });
});

describe('an access token of an asymmetric algorithm', () => {
  const pem = (key: KeyObject) =>
    key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }).toString();

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const bySigning =
    (hash: string, options: object = {}) =>
    (input: string) =>
      createSign(hash)
        .update(input)
        .sign({ key: rsa.privateKey, ...options }, 'base64url');
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

  it.each<[string, Forgery]>([
    ['the public key as an HMAC secret (PEM)', { header: { alg: 'HS256' }, sign: pem(rsa.publicKey) }],
    ['the public key as an HMAC secret (PEM, trimmed)', { header: { alg: 'HS256' }, sign: pem(rsa.publicKey).trim() }],
    [
      'the public key as an HMAC secret (DER)',
      { header: { alg: 'HS256' }, sign: rsa.publicKey.export({ type: 'spki', format: 'der' }) },
    ],
    [
      'the public key as an HMAC secret (JWK)',
      { header: { alg: 'HS256' }, sign: JSON.stringify(rsa.publicKey.export({ format: 'jwk' })) },
    ],
    [
      'the modulus as an HMAC secret',
      { header: { alg: 'HS256' }, sign: Buffer.from(String(rsa.publicKey.export({ format: 'jwk' }).n), 'base64url') },
    ],
    ['the JWT secret as an HMAC secret', { header: { alg: 'HS256' }, sign: SECRET }],
    ['the JWT secret and its kid', { header: { alg: 'HS256', kid: deriveSecrets([SECRET]).current.id }, sign: SECRET }],
    ['alg none', { header: { alg: 'none' }, sign: () => '' }],
    ['RS512 by the right key', { header: { alg: 'RS512' }, sign: bySigning('sha512') }],
    ['PS256 by the right key', { header: { alg: 'PS256' }, sign: bySigning('sha256', pss) }],
    ['RS256 in name, PSS in fact', { sign: bySigning('sha256', pss) }],
    ['another key', { sign: (input) => createSign('sha256').update(input).sign(foreignPrivate, 'base64url') }],
    [
      'another key, which it brings along',
      {
        header: { jwk: foreignJwk },
        sign: (input) => createSign('sha256').update(input).sign(foreignPrivate, 'base64url'),
      },
    ],
    ['an empty signature', { sign: () => '' }],
    ['a signature of zeros', { sign: () => Buffer.alloc(256).toString('base64url') }],
  ])('RS256 is refused with %s', async (_what, forgery) => {
    const app = await startAuthApp({ jwt: { algorithm: 'RS256', privateKey: pem(rsa.privateKey) } });
    const { accessToken } = await app.signIn(JO);
    const good = forge(accessToken, '', { sign: bySigning('sha256') });
    expect((await app.auth.api.authenticate(good)).id).toBe(JO);
    await expect(app.auth.api.authenticate(forge(accessToken, '', forgery))).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });

  it('ES256 is refused with signatures of zeros, of another form and of another curve', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const signing = (key: KeyObject, dsaEncoding: 'der' | 'ieee-p1363') => (input: string) =>
      createSign('sha256').update(input).sign({ key, dsaEncoding }, 'base64url');
    const app = await startAuthApp({ jwt: { algorithm: 'ES256', privateKey: pem(ec.privateKey) } });
    const { accessToken } = await app.signIn(JO);
    const good = forge(accessToken, '', { sign: signing(ec.privateKey, 'ieee-p1363') });
    expect((await app.auth.api.authenticate(good)).id).toBe(JO);
    for (const forgery of [
      { sign: () => Buffer.alloc(64).toString('base64url') },
      { sign: () => '' },
      { sign: signing(ec.privateKey, 'der') },
      { sign: signing(other.privateKey, 'ieee-p1363') },
      { header: { alg: 'HS256' }, sign: pem(ec.publicKey) },
    ])
      await expect(app.auth.api.authenticate(forge(accessToken, '', forgery))).rejects.toMatchObject({
        code: 'invalid_token',
      });
  });

  it('goes with refresh tokens that are signed by the secret all the same', async () => {
    const app = await startAuthApp({ jwt: { algorithm: 'RS256', privateKey: pem(rsa.privateKey) } });
    const { refreshToken } = await app.signIn(JO);
    expect(readToken(refreshToken).header['alg']).toBe('HS256');
    expect((await app.auth.api.refresh({ refreshToken })).tokenType).toBe('bearer');
  });
});

describe('a refresh token', () => {
  const { refreshToken: key, accessToken: accessKey } = deriveSecrets([SECRET]).current;
  let app: AuthApp;
  let good: string;
  beforeAll(async () => {
    app = await startAuthApp({ limits: { sendsPerHour: 1000, sendsPerDay: 1000 } });
  });
  beforeEach(async () => {
    good = (await app.signIn(JO)).refreshToken;
  });
  const refresh = (refreshToken: string) => app.auth.api.refresh({ refreshToken });

  it('is accepted when it is made the way that the package makes it, also by a clock that was ahead', async () => {
    expect((await refresh(forge(good, key, { payload: { iat: NOW + 60 } }))).tokenType).toBe('bearer');
    good = (await app.signIn(JO)).refreshToken;
    expect((await refresh(forge(good, key, {}))).tokenType).toBe('bearer');
  });

  it.each<[string, Forgery]>([
    ...COMMON,
    ['the typ of an access token', { header: { typ: 'at+jwt' } }],
    ['the type of an access token', { payload: { type: 'access' } }],
    ['the key of access tokens', { sign: accessKey }],
    ['the secret itself', { sign: SECRET }],
  ])('is refused with %s, and the session that it copies goes on', async (_what, forgery) => {
    await expect(refresh(forge(good, key, forgery))).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    expect((await refresh(good)).tokenType).toBe('bearer');
  });

  it.each(NONSENSE)('is not %j', async (token) => {
    await expect(refresh(token)).rejects.toMatchObject({ code: 'invalid_refresh_token' });
  });

  it('is good for the user and the session that it names, and for no other', async () => {
    const { refreshToken: another } = await app.signIn('joe@example.com');
    const { sub, sid, jti } = readToken(another).payload;
    for (const payload of [{ sub }, { sid }, { sub, sid }, { sid, jti }])
      await expect(refresh(forge(good, key, { payload }))).rejects.toMatchObject({ code: 'invalid_refresh_token' });
  });
});
