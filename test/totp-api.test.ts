import { generateSync } from 'otplib';
import { memoryStore, memoryUserStore, otpAuth, type OtpAuthEvent } from '../src/index.js';
import { createTestAuth, type TestAuthOptions } from '../src/testing/index.js';
import { closeAfterFile } from './support/closing.js';

const EMAIL = 'jo@example.com';
const SECRET = 'a secret for tests, of more than thirty-two bytes';

/** A user who is signed in, and has an authenticator app. */
async function enrolled(options: TestAuthOptions = {}) {
  const kit = createTestAuth({ users: { store: 'memory' }, totp: 'optional', ...options });
  const { api } = kit.auth;
  const { user, accessToken, refreshToken } = await kit.signIn(EMAIL);
  const { secret } = await api.enrollTotp(user.id);
  const codeNow = () => generateSync({ secret, epoch: Math.floor(kit.clock.now() / 1000) });
  const { recoveryCodes } = await api.confirmTotp(user.id, { code: codeNow(), sessionId: user.sessionId });
  kit.clock.advance(30);
  return { ...kit, api, userId: user.id, accessToken, refreshToken, codeNow, recoveryCodes };
}

/** The MFA token that a first factor gives. */
async function firstFactor({ auth, clock, outbox }: Awaited<ReturnType<typeof enrolled>>): Promise<string> {
  clock.advance(30);
  await auth.api.requestOtp({ email: EMAIL });
  const attempt = auth.api.verifyOtp({ email: EMAIL, otp: outbox.lastCode(EMAIL) ?? '' });
  const error = await attempt.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'mfa_required', details: { mfaToken: expect.any(String) } });
  return (error as { details: { mfaToken: string } }).details.mfaToken;
}

