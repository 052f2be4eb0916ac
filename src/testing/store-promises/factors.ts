import assert from 'node:assert/strict';
import type { FactorProof, JudgeFactorRequest, Store } from '../../core/ports.js';
import { HOUR_MS, MINUTE_MS, START_MS, USER } from './promise.js';
import type { StorePromises } from './promise.js';

const DAY_MS = 24 * HOUR_MS;
const STEP = Math.floor(START_MS / 30_000);

const judge = (store: Store, proof?: FactorProof, more: Partial<JudgeFactorRequest> = {}) =>
  store.judgeFactor({
    userKey: USER,
    proof,
    challengeMs: 10 * MINUTE_MS,
    nowMs: START_MS,
    failuresPerDay: 3,
    rememberMs: 400 * DAY_MS,
    ...more,
  });
const verdict = async (...judged: Parameters<typeof judge>) => {
  const answer = await judge(...judged);
  return answer.outcome === 'rejected' ? answer.reason : answer.outcome;
};
const totp = (step: number): FactorProof => ({ kind: 'totp', step });
const recovery = (hash: string): FactorProof => ({ kind: 'recovery_code', hash });

/** Second factors. */
export const factorPromises: StorePromises = {
  'accepts each time step once, and none before one that was accepted': async (store) => {
    assert.equal(await verdict(store, totp(STEP)), 'accepted');
    assert.equal(await verdict(store, totp(STEP)), 'replayed');
    assert.equal(await verdict(store, totp(STEP - 1)), 'replayed');
    assert.equal(await verdict(store, totp(STEP + 1)), 'accepted');
    assert.equal(await verdict(store, totp(STEP), { userKey: 'another' }), 'accepted');
  },

  'accepts one of twenty tries at once with the same time step': async (store, openPeers) => {
    const stores = await openPeers(4);
    const judged = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        verdict(stores[index % stores.length] as Store, totp(STEP), { failuresPerDay: 100 }),
      ),
    );
    assert.equal(judged.filter((one) => one === 'accepted').length, 1);
  },

  'accepts each recovery code once, and tells which were used': async (store) => {
    assert.deepEqual(await judge(store, recovery('a')), { outcome: 'accepted', usedHashes: ['a'] });
    assert.equal(await verdict(store, recovery('a')), 'replayed');
    const second = await judge(store, recovery('b'));
    assert.deepEqual(second.outcome === 'accepted' && [...second.usedHashes].sort(), ['a', 'b']);
  },

  'accepts one answer to a challenge; one that would have been good is neither used up nor a failure': async (
    store,
  ) => {
    assert.equal(await verdict(store, totp(STEP), { challengeId: 'first' }), 'accepted');
    assert.equal(await verdict(store, totp(STEP), { challengeId: 'first' }), 'replayed');
    for (const proof of [totp(STEP + 1), totp(STEP + 1), recovery('a')])
      assert.equal(await verdict(store, proof, { challengeId: 'first' }), 'answered');
    assert.equal(await verdict(store, totp(STEP + 1), { challengeId: 'second' }), 'accepted');
    assert.equal(await verdict(store, recovery('a'), { challengeId: 'third' }), 'accepted');
  },

  'counts what is wrong in any 24 hours, and nothing that was right once, and then judges nothing': async (store) => {
    assert.equal(await verdict(store), 'wrong');
    assert.equal(await verdict(store, totp(STEP), { nowMs: START_MS + HOUR_MS }), 'accepted');
    for (let time = 0; time < 4; time += 1)
      assert.equal(await verdict(store, totp(STEP), { nowMs: START_MS + HOUR_MS }), 'replayed');
    assert.equal(await verdict(store, undefined, { nowMs: START_MS + HOUR_MS }), 'wrong');
    assert.equal(await verdict(store, undefined, { nowMs: START_MS + 2 * HOUR_MS }), 'wrong');
    assert.deepEqual(await judge(store, totp(STEP + 9), { nowMs: START_MS + 3 * HOUR_MS }), {
      outcome: 'limited',
      retryAfterMs: 21 * HOUR_MS,
    });
    assert.equal(await verdict(store, totp(STEP + 9), { nowMs: START_MS + DAY_MS }), 'accepted');
  },

  'goes on counting what is wrong when the clock is set back, and waits no longer than a day': async (store) => {
    const later = { nowMs: START_MS + 2 * DAY_MS };
    for (let time = 0; time < 3; time += 1) assert.equal(await verdict(store, undefined, later), 'wrong');
    assert.deepEqual(await judge(store, totp(STEP)), { outcome: 'limited', retryAfterMs: DAY_MS });
  },

  'notes that a session has shown another factor': async (store) => {
    const session = {
      id: 'a',
      startedAtMs: START_MS,
      lastUsedAtMs: START_MS,
      expiresAtMs: START_MS + DAY_MS,
      endsAtMs: START_MS + DAY_MS,
      amr: ['otp'],
    };
    const where = { userKey: USER, nowMs: START_MS };
    await store.openSession({
      ...where,
      session,
      refreshId: 'r',
      decidedAtMs: START_MS,
      maxSessions: 0,
      revocationMs: HOUR_MS,
    });
    assert.equal(await store.raiseSession({ ...where, sessionId: 'a', amr: ['otp', 'totp'] }), true);
    assert.equal(await store.raiseSession({ ...where, sessionId: 'b', amr: ['otp', 'totp'] }), false);
    assert.deepEqual((await store.listSessions(where))[0]?.amr, ['otp', 'totp']);
  },
};
