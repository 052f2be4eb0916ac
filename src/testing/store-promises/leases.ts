import assert from 'node:assert/strict';
import type { Store } from '../../core/ports.js';
import { SECOND_MS, START_MS, type StorePromises } from './promise.js';

/** The right to do something that takes more than one step. */
export const leasePromises: StorePromises = {
  'gives a lease to one of 50 who want it at once, and to the next when it is given back': async (store, connect) => {
    const stores = await connect(4);
    const taken = await Promise.all(
      Array.from({ length: 50 }, (_, place) => take(stores[place % stores.length] as Store, `holder-${place}`)),
    );
    assert.equal(taken.filter(Boolean).length, 1);
    await store.returnLease({ name: 'admins', holder: `holder-${taken.indexOf(true)}` });
    assert.equal(await take(store, 'another'), true);
  },

  'lets a holder take its lease again, and nobody else give it back': async (store) => {
    assert.equal(await take(store, 'holder'), true);
    assert.equal(await take(store, 'holder'), true);
    await store.returnLease({ name: 'admins', holder: 'another' });
    assert.equal(await take(store, 'another'), false);
  },

  'ends a lease that was not given back': async (store) => {
    assert.equal(await take(store, 'holder'), true);
    assert.equal(await take(store, 'another', { afterMs: 5 * SECOND_MS - 1 }), false);
    assert.equal(await take(store, 'another', { afterMs: 5 * SECOND_MS }), true);
    await store.returnLease({ name: 'admins', holder: 'holder' });
    assert.equal(await take(store, 'holder', { afterMs: 6 * SECOND_MS }), false);
  },

  'gives leases of different names apart from one another': async (store) => {
    assert.equal(await take(store, 'holder'), true);
    assert.equal(await take(store, 'another', { name: 'other' }), true);
    await store.returnLease({ name: 'other', holder: 'holder' });
    assert.equal(await take(store, 'third', { name: 'other' }), false);
  },
};

function take(store: Store, holder: string, { afterMs = 0, name = 'admins' } = {}): Promise<boolean> {
  return store.takeLease({ name, holder, nowMs: START_MS + afterMs, forMs: 5 * SECOND_MS });
}
