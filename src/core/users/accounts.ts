import { OtpAuthError } from '../../errors.js';
import type { Emit } from '../events.js';
import type { Exclusively } from '../exclusively.js';
import { type Identifier, identifiersOf, isHeldBy, maskedIdentifierOf } from '../identifier.js';
import type { Notify } from '../notify.js';
import type { Clock } from '../ports.js';
import type { Requester } from '../requester.js';
import type { Sessions } from '../sessions.js';
import type { CheckedUserStore, StoredUser } from './checked-user-store.js';
import { ADMINS_LEASE, hasOtherAdmin } from './other-admin.js';
import { DEFAULT_ROLES, isActiveAdmin } from './roles.js';
import { newUser } from './stored-users.js';
import type { UserChanges, UserQuery } from './user-store.js';

/** What an admin gives a new user. */
export interface NewAccount {
  identifier: Identifier;
  fullName?: string | null | undefined;
  /** @default ['user'] */
  roles?: readonly string[] | undefined;
  disabled?: boolean | undefined;
}

/** What may be changed of a user; `totp` has ways of its own. */
export type AccountChanges = Omit<UserChanges, 'totp'>;

/** Who changes something, for events, and in which language others are told of it. */
export interface Change {
  requester: Requester;
  locale: string;
}

/** Managing users. Whoever calls this has been found to be allowed to. */
export interface Accounts {
  /** @throws OtpAuthError `not_found` */
  get(id: string): Promise<StoredUser>;
  list(query: UserQuery): Promise<{ users: readonly StoredUser[]; count: number }>;
  /** @throws OtpAuthError `conflict` where somebody has the identifier */
  create(account: NewAccount, requester: Requester): Promise<StoredUser>;
  /**
   * What takes something away from a user (a role, the account's use, an identifier) ends the user's sessions.
   *
   * @throws OtpAuthError `not_found`; `conflict` where somebody has an identifier, or no admin would be left;
   *   `invalid_request` where no identifier would be left
   */
  update(id: string, changes: AccountChanges, change: Change): Promise<StoredUser>;
  /** @throws OtpAuthError `not_found`; `conflict` where no admin would be left */
  remove(id: string, requester: Requester): Promise<void>;
}

export interface AccountsDeps {
  userStore: CheckedUserStore;
  sessions: Pick<Sessions, 'endAll'>;
  exclusively: Exclusively;
  notify: Notify;
  clock: Clock;
  emit: Emit;
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { userStore, sessions, clock } = deps;

  const get = async (id: string) => {
    const user = await userStore.findById(id);
    if (user === undefined) throw new OtpAuthError('not_found', 'There is no such user.');
    return user;
  };
  const contextOf = (user: StoredUser, requester: Requester) => ({
    at: clock.now(),
    identifier: maskedIdentifierOf(user),
    userId: user.id,
    ...requester,
  });

  const apply = async (before: StoredUser, changes: AccountChanges, { requester, locale }: Change) => {
    const changed = changedMembers(before, changes);
    if (changed.length === 0) return before;
    requireIdentifier(before, changes);
    if (await isTaken(userStore, before.id, changes)) throw identifierTaken();
    const takes = takesAway(before, changes);

    // Before, so that nothing is half done where sessions cannot be ended; and after, for those opened in between.
    if (takes !== undefined) await sessions.endAll(before, takes);
    const after = await userStore.update(before.id, changes);
    if (after === 'taken') throw identifierTaken();
    if (after === undefined) throw new OtpAuthError('not_found', 'There is no such user.');
    if (takes !== undefined) await sessions.endAll(before, takes);

    for (const identifier of identifiersOf(before))
      if (!isHeldBy(after, identifier)) deps.notify(identifier, 'identifier_changed', locale);
    deps.emit('user.updated', { ...contextOf(after, requester), changed });
    return after;
  };

  return {
    get,
    list: (query) => userStore.list(query),

    async create({ identifier, fullName, roles = DEFAULT_ROLES, disabled = false }, requester) {
      const created = await userStore.create({ ...newUser(identifier, roles, clock), fullName, disabled });
      if (created === 'taken') throw identifierTaken();
      deps.emit('user.created', contextOf(created, requester));
      return created;
    },

    async update(id, changes, change) {
      // What cannot make an admin less than one needs nobody to wait.
      if (changes.roles === undefined && changes.disabled !== true) return apply(await get(id), changes, change);
      return deps.exclusively(ADMINS_LEASE, async () => {
        const before = await get(id);
        const after = { roles: changes.roles ?? before.roles, disabled: changes.disabled ?? before.disabled };
        if (isActiveAdmin(before) && !isActiveAdmin(after)) await requireOtherAdmin(userStore, id);
        return apply(before, changes, change);
      });
    },

    remove(id, requester) {
      return deps.exclusively(ADMINS_LEASE, async () => {
        const user = await get(id);
        if (isActiveAdmin(user)) await requireOtherAdmin(userStore, id);
        await sessions.endAll(user, 'user_deleted');
        if (!(await userStore.delete(id))) throw new OtpAuthError('not_found', 'There is no such user.');
        await sessions.endAll(user, 'user_deleted');
        deps.emit('user.deleted', contextOf(user, requester));
      });
    },
  };
}

export function identifierTaken(): OtpAuthError {
  return new OtpAuthError('conflict', 'Another user has this e-mail address or phone number.');
}

function changedMembers(before: StoredUser, changes: AccountChanges): (keyof AccountChanges)[] {
  const members = Object.keys(changes) as (keyof AccountChanges)[];
  return members.filter((member) => {
    const next = changes[member];
    return next !== undefined && JSON.stringify(next ?? undefined) !== JSON.stringify(before[member]);
  });
}

/** Why the user's sessions end: what they were opened for, the user has no more. */
function takesAway(before: StoredUser, { roles, disabled, email, phoneNumber }: AccountChanges): string | undefined {
  if (disabled === true && !before.disabled) return 'user_disabled';
  if (roles !== undefined && before.roles.some((role) => !roles.includes(role))) return 'role_taken';
  const isOther = (next: string | null | undefined, known: string | undefined) =>
    next !== undefined && known !== undefined && next !== known;
  return isOther(email, before.email) || isOther(phoneNumber, before.phoneNumber) ? 'identifier_changed' : undefined;
}

function requireIdentifier(before: StoredUser, { email, phoneNumber }: AccountChanges): void {
  const left = [
    email === undefined ? before.email : email,
    phoneNumber === undefined ? before.phoneNumber : phoneNumber,
  ];
  if (left.some((value) => value != null)) return;
  const path = email === null ? 'email' : 'phone_number';
  throw new OtpAuthError('invalid_request', 'The request body is not valid. See errors.', {
    errors: [{ path, message: 'is all that the user can sign in with' }],
  });
}

async function isTaken(userStore: CheckedUserStore, id: string, { email, phoneNumber }: AccountChanges) {
  const wanted = identifiersOf({ email, phoneNumber });
  const owners = await Promise.all(wanted.map((identifier) => userStore.findByIdentifier(identifier)));
  return owners.some((owner) => owner !== undefined && owner.id !== id);
}

async function requireOtherAdmin(userStore: CheckedUserStore, id: string): Promise<void> {
  if (!(await hasOtherAdmin(userStore, id)))
    throw new OtpAuthError('conflict', 'This is the last admin. Make another user an admin first.');
}
