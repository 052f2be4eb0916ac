import assert from 'node:assert/strict';
import { DAY_MS, guess, guessWrong, HOUR_MS, issue, issued, MINUTE_MS, RULES, verdict } from './promise.js';
import type { StorePromises } from './promise.js';

/** How many guesses there are, per code and per day. */
export const attemptPromises: StorePromises = {
  'accepts the right code after one wrong guess less than it survives': async (store) => {
    await issued(store, 'right');
    await guessWrong(store, RULES.maxAttempts - 1);
    assert.equal(await verdict(store, 'right'), 'accepted');
  },

  'compares a code no more once it had its wrong guesses': async (store) => {
    await issued(store, 'right');
    await guessWrong(store, RULES.maxAttempts);
    assert.equal(await verdict(store, 'right'), 'attempts_used_up');
    assert.equal(await verdict(store, 'right', { afterMs: RULES.expiryMs }), 'absent');
  },

  'gives a new code attempts of its own': async (store) => {
    await issued(store, 'old');
    await guessWrong(store, RULES.maxAttempts);
    await issued(store, 'new', { afterMs: MINUTE_MS });
    await guessWrong(store, RULES.maxAttempts - 1, { afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'new', { afterMs: MINUTE_MS }), 'accepted');
  },

  'counts a wrong guess against each live code': async (store) => {
    const rules = { liveCodes: 2 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules, afterMs: MINUTE_MS });
    await guessWrong(store, RULES.maxAttempts, { rules, afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'one', { rules, afterMs: MINUTE_MS }), 'attempts_used_up');
    assert.equal(await verdict(store, 'two', { rules, afterMs: MINUTE_MS }), 'attempts_used_up');
  },

  'compares nothing once the failures of a day are used up, not even the right code': async (store) => {
    const rules = { failuresPerDay: 3, expiryMs: 2 * DAY_MS };
    await issued(store, 'right', { rules });
    await guessWrong(store, 3, { rules });
    assert.deepEqual(await guess(store, 'right', { rules }), { outcome: 'limited', retryAfterMs: DAY_MS });
    assert.deepEqual(await guess(store, 'right', { rules, afterMs: DAY_MS - 1 }), {
      outcome: 'limited',
      retryAfterMs: 1,
    });
    assert.equal(await verdict(store, 'right', { rules, afterMs: DAY_MS }), 'accepted');
  },

  'counts failures over all codes and purposes': async (store) => {
    const rules = { failuresPerDay: 4, resendCooldownMs: 0 };
    await issued(store, 'one', { rules });
    await guessWrong(store, 2, { rules });
    await issued(store, 'two', { rules });
    await guessWrong(store, 1, { rules });
    await issued(store, 'three', { rules, purpose: 'change-identifier' });
    await guessWrong(store, 1, { rules, purpose: 'change-identifier' });
    assert.equal(await verdict(store, 'two', { rules }), 'limited');
    assert.equal(await verdict(store, 'three', { rules, purpose: 'change-identifier' }), 'limited');
  },

  'counts failures past a success': async (store) => {
    const rules = { failuresPerDay: 3, resendCooldownMs: 0 };
    await issued(store, 'one', { rules });
    await guessWrong(store, 2, { rules });
    assert.equal(await verdict(store, 'one', { rules }), 'accepted');
    await issued(store, 'two', { rules });
    await guessWrong(store, 1, { rules });
    assert.equal(await verdict(store, 'two', { rules }), 'limited');
  },

  'counts guesses at codes that are absent or used up': async (store) => {
    const rules = { failuresPerDay: 3, maxAttempts: 1 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    await issued(store, 'right', { rules });
    await guessWrong(store, 1, { rules });
    assert.equal(await verdict(store, 'right', { rules }), 'attempts_used_up');
    assert.equal(await verdict(store, 'any', { rules }), 'limited');
  },

  'counts failures for each identifier on its own': async (store) => {
    const rules = { failuresPerDay: 1 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'limited');
    assert.equal(await verdict(store, 'any', { rules, identifierKey: 'another' }), 'absent');
  },

  'counts a guess as often as it was compared': async (store) => {
    const rules = { failuresPerDay: 5, liveCodes: 2 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules, afterMs: MINUTE_MS });
    await guessWrong(store, 2, { rules, afterMs: MINUTE_MS });
    // One comparison is left of five: with the newer code.
    assert.equal(await verdict(store, 'one', { rules, afterMs: MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'two', { rules, afterMs: MINUTE_MS }), 'limited');
  },

  'compares the newest code while one comparison is left': async (store) => {
    const rules = { failuresPerDay: 3, liveCodes: 2 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules, afterMs: MINUTE_MS });
    await guessWrong(store, 1, { rules, afterMs: MINUTE_MS });
    assert.equal(await verdict(store, 'two', { rules, afterMs: MINUTE_MS }), 'accepted');
  },

  'forgets each failure a day after it': async (store) => {
    const rules = { failuresPerDay: 2 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules, afterMs: HOUR_MS }), 'absent');
    assert.deepEqual(await guess(store, 'any', { rules, afterMs: 2 * HOUR_MS }), {
      outcome: 'limited',
      retryAfterMs: 22 * HOUR_MS,
    });
    assert.equal(await verdict(store, 'any', { rules, afterMs: DAY_MS }), 'absent');
    assert.deepEqual(await guess(store, 'any', { rules, afterMs: DAY_MS }), {
      outcome: 'limited',
      retryAfterMs: HOUR_MS,
    });
  },

  'does not count a guess that was limited': async (store) => {
    const rules = { failuresPerDay: 1 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules, afterMs: HOUR_MS }), 'limited');
    assert.equal(await verdict(store, 'any', { rules, afterMs: DAY_MS }), 'absent');
  },

  'sends nothing once the failures of a day are used up': async (store) => {
    const rules = { failuresPerDay: 2 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules, afterMs: HOUR_MS }), 'absent');
    assert.deepEqual(await issue(store, 'next', { rules, afterMs: 2 * HOUR_MS }), {
      outcome: 'limited',
      limit: 'failures_per_day',
      retryAfterMs: 22 * HOUR_MS,
    });
    await issued(store, 'next', { rules, afterMs: DAY_MS });
  },

  'goes on counting failures when the clock is set back, and waits no longer than a day': async (store) => {
    const rules = { failuresPerDay: 2 };
    assert.equal(await verdict(store, 'any', { rules, afterMs: HOUR_MS }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.deepEqual(await guess(store, 'any', { rules }), { outcome: 'limited', retryAfterMs: DAY_MS });
  },
};
