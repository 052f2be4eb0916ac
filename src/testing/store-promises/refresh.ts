import assert from 'node:assert/strict';
import type { AdoptSession } from '../../core/ports.js';
import {
  DAY_MS,
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

const ROTATED_AT_MS = START_MS + MINUTE_MS;
const used = { lastUsedAtMs: ROTATED_AT_MS, expiresAtMs: ROTATED_AT_MS + 7 * DAY_MS };

/** How refresh tokens follow one another, and what a stolen one is worth. */
export const refreshPromises: StorePromises = {
  'replaces a refresh token, and tells the session as it is then': async (store) => {
    await open(store, 'a');
    const session = sessionRecord('a', 0, used);
    same(await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2')), {
      outcome: 'rotated',
      refreshId: 'a-refresh-2',
      rotatedAtMs: ROTATED_AT_MS,
      session,
    });
    same(await store.listSessions({ userKey: USER, nowMs: ROTATED_AT_MS }), [session]);
  },

  'keeps a session alive while it is refreshed, to its absolute end and no longer': async (store) => {
    await open(store, 'a');
    let refreshes = 1;
    for (let day = 6; day < 30; day += 6) {
      const step = rotation(`a-refresh-${refreshes}`, `a-refresh-${refreshes + 1}`, { afterMs: day * DAY_MS });
      assert.equal((await store.rotateSession(step)).outcome, 'rotated');
      refreshes += 1;
    }
    const [session] = await store.listSessions({ userKey: USER, nowMs: START_MS + 24 * DAY_MS });
    assert.equal(session?.expiresAtMs, session?.endsAtMs);
    const late = rotation(`a-refresh-${refreshes}`, 'next', { afterMs: 30 * DAY_MS });
    assert.deepEqual(await store.rotateSession(late), { outcome: 'ended' });
  },

  'gives a token that comes again within the grace time the same successor': async (store) => {
    await open(store, 'a');
    const repeated = {
      outcome: 'repeated',
      refreshId: 'a-refresh-2',
      rotatedAtMs: ROTATED_AT_MS,
      session: sessionRecord('a', 0, used),
    };
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'));
    for (const afterMs of [MINUTE_MS, MINUTE_MS + 10 * SECOND_MS - 1]) {
      same(await store.rotateSession(rotation('a-refresh-1', 'not used', { afterMs })), repeated);
    }
    const next = rotation('a-refresh-2', 'a-refresh-3', { afterMs: 2 * MINUTE_MS });
    assert.equal((await store.rotateSession(next)).outcome, 'rotated');
  },

  'counts as within the grace time when another clock is as much behind, and no longer when it is set back further':
    async (store) => {
      await open(store, 'a');
      await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'));
      const behind = (ms: number) => rotation('a-refresh-1', 'x', { afterMs: MINUTE_MS - ms });
      assert.equal((await store.rotateSession(behind(10 * SECOND_MS - 1))).outcome, 'repeated');
      assert.equal((await store.rotateSession(behind(10 * SECOND_MS))).outcome, 'reused');
    },

  'ends and revokes the session when a replaced token comes after the grace time': async (store) => {
    await open(store, 'a', 'b');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'));
    const late = rotation('a-refresh-1', 'x', { afterMs: MINUTE_MS + 10 * SECOND_MS });
    assert.deepEqual(await store.rotateSession(late), { outcome: 'reused' });
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-2', 'x')), { outcome: 'ended' });
    assert.deepEqual(await listedIds(store), ['b']);
    assert.equal(await isRevoked(store, 'a'), true);
    assert.equal(await isRevoked(store, 'b'), false);
  },

  'has no grace where the grace time is 0': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', { graceMs: 0 }));
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'x', { graceMs: 0 })), { outcome: 'reused' });
  },

  'ends the session when a token older than the last but one comes, however soon': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'));
    await store.rotateSession(rotation('a-refresh-2', 'a-refresh-3'));
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'x')), { outcome: 'reused' });
    assert.equal(await isRevoked(store, 'a'), true);
  },

  'ends the session when a token comes that it never had': async (store) => {
    await open(store, 'a');
    assert.deepEqual(await store.rotateSession(rotation('forged', 'x')), { outcome: 'reused' });
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'x')), { outcome: 'ended' });
  },

  'knows no session under the key of another user': async (store) => {
    await open(store, 'a');
    const elsewhere = rotation('a-refresh-1', 'x', { userKey: 'another' });
    assert.deepEqual(await store.rotateSession(elsewhere), { outcome: 'ended' });
    assert.equal((await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2'))).outcome, 'rotated');
  },

  'keeps a session that moves for repeats alone': async (store) => {
    await open(store, 'a');
    const moving = { moving: true };
    const moved = await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', moving));
    same(moved, {
      outcome: 'rotated',
      refreshId: 'a-refresh-2',
      rotatedAtMs: ROTATED_AT_MS,
      session: sessionRecord('a', 0, used),
    });
    assert.deepEqual(await listedIds(store), []);
    same(await store.rotateSession(rotation('a-refresh-1', 'x', moving)), { ...moved, outcome: 'repeated' });
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-2', 'x')), { outcome: 'reused' });
    assert.equal(await isRevoked(store, 'a'), true);
  },

  'finds the reuse of a token of a session that moved': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', { moving: true }));
    const late = rotation('a-refresh-1', 'x', { afterMs: 2 * MINUTE_MS });
    assert.deepEqual(await store.rotateSession(late), { outcome: 'reused' });
    assert.deepEqual(await store.rotateSession(late), { outcome: 'ended' });
    assert.equal(await isRevoked(store, 'a'), true);
  },

  'removes a session that moved, but does not take it for one that was there': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'a-refresh-2', { moving: true }));
    assert.equal(await store.endSession({ userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS }), false);
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'x')), { outcome: 'ended' });
    assert.equal(await isRevoked(store, 'a'), true);
  },

  'goes on with a session that moved, under the new key': async (store) => {
    await store.adoptSession(adoption());
    same(await store.listSessions({ userKey: USER, nowMs: ROTATED_AT_MS }), [sessionRecord('a', 0, used)]);
    const next = rotation('a-refresh-2', 'a-refresh-3', { afterMs: 2 * MINUTE_MS });
    assert.equal((await store.rotateSession(next)).outcome, 'rotated');
  },

  'adopts a session once, however often the request comes': async (store) => {
    const opened = { outcome: 'opened', endedSessionIds: [] };
    assert.deepEqual(await store.adoptSession(adoption()), opened);
    assert.deepEqual(await store.adoptSession(adoption()), opened);
    await store.rotateSession(rotation('a-refresh-2', 'a-refresh-3', { afterMs: 2 * MINUTE_MS }));
    assert.deepEqual(await store.adoptSession(adoption()), opened);
    const next = rotation('a-refresh-3', 'a-refresh-4', { afterMs: 3 * MINUTE_MS });
    assert.equal((await store.rotateSession(next)).outcome, 'rotated');
    assert.deepEqual(await listedIds(store), ['a']);
  },

  'adopts a session that moved away and comes back': async (store) => {
    await open(store, 'a');
    await store.rotateSession(rotation('a-refresh-1', 'elsewhere-1', { moving: true }));
    await store.adoptSession(adoption());
    assert.deepEqual(await listedIds(store), ['a']);
    // The token from before the move has no successor here any more.
    assert.deepEqual(await store.rotateSession(rotation('a-refresh-1', 'x')), { outcome: 'reused' });
  },

  'adopts no session that was ended on its way': async (store) => {
    await store.endSession({ userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS });
    assert.deepEqual(await store.adoptSession(adoption()), { outcome: 'refused' });
    assert.deepEqual(await listedIds(store), []);
  },

  'adopts sessions past the most that a user may have: none is new': async (store) => {
    await store.openSession(opening(sessionRecord('b'), { maxSessions: 1 }));
    await store.adoptSession(adoption());
    assert.deepEqual((await listedIds(store)).toSorted(), ['a', 'b']);
  },
};

/** Session `a`, whose refresh token was replaced a minute after its start, under another user key. */
function adoption(): AdoptSession {
  return {
    userKey: USER,
    session: sessionRecord('a', 0, used),
    refreshId: 'a-refresh-2',
    rotatedAtMs: ROTATED_AT_MS,
    nowMs: ROTATED_AT_MS,
  };
}
