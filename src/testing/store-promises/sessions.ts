import assert from 'node:assert/strict';
import {
  DAY_MS,
  HOUR_MS,
  isRevoked,
  listedIds,
  MINUTE_MS,
  open,
  opening,
  REVOCATION_MS,
  rotation,
  same,
  SECOND_MS,
  sessionRecord,
  START_MS,
  USER,
} from './promise.js';
import type { StorePromises } from './promise.js';

/** Which sessions there are, how long, and how they end. */
export const sessionPromises: StorePromises = {
  'lists sessions as they were opened, newest first': async (store) => {
    const plain = sessionRecord('plain', 2 * SECOND_MS, { amr: ['otp', 'totp'] });
    delete plain.ip;
    delete plain.userAgent;
    const odd = sessionRecord('odd', SECOND_MS, { amr: [], ip: '', userAgent: '"}\\\u0000\n</script> é 漢字 😀' });
    for (const record of [odd, plain, sessionRecord('first')]) await store.openSession(opening(record));
    same(await store.listSessions({ userKey: USER, nowMs: START_MS + HOUR_MS }), [plain, odd, sessionRecord('first')]);
  },

  'lists each user their own sessions': async (store) => {
    await open(store, 'a');
    await store.openSession(opening(sessionRecord('b'), { userKey: 'another' }));
    assert.deepEqual(await listedIds(store), ['a']);
    assert.deepEqual(await listedIds(store, HOUR_MS, 'another'), ['b']);
    assert.deepEqual(await listedIds(store, HOUR_MS, 'nobody'), []);
  },

  'keeps a copy: what callers do to their records changes nothing': async (store) => {
    const handedIn = sessionRecord('a');
    await store.openSession(opening(handedIn));
    handedIn.userAgent = 'changed';
    const [handedOut] = await store.listSessions({ userKey: USER, nowMs: START_MS });
    assert.ok(handedOut);
    (handedOut.amr as string[]).push('changed');
    same(await store.listSessions({ userKey: USER, nowMs: START_MS }), [sessionRecord('a')]);
  },

  'lists a session until it has been idle too long': async (store) => {
    await open(store, 'a');
    assert.deepEqual(await listedIds(store, 7 * DAY_MS - 1), ['a']);
    assert.deepEqual(await listedIds(store, 7 * DAY_MS), []);
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'next', { afterMs: 7 * DAY_MS })), {
      outcome: 'ended',
    });
  },

  'lists a session until its absolute end': async (store) => {
    const endsAtMs = START_MS + DAY_MS;
    await store.openSession(opening(sessionRecord('a', 0, { endsAtMs })));
    assert.deepEqual(await listedIds(store, DAY_MS - 1), ['a']);
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'next', { afterMs: DAY_MS })), {
      outcome: 'ended',
    });
    assert.deepEqual(await listedIds(store, DAY_MS), []);
  },

  'opens a session once, however often the request comes': async (store) => {
    await open(store, 'a', 'b');
    const again = opening(sessionRecord('a'), { maxSessions: 2 });
    assert.deepEqual(await store.openSession(again), { outcome: 'opened', endedSessionIds: [] });
    assert.deepEqual(await listedIds(store), ['b', 'a']);
  },

  'leaves a session as it is when the request to open it comes again after a refresh': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'));
    await store.openSession(opening(sessionRecord('a')));
    const outcome = await store.rotateSession(rotation('a-refresh-2', 'a-refresh-3', { afterMs: 2 * MINUTE_MS }));
    assert.equal(outcome.outcome, 'rotated');
  },

  'ends and revokes the oldest session above the most that a user may have': async (store) => {
    await open(store, 'b', 'c');
    await store.openSession(opening(sessionRecord('a', -HOUR_MS)));
    const fourth = opening(sessionRecord('d', HOUR_MS), { maxSessions: 2 });
    const outcome = await store.openSession(fourth);
    assert.equal(outcome.outcome, 'opened');
    assert.deepEqual('endedSessionIds' in outcome && outcome.endedSessionIds.toSorted(), ['a', 'b']);
    assert.deepEqual(await listedIds(store), ['d', 'c']);
    assert.equal(await isRevoked(store, 'a'), true);
    assert.equal(await isRevoked(store, 'b'), true);
    assert.equal(await isRevoked(store, 'c'), false);
  },

  'never ends the session that is being opened': async (store) => {
    await open(store, 'a');
    const second = opening(sessionRecord('b'), { maxSessions: 1 });
    assert.deepEqual(await store.openSession(second), { outcome: 'opened', endedSessionIds: ['a'] });
    const older = opening(sessionRecord('c', -HOUR_MS), { maxSessions: 1, nowMs: START_MS });
    assert.deepEqual(await store.openSession(older), { outcome: 'opened', endedSessionIds: ['b'] });
    assert.deepEqual(await listedIds(store), ['c']);
  },

  'does not count dead sessions among those that a user may have': async (store) => {
    await store.openSession(opening(sessionRecord('dead', 0, { expiresAtMs: START_MS + MINUTE_MS })));
    await store.openSession(opening(sessionRecord('ended', 0, { endsAtMs: START_MS + MINUTE_MS })));
    const next = opening(sessionRecord('a', MINUTE_MS), { maxSessions: 1 });
    assert.deepEqual(await store.openSession(next), { outcome: 'opened', endedSessionIds: [] });
  },

  'does not count sessions that moved away, and does not end them': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', { moving: true }));
    const next = opening(sessionRecord('b', MINUTE_MS), { maxSessions: 1 });
    assert.deepEqual(await store.openSession(next), { outcome: 'opened', endedSessionIds: [] });
    assert.equal(await isRevoked(store, 'a'), false);
    assert.equal((await store.rotateSession(rotation('a-refresh-1', 'x'))).outcome, 'repeated');
  },

  'ends a session once': async (store) => {
    await open(store, 'a', 'b');
    const end = { userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS };
    assert.equal(await store.endSession(end), true);
    assert.equal(await store.endSession(end), false);
    assert.equal(await store.endSession({ ...end, userKey: 'another', sessionId: 'b' }), false);
    assert.deepEqual(await listedIds(store), ['b']);
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'next')), { outcome: 'ended' });
  },

  'ends all sessions of a user': async (store) => {
    await open(store, 'a', 'b');
    await store.openSession(opening(sessionRecord('c'), { userKey: 'another' }));
    await store.openSession(opening(sessionRecord('dead', 0, { expiresAtMs: START_MS + 2 * MINUTE_MS })));
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', { moving: true }));
    const endAll = { userKey: USER, nowMs: START_MS + HOUR_MS, revocationMs: REVOCATION_MS };
    assert.deepEqual(await store.endAllSessions(endAll), ['b']);
    assert.deepEqual(await store.endAllSessions(endAll), []);
    assert.deepEqual(await listedIds(store), []);
    assert.deepEqual(await listedIds(store, HOUR_MS, 'another'), ['c']);
    // Tokens of the moved session, and of the second in which all was ended, are known by their session alone.
    assert.equal(await isRevoked(store, 'a'), true);
    assert.equal(await isRevoked(store, 'b'), true);
    assert.equal(await isRevoked(store, 'c', { userKeys: ['another'], issuedAfterMs: 0 }), false);
  },

  'refuses a session that was decided on before all were ended': async (store) => {
    const endedAtMs = START_MS + HOUR_MS;
    await store.endAllSessions({ userKey: USER, nowMs: endedAtMs, revocationMs: REVOCATION_MS });
    await store.endAllSessions({ userKey: USER, nowMs: endedAtMs - MINUTE_MS, revocationMs: REVOCATION_MS });
    for (const startedAfterMs of [0, HOUR_MS - 1]) {
      const late = opening(sessionRecord('late', startedAfterMs), { nowMs: endedAtMs + 1 });
      assert.deepEqual(await store.openSession(late), { outcome: 'refused' });
      assert.deepEqual(await store.adoptSession({ ...late, rotatedAtMs: endedAtMs }), { outcome: 'refused' });
    }
    // Its sign-in took a while, and all were ended meanwhile.
    const slow = opening(sessionRecord('slow', HOUR_MS + 1), { decidedAtMs: endedAtMs - 1 });
    assert.deepEqual(await store.openSession(slow), { outcome: 'refused' });
    assert.deepEqual(await listedIds(store), []);
    const next = opening(sessionRecord('next', HOUR_MS));
    assert.deepEqual(await store.openSession(next), { outcome: 'opened', endedSessionIds: [] });
    assert.deepEqual(await store.openSession(opening(sessionRecord('other'), { userKey: 'another' })), {
      outcome: 'opened',
      endedSessionIds: [],
    });
  },
};
