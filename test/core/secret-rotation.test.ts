import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, type SignedIn, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';
const [A, B] = [
  'the old secret, which is longer than thirty-two bytes',
  'the new secret, which is longer than thirty-two bytes',
];

describeOnEachStore('a new secret', (stored) => {
  /** One application with the old secret, one with the new before the old, one with the new alone: all on one store. */
  const start = async (options: OtpAuthOptions = {}) => {
    const clock = fakeClock();
    const startWith = (secret: string[]) => startAuthApp({ ...stored(), ...options, jwt: { secret } }, clock);
    return { clock, before: await startWith([A]), during: await startWith([B, A]), after: await startWith([B]) };
  };
  const me = async ({ url }: AuthApp, accessToken: string) =>
    (await call(`${url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${accessToken}` } })).status;
  const refresh = async ({ auth }: AuthApp, { refreshToken }: { refreshToken: string }) =>
    auth.api.refresh({ refreshToken });
  const refused = { code: 'invalid_refresh_token' };

  it('signs from the moment that it stands in front; the old one’s tokens stay good until it is gone', async () => {
    const { before, during, after } = await start();
    const old = await before.signIn(JO);
    const young = await during.signIn('joe@example.com');
    expect(readToken(young.accessToken).header['kid']).not.toBe(readToken(old.accessToken).header['kid']);
    expect([
      await me(before, old.accessToken),
      await me(during, old.accessToken),
      await me(after, old.accessToken),
    ]).toEqual([200, 200, 401]);
    expect([
      await me(before, young.accessToken),
      await me(during, young.accessToken),
      await me(after, young.accessToken),
    ]).toEqual([401, 200, 200]);
    await expect(refresh(after, old)).rejects.toMatchObject(refused);
  });

  it('takes sessions over when they are refreshed, and they go on when the old one is gone', async () => {
    const { before, during, after, clock } = await start();
    const { refreshToken, accessToken } = await before.signIn(JO);
    clock.advanceSeconds(1000);
    const moved = await refresh(during, { refreshToken });
    const [old, young] = [readToken(accessToken).payload, readToken(moved.accessToken).payload];
    expect(young).toMatchObject({ sid: old['sid'], sub: JO, auth_time: old['auth_time'], amr: ['otp'] });
    expect(await during.auth.api.listSessions(JO)).toHaveLength(1);
    const next = await refresh(after, moved);
    expect(await after.auth.api.listSessions(JO)).toHaveLength(1);
    expect([await me(after, moved.accessToken), await me(after, next.accessToken)]).toEqual([200, 200]);
  });

  it('gives a refresh token of the old one that comes twice the same successor', async () => {
    const { before, during } = await start();
    const signedIn = await before.signIn(JO);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(during, signedIn)));
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    expect(await during.auth.api.listSessions(JO)).toHaveLength(1);
  });

  it('lets nobody reuse a replaced token of the old one', async () => {
    const { before, during, after, clock } = await start();
    const detected = jest.fn();
    during.auth.events.on('session.reuse_detected', detected);
    const signedIn = await before.signIn(JO);
    const moved = await refresh(during, signedIn);
    const next = await refresh(during, moved);
    clock.advanceSeconds(60);
    await expect(refresh(during, signedIn)).rejects.toMatchObject(refused);
    expect(detected).toHaveBeenCalledTimes(1);
    for (const tokens of [moved, next]) await expect(refresh(after, tokens)).rejects.toMatchObject(refused);
    for (const { accessToken } of [signedIn, moved, next]) expect(await me(during, accessToken)).toBe(401);
    expect(await during.auth.api.listSessions(JO)).toEqual([]);
  });

  it.each<[string, (app: AuthApp, signedIn: SignedIn) => Promise<unknown>]>([
    ['logged out with the access token', ({ auth }, { accessToken }) => auth.api.logout({ accessToken })],
    ['logged out with the refresh token', ({ auth }, { refreshToken }) => auth.api.logout({ refreshToken })],
    ['logged out everywhere', ({ auth }, { accessToken }) => auth.api.logoutAll({ accessToken })],
    ['revoked by the application', ({ auth }) => auth.api.revokeUser(JO)],
    [
      'ended by its id',
      ({ auth }, { accessToken }) => auth.api.revokeSession(JO, String(readToken(accessToken).payload['sid'])),
    ],
  ])('keeps ended what was %s, before or after it came', async (_how, end) => {
    const { before, during } = await start();
    const [ended, other] = [await before.signIn(JO), await before.signIn('joe@example.com')];
    await end(before, ended);
    expect([await me(before, ended.accessToken), await me(during, ended.accessToken)]).toEqual([401, 401]);
    await expect(refresh(during, ended)).rejects.toMatchObject(refused);

    const endedLater = await before.signIn(JO);
    await end(during, endedLater);
    expect([await me(before, endedLater.accessToken), await me(during, endedLater.accessToken)]).toEqual([401, 401]);
    for (const app of [before, during]) await expect(refresh(app, endedLater)).rejects.toMatchObject(refused);
    expect([await me(before, other.accessToken), await me(during, other.accessToken)]).toEqual([200, 200]);
  });

  it('ends sessions of both with one word', async () => {
    const { before, during, after } = await start();
    const old = await before.signIn(JO);
    const young = await during.signIn(JO);
    expect(await during.auth.api.listSessions(JO)).toHaveLength(2);
    expect(await during.auth.api.revokeUser(JO)).toBe(2);
    for (const { accessToken } of [old, young]) expect(await me(during, accessToken)).toBe(401);
    expect(await me(after, young.accessToken)).toBe(401);
    expect(await during.auth.api.listSessions(JO)).toEqual([]);
  });

  it('takes codes that are on their way, whichever process sent them, and each of them once', async () => {
    const { before, during } = await start();
    for (const [sender, receiver] of [
      [before, during],
      [during, before],
      [during, during],
    ] as const) {
      await sender.auth.api.requestOtp({ email: JO });
      const otp = sender.lastCode(JO);
      expect((await receiver.auth.api.verifyOtp({ email: JO, otp })).tokenType).toBe('bearer');
      for (const app of [before, during])
        await expect(app.auth.api.verifyOtp({ email: JO, otp })).rejects.toMatchObject({ code: 'invalid_otp' });
    }
  });

  it('gives nobody new guesses, and no new messages', async () => {
    const { before, during, clock } = await start({
      otp: { resendCooldownSeconds: 30 },
      limits: { failuresPerDay: 5 },
    });
    const limited = { code: 'rate_limited' };
    await before.auth.api.requestOtp({ email: JO });
    await expect(during.auth.api.requestOtp({ email: JO })).rejects.toMatchObject(limited);
    const guess = ({ auth }: AuthApp) =>
      auth.api.verifyOtp({ email: JO, otp: before.lastCode(JO) === '111111' ? '222222' : '111111' });
    for (const app of [before, before, before, during, during])
      await expect(guess(app)).rejects.toMatchObject({ code: 'invalid_otp' });
    for (const app of [before, during]) await expect(guess(app)).rejects.toMatchObject(limited);
    clock.advanceSeconds(60);
    await expect(during.auth.api.requestOtp({ email: JO })).rejects.toMatchObject(limited);
  });
});

