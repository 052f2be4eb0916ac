import { newUserId } from '../../core/users/user-id.js';
import {
  matchesQuery,
  type NewUser,
  type UserChanges,
  type UserRecord,
  type UserStore,
} from '../../core/users/user-store.js';
import { failFast } from './fail-fast.js';
import { DEFAULT_PREFIXES, keysFor, type KeyPrefixes } from './keys.js';
import type { RedisClient } from './redis-client.js';
import { isOne, runScript, type Script } from './run-script.js';
import { createUser } from './scripts/create-user.js';
import { deleteUser } from './scripts/delete-user.js';
import { findUser } from './scripts/find-user.js';
import { listUsers } from './scripts/list-users.js';
import { updateUser } from './scripts/update-user.js';

/** How many users are read at once where each must be looked at. */
const PAGE = 1000;

/**
 * Keeps users on Redis 6.2 or newer, Valkey, or a Cluster of either.
 *
 * All of them are in one slot, and so on one node of a Cluster: that is what lets an identifier and its user change in
 * one step. The server must keep what it is given: append-only file on, no eviction.
 */
export function redisUserStore(given: RedisClient, prefixes: Partial<KeyPrefixes> = {}): UserStore {
  const client = failFast(given);
  const { users: keys } = keysFor({ ...DEFAULT_PREFIXES, ...prefixes });
  const run = (script: Script, ...args: (string | number)[]) => runScript(client, script, keys, args);

  const find = async (by: 'id' | 'identifier', value: string) => {
    const [id, json] = (await run(findUser, by, value)) as string[];
    return id === undefined || json === undefined ? undefined : fromStored(id, json);
  };
  const readPage = async (skip: number, limit: number, role = '') => {
    const [count, ...entries] = (await run(listUsers, skip, skip + limit - 1, role)) as [number, ...string[]];
    const users: UserRecord[] = [];
    for (let place = 0; place < entries.length; place += 2)
      users.push(fromStored(entries[place] as string, entries[place + 1] as string));
    return { users, count: Number(count) };
  };

  return {
    findById: (id) => find('id', id),
    findByIdentifier: ({ kind, value }) => find('identifier', `${kind}:${value}`),

    async create(user) {
      const id = newUserId();
      const [outcome, json = ''] = (await run(createUser, id, toStored(withoutNulls(user)))) as string[];
      return outcome === 'taken' ? outcome : fromStored(id, json);
    },

    async update(id, changes) {
      const [outcome, json = ''] = (await run(updateUser, id, toStored(changes))) as string[];
      if (outcome === 'absent') return undefined;
      return outcome === 'taken' ? outcome : fromStored(id, json);
    },

    async delete(id) {
      return isOne(await run(deleteUser, id));
    },

    async list({ skip, limit, query, role }) {
      if (query === undefined) return readPage(skip, limit, role);
      const found: UserRecord[] = [];
      for (let first = 0, count = 1; first < count; first += PAGE) {
        const page = await readPage(first, PAGE, role);
        found.push(...page.users.filter((user) => matchesQuery(user, query)));
        count = page.count;
      }
      return { users: found.slice(skip, skip + limit), count: found.length };
    },
  };
}

/** The JSON that `scripts/user.ts` describes. */
interface StoredUser {
  email?: string;
  phone?: string;
  name?: string;
  roles: string;
  disabled: boolean;
  created: number;
  totp?: string;
}

function withoutNulls(user: NewUser): NewUser {
  return Object.fromEntries(Object.entries(user).filter(([, value]) => value !== null)) as unknown as NewUser;
}

/** Members that are absent stay absent, so that they change nothing. */
function toStored({ createdAt, ...user }: UserChanges & { createdAt?: Date }): string {
  return JSON.stringify({
    email: user.email,
    phone: user.phoneNumber,
    name: user.fullName,
    roles: user.roles?.join('\n'),
    disabled: user.disabled,
    created: createdAt?.getTime(),
    totp: user.totp,
  });
}

function fromStored(id: string, json: string): UserRecord {
  const stored = JSON.parse(json) as StoredUser;
  return {
    id,
    email: stored.email,
    phoneNumber: stored.phone,
    fullName: stored.name,
    roles: stored.roles === '' ? [] : stored.roles.split('\n'),
    disabled: stored.disabled,
    createdAt: new Date(stored.created),
    totp: stored.totp,
  };
}
