import assert from 'node:assert/strict';
import {
  DAY_MS,
  guess,
  guessWrong,
  hashOf,
  idOf,
  issued,
  MINUTE_MS,
  RULES,
  sending,
  START_MS,
  verdict,
} from './promise.js';
import type { StorePromises } from './promise.js';

const TWO_LIVE = { rules: { liveCodes: 2 } };

/** What a code is good for, and how long. */
export const codePromises: StorePromises = {
  'answers when asked whether it is there': async (store) => {
    assert.equal(await store.ping(), undefined);
  },

  'accepts the right code once': async (store) => {
    await issued(store, 'right');
    assert.deepEqual(await guess(store, 'right'), { outcome: 'accepted' });
    assert.deepEqual(await guess(store, 'right'), { outcome: 'rejected', reason: 'replayed' });
  },

  'rejects a wrong code, and one that nobody asked for': async (store) => {
    assert.deepEqual(await guess(store, 'right'), { outcome: 'rejected', reason: 'absent' });
    await issued(store, 'right');
    assert.deepEqual(await guess(store, 'other'), { outcome: 'rejected', reason: 'wrong' });
    assert.equal(await verdict(store, 'right'), 'accepted');
  },

  'takes a guess that is hashed under several secrets': async (store) => {
    await issued(store, 'right');
    assert.equal(await verdict(store, 'x', { codeHashes: [hashOf('new-secret'), hashOf('other')] }), 'wrong');
    assert.equal(await verdict(store, 'x', { codeHashes: [hashOf('new-secret'), hashOf('right')] }), 'accepted');
    assert.equal(await verdict(store, 'x', { codeHashes: [hashOf('new-secret'), hashOf('right')] }), 'replayed');
  },

  'accepts a code for its own identifier alone': async (store) => {
    await issued(store, 'right');
    assert.equal(await verdict(store, 'right', { identifierKey: 'another' }), 'absent');
    assert.equal(await verdict(store, 'right'), 'accepted');
  },

  'accepts a code for its own purpose alone': async (store) => {
    await issued(store, 'right');
    assert.equal(await verdict(store, 'right', { purpose: 'change-identifier' }), 'absent');
    await issued(store, 'change', { purpose: 'change-identifier', afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'right', { purpose: 'change-identifier', afterMs: MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'right', { afterMs: MINUTE_MS }), 'accepted');
    assert.equal(await verdict(store, 'change', { purpose: 'change-identifier', afterMs: MINUTE_MS }), 'accepted');
  },

  'accepts a code until it expires': async (store) => {
    await issued(store, 'right');
    await issued(store, 'late', { identifierKey: 'another' });
    assert.equal(await verdict(store, 'right', { afterMs: RULES.expiryMs - 1 }), 'accepted');
    assert.equal(await verdict(store, 'late', { identifierKey: 'another', afterMs: RULES.expiryMs }), 'absent');
  },

  'knows each code that was used until it would have expired': async (store) => {
    await issued(store, 'first');
    assert.equal(await verdict(store, 'first'), 'accepted');
    await issued(store, 'second', { afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'second', { afterMs: MINUTE_MS }), 'accepted');
    await issued(store, 'third', { afterMs: 2 * MINUTE_MS });
    assert.equal(await verdict(store, 'first', { afterMs: RULES.expiryMs - 1 }), 'replayed');
    assert.equal(await verdict(store, 'second', { afterMs: RULES.expiryMs - 1 }), 'replayed');
    assert.equal(await verdict(store, 'first', { afterMs: RULES.expiryMs }), 'wrong');
    assert.equal(await verdict(store, 'second', { afterMs: RULES.expiryMs }), 'replayed');
  },

  'does not count a used code that comes again': async (store) => {
    const rules = { failuresPerDay: 3, maxAttempts: 1 };
    await issued(store, 'used', { rules });
    assert.equal(await verdict(store, 'used', { rules }), 'accepted');
    await issued(store, 'next', { rules, afterMs: MINUTE_MS });
    for (let time = 0; time < 5; time += 1) {
      assert.equal(await verdict(store, 'used', { rules, afterMs: MINUTE_MS }), 'replayed');
    }
    assert.equal(await verdict(store, 'next', { rules, afterMs: MINUTE_MS }), 'accepted');
  },

  'lets a new code replace the old one': async (store) => {
    await issued(store, 'old');
    await issued(store, 'new', { afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'old', { afterMs: MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'new', { afterMs: MINUTE_MS }), 'accepted');
  },

  'lets as many of the newest codes work as it is told': async (store) => {
    for (const [place, code] of ['one', 'two', 'three'].entries()) {
      await issued(store, code, { ...TWO_LIVE, afterMs: place * MINUTE_MS });
    }
    assert.equal(await verdict(store, 'one', { ...TWO_LIVE, afterMs: 3 * MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'two', { ...TWO_LIVE, afterMs: 3 * MINUTE_MS }), 'accepted');
  },

  'uses up all live codes with the one that is accepted': async (store) => {
    await issued(store, 'one', TWO_LIVE);
    await issued(store, 'two', { ...TWO_LIVE, afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'one', { ...TWO_LIVE, afterMs: MINUTE_MS }), 'accepted');
    assert.equal(await verdict(store, 'two', { ...TWO_LIVE, afterMs: MINUTE_MS }), 'absent');
  },

  'takes the same request to issue a code for one, however often it comes': async (store) => {
    await issued(store, 'right', TWO_LIVE);
    await guessWrong(store, 2, TWO_LIVE);
    await issued(store, 'right', { ...TWO_LIVE, afterMs: 1 });
    await issued(store, 'right', { ...TWO_LIVE, afterMs: MINUTE_MS });
    // Nothing was counted, and neither life nor attempts began anew.
    assert.equal(await sending(store, 'next', { ...TWO_LIVE, afterMs: RULES.resendCooldownMs - 1 }), 'resend_cooldown');
    await issued(store, 'next', { ...TWO_LIVE, afterMs: RULES.resendCooldownMs });
    await guessWrong(store, RULES.maxAttempts - 2, { ...TWO_LIVE, afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'right', { ...TWO_LIVE, afterMs: MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'next', { ...TWO_LIVE, afterMs: MINUTE_MS }), 'accepted');
  },

  'does not take a request for a repeated one when the code of that name is dead': async (store) => {
    await issued(store, 'right');
    await guessWrong(store, RULES.maxAttempts);
    assert.equal(await sending(store, 'right'), 'resend_cooldown');
    await issued(store, 'right', { afterMs: RULES.resendCooldownMs });
    assert.equal(await verdict(store, 'right', { afterMs: RULES.resendCooldownMs }), 'accepted');
  },

  'withdraws a code with what its sending counted': async (store) => {
    const rules = { sendsPerHour: 1, sendsPerDay: 1 };
    await issued(store, 'unsent', { rules });
    await withdraw(store, 'unsent');
    assert.equal(await verdict(store, 'unsent', { rules }), 'absent');
    await issued(store, 'next', { rules });
    assert.equal(await verdict(store, 'unsent', { rules }), 'wrong');
    assert.equal(await verdict(store, 'next', { rules }), 'accepted');
  },

  'counts no failure for a used code that comes again, and takes it where it was issued anew': async (store) => {
    const rules = { failuresPerDay: 1 };
    await issued(store, 'same', { rules });
    assert.equal(await verdict(store, 'same', { rules }), 'accepted');
    await issued(store, 'next', { rules, afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'same', { rules, afterMs: MINUTE_MS }), 'replayed');
    await issued(store, 'anew', { rules, codeHash: hashOf('same'), afterMs: 2 * MINUTE_MS });
    assert.equal(await verdict(store, 'same', { rules, afterMs: 2 * MINUTE_MS }), 'accepted');
    assert.equal(await verdict(store, 'same', { rules, afterMs: 2 * MINUTE_MS }), 'replayed');
  },

  'withdraws one code, and no other': async (store) => {
    const rules = { liveCodes: 3, resendCooldownMs: 0, sendsPerHour: 3 };
    for (const code of ['one', 'two', 'three']) await issued(store, code, { rules });
    await withdraw(store, 'two');
    assert.equal(await verdict(store, 'two', { rules }), 'wrong');
    await issued(store, 'four', { rules });
    assert.equal(await sending(store, 'five', { rules }), 'sends_per_hour');
    assert.equal(await verdict(store, 'one', { rules }), 'accepted');
  },

  'withdraws nothing where there is no such code': async (store) => {
    await withdraw(store, 'unknown');
    await issued(store, 'right');
    await withdraw(store, 'unknown');
    await withdraw(store, 'right', { purpose: 'change-identifier' });
    await withdraw(store, 'right', { identifierKey: 'another' });
    assert.equal(await sending(store, 'next'), 'resend_cooldown');
    assert.equal(await verdict(store, 'right'), 'accepted');
    await withdraw(store, 'right');
    assert.equal(await sending(store, 'next'), 'resend_cooldown');
    assert.equal(await verdict(store, 'right'), 'replayed');
  },

  'withdraws a code, and goes on as if it had been sent, where its counts are kept': async (store) => {
    const rules = { failuresPerDay: 3 };
    await issued(store, 'unsent', { rules });
    await withdraw(store, 'unsent', { counts: 'kept' });
    assert.equal(await sending(store, 'next', { rules }), 'resend_cooldown');
    assert.equal(await verdict(store, 'unsent', { rules }), 'wrong');
    assert.equal(await verdict(store, '', { rules, codeHashes: ['-'] }), 'wrong');
    assert.equal(await verdict(store, 'any', { rules }), 'wrong');
    assert.equal(await verdict(store, 'any', { rules }), 'limited');
  },

  'keeps failures when a code is withdrawn': async (store) => {
    const rules = { failuresPerDay: 2 };
    await issued(store, 'unsent', { rules });
    await guessWrong(store, 2, { rules });
    await withdraw(store, 'unsent');
    assert.deepEqual(await guess(store, 'any', { rules }), { outcome: 'limited', retryAfterMs: DAY_MS });
  },
};

function withdraw(
  store: Parameters<StorePromises[string]>[0],
  code: string,
  differences: { purpose?: 'change-identifier'; identifierKey?: string; counts?: 'kept' } = {},
): Promise<void> {
  return store.withdrawCode({
    identifierKey: 'identifier',
    purpose: 'sign-in',
    codeId: idOf(code),
    issuedAtMs: START_MS,
    ...differences,
  });
}
