import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import jsonwebtoken from 'jsonwebtoken';
import request from 'supertest';
import { deriveSecrets } from '../../src/core/secrets.js';
import { type AccessClaims, createTokens, type Tokens } from '../../src/core/tokens.js';
import { createVerifyToken } from '../../src/core/verified-tokens.js';
import { type AuthApp, fakeClock, SECRET, START_MS, startAuthApp } from '../support/auth-app.js';

afterEach(() => jest.restoreAllMocks());

const me = ({ url }: AuthApp, token: string) => request(url).get('/me').set('Authorization', `Bearer ${token}`);

/** A token as another service that has the secret may sign it. */
function signToken(claims: object): string {
  const nowSeconds = START_MS / 1000;
  const usual = { sub: 'jo@example.com', roles: [], sid: 'session', jti: 'token', amr: ['otp'], auth_time: nowSeconds };
  return jsonwebtoken.sign(
    { ...usual, type: 'access', iat: nowSeconds, exp: nowSeconds + 3600, ...claims },
    Buffer.from(SECRET),
    { header: { alg: 'HS256', typ: 'at+jwt', kid: deriveSecrets([SECRET]).current.id } },
  );
}

describe('a remembered token', () => {
  it('has its signature computed once', async () => {
    const verify = jest.spyOn(jsonwebtoken, 'verify');
    const app = await startAuthApp();
    const { accessToken } = await app.signIn('jo@example.com');
    for (let count = 0; count < 5; count++) expect((await me(app, accessToken)).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('has its signature computed every time with jwt.verifiedTokenCache 0', async () => {
    const verify = jest.spyOn(jsonwebtoken, 'verify');
    const app = await startAuthApp({ jwt: { verifiedTokenCache: 0 } });
    const { accessToken } = await app.signIn('jo@example.com');
    for (let count = 0; count < 5; count++) expect((await me(app, accessToken)).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(5);
  });

  it('is refused once it has expired', async () => {
    const app = await startAuthApp();
    const { accessToken } = await app.signIn('jo@example.com');
    app.clock.advanceSeconds(3599);
    expect((await me(app, accessToken)).status).toBe(200);
    app.clock.advanceSeconds(1);
    expect((await me(app, accessToken)).status).toBe(401);
  });

  it('is refused before its nbf, when the clock has been set back', async () => {
    const app = await startAuthApp();
    app.clock.advanceSeconds(600);
    const token = signToken({ nbf: START_MS / 1000 + 600 });
    expect((await me(app, token)).status).toBe(200);
    app.clock.advanceSeconds(-60);
    expect((await me(app, token)).status).toBe(401);
  });

  it.each(['token', 'session', 'user'])('is refused once its %s is revoked', async (what) => {
    const app = await startAuthApp();
    const { api } = app.auth;
    const { accessToken } = await app.signIn('jo@example.com');
    expect((await me(app, accessToken)).status).toBe(200);
    const { sessionId } = await api.authenticate(accessToken);
    const revoke = {
      token: () => api.logout({ accessToken }),
      session: () => api.revokeSession('jo@example.com', sessionId),
      user: () => api.revokeUser('jo@example.com'),
    };
    await revoke[what as keyof typeof revoke]();
    expect((await me(app, accessToken)).status).toBe(401);
  });

  it('is judged for the age of its sign-in every time', async () => {
    const app = await startAuthApp();
    app.app.get('/recent', app.auth.requireRecent(60), (_req, res) => void res.json({}));
    const { authorization } = await app.signIn('jo@example.com');
    const status = async () => (await request(app.url).get('/recent').set({ authorization })).status;
    expect(await status()).toBe(200);
    app.clock.advanceSeconds(61);
    expect(await status()).toBe(401);
  });

  it('lends nothing to a forged token with its claims, or with its signature', async () => {
    const app = await startAuthApp();
    const { accessToken } = await app.signIn('jo@example.com');
    expect((await me(app, accessToken)).status).toBe(200);
    const [header, payload, signature] = accessToken.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = {
      'with another key': jsonwebtoken.sign(claims, Buffer.alloc(32, 'x'), {
        header: JSON.parse(Buffer.from(header, 'base64url').toString()),
      }),
      'with another signature': [header, payload, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`].join(
        '.',
      ),
      'with more in front of the signature': [header, payload, `AAAA${signature}`].join('.'),
      'with other claims': [header, encode({ ...claims, roles: ['admin'] }), signature].join('.'),
      'with another header': [encode({ alg: 'none', typ: 'at+jwt' }), payload, signature].join('.'),
      'with no signature': [header, payload, ''].join('.'),
    };
    for (const [how, token] of Object.entries(forged)) expect([how, (await me(app, token)).status]).toEqual([how, 401]);
    expect((await me(app, accessToken)).status).toBe(200);
  });

  it('is forgotten with the secret that signed it', async () => {
    const before = await startAuthApp();
    const { accessToken } = await before.signIn('jo@example.com');
    expect((await me(before, accessToken)).status).toBe(200);
    const after = await startAuthApp({ jwt: { secret: 'the secret that came after the one for tests' } });
    expect((await me(after, accessToken)).status).toBe(401);
  });

  it('shows each request its own req.user, whatever the one before has done to it', async () => {
    const app = await startAuthApp({ claims: () => ({ plan: { name: 'small', parts: ['a'] } }) });
    app.app.get('/spoil', app.auth.requireUser, (req, res) => {
      const user = req.user!;
      user.id = 'root';
      user.roles.push('admin');
      user.amr.length = 0;
      user.claims['sub'] = 'root';
      (user.claims['roles'] as string[]).push('root');
      const plan = user.claims['plan'] as { name: string; parts: string[] };
      plan.name = 'large';
      plan.parts.push('b');
      res.json({});
    });
    const { accessToken, authorization } = await app.signIn('jo@example.com');
    const { body: before } = await me(app, accessToken);
    expect((await request(app.url).get('/spoil').set({ authorization })).status).toBe(200);
    const { body: after } = await me(app, accessToken);
    expect(after).toEqual(before);
    expect(after).toMatchObject({ id: 'jo@example.com', roles: [], claims: { plan: { name: 'small', parts: ['a'] } } });
  });
});

describe('the memory of verified tokens', () => {
  const listed = deriveSecrets([SECRET]);
  const secrets = { ...listed, all: [] }; // nobody's keys are worked out
  const clock = fakeClock();
  const tokens = createTokens(listed, { algorithm: 'HS256', verificationKeys: [], accessTokenMinutes: 60 }, clock);
  // What is measured is the memory, not the signatures: they are taken to be good.
  const trusting: Tokens = {
    ...tokens,
    verifyAccess: (token) => ({
      ...(JSON.parse(token.slice(0, token.indexOf('.'))) as AccessClaims),
      roles: ['user'],
      amr: ['otp'],
    }),
  };

  it('is bounded under a million different tokens', () => {
    const verifyToken = createVerifyToken({ tokens: trusting, secrets, entries: 10_000 });
    const padding = 'x'.repeat(400);
    const tokenNumber = (index: number) =>
      `{"sub":"user${index}","sid":"s${index}","jti":"t${index}","iat":0,"exp":1}.${padding}.${String(index).padStart(43, '0')}`;
    const emptyBytes = heapBytes();
    for (let index = 0; index < 20_000; index++) verifyToken(tokenNumber(index));
    const fullBytes = heapBytes();
    for (let index = 20_000; index < 1_000_000; index++) verifyToken(tokenNumber(index));
    const grownBytes = heapBytes() - fullBytes;
    expect(grownBytes).toBeLessThan(2_000_000);
    expect(fullBytes - emptyBytes).toBeLessThan(50_000_000);
  });

  it('is bounded by the length of the tokens too', () => {
    const verifyAccess = jest.fn((token: string) => trusting.verifyAccess(token));
    const verifyToken = createVerifyToken({ tokens: { ...trusting, verifyAccess }, secrets, entries: 16 });
    const longToken = (index: number) =>
      `{"sub":"jo","sid":"s","jti":"t","iat":${START_MS / 1000},"exp":${START_MS / 1000 + 60}}.${'x'.repeat(7000)}.${String(index).padStart(43, '0')}`;
    for (let index = 0; index < 16; index++) verifyToken(longToken(index));
    for (let index = 15; index >= 0; index--) verifyToken(longToken(index));
    expect(verifyAccess).toHaveBeenCalledTimes(16 + 14); // two of 7 kB fit where sixteen of 1 kB do
  });
});

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