describeOnEachStore('a device that was revoked while an old and a new secret were listed', (stored) => {
  it('is a stranger also when the old one is gone', async () => {
    const clock = fakeClock();
    const startWith = (secret: string[]) =>
      startAuthApp({ ...stored(), limits: { sendsPerHour: 1 }, jwt: { secret } }, clock);
    const during = await startWith([B, A]);
    await during.auth.api.requestOtp({ email: JO });
    const { deviceToken } = await during.auth.api.verifyOtp({ email: JO, otp: during.lastCode(JO) });
    clock.advanceSeconds(1);
    await during.auth.api.revokeUser(JO);
    const after = await startWith([B]);
    await after.auth.api.requestOtp({ email: JO });
    await expect(after.auth.api.requestOtp({ email: JO, deviceToken })).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

describe('a list of secrets', () => {
  it('may hold one twice', async () => {
    const app = await startAuthApp({ jwt: { secret: [B, A, B] } });
    const { authorization, refreshToken } = await app.signIn(JO);
    expect((await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: authorization } })).status).toBe(
      200,
    );
    expect(await app.auth.api.listSessions(JO)).toHaveLength(1);
    const { accessToken } = await app.auth.api.refresh({ refreshToken });
    expect(await app.auth.api.revokeUser(JO)).toBe(1);
    await expect(app.auth.api.authenticate(accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
  });
});
