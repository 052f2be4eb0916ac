import { storeUnavailable } from '../../errors.js';
import type { Emit } from '../events.js';
import { type Identifier, maskIdentifier } from '../identifier.js';
import type { Clock } from '../ports.js';
import type { User, Users } from '../users.js';
import type { CheckedUserStore, StoredUser } from './checked-user-store.js';
import { ADMIN, DEFAULT_ROLES } from './roles.js';
import type { NewUser } from './user-store.js';

export interface StoredUsersDeps {
  userStore: CheckedUserStore;
  clock: Clock;
  emit: Emit;
  /** `'closed'`: whoever has no account gets none. */
  signUp: 'open' | 'closed';
  firstAdmin?: Identifier | undefined;
}

/** How often an address may come free and be taken again between two steps, before that is held for a fault. */
const MOST_ATTEMPTS = 5;

/** Users with accounts: made when the first code is verified, and not before. */
export function createStoredUsers({ userStore, clock, emit, signUp, firstAdmin }: StoredUsersDeps): Users {
  return {
    async signIn(identifier, requester = {}) {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const known = await userStore.findByIdentifier(identifier);
        if (known !== undefined) return known.disabled ? undefined : asUser(known);
        if (signUp === 'closed') return undefined;
        // Of two sign-ups at once the store lets one create; the other finds the user in its next attempt.
        const created = await userStore.create(newUser(identifier, rolesOf(identifier, firstAdmin), clock));
        if (created === 'taken') continue;
        const at = clock.now();
        emit('user.created', { at, identifier: maskIdentifier(identifier), userId: created.id, ...requester });
        return asUser(created);
      }
      throw storeUnavailable();
    },

    async knows(identifier) {
      const known = await userStore.findByIdentifier(identifier);
      return known === undefined ? signUp === 'open' : !known.disabled;
    },

    async find(id) {
      const user = await userStore.findById(id);
      return user === undefined || user.disabled ? undefined : asUser(user);
    },
  };
}

/** A user who has this identifier and nothing else yet. */
export function newUser({ kind, value }: Identifier, roles: readonly string[], clock: Clock): NewUser {
  const createdAt = new Date(clock.now());
  return { [kind === 'email' ? 'email' : 'phoneNumber']: value, roles, disabled: false, createdAt };
}

function rolesOf({ kind, value }: Identifier, firstAdmin: Identifier | undefined): readonly string[] {
  const isFirstAdmin = firstAdmin?.kind === kind && firstAdmin.value === value;
  return isFirstAdmin ? [...DEFAULT_ROLES, ADMIN] : DEFAULT_ROLES;
}

function asUser({ id, email, phoneNumber, fullName, roles }: StoredUser): User {
  return { id, email, phoneNumber, fullName, roles };
}
