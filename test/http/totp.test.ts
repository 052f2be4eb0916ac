import { generateSync } from 'otplib';
import jsqr from 'jsqr';
import { PNG } from 'pngjs';
import request from 'supertest';
import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, SECRET, startAuthApp } from '../support/auth-app.js';
import { freshRedis, redisUrl } from '../support/redis.js';

const YOUNG_SECRET = 'a younger secret for tests, of more than thirty-two bytes';
const EMAIL = 'jo@example.com';

describe.each(['memory', 'redis'] as const)('authenticator apps, on %s', (where) => {
  let running: AuthApp;
  const start = async (options: OtpAuthOptions = {}, clock = fakeClock()) => {
    running = await startAuthApp(
      {
        totp: 'optional',
        users: { store: where },
        ...options,
        limits: {
          requestsPerIpPerMinute: 1_000_000,
          verifiesPerIpPerMinute: 1_000_000,
          sendsPerHour: 1000,
          sendsPerDay: 1000,
          ...options.limits,
        },
        redis: where === 'redis' ? redisUrl() : 'memory:',
      },
      clock,
    );
    return running;
  };
  beforeEach(async () => {
    if (where === 'redis') await freshRedis();
    await start();
  });
  afterEach(() => running.close());

  const post = (path: string, body: object, authorization?: string) =>
    request(running.url)
      .post(`/auth${path}`)
      .set(authorization === undefined ? {} : { authorization })
      .send(body);
  const codeOf = (secret: string, stepsLater = 0) =>
    generateSync({ secret, epoch: Math.floor(running.clock.now() / 1000) + 30 * stepsLater });
  const nextStep = () => running.clock.advanceSeconds(30);
  const signInFirst = async (email = EMAIL) => {
    expect((await post('/request-otp', { email })).status).toBe(200);
    return post('/verify-otp', { email, otp: running.lastCode(email), token_transport: 'body' });
  };
  const me = (accessToken: string) => request(running.url).get('/me').set('Authorization', `Bearer ${accessToken}`);
  /** Signs in, enrols and confirms. */
  const enrol = async (email = EMAIL) => {
    const first = await signInFirst(email);
    expect(first.status).toBe(200);
    const authorization = `Bearer ${first.body.access_token}`;
    const enrolled = await post('/totp/enroll', {}, authorization);
    expect(enrolled.status).toBe(200);
    const { secret } = enrolled.body as { secret: string };
    const confirmed = await post('/totp/confirm', { code: codeOf(secret) }, authorization);
    expect(confirmed.status).toBe(200);
    nextStep();
    return {
      authorization,
      secret,
      refreshToken: String(first.body.refresh_token),
      recoveryCodes: confirmed.body.recovery_codes as string[],
      enrolled: enrolled.body as { secret: string; uri: string; qr_code: string },
    };
  };
  const challenge = async (email = EMAIL) => {
    const answer = await signInFirst(email);
    expect([answer.status, answer.body.code]).toEqual([403, 'mfa_required']);
    return String(answer.body.mfa_token);
  };

  it('are set up by a QR code that a decoder reads, and a URI with issuer and account', async () => {
    const { enrolled } = await enrol();
    const uri = new URL(enrolled.uri);
    expect(decodeURIComponent(uri.pathname)).toBe('/Express App:jo@example.com');
    expect(uri.searchParams.get('secret')).toBe(enrolled.secret);
    const png = PNG.sync.read(Buffer.from(enrolled.qr_code.replace('data:image/png;base64,', ''), 'base64'));
    expect(jsqr.default(new Uint8ClampedArray(png.data), png.width, png.height)?.data).toBe(enrolled.uri);
  });

  it('enforce nothing until they are confirmed', async () => {
    const first = await signInFirst();
    const authorization = `Bearer ${first.body.access_token}`;
    const one = await post('/totp/enroll', {}, authorization);
    const other = await post('/totp/enroll', {}, authorization);
    expect(other.body.secret).not.toBe(one.body.secret);
    expect((await signInFirst()).status).toBe(200);
    const wrong = await post('/totp/confirm', { code: codeOf(one.body.secret) }, authorization);
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_totp']);
    expect((await signInFirst()).status).toBe(200);
  });

  it('are asked for after the code, and finish the sign-in', async () => {
    const { secret } = await enrol();
    const first = await signInFirst();
    expect(first.status).toBe(403);
    expect(first.body).toMatchObject({ code: 'mfa_required', methods: ['totp', 'recovery_code'] });
    expect(first.body.access_token).toBeUndefined();
    expect(first.headers['set-cookie']).toBeUndefined();

    const second = await post('/totp/verify', { mfa_token: first.body.mfa_token, code: codeOf(secret) });
    expect(second.status).toBe(200);
    expect(second.headers['set-cookie']?.[0]).toMatch(/^refresh_token=.*HttpOnly/);
    expect((await me(second.body.access_token)).body.amr).toEqual(['otp', 'totp']);
  });

  it('hand out an MFA token that is good for nothing else, once, and for ten minutes', async () => {
    const { secret } = await enrol();
    const mfaToken = await challenge();
    const authorization = `Bearer ${mfaToken}`;
    expect((await me(mfaToken)).status).toBe(401);
    expect((await post('/refresh', { refresh_token: mfaToken })).status).toBe(401);
    expect((await post('/logout', {}, authorization)).status).toBe(401);
    expect((await post('/totp/disable', { code: codeOf(secret) }, authorization)).status).toBe(401);

    expect((await post('/totp/verify', { mfa_token: mfaToken, code: codeOf(secret) })).status).toBe(200);
    nextStep();
    const again = await post('/totp/verify', { mfa_token: mfaToken, code: codeOf(secret) });
    expect([again.status, again.body.code]).toEqual([401, 'invalid_token']);
    // The code itself is as good as before.
    expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(200);

    const late = await challenge();
    running.clock.advanceSeconds(600);
    const expired = await post('/totp/verify', { mfa_token: late, code: codeOf(secret) });
    expect([expired.status, expired.body.code]).toEqual([401, 'invalid_token']);
  });

  it.each<[string, OtpAuthOptions]>([
    ['and outlast access tokens of a minute', { jwt: { secret: SECRET, accessTokenMinutes: 1 } }],
    ['and are pushed', { revocation: 'push' }],
  ])('let what ends all sessions of a user end the sign-ins that are under way, %s', async (_, options) => {
    await running.close();
    await start(options);
    const { secret } = await enrol();
    expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(200);
    const [{ id } = { id: '' }] = (await running.auth.api.listUsers()).data;
    const ends = [
      () => running.auth.api.revokeUser(id),
      async () => {
        await running.auth.api.updateUser(id, { disabled: true });
        await running.auth.api.updateUser(id, { disabled: false });
      },
    ];
    for (const [end, secondsLater] of ends.flatMap((each) => [[each, 60] as const, [each, 0.5] as const])) {
      const mfa_token = await challenge();
      running.clock.advanceSeconds(secondsLater);
      await end();
      running.clock.advanceSeconds(120);
      const answer = await post('/totp/verify', { mfa_token, code: codeOf(secret) });
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
      nextStep();
      expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(200);
    }
  });

  it('finish no sign-in by an address that is no longer the user’s', async () => {
    const { secret, authorization } = await enrol();
    const mfa_token = await challenge();
    await post('/users/me/identifier', { email: 'new@example.com' }, authorization);
    const otp = running.lastCode('new@example.com');
    expect((await post('/users/me/identifier/verify', { email: 'new@example.com', otp }, authorization)).status).toBe(
      200,
    );
    nextStep();
    const answer = await post('/totp/verify', { mfa_token, code: codeOf(secret) });
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
    const other = await challenge('new@example.com');
    expect((await post('/totp/verify', { mfa_token: other, code: codeOf(secret) })).status).toBe(200);
  });

  it('take no other token for an MFA token', async () => {
    const { authorization, secret, refreshToken } = await enrol();
    for (const mfa_token of [authorization.slice(7), refreshToken, 'x', 'a.b.c'])
      expect((await post('/totp/verify', { mfa_token, code: codeOf(secret) })).status).toBe(401);
  });

  it('accept each step once, also under 20 tries at once and across challenges', async () => {
    const { secret } = await enrol();
    const challenges = [await challenge(), await challenge()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        post('/totp/verify', { mfa_token: challenges[index % 2], code: codeOf(secret) }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status, body }) => status === 200 || body.code === 'invalid_totp')).toBe(true);
    // A form that was sent twice is no guess: nobody is locked out by it.
    for (let time = 0; time < 5; time += 1)
      expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(400);
    nextStep();
    expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(200);
  });

  it('accept the step before and the one after, and no other', async () => {
    const { secret } = await enrol();
    running.clock.advanceSeconds(300);
    for (const [later, status] of [
      [-2, 400],
      [2, 400],
      [-1, 200],
      [1, 200],
    ] as const) {
      const answer = await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret, later) });
      expect([later, answer.status]).toEqual([later, status]);
    }
  });

  it('count failures per user over all methods, and then refuse the right code too', async () => {
    await running.close();
    await start({ limits: { secondFactorFailuresPerDay: 4 } });
    const { secret, authorization, recoveryCodes } = await enrol();
    const rejected: OtpAuthEvent<'totp.rejected'>[] = [];
    running.auth.events.on('totp.rejected', (event) => rejected.push(event));
    const mfa_token = await challenge();
    expect((await post('/totp/verify', { mfa_token, code: '000000' })).status).toBe(400);
    expect((await post('/totp/verify', { mfa_token, recovery_code: 'abcde-fghjk-mnpqr' })).status).toBe(400);
    expect((await post('/totp/disable', { code: '000000' }, authorization)).status).toBe(400);
    expect((await post('/totp/recovery-codes', { code: '000000' }, authorization)).status).toBe(400);
    expect(rejected).toHaveLength(4);
    for (const body of [{ code: codeOf(secret) }, { recovery_code: recoveryCodes[0] }]) {
      const answer = await post('/totp/verify', { mfa_token: await challenge(), ...body });
      expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    running.clock.advanceSeconds(86_400);
    expect((await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) })).status).toBe(200);
  });

  it('have ten recovery codes, each good once', async () => {
    const { recoveryCodes } = await enrol();
    expect(new Set(recoveryCodes).size).toBe(10);
    const used: OtpAuthEvent<'recovery_code.used'>[] = [];
    running.auth.events.on('recovery_code.used', (event) => used.push(event));
    const recovery_code = recoveryCodes[3]?.toUpperCase().replaceAll('-', ' ');
    const tries = await Promise.all(
      [await challenge(), await challenge()].map((mfa_token) => post('/totp/verify', { mfa_token, recovery_code })),
    );
    expect(tries.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400]);
    expect((await post('/totp/verify', { mfa_token: await challenge(), recovery_code })).status).toBe(400);
    expect(used.map(({ remaining }) => remaining)).toEqual([9]);
    const notices = running.mails.filter(({ purpose }) => purpose === 'recovery_code_used');
    expect(notices).toMatchObject([{ to: EMAIL, subject: 'A recovery code was used to sign in to Express App' }]);
    const other = await post('/totp/verify', { mfa_token: await challenge(), recovery_code: recoveryCodes[0] });
    expect((await me(other.body.access_token)).body.amr).toEqual(['otp', 'recovery_code']);
  });

  it('tell of changes in the language of whoever makes them', async () => {
    const { secret, authorization } = await enrol();
    const renewed = request(running.url).post('/auth/totp/recovery-codes').set({ authorization });
    expect((await renewed.set('Accept-Language', 'de').send({ code: codeOf(secret) })).status).toBe(200);
    expect(running.mails.at(-1)?.subject).toBe('Für Express App wurden neue Wiederherstellungscodes erstellt');
  });

  it('get new recovery codes for a code, and the old ones are dead', async () => {
    const { secret, authorization, recoveryCodes } = await enrol();
    const renewed = await post('/totp/recovery-codes', { code: codeOf(secret) }, authorization);
    expect(renewed.body.recovery_codes).toHaveLength(10);
    expect(running.mails.at(-1)).toMatchObject({ to: EMAIL, purpose: 'recovery_codes_renewed' });
    const verify = async (recovery_code: string | undefined) =>
      (await post('/totp/verify', { mfa_token: await challenge(), recovery_code })).status;
    expect(await verify(recoveryCodes[0])).toBe(400);
    expect(await verify(renewed.body.recovery_codes[0])).toBe(200);
  });

  it('are disabled for a code, with a notice, and are asked for no more', async () => {
    const { secret, authorization } = await enrol();
    expect((await post('/totp/disable', { code: '000000' }, authorization)).status).toBe(400);
    const answer = await post('/totp/disable', { code: codeOf(secret) }, authorization);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await signInFirst()).status).toBe(200);
    const subjects = running.mails.map(({ subject }) => subject);
    expect(subjects).toContain('Two-step sign-in was turned on for Express App');
    expect(subjects).toContain('Two-step sign-in was turned off for Express App');
    expect((await post('/totp/disable', { code: codeOf(secret) }, authorization)).status).toBe(409);
  });

  it('are given up by a recovery code where they are lost, and another takes their place', async () => {
    const { secret, recoveryCodes } = await enrol();
    const [first = '', second = ''] = recoveryCodes;
    const { mfa_token } = (await signInFirst()).body;
    const signedIn = await post('/totp/verify', { mfa_token, recovery_code: first, token_transport: 'body' });
    const authorization = `Bearer ${signedIn.body.access_token}`;
    for (const recovery_code of [first, 'nonsense'])
      expect((await post('/totp/disable', { recovery_code }, authorization)).body.code).toBe('invalid_totp');
    for (const body of [{}, { code: codeOf(secret), recovery_code: second }])
      expect((await post('/totp/disable', body, authorization)).body.code).toBe('invalid_request');
    expect((await post('/totp/disable', { recovery_code: second }, authorization)).status).toBe(204);
    expect((await post('/totp/enroll', {}, authorization)).status).toBe(200);
  });

  it('need a recent sign-in to be enrolled, and cannot be enrolled twice', async () => {
    const { authorization } = await enrol();
    expect((await post('/totp/enroll', {}, authorization)).status).toBe(409);
    const old = await signInFirst('old@example.com');
    running.clock.advanceSeconds(601);
    const late = await post('/totp/enroll', {}, `Bearer ${old.body.access_token}`);
    expect([late.status, late.body.code]).toEqual([401, 'reauthentication_required']);
  });

  it('come behind the code in the password of the OAuth 2.0 form', async () => {
    const { secret } = await enrol();
    const token = async (suffix: string, email = EMAIL) => {
      await post('/request-otp', { email });
      const form = { grant_type: 'password', username: email, password: running.lastCode(email) + suffix };
      return request(running.url).post('/auth/token').type('form').send(form);
    };
    expect((await token('')).body).toMatchObject({ error: 'invalid_grant' });
    expect((await token('000000')).body).toMatchObject({ error: 'invalid_grant' });
    const good = await token(codeOf(secret));
    expect(good.status).toBe(200);
    expect((await me(good.body.access_token)).body.amr).toEqual(['otp', 'totp']);
    // Nobody gets in with digits too many.
    expect((await token('123456', 'none@example.com')).status).toBe(400);
  });

  it('can be required: whoever has none can do nothing else before enrolling', async () => {
    await running.close();
    await start({ totp: 'required' });
    const first = await signInFirst();
    const authorization = `Bearer ${first.body.access_token}`;
    const refused = await me(first.body.access_token);
    expect([refused.status, refused.body.code]).toEqual([403, 'mfa_required']);
    expect((await request(running.url).get('/auth/sessions').set({ authorization })).status).toBe(403);
    await expect(running.auth.api.authenticate(first.body.access_token)).rejects.toMatchObject({
      code: 'mfa_required',
    });

    const { secret } = (await post('/totp/enroll', {}, authorization)).body;
    expect((await post('/totp/confirm', { code: codeOf(secret) }, authorization)).status).toBe(200);
    const refreshed = await post('/refresh', { refresh_token: first.body.refresh_token });
    expect((await me(refreshed.body.access_token)).body.amr).toEqual(['otp', 'totp']);
    nextStep();
    const later = await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) });
    expect((await me(later.body.access_token)).status).toBe(200);
  });

  it.each<[string, (own: Awaited<ReturnType<typeof enrol>>, id: string) => Promise<unknown>]>([
    ['given up', ({ secret, authorization }) => post('/totp/disable', { code: codeOf(secret) }, authorization)],
    ['taken away', (_own, id) => running.auth.api.resetTotp(id)],
  ])('are no less required once one is %s: what was signed in with it has ended', async (_how, remove) => {
    await running.close();
    await start({ totp: 'required' });
    const own = await enrol();
    const { access_token } = (await post('/refresh', { refresh_token: own.refreshToken })).body;
    expect((await me(access_token)).status).toBe(200);
    const [{ id } = { id: '' }] = (await running.auth.api.listUsers()).data;
    await remove({ ...own, authorization: `Bearer ${access_token}` }, id);
    expect((await running.auth.api.getUser(id)).totpEnabled).toBe(false);
    expect((await me(access_token)).status).toBe(401);
    running.clock.advanceSeconds(60);
    expect((await me((await signInFirst()).body.access_token)).body.code).toBe('mfa_required');
  });

  it.each(['confirm', 'recovery-codes', 'disable'])('count codes by network address at /totp/%s', async (path) => {
    await running.close();
    await start({ limits: { verifiesPerIpPerMinute: 3 } });
    const first = await signInFirst();
    const authorization = `Bearer ${first.body.access_token}`;
    await post('/totp/enroll', {}, authorization);
    const statuses: number[] = [];
    for (let time = 0; time < 3; time += 1)
      statuses.push((await post(`/totp/${path}`, { code: '000000' }, authorization)).status);
    expect(statuses.slice(0, 2)).not.toContain(429);
    expect(statuses[2]).toBe(429);
  });

  it.each([
    ['no token', { code: '123456' }],
    ['no code', { mfa_token: 'x' }],
    ['both codes', { mfa_token: 'x', code: '123456', recovery_code: 'abcde-fghjk-mnpqr' }],
    ['a number', { mfa_token: 'x', code: 123456 }],
    ['full-width digits', { mfa_token: 'x', code: '１２３４５６' }],
    ['five digits', { mfa_token: 'x', code: '12345' }],
  ])('refuse a body with %s', async (_, body) => {
    const answer = await post('/totp/verify', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  });

  it('refuse cross-site requests to finish a sign-in', async () => {
    const answer = await post('/totp/verify', { mfa_token: 'x', code: '123456' }).set('Origin', 'https://evil.example');
    expect([answer.status, answer.body.code]).toEqual([403, 'cross_site_request']);
  });

  if (where === 'redis') {
    it('go on while an old and a new secret are listed, and after the old one is gone', async () => {
      const { secret, recoveryCodes } = await enrol();
      const { clock } = running;
      await running.close();
      await start({ jwt: { secret: [YOUNG_SECRET, SECRET] } }, clock);
      const first = await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) });
      expect(first.status).toBe(200);
      const recovered = await post('/totp/verify', { mfa_token: await challenge(), recovery_code: recoveryCodes[0] });
      expect(recovered.status).toBe(200);
      nextStep();
      await running.close();
      await start({ jwt: { secret: YOUNG_SECRET } }, clock);
      const later = await post('/totp/verify', { mfa_token: await challenge(), code: codeOf(secret) });
      expect(later.status).toBe(200);
    });

    it('leave no secret and no recovery code readable in Redis', async () => {
      const { secret, recoveryCodes } = await enrol();
      await post('/totp/verify', { mfa_token: await challenge(), recovery_code: recoveryCodes[0] });
      const { Redis } = await import('ioredis');
      const redis = new Redis(redisUrl());
      const dumps = await Promise.all((await redis.keys('*')).map((key) => redis.dumpBuffer(key)));
      redis.disconnect();
      const all = Buffer.concat(dumps.map((dump) => dump ?? Buffer.alloc(0))).toString('latin1');
      for (const hidden of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
        expect(all).not.toContain(hidden);
    });
  }
});
