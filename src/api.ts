import type { Authenticate, AuthenticatedUser } from './core/authenticate.js';
import type { Explain, Explanation } from './core/explain.js';
import type { Devices } from './core/device.js';
import type { Logout } from './core/logout.js';
import type { Identifier } from './core/identifier.js';
import type { RequestOtp } from './core/request-otp.js';
import type { Requester } from './core/requester.js';
import type { Sessions } from './core/sessions.js';
import type { VerifyOtp } from './core/verify-otp.js';
import { OtpAuthError } from './errors.js';
import type { RevokeToken } from './core/revoke-token.js';
import { type Address, type DeviceToken, type IpLimits, type TokenPair, tokenPair } from './api-terms.js';
import { createTotpApi, type TotpApi, type TotpApiDeps } from './totp-api.js';
import { createUserApi, type UserApi, type UserApiDeps } from './user-api.js';

/** One session, as its user may see it. The id is no credential. */
export interface Session {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/**
 * Every endpoint as a function, with the same limits and the same errors. `requester` is for limits, events and the
 * list of sessions; without an `ip` the limits per address of the network are not counted.
 */
export interface OtpAuthApi extends UserApi, TotpApi {
  /**
   * Sends a code. `expiresIn` and `resendIn` are in seconds. Rejects with `invalid_request`, `rate_limited` (with
   * `details.retryAfterSeconds`), `delivery_failed` (the code is withdrawn) or `store_unavailable`. Where a message takes
   * longer than `storeTimeoutMs` and 800 ms to be handed over, it resolves before that.
   */
  requestOtp(
    input: Address & { locale?: string } & Partial<DeviceToken>,
    requester?: Requester,
  ): Promise<{ message: string; expiresIn: number; resendIn: number }>;
  /**
   * Signs in with a code. Rejects with `invalid_request`, `invalid_otp`, `rate_limited`, `store_unavailable`, or, for a
   * user with an authenticator app, `mfa_required`, whose `details.mfaToken` is for `verifyTotp`.
   */
  verifyOtp(
    input: Address & { otp: string } & Partial<DeviceToken>,
    requester?: Requester,
  ): Promise<TokenPair & DeviceToken>;
  /** Rejects with `invalid_refresh_token` or `store_unavailable`. */
  refresh(input: { refreshToken: string }, requester?: Requester): Promise<TokenPair>;
  /** Ends what the tokens name, expired or not. Rejects with `token_missing`, `invalid_token` where none is authentic, or `store_unavailable`. */
  logout(input: { accessToken?: string; refreshToken?: string }, requester?: Requester): Promise<{ message: string }>;
  /** Ends every session of the user whose access token this is. Rejects with `invalid_token`, `mfa_required` or `store_unavailable`. */
  logoutAll(input: { accessToken: string }): Promise<{ message: string; sessions: number }>;
  /**
   * What is known of somebody who cannot sign in, for support staff: never a code. It is of browsers that have not
   * signed in before; those that have are counted by themselves, each under its device token. Rejects with
   * `invalid_request` for what is neither an e-mail address nor a phone number.
   */
  explain(identifier: string, input?: Partial<DeviceToken>): Promise<Explanation>;
  /** Newest first. */
  listSessions(userId: string): Promise<Session[]>;
  /** Ends one session of a user; `false` where there is no such session. */
  revokeSession(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all sessions of a user, and everything issued until now; returns how many sessions there were. */
  revokeUser(userId: string): Promise<number>;
  /** Ends an access token alone, or a refresh token with its session; a token that is none does nothing (RFC 7009). */
  revokeToken(token: string): Promise<void>;
  /** The user of a valid access token. Rejects with `invalid_token`, `mfa_required` (with `totp: 'required'`) or `store_unavailable`. */
  authenticate(token: string): Promise<AuthenticatedUser>;
}

/** Reads what callers hand over, as the endpoints read bodies. */
export interface ReadInput {
  /** Resolves when all of it can be read. */
  ready: Promise<void>;
  requestOtp(body: object): { identifier: Identifier; locale?: string | undefined };
  verifyOtp(body: object): { identifier: Identifier; otp: string };
  userId(id: string): string;
  /** `undefined` for what is neither an e-mail address nor a phone number. */
  identifier(text: string): Identifier | undefined;
}

export function createApi(deps: {
  read: ReadInput;
  devices: Devices;
  ipLimits: IpLimits;
  requestOtp: RequestOtp;
  verifyOtp: VerifyOtp;
  explain: Explain;
  sessions: Sessions;
  logout: Logout;
  authenticate: Authenticate;
  revokeToken: RevokeToken;
  /** Where there are accounts. */
  users: UserApiDeps | undefined;
  /** Where there are second factors. */
  totp: TotpApiDeps | undefined;
}): OtpAuthApi {
  const { read, sessions, devices, ipLimits } = deps;
  return {
    ...createUserApi(deps.users),
    ...createTotpApi(deps.totp),
    async requestOtp({ email, phoneNumber, locale, deviceToken }, requester = {}) {
      await ipLimits.requests.count(requester);
      await read.ready;
      const request = read.requestOtp({ email, phone_number: phoneNumber, locale });
      const { expiresInSeconds, resendInSeconds } = await deps.requestOtp({
        identifier: request.identifier,
        purpose: 'sign-in',
        locale: request.locale ?? 'en',
        requester,
        device: devices.recognise(deviceToken === undefined ? [] : [deviceToken], request.identifier),
      });
      return { message: 'OTP sent successfully', expiresIn: expiresInSeconds, resendIn: resendInSeconds };
    },
    async verifyOtp({ email, phoneNumber, otp, deviceToken }, requester = {}) {
      await ipLimits.verifies.count(requester);
      await read.ready;
      const { identifier, otp: code } = read.verifyOtp({ email, phone_number: phoneNumber, otp });
      const presented = deviceToken === undefined ? [] : [deviceToken];
      const device = devices.recognise(presented, identifier);
      const tokens = tokenPair(await deps.verifyOtp({ identifier, code, requester, device }));
      return { ...tokens, deviceToken: devices.remember(presented, identifier) };
    },
    async refresh({ refreshToken }, requester = {}) {
      return tokenPair(await sessions.refresh(refreshToken, requester));
    },
    async logout({ accessToken, refreshToken }, requester = {}) {
      await deps.logout({ accessToken, refreshTokens: refreshToken === undefined ? [] : [refreshToken] }, requester);
      return { message: 'Successfully logged out' };
    },
    async logoutAll({ accessToken }) {
      const user = await deps.authenticate(accessToken);
      return { message: 'Successfully logged out everywhere', sessions: await sessions.endAll(user, 'logout_all') };
    },
    async explain(text, { deviceToken } = {}) {
      await read.ready;
      const identifier = read.identifier(text);
      if (identifier === undefined)
        throw new OtpAuthError('invalid_request', 'Give an e-mail address or a phone number.');
      const device = devices.recognise(deviceToken === undefined ? [] : [deviceToken], identifier);
      return deps.explain(identifier, device);
    },
    async listSessions(userId) {
      await read.ready;
      const records = await sessions.list(read.userId(userId));
      return records.map(({ id, startedAtMs, lastUsedAtMs, expiresAtMs, ip, userAgent }) => ({
        id,
        ip,
        userAgent,
        createdAt: new Date(startedAtMs),
        lastUsedAt: new Date(lastUsedAtMs),
        expiresAt: new Date(expiresAtMs),
      }));
    },
    async revokeSession(userId, sessionId) {
      await read.ready;
      return sessions.endListed({ id: read.userId(userId) }, sessionId, 'revoked');
    },
    async revokeUser(userId) {
      await read.ready;
      return sessions.endAll({ id: read.userId(userId) }, 'revoked');
    },
    async revokeToken(token) {
      await deps.revokeToken(token);
    },
    async authenticate(token) {
      return deps.authenticate(token);
    },
  };
}