describe('confirming an authenticator app', () => {
  it('shows the recovery codes and tells of it also where the session cannot be told', async () => {
    const store = memoryStore();
    const codes: string[] = [];
    const auth = otpAuth({
      store: { ...store, raiseSession: () => Promise.reject(new Error('no')) },
      users: { store: 'memory' },
      totp: 'optional',
      jwt: { secret: SECRET },
      email: { send: ({ text }) => codes.push(/^\d{6}$/m.exec(text)?.[0] ?? '') },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    closeAfterFile(() => auth.close());
    const told: unknown[] = [];
    auth.events.on('totp.enabled', ({ userId }) => told.push(userId));
    await auth.api.requestOtp({ email: EMAIL });
    const { accessToken } = await auth.api.verifyOtp({ email: EMAIL, otp: codes[0] ?? '' });
    const { id, sessionId } = await auth.api.authenticate(accessToken);
    const { secret } = await auth.api.enrollTotp(id);
    const { recoveryCodes } = await auth.api.confirmTotp(id, { code: generateSync({ secret }), sessionId });
    expect(recoveryCodes).toHaveLength(10);
    expect(told).toEqual([id]);
  });
});

describe('second factors as functions', () => {
  it('are enrolled, asked for, and complete a sign-in', async () => {
    const kit = await enrolled();
    const { api, userId, codeNow, recoveryCodes } = kit;
    expect(recoveryCodes).toHaveLength(10);
    expect(await api.getUser(userId)).toMatchObject({ totpEnabled: true });
    const { accessToken } = await api.refresh({ refreshToken: kit.refreshToken });
    expect((await api.authenticate(accessToken)).amr).toEqual(['otp', 'totp']);

    const signedIn = await api.verifyTotp({ mfaToken: await firstFactor(kit), code: codeNow() });
    expect(signedIn).toEqual({
      accessToken: expect.any(String),
      tokenType: 'bearer',
      expiresIn: 3600,
      refreshToken: expect.any(String),
      refreshExpiresIn: 7 * 86_400,
      deviceToken: expect.any(String),
    });
    expect(await api.authenticate(signedIn.accessToken)).toMatchObject({ id: userId, amr: ['otp', 'totp'] });
  });

  it('have recovery codes, which are renewed', async () => {
    const kit = await enrolled();
    const { api, userId, codeNow } = kit;
    const { recoveryCodes } = await api.renewRecoveryCodes(userId, { code: codeNow() });
    const answer = (recoveryCode = '') =>
      firstFactor(kit).then((mfaToken) => api.verifyTotp({ mfaToken, recoveryCode }));
    await expect(answer(kit.recoveryCodes[0])).rejects.toMatchObject({ code: 'invalid_totp' });
    await expect(answer(recoveryCodes[0])).resolves.toMatchObject({ tokenType: 'bearer' });
  });

  it('are disabled for a code alone', async () => {
    const { api, userId, recoveryCodes } = await enrolled();
    await expect(api.disableTotp(userId, { code: '000000' })).rejects.toMatchObject({ code: 'invalid_totp' });
    const none = {} as { code: string };
    await expect(api.disableTotp(userId, none)).rejects.toMatchObject({ code: 'invalid_request' });
    await api.disableTotp(userId, { recoveryCode: recoveryCodes[0] ?? '' });
    expect(await api.getUser(userId)).toMatchObject({ totpEnabled: false });
  });

  it('are taken from people who lost everything, who are told', async () => {
    const { auth, api, userId, outbox, signIn } = await enrolled();
    const disabled: OtpAuthEvent<'totp.disabled'>[] = [];
    auth.events.on('totp.disabled', (event) => disabled.push(event));
    await api.resetTotp(userId);
    await api.resetTotp(userId);
    expect(disabled).toMatchObject([{ userId }]);
    expect((await signIn(EMAIL)).user.amr).toEqual(['otp']);
    await auth.close(); // notices go out in the background
    expect(outbox.messages.filter(({ purpose }) => purpose === 'totp_disabled')).toMatchObject([{ to: EMAIL }]);
  });

  it('are taken also where the secret that they were encrypted under is gone', async () => {
    const store = memoryUserStore();
    await enrolled({ users: { store }, jwt: { secret: `old, ${SECRET}` } });
    const logged: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (text: string) => void logged.push(text) };
    const jwt = { secret: `new, ${SECRET}` };
    const { auth, signIn } = createTestAuth({ users: { store }, totp: 'optional', jwt, logger });
    await expect(signIn(EMAIL)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(logged).toEqual([
      expect.stringMatching(/^express-otp-auth: the second factor of j\*\*\*@example\.com .*resetTotp/),
    ]);
    const [{ id } = { id: '' }] = (await auth.api.listUsers()).data;
    await auth.api.resetTotp(id);
    expect((await signIn(EMAIL)).user.id).toBe(id);
  });

  it('are held to the limits of the endpoints', async () => {
    const kit = await enrolled({ limits: { verifiesPerIpPerMinute: 1, secondFactorFailuresPerDay: 2 } });
    const { api, userId, codeNow } = kit;
    const mfaToken = await firstFactor(kit);
    const wrong = { mfaToken, recoveryCode: 'abcde-fghjk-mnpqr' };
    await expect(api.verifyTotp(wrong, { ip: '192.0.2.1' })).rejects.toMatchObject({ code: 'invalid_totp' });
    await expect(api.verifyTotp(wrong, { ip: '192.0.2.1' })).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(api.disableTotp(userId, { code: '000000' })).rejects.toMatchObject({ code: 'invalid_totp' });
    await expect(api.disableTotp(userId, { code: codeNow() })).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('are not found where there are none, nor for a user who is none', async () => {
    const { api } = await enrolled();
    await expect(api.enrollTotp('nobody')).rejects.toMatchObject({ code: 'not_found' });
    await expect(api.resetTotp('nobody')).rejects.toMatchObject({ code: 'not_found' });
    const without = otpAuth({ redis: 'memory:', jwt: { secret: SECRET } });
    closeAfterFile(() => without.close());
    await expect(without.api.verifyTotp({ mfaToken: 'x', code: '000000' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

it('tokens are revoked by a function as by /revoke', async () => {
  const { auth, signIn } = createTestAuth();
  const { accessToken, refreshToken } = await signIn(EMAIL);
  await auth.api.revokeToken('nothing');
  await auth.api.revokeToken(accessToken);
  await expect(auth.api.authenticate(accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
  const next = await auth.api.refresh({ refreshToken });
  await auth.api.revokeToken(next.refreshToken);
  await expect(auth.api.authenticate(next.accessToken)).rejects.toMatchObject({ code: 'invalid_token' });
});
