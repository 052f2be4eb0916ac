import type { UserRecord } from './user-store.js';

/** Who may manage users. All other roles mean what the application makes of them. */
export const ADMIN = 'admin';

/** What somebody is who signs up. */
export const DEFAULT_ROLES: readonly string[] = ['user'];

export function isActiveAdmin({ roles, disabled }: Pick<UserRecord, 'roles' | 'disabled'>): boolean {
  return roles.includes(ADMIN) && !disabled;
}
