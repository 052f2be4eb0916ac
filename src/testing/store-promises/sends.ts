import assert from 'node:assert/strict';
import {
  DAY_MS,
  guessWrong,
  HOUR_MS,
  issue,
  issued,
  MINUTE_MS,
  RULES,
  SECOND_MS,
  sending,
  verdict,
} from './promise.js';
import type { StorePromises } from './promise.js';

/** How many messages there are. */
export const sendPromises: StorePromises = {
  'waits for the cool-down before it sends again': async (store) => {
    await issued(store, 'one');
    assert.deepEqual(await issue(store, 'two', { afterMs: 10 * SECOND_MS }), {
      outcome: 'limited',
      limit: 'resend_cooldown',
      retryAfterMs: RULES.resendCooldownMs - 10 * SECOND_MS,
    });
    assert.deepEqual(await issue(store, 'two', { afterMs: RULES.resendCooldownMs - 1 }), {
      outcome: 'limited',
      limit: 'resend_cooldown',
      retryAfterMs: 1,
    });
    await issued(store, 'two', { afterMs: RULES.resendCooldownMs });
  },

  'sends at once where there is no cool-down': async (store) => {
    const rules = { resendCooldownMs: 0 };
    await issued(store, 'one', { rules, afterMs: HOUR_MS });
    await issued(store, 'two', { rules, afterMs: HOUR_MS });
    await issued(store, 'clock set back', { rules });
  },

  'waits no longer than the cool-down when the clock is set back': async (store) => {
    await issued(store, 'one', { afterMs: HOUR_MS });
    assert.deepEqual(await issue(store, 'two'), {
      outcome: 'limited',
      limit: 'resend_cooldown',
      retryAfterMs: RULES.resendCooldownMs,
    });
    await issued(store, 'three', { afterMs: RULES.resendCooldownMs });
  },

  'leaves everything as it was when it sends nothing': async (store) => {
    const rules = { sendsPerHour: 2 };
    await issued(store, 'one', { rules });
    assert.equal(await sending(store, 'two', { rules }), 'resend_cooldown');
    await issued(store, 'three', { rules, afterMs: RULES.resendCooldownMs });
    assert.equal(await sending(store, 'four', { rules, afterMs: MINUTE_MS }), 'sends_per_hour');
    assert.equal(await verdict(store, 'two', { rules, afterMs: MINUTE_MS }), 'wrong');
    assert.equal(await verdict(store, 'three', { rules, afterMs: MINUTE_MS }), 'accepted');
  },

  'counts the messages of any 60 minutes, not of a calendar hour': async (store) => {
    const rules = { sendsPerHour: 3, resendCooldownMs: 0 };
    for (const minutes of [0, 40, 50]) await issued(store, `at ${minutes}`, { rules, afterMs: minutes * MINUTE_MS });
    assert.deepEqual(await issue(store, 'next', { rules, afterMs: 55 * MINUTE_MS }), {
      outcome: 'limited',
      limit: 'sends_per_hour',
      retryAfterMs: 5 * MINUTE_MS,
    });
    assert.equal(await sending(store, 'next', { rules, afterMs: HOUR_MS - 1 }), 'sends_per_hour');
    await issued(store, 'next', { rules, afterMs: HOUR_MS });
    assert.deepEqual(await issue(store, 'one more', { rules, afterMs: HOUR_MS }), {
      outcome: 'limited',
      limit: 'sends_per_hour',
      retryAfterMs: 40 * MINUTE_MS,
    });
  },

  'counts the messages of any 24 hours': async (store) => {
    const rules = { sendsPerHour: 2, sendsPerDay: 3 };
    for (const hours of [0, 8, 16]) await issued(store, `at ${hours}`, { rules, afterMs: hours * HOUR_MS });
    assert.deepEqual(await issue(store, 'next', { rules, afterMs: 20 * HOUR_MS }), {
      outcome: 'limited',
      limit: 'sends_per_day',
      retryAfterMs: 4 * HOUR_MS,
    });
    assert.equal(await sending(store, 'next', { rules, afterMs: DAY_MS - 1 }), 'sends_per_day');
    await issued(store, 'next', { rules, afterMs: DAY_MS });
    assert.equal(await sending(store, 'one more', { rules, afterMs: DAY_MS + HOUR_MS }), 'sends_per_day');
  },

  'counts the messages of an hour where more are allowed in an hour than in a day': async (store) => {
    const rules = { sendsPerHour: 5, sendsPerDay: 2, resendCooldownMs: 0 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules });
    assert.equal(await sending(store, 'three', { rules }), 'sends_per_day');
  },

  'counts messages over all purposes': async (store) => {
    const rules = { sendsPerHour: 1 };
    await issued(store, 'one', { rules });
    assert.equal(await sending(store, 'two', { rules, purpose: 'change-identifier' }), 'resend_cooldown');
    const later = { rules, afterMs: MINUTE_MS };
    assert.equal(await sending(store, 'two', { ...later, purpose: 'change-identifier' }), 'sends_per_hour');
  },

  'counts messages for each identifier on its own': async (store) => {
    await issued(store, 'one');
    await issued(store, 'two', { identifierKey: 'another' });
    assert.equal(await verdict(store, 'one'), 'accepted');
  },

  'counts messages past a success': async (store) => {
    await issued(store, 'one');
    assert.equal(await verdict(store, 'one'), 'accepted');
    assert.equal(await sending(store, 'two'), 'resend_cooldown');
  },

  'names failures before the cool-down, and the cool-down before the hour and the day': async (store) => {
    const rules = { failuresPerDay: 1, sendsPerHour: 1, sendsPerDay: 1 };
    await issued(store, 'one', { rules });
    assert.equal(await sending(store, 'two', { rules }), 'resend_cooldown');
    assert.equal(await sending(store, 'two', { rules, afterMs: MINUTE_MS }), 'sends_per_hour');
    assert.equal(await sending(store, 'two', { rules, afterMs: HOUR_MS }), 'sends_per_day');
    await guessWrong(store, 1, { rules });
    assert.equal(await sending(store, 'two', { rules }), 'failures_per_day');
  },
};
