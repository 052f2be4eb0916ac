import assert from 'node:assert/strict';
import type { UserStore } from '../../core/users/user-store.js';
import { created, listed, PHONE, present, START_MS, type UserStorePromises } from './promise.js';

/** Pages of users. */
export const listPromises: UserStorePromises = {
  'lists nobody where there is nobody': async (store) => {
    assert.deepEqual(await listed(store), { emails: [], count: 0 });
  },

  'lists the oldest first, whenever they were put there': async (store) => {
    await createdAt(store, { c: 3, a: 1, d: 4, b: 2 });
    assert.deepEqual(await listed(store), { emails: emails('a', 'b', 'c', 'd'), count: 4 });
  },

  'lists page by page, and counts all pages': async (store) => {
    await createdAt(store, { a: 1, b: 2, c: 3, d: 4, e: 5 });
    assert.deepEqual(await listed(store, { limit: 2 }), { emails: emails('a', 'b'), count: 5 });
    assert.deepEqual(await listed(store, { skip: 2, limit: 2 }), { emails: emails('c', 'd'), count: 5 });
    assert.deepEqual(await listed(store, { skip: 4, limit: 2 }), { emails: emails('e'), count: 5 });
    assert.deepEqual(await listed(store, { skip: 5, limit: 2 }), { emails: [], count: 5 });
  },

  'lists each of those who came at the same time on one page': async (store) => {
    const names = Array.from({ length: 10 }, (_, place) => `user-${place}`);
    await createdAt(store, Object.fromEntries(names.map((name) => [name, 1])));
    const seen: string[] = [];
    for (let skip = 0; skip < 10; skip += 3) seen.push(...(await listed(store, { skip, limit: 3 })).emails);
    assert.deepEqual(seen.toSorted(), emails(...names));
  },

  'lists a user in its place after a change': async (store) => {
    const [first] = await createdAt(store, { a: 1, b: 2 });
    present(await store.update(first as string, { fullName: 'A', roles: ['admin'] }));
    assert.deepEqual(await listed(store), { emails: emails('a', 'b'), count: 2 });
  },

  'finds users by a part of the address, the phone number or the full name, in whatever case': async (store) => {
    await created(store, { email: 'jane@example.com', fullName: 'Jane Ångström' });
    await created(store, { email: 'john@example.org', phoneNumber: PHONE, fullName: 'John of the Janes' });
    await created(store, { email: 'eve@example.net' });
    const found = async (query: string) => (await listed(store, { query })).emails.toSorted();
    assert.deepEqual(await found('JANE'), ['jane@example.com', 'john@example.org']);
    assert.deepEqual(await found('example.n'), ['eve@example.net']);
    assert.deepEqual(await found('5112345'), ['john@example.org']);
    // Letters beyond a to z are found as they are written: few databases know more of them.
    assert.deepEqual(await found('jANE Ångström'), ['jane@example.com']);
    assert.deepEqual(await found('of the'), ['john@example.org']);
    assert.deepEqual(await found('nobody'), []);
  },

  'takes every character of a query for itself': async (store) => {
    await created(store, { email: 'a_b@example.com', fullName: '100 % \\ "a"' });
    await created(store, { email: 'acb@example.com', fullName: '1000 a' });
    const found = async (query: string) => (await listed(store, { query })).emails;
    for (const query of ['a_b', '0 %', '\\', '"a"']) assert.deepEqual(await found(query), ['a_b@example.com'], query);
    for (const query of ['%a', '_', "'"]) assert.equal((await found(query)).length, query === '_' ? 1 : 0, query);
  },

  'pages through what a query finds': async (store) => {
    await createdAt(store, { 'a-1': 1, 'b-1': 2, 'a-2': 3, 'b-2': 4, 'a-3': 5 });
    const page = await listed(store, { query: 'a-', skip: 1, limit: 1 });
    assert.deepEqual(page, { emails: emails('a-2'), count: 3 });
  },

  'lists those who have a role, and not one that resembles it': async (store) => {
    await created(store, { email: 'a@example.com', roles: ['user', 'admin'] });
    await created(store, { email: 'b@example.com', roles: ['administrator', 'Admin', 'not admin'] });
    const { id } = await created(store, { email: 'c@example.com', roles: ['admin'], disabled: true });
    await created(store, { email: 'd@example.com', roles: ['"admin"', 'ad%', '_dmin'] });
    const admins = { emails: ['a@example.com', 'c@example.com'], count: 2 };
    const sorted = async (role: string) => {
      const { emails: found, count } = await listed(store, { role });
      return { emails: found.toSorted(), count };
    };
    assert.deepEqual(await sorted('admin'), admins);
    assert.deepEqual(await sorted('ad%'), { emails: ['d@example.com'], count: 1 });
    assert.deepEqual(await listed(store, { role: 'admin', query: 'c@' }), { emails: ['c@example.com'], count: 1 });
    present(await store.update(id, { roles: ['user'] }));
    assert.deepEqual(await listed(store, { role: 'admin' }), { emails: ['a@example.com'], count: 1 });
    assert.deepEqual(await sorted('user'), { emails: ['a@example.com', 'c@example.com'], count: 2 });
  },
};

/** Creates users by the minute of their creation, in the order given; returns their ids. */
async function createdAt(store: UserStore, minutes: Record<string, number>): Promise<string[]> {
  const ids: string[] = [];
  for (const [name, minute] of Object.entries(minutes)) {
    const user = { email: `${name}@example.com`, createdAt: new Date(START_MS + minute * 60_000) };
    ids.push((await created(store, user)).id);
  }
  return ids;
}

function emails(...names: string[]): string[] {
  return names.map((name) => `${name}@example.com`);
}
