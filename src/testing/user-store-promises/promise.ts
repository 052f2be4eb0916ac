import assert from 'node:assert/strict';
import type { NewUser, UserQuery, UserRecord, UserStore } from '../../core/users/user-store.js';

/** What is promised, and the check that it is kept. */
export type UserStorePromises = Record<string, (store: UserStore) => Promise<void>>;

export const EMAIL = 'jane@example.com';
export const PHONE = '+4915112345678';

/** The time that all creations are counted from. */
export const START_MS = Date.UTC(2026, 0, 15, 12);

export function newUser(differences: Partial<NewUser> = {}): NewUser {
  return { email: EMAIL, roles: ['user'], disabled: false, createdAt: new Date(START_MS), ...differences };
}

/** Creates a user where that is no question. */
export async function created(store: UserStore, differences: Partial<NewUser> = {}): Promise<UserRecord> {
  return present(await store.create(newUser(differences)));
}

export function present(answer: UserRecord | 'taken' | null | undefined): UserRecord {
  assert.notEqual(answer, 'taken', 'nobody else has these identifiers');
  assert.ok(answer != null && answer !== 'taken', 'there is such a user');
  return answer;
}

export function byEmail(store: UserStore, value = EMAIL) {
  return store.findByIdentifier({ kind: 'email', value });
}

export function byPhone(store: UserStore, value = PHONE) {
  return store.findByIdentifier({ kind: 'phone', value });
}

export async function isAbsent(answer: Promise<unknown>): Promise<void> {
  assert.equal((await answer) ?? undefined, undefined);
}

const MEMBERS = new Set(['id', 'email', 'phoneNumber', 'fullName', 'roles', 'disabled', 'createdAt', 'totp']);

/** Compares users; a member that is `null` is one that is not there, and what else a row may hold is the store's own. */
export function sameUser(actual: UserRecord | 'taken' | null | undefined, expected: Partial<UserRecord>): void {
  assert.deepEqual(comparable(present(actual)), comparable(expected));
}

function comparable(user: Partial<UserRecord>): object {
  const members = Object.entries({ ...user, roles: [...(user.roles ?? [])] }).filter(
    ([name, value]) => MEMBERS.has(name) && value != null,
  );
  return Object.fromEntries(members);
}

/** The e-mail addresses on a page, and how many users there are on all pages. */
export async function listed(store: UserStore, query: Partial<UserQuery> = {}) {
  const { users, count } = await store.list({ skip: 0, limit: 100, ...query });
  return { emails: users.map(({ email }) => email ?? ''), count };
}

export function tally(results: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}
