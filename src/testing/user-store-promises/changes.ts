import assert from 'node:assert/strict';
import { byEmail, byPhone, created, EMAIL, isAbsent, listed, newUser, PHONE, present, sameUser } from './promise.js';
import type { UserStorePromises } from './promise.js';

/** Changing and deleting. */
export const changePromises: UserStorePromises = {
  'changes what is named, leaves the rest, and answers with the whole': async (store) => {
    const before = await created(store, { phoneNumber: PHONE, fullName: 'Jane' });
    const changes = { fullName: 'Jane Doe', roles: ['admin'], disabled: true, totp: 'v1.'.padEnd(2048, 'abcDEF_-09') };
    const after = { ...before, ...changes };
    sameUser(await store.update(before.id, changes), after);
    sameUser(await store.findById(before.id), after);
  },

  'leaves as it is what is undefined, and removes what is null': async (store) => {
    const before = await created(store, { phoneNumber: PHONE, fullName: 'Jane', totp: 'state' });
    sameUser(await store.update(before.id, { fullName: undefined, email: undefined, roles: undefined }), before);
    sameUser(await store.update(before.id, {}), before);
    const after = { ...before, phoneNumber: null, fullName: null, totp: null };
    sameUser(await store.update(before.id, { phoneNumber: null, fullName: null, totp: null }), after);
    sameUser(await store.findById(before.id), after);
    await isAbsent(byPhone(store));
  },

  'changes one user and no other': async (store) => {
    const one = await created(store);
    const other = await created(store, { email: 'john@example.com' });
    present(await store.update(one.id, { roles: ['admin'], disabled: true, fullName: 'Jane' }));
    sameUser(await store.findById(other.id), other);
  },

  'moves a user to another address, and frees the one before': async (store) => {
    const { id } = await created(store);
    present(await store.update(id, { email: 'doe@example.com' }));
    assert.equal(present(await byEmail(store, 'doe@example.com')).id, id);
    await isAbsent(byEmail(store));
    assert.notEqual((await created(store)).id, id);
  },

  'gives a user a second way to be reached, and takes it back': async (store) => {
    const { id } = await created(store);
    present(await store.update(id, { phoneNumber: PHONE }));
    assert.equal(present(await byPhone(store)).id, id);
    assert.equal(present(await byEmail(store)).id, id);
    present(await store.update(id, { email: null }));
    await isAbsent(byEmail(store));
    assert.equal(present(await byPhone(store)).id, id);
  },

  'gives no two users the same address': async (store) => {
    const first = await created(store, { fullName: 'First' });
    assert.equal(await store.create(newUser({ fullName: 'Second' })), 'taken');
    sameUser(await byEmail(store), first);
    assert.equal((await listed(store)).count, 1);
  },

  'gives no two users the same phone number, and keeps nothing of the second': async (store) => {
    const first = await created(store, { phoneNumber: PHONE });
    assert.equal(await store.create(newUser({ email: 'john@example.com', phoneNumber: PHONE })), 'taken');
    await isAbsent(byEmail(store, 'john@example.com'));
    sameUser(await byPhone(store), first);
    await created(store, { email: 'john@example.com' });
  },

  'gives a user no identifier of another, and changes nothing then': async (store) => {
    const jane = await created(store, { phoneNumber: PHONE });
    const john = await created(store, { email: 'john@example.com', fullName: 'John' });
    assert.equal(await store.update(john.id, { email: EMAIL, fullName: 'Jane' }), 'taken');
    const changes = { email: 'doe@example.com', phoneNumber: PHONE, roles: ['admin'] };
    assert.equal(await store.update(john.id, changes), 'taken');
    sameUser(await store.findById(john.id), john);
    sameUser(await byEmail(store, 'john@example.com'), john);
    sameUser(await byEmail(store), jane);
    await isAbsent(byEmail(store, 'doe@example.com'));
  },

  'lets a user have its own identifiers again': async (store) => {
    const user = await created(store, { phoneNumber: PHONE });
    sameUser(await store.update(user.id, { email: EMAIL, phoneNumber: PHONE }), user);
  },

  'lets any number of users have no address, and no phone number': async (store) => {
    await created(store);
    await created(store, { email: 'john@example.com', phoneNumber: null });
    await created(store, { email: null, phoneNumber: PHONE });
    await created(store, { email: undefined, phoneNumber: '+14155550100' });
    assert.equal((await listed(store)).count, 4);
  },

  'deletes a user once, and frees what the user had': async (store) => {
    const { id } = await created(store, { phoneNumber: PHONE, roles: ['admin'] });
    const other = await created(store, { email: 'john@example.com' });
    assert.equal(await store.delete(id), true);
    assert.equal(await store.delete(id), false);
    await isAbsent(store.findById(id));
    await isAbsent(byEmail(store));
    await isAbsent(byPhone(store));
    await isAbsent(store.update(id, { fullName: 'Ghost' }));
    assert.deepEqual(await listed(store), { emails: ['john@example.com'], count: 1 });
    assert.deepEqual(await listed(store, { role: 'admin' }), { emails: [], count: 0 });
    sameUser(await store.findById(other.id), other);
    await created(store, { phoneNumber: PHONE });
  },
};
