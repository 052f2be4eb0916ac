import assert from 'node:assert/strict';
import type { UserRecord } from '../../core/users/user-store.js';
import { byEmail, created, EMAIL, isAbsent, listed, newUser, PHONE, present, tally } from './promise.js';
import type { UserStorePromises } from './promise.js';

const AT_ONCE = 30;

/** That each operation is one step, whatever else happens meanwhile. */
export const concurrencyPromises: UserStorePromises = {
  'creates one user of many with the same address at once': async (store) => {
    const answers = await atOnce((place) => store.create(newUser({ fullName: `Jane ${place}` })));
    assert.deepEqual(tally(answers.map(outcomeOf)), { done: 1, taken: AT_ONCE - 1 });
    assert.equal((await listed(store)).count, 1);
    const [winner] = answers.filter((answer) => answer !== 'taken');
    assert.equal(present(await byEmail(store)).id, present(winner).id);
  },

  'creates one user of many with the same phone number at once, and keeps nothing of the others': async (store) => {
    const email = (place: number) => `user-${place}@example.com`;
    const answers = await atOnce((place) => store.create(newUser({ email: email(place), phoneNumber: PHONE })));
    assert.deepEqual(tally(answers.map(outcomeOf)), { done: 1, taken: AT_ONCE - 1 });
    for (const [place, answer] of answers.entries())
      if (answer === 'taken') await isAbsent(byEmail(store, email(place)));
  },

  'mixes up no users that are created at once': async (store) => {
    const answers = await atOnce((place) => store.create(newUser({ email: `user-${place}@example.com` })));
    assert.equal(new Set(answers.map((answer) => present(answer).id)).size, AT_ONCE);
    assert.equal((await listed(store)).count, AT_ONCE);
  },

  'gives an address to one of many users who want it at once': async (store) => {
    const users = await atOnce((place) => created(store, { email: `user-${place}@example.com` }));
    const answers = await atOnce((place) => store.update((users[place] as UserRecord).id, { email: EMAIL }));
    assert.deepEqual(tally(answers.map(outcomeOf)), { done: 1, taken: AT_ONCE - 1 });
    assert.equal((await listed(store, { query: EMAIL })).count, 1);
    assert.equal((await listed(store)).count, AT_ONCE);
  },

  'loses none of two changes of different members at once': async (store) => {
    const { id } = await created(store);
    await Promise.all([
      store.update(id, { fullName: 'Jane' }),
      store.update(id, { roles: ['admin'] }),
      store.update(id, { totp: 'state' }),
      store.update(id, { phoneNumber: PHONE }),
    ]);
    const { fullName, roles, totp, phoneNumber } = present(await store.findById(id));
    const expected = { fullName: 'Jane', roles: ['admin'], totp: 'state', phoneNumber: PHONE };
    assert.deepEqual({ fullName, roles, totp, phoneNumber }, expected);
  },

  'deletes a user once of many times at once': async (store) => {
    const { id } = await created(store);
    const answers = await atOnce(() => store.delete(id));
    assert.equal(answers.filter(Boolean).length, 1);
  },

  'brings nobody back who was changed while being deleted': async (store) => {
    const { id } = await created(store);
    await atOnce<unknown>((place) =>
      place === AT_ONCE / 2 ? store.delete(id) : store.update(id, { fullName: `Jane ${place}`, roles: ['admin'] }),
    );
    await isAbsent(store.findById(id));
    await isAbsent(byEmail(store));
    assert.deepEqual(await listed(store), { emails: [], count: 0 });
    assert.deepEqual(await listed(store, { role: 'admin' }), { emails: [], count: 0 });
    await created(store);
  },
};

function atOnce<Result>(act: (place: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, place) => act(place)));
}

function outcomeOf(answer: unknown): string {
  return answer === 'taken' ? 'taken' : 'done';
}
