import { generateSync } from 'otplib';
import { OtpAuthError, type OtpAuthOptions } from '../../src/index.js';
import { type Accounts, JANE, startAccounts } from '../support/accounts.js';
import { SECRET } from '../support/auth-app.js';
import { describeOnEachUserStore } from '../support/each-user-store.js';

const ROUNDS = 6;
const UNLIMITED = { sendsPerHour: 1000, sendsPerDay: 1000, secondFactorFailuresPerDay: 1000, maxOddsPerYear: 1 };

const wasRefused = (act: Promise<unknown>) =>
  act.then(
    () => false,
    (error: unknown) => error instanceof OtpAuthError && error.status < 500,
  );

/** What changes a second factor while it is used must not be undone by that use: it writes to the same row. */
describeOnEachUserStore('a second factor that is changed while it is used', (stored) => {
  /** Two processes on the same stores, and a user with an authenticator app. */
  const start = async (options: OtpAuthOptions = {}) => {
    const all = { ...stored(), totp: 'optional' as const, otp: { resendCooldownSeconds: 1 }, limits: UNLIMITED };
    const one = await startAccounts({ ...all, ...options });
    const other = await startAccounts({ ...all, ...options }, one.clock);
    const { id } = await one.auth.api.createUser({ email: JANE });
    return { one, other, id };
  };
  const codeOf = (app: Accounts, secret: string, stepsLater = 0) =>
    generateSync({ secret, epoch: Math.floor(app.clock.now() / 1000) + 30 * stepsLater });
  const setUp = async (app: Accounts, id: string) => {
    const { secret } = await app.auth.api.enrollTotp(id);
    const { recoveryCodes } = await app.auth.api.confirmTotp(id, { code: codeOf(app, secret) });
    app.clock.advanceSeconds(30);
    return { secret, recoveryCodes: recoveryCodes as [string, string, ...string[]] };
  };
  const challenge = async (app: Accounts) => {
    app.clock.advanceSeconds(30);
    const otp = await app.codeFor(JANE);
    const refusal: unknown = await app.auth.api.verifyOtp({ email: JANE, otp }).catch((error: unknown) => error);
    return String((refusal as OtpAuthError).details['mfaToken']);
  };
  const recover = async (app: Accounts, recoveryCode: string, mfaToken?: string) =>
    app.auth.api.verifyTotp({ mfaToken: mfaToken ?? (await challenge(app)), recoveryCode });

  it('has no old recovery code left once there are new ones', async () => {
    const { one, other, id } = await start();
    const app = await setUp(one, id);
    let codes: string[] = app.recoveryCodes;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [used, old] = codes as [string, string];
      const mfaToken = await challenge(one);
      const [renewed] = await Promise.all([
        one.auth.api.renewRecoveryCodes(id, { code: codeOf(one, app.secret) }),
        recover(other, used, mfaToken).catch(() => {}),
      ]);
      expect(await wasRefused(recover(one, used))).toBe(true);
      expect(await wasRefused(recover(one, old))).toBe(true);
      codes = renewed.recoveryCodes;
      await recover(other, codes.pop() as string);
    }
  });

  it.each(['disableTotp', 'resetTotp'] as const)('is gone once it is taken away, by %s', async (way) => {
    const { one, other, id } = await start();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { secret, recoveryCodes } = await setUp(one, id);
      const mfaToken = await challenge(one);
      const { api } = one.auth;
      await Promise.all([
        way === 'resetTotp' ? api.resetTotp(id) : api.disableTotp(id, { code: codeOf(one, secret) }),
        recover(other, recoveryCodes[0], mfaToken).catch(() => {}),
      ]);
      expect((await api.getUser(id)).totpEnabled).toBe(false);
      one.clock.advanceSeconds(30);
      await api.verifyOtp({ email: JANE, otp: await one.codeFor(JANE) });
    }
  });

  it('is gone once it is taken away, also where it is being sealed under a new secret', async () => {
    const { one, other, id } = await start();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { secret } = await setUp(one, id);
      const mfaToken = await challenge(one);
      const next = await startAccounts(
        { ...stored(), totp: 'optional', limits: UNLIMITED, jwt: { secret: [`${SECRET} number ${round}`, SECRET] } },
        one.clock,
      );
      await Promise.all([
        other.auth.api.resetTotp(id),
        next.auth.api.verifyTotp({ mfaToken, code: codeOf(one, secret) }).catch(() => {}),
      ]);
      expect((await one.auth.api.getUser(id)).totpEnabled).toBe(false);
      one.clock.advanceSeconds(30);
    }
  });

  it('is confirmed once, with one set of recovery codes that works', async () => {
    const { one, other, id } = await start();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { secret } = await one.auth.api.enrollTotp(id);
      const confirmed = await Promise.allSettled([
        one.auth.api.confirmTotp(id, { code: codeOf(one, secret) }),
        other.auth.api.confirmTotp(id, { code: codeOf(one, secret, 1) }),
      ]);
      const sets = confirmed.flatMap((each) => (each.status === 'fulfilled' ? [each.value.recoveryCodes] : []));
      expect(sets).toHaveLength(1);
      expect(confirmed.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } });
      await recover(one, sets[0]?.[0] ?? '');
      await one.auth.api.resetTotp(id);
      one.clock.advanceSeconds(60);
    }
  });
});
