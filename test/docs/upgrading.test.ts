import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { freshRedis, redisUrl } from '../support/redis.js';

const email = 'jo@example.com';

/** The application before and after a change, on one Redis. */
async function startBoth(changed: OtpAuthOptions): Promise<{ before: AuthApp; after: AuthApp }> {
  await freshRedis();
  const clock = fakeClock();
  const start = (options: OtpAuthOptions) => startAuthApp({ redis: redisUrl(), ...options }, clock);
  return { before: await start({}), after: await start(changed) };
}

const isLetIn = async ({ url }: AuthApp, authorization: string) =>
  (await call(`${url}/me`, { method: 'GET', headers: { Authorization: authorization } })).status === 200;
const canRefresh = async ({ auth }: AuthApp, refreshToken: string) =>
  auth.api.refresh({ refreshToken }).then(
    () => true,
    () => false,
  );

describe('what docs/upgrading.md says of people who are signed in', () => {
  it.each<[string, OtpAuthOptions, { letIn: boolean; refreshed: boolean }]>([
    ['nothing', {}, { letIn: true, refreshed: true }],
    ['jwt.algorithm', { jwt: { algorithm: 'HS512' } }, { letIn: false, refreshed: true }],
    ['jwt.issuer', { jwt: { issuer: 'https://example.com' } }, { letIn: false, refreshed: true }],
    ['jwt.audience', { jwt: { audience: 'app' } }, { letIn: false, refreshed: true }],
    ['jwt.accessTokenMinutes, shorter', { jwt: { accessTokenMinutes: 5 } }, { letIn: false, refreshed: true }],
    ['jwt.accessTokenMinutes, longer', { jwt: { accessTokenMinutes: 90 } }, { letIn: true, refreshed: true }],
    ['sessionKeyPrefix', { sessionKeyPrefix: 'other_' }, { letIn: true, refreshed: false }],
    [
      'otp.keyPrefix and limitKeyPrefix',
      { otp: { keyPrefix: 'o_' }, limitKeyPrefix: 'l_' },
      { letIn: true, refreshed: true },
    ],
  ])('holds when what changes is %s', async (_, changed, { letIn, refreshed }) => {
    const { before, after } = await startBoth(changed);
    const { authorization, refreshToken } = await before.signIn(email);
    expect(await isLetIn(after, authorization)).toBe(letIn);
    expect(await canRefresh(after, refreshToken)).toBe(refreshed);
  });

  it('holds for revocations when jwt.blacklistKeyPrefix changes', async () => {
    const { before, after } = await startBoth({ jwt: { blacklistKeyPrefix: 'other_' } });
    const { authorization, accessToken } = await before.signIn(email);
    await before.auth.api.logout({ accessToken });
    expect(await isLetIn(before, authorization)).toBe(false);
    expect(await isLetIn(after, authorization)).toBe(true);
  });

  it('holds for codes under way and for counts when their prefixes change', async () => {
    const limits = { sendsPerHour: 1 };
    const { before, after } = await startBoth({ otp: { keyPrefix: 'o_' }, limitKeyPrefix: 'l_', limits });
    await before.auth.api.requestOtp({ email });
    const code = { email, otp: before.lastCode(email) };
    await expect(after.auth.api.verifyOtp(code)).rejects.toMatchObject({ code: 'invalid_otp' });
    await after.auth.api.requestOtp({ email });
    await expect(after.auth.api.requestOtp({ email })).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('holds for users in Redis when userKeyPrefix changes', async () => {
    const users = { store: 'redis' } as const;
    await freshRedis();
    const before = await startAuthApp({ redis: redisUrl(), users });
    const after = await startAuthApp({ redis: redisUrl(), users, userKeyPrefix: 'other_' });
    await before.signIn(email);
    expect(await after.auth.api.listUsers({})).toMatchObject({ count: 0 });
  });
});
