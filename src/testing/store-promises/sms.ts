import assert from 'node:assert/strict';
import type { SmsRules } from '../../core/ports.js';
import { HOUR_MS, MINUTE_MS, START_MS } from './promise.js';
import type { StorePromises } from './promise.js';

const RULES: SmsRules = { smsPerHour: 1000, windowMs: HOUR_MS, leastSends: 4, leastShare: 0.5, pauseMs: HOUR_MS / 2 };

/** Paid messages. */
export const smsPromises: StorePromises = {
  'counts the messages of the whole system, in any hour': async (store) => {
    const rules = { ...RULES, smsPerHour: 2 };
    const count = (group: string, nowMs: number) => store.countSms({ messageId: `${nowMs}`, group, nowMs, rules });
    assert.deepEqual(await count('DE:+49151', START_MS), { outcome: 'counted' });
    assert.deepEqual(await count('SI:+38640', START_MS + MINUTE_MS), { outcome: 'counted' });
    assert.deepEqual(await count('FR:+33612', START_MS + 2 * MINUTE_MS), {
      outcome: 'limited',
      retryAfterMs: 58 * MINUTE_MS,
    });
    assert.deepEqual(await count('FR:+33612', START_MS + HOUR_MS), { outcome: 'counted' });
  },

  'goes on counting when the clock is set back, and waits no longer than an hour': async (store) => {
    const rules = { ...RULES, smsPerHour: 2 };
    const count = (nowMs: number) => store.countSms({ messageId: `${nowMs}`, group: 'DE:+49151', nowMs, rules });
    assert.deepEqual(await count(START_MS + 12 * HOUR_MS), { outcome: 'counted' });
    assert.deepEqual(await count(START_MS), { outcome: 'counted' });
    assert.deepEqual(await count(START_MS + 1), { outcome: 'limited', retryAfterMs: HOUR_MS - 1 });
  },

  'lets no more through than the limit, of any number at once': async (store) => {
    const rules = { ...RULES, smsPerHour: 7, leastShare: 0 };
    const counted = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        store.countSms({ messageId: `${index}`, group: 'DE:+49151', nowMs: START_MS, rules }),
      ),
    );
    assert.equal(counted.filter(({ outcome }) => outcome === 'counted').length, 7);
  },

  'stops sending to a group whose codes are not typed in, and to no other, for a while': async (store) => {
    const count = (messageId: string, nowMs: number, group = 'DE:+49151') =>
      store.countSms({ messageId, group, nowMs, rules: RULES });
    for (const id of ['1', '2', '3', '4']) assert.deepEqual(await count(id, START_MS), { outcome: 'counted' });
    await store.confirmSms({ messageId: '1', group: 'DE:+49151', nowMs: START_MS, windowMs: HOUR_MS });
    const paused = { outcome: 'paused_now', retryAfterMs: HOUR_MS / 2 };
    assert.deepEqual(await count('5', START_MS), paused);
    assert.deepEqual(await count('6', START_MS + MINUTE_MS), {
      outcome: 'paused',
      retryAfterMs: 29 * MINUTE_MS,
    });
    assert.deepEqual(await count('7', START_MS, 'DE:+49170'), { outcome: 'counted' });
    assert.deepEqual(await count('8', START_MS + HOUR_MS / 2), { outcome: 'counted' });
  },

  'goes on where enough codes are typed in': async (store) => {
    for (let index = 0; index < 20; index++) {
      const group = 'DE:+49151';
      const nowMs = START_MS + index;
      const counted = await store.countSms({ messageId: `${index}`, group, nowMs, rules: RULES });
      assert.deepEqual(counted, { outcome: 'counted' });
      if (index % 2 === 0) await store.confirmSms({ messageId: `${index}`, group, nowMs, windowMs: HOUR_MS });
    }
  },

  'does not count a message that was not sent': async (store) => {
    const rules = { ...RULES, smsPerHour: 1 };
    const message = { messageId: 'a', group: 'DE:+49151' };
    assert.deepEqual(await store.countSms({ ...message, nowMs: START_MS, rules }), { outcome: 'counted' });
    await store.withdrawSms({ ...message, messageId: 'unknown', countedAtMs: START_MS });
    assert.equal((await store.countSms({ ...message, messageId: 'b', nowMs: START_MS, rules })).outcome, 'limited');
    await store.withdrawSms({ ...message, countedAtMs: START_MS });
    assert.deepEqual(await store.countSms({ ...message, messageId: 'b', nowMs: START_MS, rules }), {
      outcome: 'counted',
    });
  },
};
