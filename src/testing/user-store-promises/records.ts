import assert from 'node:assert/strict';
import {
  byEmail,
  byPhone,
  created,
  EMAIL,
  isAbsent,
  listed,
  newUser,
  PHONE,
  present,
  sameUser,
  START_MS,
  type UserStorePromises,
} from './promise.js';

/** No id of any table, and nothing that a database may stumble over. */
const ODD_IDS = ['', 'nobody', '0', "' or '1'='1", '__proto__', '%', 'a\0b', 'é', 'x'.repeat(300), '9'.repeat(30)];

/** What a user is, and stays. */
export const recordPromises: UserStorePromises = {
  'keeps every member of a user': async (store) => {
    const user = newUser({
      phoneNumber: PHONE,
      fullName: 'Žofie “Zoë” O’Neill 李 👩🏽‍🚀',
      roles: ['user', 'admin', 'warehouse keeper', 'say "so"\\', '50 %', 'north, south'],
      disabled: true,
      createdAt: new Date(START_MS + 123),
      totp: 'v1.'.padEnd(2048, 'abcDEF_-09'),
    });
    const answer = present(await store.create(user));
    assert.equal(typeof answer.id, 'string');
    assert.notEqual(answer.id, '');
    sameUser(answer, { ...user, id: answer.id });
    sameUser(await store.findById(answer.id), answer);
    sameUser(await byEmail(store), answer);
    sameUser(await byPhone(store), answer);
  },

  'keeps the longest address, name and roles that there can be': async (store) => {
    const email = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.org`;
    const roles = Array.from({ length: 32 }, (_, index) => String(index).padEnd(64, 'r'));
    const user = newUser({ email, phoneNumber: '+498001234567890', fullName: '李'.repeat(200), roles });
    const { id } = present(await store.create(user));
    sameUser(await byEmail(store, email), { ...user, id });
  },

  'keeps a user who has an address alone': async (store) => {
    const { id } = await created(store, { phoneNumber: null, fullName: undefined });
    sameUser(await store.findById(id), { ...newUser(), id });
  },

  'keeps a user who has a phone number alone': async (store) => {
    const { id } = await created(store, { email: undefined, phoneNumber: PHONE });
    sameUser(await byPhone(store), { ...newUser({ email: undefined, phoneNumber: PHONE }), id });
  },

  'keeps a user without roles': async (store) => {
    const { id } = await created(store, { roles: [] });
    assert.deepEqual(present(await store.findById(id)).roles, []);
    present(await store.update(id, { fullName: 'Jane' }));
    assert.deepEqual(present(await store.findById(id)).roles, []);
  },

  'gives each user an id of its own, and no id again': async (store) => {
    const ids = new Set<string>();
    for (let time = 0; time < 3; time += 1) {
      const { id } = await created(store);
      ids.add(id);
      assert.equal(await store.delete(id), true);
    }
    assert.equal(ids.size, 3);
  },

  'finds nobody where there is nobody': async (store) => {
    await created(store);
    await isAbsent(byEmail(store, 'john@example.com'));
    await isAbsent(byPhone(store));
  },

  'finds nobody by a part of an address, by a pattern, or by what is none': async (store) => {
    await created(store);
    for (const value of ['jane@example', 'ane@example.com', '%', '_ane@example.com', '', "' or '1'='1"])
      await isAbsent(byEmail(store, value));
  },

  'takes an address for no phone number, and a phone number for no address': async (store) => {
    await created(store, { phoneNumber: PHONE });
    await isAbsent(byEmail(store, PHONE));
    await isAbsent(byPhone(store, EMAIL));
  },

  'answers that there is no such user, whatever the id': async (store) => {
    await created(store);
    for (const id of ODD_IDS) {
      await isAbsent(store.findById(id));
      await isAbsent(store.update(id, { fullName: 'Nobody' }));
      assert.equal(await store.delete(id), false);
    }
    assert.deepEqual(await listed(store), { emails: [EMAIL], count: 1 });
  },

  'changes a user by changes alone, not by what is done to an answer': async (store) => {
    const user = await created(store);
    (user.roles as string[]).push('admin');
    const found = present(await store.findById(user.id));
    assert.deepEqual(found.roles, ['user']);
    found.disabled = true;
    assert.equal(present(await byEmail(store)).disabled, false);
  },
};
