import { type DeviceToken, type IpLimits, type TokenPair, tokenPair } from './api-terms.js';
import type { Devices } from './core/device.js';
import type { Requester } from './core/requester.js';
import type { Enrolment } from './core/totp/enrolment.js';
import type { MfaChallenge } from './core/totp/mfa-challenge.js';
import type { FactorAttempt } from './core/totp/second-factor.js';
import type { Accounts } from './core/users/accounts.js';
import { OtpAuthError } from './errors.js';

/** A code of the authenticator app, or a recovery code. */
export type SecondFactorCode = { code: string; recoveryCode?: undefined } | { recoveryCode: string; code?: undefined };

/**
 * The endpoints on authenticator apps as functions. All reject with `not_found` where the option `totp` is not set, and
 * where there is no such user; those that take a code, with `invalid_totp` and `rate_limited`; those that change what is
 * there, with `conflict` where it is not.
 */
export interface TotpApi {
  /** A secret to be shown to the user, and the same as a URI and as a PNG data URL. Nothing is enforced before `confirmTotp`. */
  enrollTotp(userId: string): Promise<{ secret: string; uri: string; qrCode: string }>;
  /** From now on the second factor is asked for. With `sessionId`, that session has shown it. */
  confirmTotp(
    userId: string,
    input: { code: string; sessionId?: string },
    requester?: Requester,
  ): Promise<{ recoveryCodes: string[] }>;
  /** Completes a sign-in that `verifyOtp` rejected with `mfa_required`; `mfaToken` is among the `details` of that error. */
  verifyTotp(
    input: { mfaToken: string } & SecondFactorCode & Partial<DeviceToken>,
    requester?: Requester,
  ): Promise<TokenPair & DeviceToken>;
  /** New recovery codes; the old ones are dead. */
  renewRecoveryCodes(
    userId: string,
    input: { code: string },
    requester?: Requester,
  ): Promise<{ recoveryCodes: string[] }>;
  /** Without a second factor from now on, by a code of the app or a recovery code; with `totp: 'required'` all sessions end. */
  disableTotp(userId: string, input: SecondFactorCode, requester?: Requester): Promise<void>;
  /** Takes the second factor away without a code, from somebody who has neither the app nor a recovery code left. */
  resetTotp(userId: string, requester?: Requester): Promise<void>;
}

/** Reads what callers hand over, as the endpoints read bodies. */
export interface ReadTotpInput {
  ready: Promise<void>;
  code(body: object): string;
  eitherCode(body: object): FactorAttempt;
  verify(body: object): { mfaToken: string; attempt: FactorAttempt };
}

export interface TotpApiDeps {
  enrolment: Enrolment;
  challenge: MfaChallenge;
  accounts: Pick<Accounts, 'get'>;
  devices: Devices;
  ipLimits: IpLimits;
  read: ReadTotpInput;
}

/** @param deps `undefined` where there are no second factors. */
export function createTotpApi(deps: TotpApiDeps | undefined): TotpApi {
  const needed = async (): Promise<TotpApiDeps> => {
    if (deps === undefined) throw new OtpAuthError('not_found', 'There are no second factors: totp is not set.');
    await deps.read.ready;
    return deps;
  };
  const neededFor = async (userId: string): Promise<TotpApiDeps> => {
    const found = await needed();
    await found.accounts.get(userId);
    return found;
  };
  return {
    async enrollTotp(userId) {
      return (await neededFor(userId)).enrolment.enroll(userId);
    },
    async confirmTotp(userId, { code, sessionId }, requester = {}) {
      const { enrolment, ipLimits, read } = await neededFor(userId);
      await ipLimits.verifies.count(requester);
      return enrolment.confirm({ userId, sessionId }, read.code({ code }), by(requester));
    },
    async verifyTotp({ mfaToken, code, recoveryCode, deviceToken }, requester = {}) {
      const { challenge, devices, ipLimits, read } = await needed();
      await ipLimits.verifies.count(requester);
      const answer = read.verify({ mfa_token: mfaToken, code, recovery_code: recoveryCode });
      const { identifier, ...signIn } = await challenge.answer(answer.mfaToken, answer.attempt, by(requester));
      const presented = deviceToken === undefined ? [] : [deviceToken];
      return { ...tokenPair(signIn), deviceToken: devices.remember(presented, identifier) };
    },
    async renewRecoveryCodes(userId, { code }, requester = {}) {
      const { enrolment, ipLimits, read } = await neededFor(userId);
      await ipLimits.verifies.count(requester);
      return enrolment.renewRecoveryCodes(userId, read.code({ code }), by(requester));
    },
    async disableTotp(userId, { code, recoveryCode }, requester = {}) {
      const { enrolment, ipLimits, read } = await neededFor(userId);
      await ipLimits.verifies.count(requester);
      await enrolment.disable(userId, read.eitherCode({ code, recovery_code: recoveryCode }), by(requester));
    },
    async resetTotp(userId, requester = {}) {
      await (await neededFor(userId)).enrolment.reset(userId, by(requester));
    },
  };
}

const by = (requester: Requester) => ({ requester, locale: 'en' });
