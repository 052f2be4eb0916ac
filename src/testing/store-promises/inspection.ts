import assert from 'node:assert/strict';
import type { InspectCodes, Store } from '../../core/ports.js';
import {
  DAY_MS,
  guessWrong,
  hashOf,
  HOUR_MS,
  idOf,
  issued,
  MINUTE_MS,
  RULES,
  SECOND_MS,
  START_MS,
  verdict,
} from './promise.js';
import type { StorePromises } from './promise.js';

/** What the people who help others sign in can see. */
export const inspectionPromises: StorePromises = {
  'tells of nothing where nothing happened': async (store) => {
    assert.deepEqual(await inspect(store), { sentAtMs: [], failedAtMs: [], codes: [], usedCodes: 0 });
  },

  'tells when messages were sent and guesses failed, newest first, and what of the codes lives': async (store) => {
    await issued(store, 'one');
    await guessWrong(store, 2, { afterMs: SECOND_MS });
    await issued(store, 'two', { afterMs: MINUTE_MS, rules: { liveCodes: 2 } });
    await guessWrong(store, 1, { afterMs: MINUTE_MS, rules: { failuresPerDay: 3 } });
    assert.deepEqual(await inspect(store, { afterMs: MINUTE_MS }), {
      sentAtMs: [START_MS + MINUTE_MS, START_MS],
      failedAtMs: [START_MS + MINUTE_MS, START_MS + SECOND_MS, START_MS + SECOND_MS],
      codes: [
        { expiresAtMs: START_MS + MINUTE_MS + RULES.expiryMs, wrongGuesses: 1, isWithdrawn: false },
        { expiresAtMs: START_MS + RULES.expiryMs, wrongGuesses: 2, isWithdrawn: false },
      ],
      usedCodes: 0,
    });
  },

  'tells of a code that was used until it would have expired': async (store) => {
    await issued(store, 'one');
    assert.equal(await verdict(store, 'one'), 'accepted');
    assert.deepEqual(await inspect(store), { sentAtMs: [START_MS], failedAtMs: [], codes: [], usedCodes: 1 });
    assert.equal((await inspect(store, { afterMs: RULES.expiryMs })).usedCodes, 0);
  },

  'tells of a code that was withdrawn while its counts were kept': async (store) => {
    await issued(store, 'one');
    await store.withdrawCode({
      identifierKey: 'identifier',
      purpose: 'sign-in',
      codeId: idOf('one'),
      issuedAtMs: START_MS,
      counts: 'kept',
    });
    const { codes } = await inspect(store);
    assert.deepEqual(codes, [{ expiresAtMs: START_MS + RULES.expiryMs, wrongGuesses: 0, isWithdrawn: true }]);
  },

  'forgets codes once they expire, and the rest after 24 hours': async (store) => {
    await issued(store, 'one');
    assert.equal(await verdict(store, 'too late', { afterMs: HOUR_MS }), 'absent');
    const later = await inspect(store, { afterMs: RULES.expiryMs });
    assert.deepEqual([later.codes, later.sentAtMs], [[], [START_MS]]);
    const muchLater = await inspect(store, { afterMs: DAY_MS });
    assert.deepEqual([muchLater.sentAtMs, muchLater.failedAtMs.length], [[], 1]);
  },

  'changes nothing, and tells neither codes nor their hashes': async (store) => {
    await issued(store, 'one');
    const told = JSON.stringify(await inspect(store));
    assert.deepEqual([told.includes(hashOf('one')), told.includes(idOf('one'))], [false, false]);
    assert.equal(await verdict(store, 'one'), 'accepted');
  },

  'tells of each identifier, purpose and device on its own': async (store) => {
    const device = { lane: 'laptop', issuedAtMs: START_MS - DAY_MS };
    await issued(store, 'one', { device });
    assert.equal((await inspect(store)).sentAtMs.length, 0);
    assert.equal((await inspect(store, { device })).codes.length, 1);
    assert.equal((await inspect(store, { device, purpose: 'change-identifier' })).codes.length, 0);
    assert.equal((await inspect(store, { device, identifierKey: 'another' })).sentAtMs.length, 0);
    await store.revokeDevices({ identifierKey: 'identifier', nowMs: START_MS, forgetAfterMs: DAY_MS });
    assert.equal((await inspect(store, { device })).sentAtMs.length, 0);
  },
};

function inspect(store: Store, { afterMs = 0, ...differences }: Partial<InspectCodes> & { afterMs?: number } = {}) {
  return store.inspectCodes({
    identifierKey: 'identifier',
    purpose: 'sign-in',
    nowMs: START_MS + afterMs,
    ...differences,
  });
}
