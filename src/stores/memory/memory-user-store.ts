import { newUserId } from '../../core/users/user-id.js';
import {
  matchesQuery,
  type NewUser,
  type UserChanges,
  type UserRecord,
  type UserStore,
} from '../../core/users/user-store.js';

/**
 * Keeps users in this process: for tests, demonstrations and applications of one process that may forget everything
 * when they end. Each operation runs from its beginning to its end before another one can start.
 */
export function memoryUserStore(): UserStore {
  const users = new Map<string, UserRecord>();
  const owners = new Map<string, string>();

  /** Puts the user in place with its identifiers, unless another user has one of them. */
  const put = (user: UserRecord): UserRecord | 'taken' => {
    const names = namesOf(user);
    if (names.some((name) => (owners.get(name) ?? user.id) !== user.id)) return 'taken';
    forget(user.id);
    for (const name of names) owners.set(name, user.id);
    users.set(user.id, user);
    return copyOf(user);
  };
  const forget = (id: string) => {
    const known = users.get(id);
    if (known !== undefined) for (const name of namesOf(known)) owners.delete(name);
  };
  const find = (id: string | undefined) => {
    const user = users.get(id ?? '');
    return user && copyOf(user);
  };

  return {
    findById: async (id) => find(id),
    findByIdentifier: async ({ kind, value }) => find(owners.get(`${kind} ${value}`)),
    create: async (user) => put(copyOf({ ...user, id: newUserId() })),
    async update(id, changes) {
      const user = users.get(id);
      return user && put(copyOf({ ...user, ...withoutAbsent(changes) }));
    },
    async delete(id) {
      forget(id);
      return users.delete(id);
    },
    async list({ skip, limit, query, role }) {
      const found = [...users.values()]
        .filter((user) => (role === undefined || user.roles.includes(role)) && matchesQuery(user, query ?? ''))
        .toSorted(oldestFirst);
      return { users: found.slice(skip, skip + limit).map(copyOf), count: found.length };
    },
  };
}

/** What no two users may share. */
function namesOf({ email, phoneNumber }: NewUser): string[] {
  return [...(email == null ? [] : [`email ${email}`]), ...(phoneNumber == null ? [] : [`phone ${phoneNumber}`])];
}

function oldestFirst(one: UserRecord, other: UserRecord): number {
  return one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1);
}

function withoutAbsent(changes: UserChanges): Partial<UserRecord> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/** What a caller does to its copy, a user does not feel. */
function copyOf(user: UserRecord): UserRecord {
  return { ...user, roles: [...user.roles], createdAt: new Date(user.createdAt) };
}
