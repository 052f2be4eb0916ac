import type { Address, IpLimits } from './api-terms.js';
import type { Identifier } from './core/identifier.js';
import type { Requester } from './core/requester.js';
import type { AccountChanges, Accounts, NewAccount } from './core/users/accounts.js';
import type { ChangeIdentifier } from './core/users/change-identifier.js';
import type { StoredUser } from './core/users/checked-user-store.js';
import { OtpAuthError } from './errors.js';

/** A user, as others may see one. */
export interface UserProfile {
  id: string;
  email?: string | undefined;
  phoneNumber?: string | undefined;
  fullName?: string | undefined;
  roles: readonly string[];
  disabled: boolean;
  totpEnabled: boolean;
  createdAt: Date;
}

/**
 * The endpoints on users as functions, for the application itself: they ask nobody for a role. All reject with
 * `not_found` where there is no such user, or no `users.store`.
 */
export interface UserApi {
  getUser(userId: string): Promise<UserProfile>;
  /** Oldest first. `limit`: 100 by default, 1000 at most. */
  listUsers(page?: { skip?: number; limit?: number; query?: string }): Promise<{ data: UserProfile[]; count: number }>;
  /** Rejects with `conflict` where another user has the identifier. */
  createUser(
    input: Address & { fullName?: string | null; roles?: readonly string[]; disabled?: boolean },
    requester?: Requester,
  ): Promise<UserProfile>;
  /**
   * `null` removes a member. Disabling a user, or taking a role or an identifier away, ends the user's sessions. Rejects
   * with `conflict` where another user has the identifier, or no admin would be left.
   */
  updateUser(
    userId: string,
    changes: {
      email?: string | null;
      phoneNumber?: string | null;
      fullName?: string | null;
      roles?: readonly string[];
      disabled?: boolean;
    },
    requester?: Requester,
  ): Promise<UserProfile>;
  /** Rejects with `conflict` where no admin would be left. */
  deleteUser(userId: string, requester?: Requester): Promise<void>;
  /** Sends a code to the address or number that the user wants to be reached by. */
  requestIdentifierChange(
    userId: string,
    input: Address & { locale?: string },
    requester?: Requester,
  ): Promise<{ message: string; expiresIn: number; resendIn: number }>;
  /** With the code, the change is made, the old address told, and every session but `sessionId` ended. */
  verifyIdentifierChange(
    userId: string,
    input: Address & { otp: string; sessionId?: string; locale?: string },
    requester?: Requester,
  ): Promise<UserProfile>;
}

/** Reads what callers hand over, as the endpoints read bodies. */
export interface ReadUserInput {
  ready: Promise<void>;
  createUser(body: object): NewAccount;
  updateUser(body: object): AccountChanges;
  listUsers(query: object): { skip: number; limit: number; query?: string | undefined };
  changeIdentifier(body: object): { identifier: Identifier; locale?: string | undefined };
  verifyIdentifier(body: object): { identifier: Identifier; otp: string; locale?: string | undefined };
}

export interface UserApiDeps {
  accounts: Accounts;
  changeIdentifier: ChangeIdentifier;
  isTotpEnabled: (user: StoredUser) => boolean;
  ipLimits: IpLimits;
  read: ReadUserInput;
}

/** @param deps `undefined` where there are no accounts. */
export function createUserApi(deps: UserApiDeps | undefined): UserApi {
  const needed = async (): Promise<UserApiDeps> => {
    if (deps === undefined) throw new OtpAuthError('not_found', 'There are no accounts: users.store is not set.');
    await deps.read.ready;
    return deps;
  };
  return {
    async getUser(userId) {
      const { accounts, isTotpEnabled } = await needed();
      return profileOf(await accounts.get(userId), isTotpEnabled);
    },
    async listUsers(page = {}) {
      const { accounts, isTotpEnabled, read } = await needed();
      const { users, count } = await accounts.list(read.listUsers(page));
      return { data: users.map((user) => profileOf(user, isTotpEnabled)), count };
    },
    async createUser({ phoneNumber, fullName, ...rest }, requester = {}) {
      const { accounts, isTotpEnabled, read } = await needed();
      const account = read.createUser({ ...rest, phone_number: phoneNumber, full_name: fullName });
      return profileOf(await accounts.create(account, requester), isTotpEnabled);
    },
    async updateUser(userId, { phoneNumber, fullName, ...rest }, requester = {}) {
      const { accounts, isTotpEnabled, read } = await needed();
      const changes = read.updateUser({ ...rest, phone_number: phoneNumber, full_name: fullName });
      return profileOf(await accounts.update(userId, changes, { requester, locale: 'en' }), isTotpEnabled);
    },
    async deleteUser(userId, requester = {}) {
      const { accounts } = await needed();
      await accounts.remove(userId, requester);
    },
    async requestIdentifierChange(userId, { email, phoneNumber, locale: asked }, requester = {}) {
      const { changeIdentifier, ipLimits, read } = await needed();
      await ipLimits.requests.count(requester);
      const body = { email, phone_number: phoneNumber, locale: asked };
      const { identifier, locale = 'en' } = read.changeIdentifier(body);
      const sent = await changeIdentifier.request({ userId, identifier, locale, requester });
      return { message: 'OTP sent successfully', expiresIn: sent.expiresInSeconds, resendIn: sent.resendInSeconds };
    },
    async verifyIdentifierChange(userId, { email, phoneNumber, otp, sessionId, locale: asked }, requester = {}) {
      const { changeIdentifier, ipLimits, isTotpEnabled, read } = await needed();
      await ipLimits.verifies.count(requester);
      const body = { email, phone_number: phoneNumber, otp, locale: asked };
      const { identifier, otp: code, locale = 'en' } = read.verifyIdentifier(body);
      const change = { userId, sessionId, identifier, code, locale, requester };
      return profileOf(await changeIdentifier.confirm(change), isTotpEnabled);
    },
  };
}

function profileOf(user: StoredUser, isTotpEnabled: (user: StoredUser) => boolean): UserProfile {
  const { id, email, phoneNumber, fullName, roles, disabled, createdAt } = user;
  return { id, email, phoneNumber, fullName, roles, disabled, totpEnabled: isTotpEnabled(user), createdAt };
}
