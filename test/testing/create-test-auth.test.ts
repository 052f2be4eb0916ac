import express from 'express';
import { generateSync } from 'otplib';
import request from 'supertest';
import { memoryUserStore } from '../../src/index.js';
import { createTestAuth } from '../../src/testing/index.js';

const email = 'ann@example.com';

/** An application as a user of the package writes one. */
function appWith({ auth }: ReturnType<typeof createTestAuth>) {
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json({ id: req.user?.id });
  });
  app.get('/recent', auth.requireRecent(60), (_req, res) => {
    res.json('recent');
  });
  return request(app);
}

describe('createTestAuth', () => {
  it('signs in over HTTP with the code from the outbox', async () => {
    const kit = createTestAuth();
    const app = appWith(kit);
    await app.post('/auth/request-otp').send({ email: 'Ann@Example.com' }).expect(200);
    const otp = kit.outbox.lastCode(email);
    expect(otp).toMatch(/^\d{6}$/);
    const { body } = await app.post('/auth/verify-otp').send({ email, otp }).expect(200);
    const { access_token } = body as { access_token: string };
    await app.get('/me').set('Authorization', `Bearer ${access_token}`).expect(200, { id: email });
  });

  it('signs in by signIn, with everything that a test needs to act as the user', async () => {
    const kit = createTestAuth();
    const { accessToken, refreshToken, authorization, user } = await kit.signIn('Ann@Example.com');
    expect(authorization).toBe(`Bearer ${accessToken}`);
    expect(user).toMatchObject({ id: email, email, roles: [], amr: ['otp'] });
    const app = appWith(kit);
    await app.get('/me').set('Authorization', authorization).expect(200, { id: email });
    await app.post('/auth/refresh').send({ refresh_token: refreshToken }).expect(200);
    await app.post('/auth/logout').set('Authorization', authorization).expect(200);
    await app.get('/me').set('Authorization', authorization).expect(401);
  });

  it('runs the real flow in signIn: its events are emitted, and its message is in the outbox', async () => {
    const { auth, outbox, signIn } = createTestAuth();
    const names: string[] = [];
    for (const name of ['otp.requested', 'otp.sent', 'otp.verified', 'session.started'] as const)
      auth.events.on(name, () => names.push(name));
    await signIn(email);
    expect(names).toEqual(['otp.requested', 'otp.sent', 'otp.verified', 'session.started']);
    expect(outbox.messages).toHaveLength(1);
  });

  it('lets signIn through however often, and leaves the limits as they were', async () => {
    const kit = createTestAuth();
    for (let time = 0; time < 30; time += 1) await kit.signIn(email);
    await appWith(kit).post('/auth/request-otp').send({ email }).expect(200);
    await appWith(kit).post('/auth/request-otp').send({ email }).expect(429);
    await expect(kit.signIn(email)).resolves.toMatchObject({ user: { id: email } });
  });

  it('signs the same person in many times at once', async () => {
    const { signIn } = createTestAuth();
    const signedIn = await Promise.all(Array.from({ length: 10 }, () => signIn(email)));
    expect(new Set(signedIn.map(({ user }) => user.sessionId)).size).toBe(10);
  });

  it('does not take the limits per address of the network for the tests’ one', async () => {
    const kit = createTestAuth();
    const app = appWith(kit);
    for (let person = 0; person < 100; person += 1)
      await app
        .post('/auth/request-otp')
        .send({ email: `${person}@example.com` })
        .expect(200);
  });

  it('takes the limits per address of the network where they are asked for, and its clock ends them', async () => {
    const kit = createTestAuth({ limits: { requestsPerIpPerMinute: 1 } });
    const app = appWith(kit);
    await app.post('/auth/request-otp').send({ email }).expect(200);
    await app.post('/auth/request-otp').send({ email: 'bob@example.com' }).expect(429);
    kit.clock.advance(60);
    await app.post('/auth/request-otp').send({ email: 'bob@example.com' }).expect(200);
  });

  it('says nothing: no warning about a missing secret', async () => {
    const warn = jest.spyOn(console, 'warn');
    await createTestAuth().signIn(email);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('works with an application’s options for production, and its variables for development', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { NODE_ENV: 'production', EXPRESS_OTP_AUTH_DISABLE_LOCAL_AUTH: 'true' });
    try {
      const { auth, signIn } = createTestAuth({
        redis: 'redis://redis.internal:6379/0',
        redisOptions: { tls: {} },
        email: { smtp: { host: 'smtp.internal', username: 'shop@example.com', password: 'secret' } },
        jwt: { issuer: 'shop' },
        revocation: 'push',
      });
      expect((await signIn(email)).user.claims['iss']).toBe('shop');
      await expect(auth.health()).resolves.toMatchObject({ ok: true });
    } finally {
      process.env = before;
    }
  });

  it('signs in with magic codes where they are asked for', async () => {
    const { signIn, outbox } = createTestAuth({
      magicOtp: true,
      otp: { length: 8 },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await expect(signIn(email)).resolves.toMatchObject({ user: { id: email } });
    expect(outbox.messages).toEqual([]);
  });

  it('signs in where messages are sent in the background', async () => {
    const { signIn } = createTestAuth({
      delivery: 'background',
      email: { send: () => new Promise((resolve) => setImmediate(resolve)) },
    });
    await expect(signIn(email)).resolves.toMatchObject({ user: { id: email } });
  });

  it('works under a test runner’s fake timers', async () => {
    jest.useFakeTimers();
    try {
      const { signIn } = createTestAuth({ delivery: 'background' });
      await expect(signIn(email)).resolves.toMatchObject({ user: { id: email } });
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps two of them apart', async () => {
    const [one, other] = [createTestAuth(), createTestAuth()];
    const { authorization } = await one.signIn(email);
    await appWith(other).get('/me').set('Authorization', authorization).expect(401);
    expect(other.outbox.messages).toEqual([]);
  });

  it('leaves nothing open', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate');
    const { signIn } = createTestAuth();
    await signIn(email);
    expect(process.getActiveResourcesInfo().filter((name) => name !== 'Immediate')).toEqual(before);
  });
});

describe('signIn with a second factor', () => {
  it('shows it, any number of times, and neither stops nor counts for the user’s own tries', async () => {
    const { auth, clock, signIn } = createTestAuth({
      users: { store: 'memory' },
      totp: 'optional',
      limits: { secondFactorFailuresPerDay: 1 },
    });
    const { user } = await signIn(email);
    expect(user.amr).toEqual(['otp']);
    const { secret } = await auth.api.enrollTotp(user.id);
    const code = generateSync({ secret, epoch: Math.floor(clock.now() / 1000) });
    await auth.api.confirmTotp(user.id, { code });
    for (let time = 0; time < 3; time += 1) expect((await signIn(email)).user.amr).toEqual(['otp', 'totp']);
    await expect(auth.api.disableTotp(user.id, { code })).rejects.toMatchObject({ code: 'invalid_totp' });
  });

  it('sets one up where everybody must have one', async () => {
    const kit = createTestAuth({ users: { store: 'memory' }, totp: 'required' });
    const { user, authorization } = await kit.signIn(email, { roles: ['editor'] });
    expect(user).toMatchObject({ email, roles: ['editor'], amr: ['otp', 'totp'] });
    await appWith(kit).get('/me').set('Authorization', authorization).expect(200);
    expect((await kit.signIn(email)).user.id).toBe(user.id);
    await kit.auth.api.requestOtp({ email });
    const otp = kit.outbox.lastCode(email) ?? '';
    await expect(kit.auth.api.verifyOtp({ email, otp })).rejects.toMatchObject({ code: 'mfa_required' });
  });
});

describe('signIn with roles', () => {
  const admins = ({ auth }: ReturnType<typeof createTestAuth>) =>
    request(express().get('/admin', auth.requireRole('admin'), (_req, res) => void res.json('admin')));

  it('gives them without accounts, and the id stays the address', async () => {
    const kit = createTestAuth();
    const { authorization, refreshToken, user } = await kit.signIn('Ann@Example.com', { roles: ['admin'] });
    expect(user).toMatchObject({ id: email, roles: ['admin'] });
    await admins(kit).get('/admin').set('Authorization', authorization).expect(200);
    const { accessToken } = await kit.auth.api.refresh({ refreshToken });
    await admins(kit).get('/admin').set('Authorization', `Bearer ${accessToken}`).expect(200);
    const bob = await kit.signIn('bob@example.com');
    expect(bob.user.roles).toEqual([]);
    await admins(kit).get('/admin').set('Authorization', bob.authorization).expect(403);
  });

  it.each(['memory', 'redis'])('gives them to accounts that a variable puts in the %s store', async (store) => {
    const before = { ...process.env };
    process.env['EXPRESS_OTP_AUTH_USER_STORE'] = store;
    try {
      const { auth, signIn } = createTestAuth();
      const { user } = await signIn(email, { roles: ['admin'] });
      expect(await auth.api.getUser(user.id)).toMatchObject({ email, roles: ['admin'] });
    } finally {
      process.env = before;
    }
  });

  it.each(['memory', 'redis'] as const)('gives them to accounts in the %s store, new and old ones', async (store) => {
    const kit = createTestAuth({ users: { store } });
    const plain = await kit.signIn(email);
    expect(plain.user.roles).toEqual(['user']);
    const admin = await kit.signIn(' Ann@example.com', { roles: ['admin', 'editor'] });
    expect(admin.user).toMatchObject({ id: plain.user.id, roles: ['admin', 'editor'] });
    await admins(kit).get('/admin').set('Authorization', admin.authorization).expect(200);
    const bob = await kit.signIn('bob@example.com', { roles: ['editor'] });
    await expect(kit.auth.api.getUser(bob.user.id)).resolves.toMatchObject({ roles: ['editor'] });
    await admins(kit).get('/admin').set('Authorization', bob.authorization).expect(403);
  });

  it('gives them to accounts in a store of the application’s own', async () => {
    const store = memoryUserStore();
    const { signIn } = createTestAuth({ users: { store } });
    const { user } = await signIn(email, { roles: ['editor'] });
    await expect(store.findById(user.id)).resolves.toMatchObject({ email, roles: ['editor'] });
  });

  it('makes an account where sign-up is closed, and signs in nobody without one', async () => {
    const { signIn } = createTestAuth({ signUp: 'closed', users: { store: 'memory' } });
    await expect(signIn(email)).rejects.toThrow('no code was sent');
    await expect(signIn(email, { roles: ['user'] })).resolves.toMatchObject({ user: { email } });
    await expect(signIn(email)).resolves.toMatchObject({ user: { email } });
  });
});

describe('the test clock', () => {
  it('ends a code', async () => {
    const { auth, outbox, clock } = createTestAuth({ otp: { expirySeconds: 60 } });
    await auth.api.requestOtp({ email });
    const otp = outbox.lastCode(email) ?? '';
    clock.advance(60);
    await expect(auth.api.verifyOtp({ email, otp })).rejects.toMatchObject({ code: 'invalid_otp' });
  });

  it('ends a cool-down and a daily limit', async () => {
    const { auth, clock } = createTestAuth({ limits: { sendsPerDay: 2 } });
    await auth.api.requestOtp({ email });
    await expect(auth.api.requestOtp({ email })).rejects.toMatchObject({ code: 'rate_limited' });
    clock.advance(30);
    await auth.api.requestOtp({ email });
    clock.advance(30);
    await expect(auth.api.requestOtp({ email })).rejects.toMatchObject({ code: 'rate_limited' });
    clock.advance(24 * 3600);
    await auth.api.requestOtp({ email });
  });

  it('ends an access token, and makes a sign-in an old one', async () => {
    const kit = createTestAuth();
    const { authorization } = await kit.signIn(email);
    const app = appWith(kit);
    kit.clock.advance(61);
    await app.get('/recent').set('Authorization', authorization).expect(401);
    await app.get('/me').set('Authorization', authorization).expect(200);
    kit.clock.advance(3600);
    await app.get('/me').set('Authorization', authorization).expect(401);
  });

  it('ends a session', async () => {
    const { auth, clock, signIn } = createTestAuth({ jwt: { refreshTokenDays: 1 } });
    const { refreshToken, user } = await signIn(email);
    await expect(auth.api.listSessions(user.id)).resolves.toHaveLength(1);
    clock.advance(24 * 3600);
    await expect(auth.api.listSessions(user.id)).resolves.toEqual([]);
    await expect(auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
  });

  it('starts at the present, and stands still until it is told to move on', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { clock } = createTestAuth();
    const start = clock.now();
    expect(start).toBeGreaterThanOrEqual(before);
    expect(start).toBeLessThanOrEqual(Date.now());
    clock.advance(1.5);
    expect(clock.now()).toBe(start + 1500);
    expect(() => clock.advance(-1)).toThrow(TypeError);
    expect(() => clock.advance(Number.NaN)).toThrow(TypeError);
  });
});

describe('the outbox', () => {
  it('has each message with what it says, and finds the last one to an address however that is written', async () => {
    const { auth, outbox } = createTestAuth({ email: { fromName: 'Shop' } });
    await auth.api.requestOtp({ email, locale: 'de' });
    await auth.api.requestOtp({ email: 'bob@example.com' });
    expect(outbox.messages.map(({ to }) => to)).toEqual([email, 'bob@example.com']);
    expect(outbox.last(' ANN@example.com')).toMatchObject({
      channel: 'email',
      to: email,
      locale: 'de',
      purpose: 'sign-in',
      subject: expect.stringContaining('Shop') as string,
      text: expect.stringContaining(outbox.lastCode(email) ?? 'no code') as string,
    });
    expect(outbox.last('nobody@example.com')).toBeUndefined();
    expect(outbox.lastCode('nobody@example.com')).toBeUndefined();
    outbox.clear();
    expect(outbox.messages).toEqual([]);
    expect(outbox.last(email)).toBeUndefined();
  });

  it('knows the code of a message that presents it in a way of its own', async () => {
    const { auth, outbox } = createTestAuth({
      email: { render: ({ code }) => ({ subject: 'Hi', text: code.replace(/\B/g, ' '), html: '2026' }) },
    });
    await auth.api.requestOtp({ email });
    await expect(auth.api.verifyOtp({ email, otp: outbox.lastCode(email) ?? '' })).resolves.toBeDefined();
    expect(outbox.last(email)?.text).toMatch(/^\d( \d){5}$/);
  });

  it('has what was handed over, and not what the application’s own sender refused', async () => {
    const sent: string[] = [];
    const { auth, outbox } = createTestAuth({
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      email: {
        send: ({ to }) => {
          if (to.startsWith('bounce@')) throw new Error('refused');
          sent.push(to);
        },
      },
    });
    await auth.api.requestOtp({ email });
    await expect(auth.api.requestOtp({ email: 'bounce@example.com' })).rejects.toMatchObject({
      code: 'delivery_failed',
    });
    expect(sent).toEqual([email]);
    expect(outbox.messages).toHaveLength(1);
  });

  it('has texts to phones as well', async () => {
    const { outbox, signIn } = createTestAuth({ sms: { allowedCountries: ['AT'] } });
    const { user } = await signIn('+43 664 1234567');
    expect(user).toMatchObject({ id: '+436641234567', phoneNumber: '+436641234567' });
    expect(outbox.last('+43 (664) 1234567')).toMatchObject({ channel: 'sms', to: '+436641234567' });
    expect(outbox.lastCode('+436641234567')).toMatch(/^\d{6}$/);
  });

  it('knows a phone however its number is written, and its account', async () => {
    const sms = { allowedCountries: ['AT'], defaultCountry: 'AT' };
    const { outbox, signIn } = createTestAuth({ sms, users: { store: 'memory' } });
    const { user } = await signIn('0664 1234567', { roles: ['author'] });
    expect(user).toMatchObject({ phoneNumber: '+436641234567', roles: ['author'] });
    for (const written of ['0664 1234567', '+43 (0)664 1234567', '+436641234567'])
      expect(outbox.last(written)?.to).toBe('+436641234567');
    expect((await signIn('0664/123 45 67', { roles: ['editor'] })).user).toMatchObject({
      id: user.id,
      roles: ['editor'],
    });
  });
});
