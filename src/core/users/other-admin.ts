import type { CheckedUserStore } from './checked-user-store.js';
import { ADMIN, isActiveAdmin } from './roles.js';

/** The name of the right to change who is an admin; whoever does without it may leave none. */
export const ADMINS_LEASE = 'admins';

const PAGE = 100;

/** Whether there is an admin besides this user, one who can sign in. */
export async function hasOtherAdmin(userStore: Pick<CheckedUserStore, 'list'>, userId: string): Promise<boolean> {
  for (let skip = 0; ; skip += PAGE) {
    const { users } = await userStore.list({ skip, limit: PAGE, role: ADMIN });
    if (users.some((user) => user.id !== userId && isActiveAdmin(user))) return true;
    if (users.length < PAGE) return false;
  }
}
