import type { StoredUser } from '../core/users/checked-user-store.js';

/** Whether a user has a second factor that is asked for. */
export type IsTotpEnabled = (user: StoredUser) => boolean;

/** What is told of a user, and nothing else. */
export function publicUser(user: StoredUser, isTotpEnabled: IsTotpEnabled) {
  return {
    id: user.id,
    email: user.email ?? null,
    phone_number: user.phoneNumber ?? null,
    full_name: user.fullName ?? null,
    roles: user.roles,
    disabled: user.disabled,
    totp_enabled: isTotpEnabled(user),
    created_at: user.createdAt.toISOString(),
  };
}
