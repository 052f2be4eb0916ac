import assert from 'node:assert/strict';
import type { Store } from '../../core/ports.js';
import {
  guess,
  hashOf,
  isRevoked,
  issue,
  issued,
  listedIds,
  open,
  opening,
  REVOCATION_MS,
  rotation,
  RULES,
  sending,
  sessionRecord,
  START_MS,
  USER,
  verdict,
} from './promise.js';
import type { Connect, StorePromises } from './promise.js';

/** That each operation is one step, whatever else happens meanwhile. */
export const concurrencyPromises: StorePromises = {
  'accepts a code exactly once of 50 times at once': async (store, connect) => {
    await issued(store, 'right');
    const verdicts = await atOnce(connect, 50, (each) => verdict(each, 'right'));
    assert.deepEqual(tally(verdicts), { accepted: 1, replayed: 49 });
  },

  'accepts one of two live codes that come 50 times each at once': async (store, connect) => {
    const rules = { liveCodes: 2, resendCooldownMs: 0, maxAttempts: 100, failuresPerDay: 1000 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules });
    const verdicts = await atOnce(connect, 100, (each, place) => verdict(each, place % 2 ? 'one' : 'two', { rules }));
    assert.equal(tally(verdicts)['accepted'], 1);
  },

  'compares no more of 100 wrong guesses at once than a code survives, and counts no more than a day has': async (
    store,
    connect,
  ) => {
    await issued(store, 'right');
    const verdicts = await atOnce(connect, 100, (each, place) => verdict(each, `wrong-${place}`));
    assert.deepEqual(tally(verdicts), { wrong: 5, attempts_used_up: 20, limited: 75 });
  },

  'compares no more of 100 wrong guesses at once than a day has, however long a code lives': async (store, connect) => {
    const rules = { maxAttempts: 1000, liveCodes: 2, resendCooldownMs: 0 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules });
    const verdicts = await atOnce(connect, 100, (each, place) => verdict(each, `wrong-${place}`, { rules }));
    // Two comparisons a guess; the last of the 25 is with one code alone.
    assert.deepEqual(tally(verdicts), { wrong: 13, limited: 87 });
  },

  'accepts the right code among as many wrong ones at once as it survives, less one': async (store, connect) => {
    await issued(store, 'right');
    const wrong = RULES.maxAttempts - 1;
    const verdicts = await atOnce(connect, wrong + 1, (each, place) => verdict(each, place === 2 ? 'right' : 'wrong'));
    assert.equal(verdicts[2], 'accepted');
  },

  'issues one of 50 codes that are asked for at once': async (_store, connect) => {
    const outcomes = await atOnce(connect, 50, (each, place) => sending(each, `code-${place}`));
    assert.deepEqual(tally(outcomes), { issued: 1, resend_cooldown: 49 });
  },

  'issues no more of 100 codes at once than an hour has': async (_store, connect) => {
    const rules = { resendCooldownMs: 0 };
    const outcomes = await atOnce(connect, 100, (each, place) => sending(each, `code-${place}`, { rules }));
    assert.deepEqual(tally(outcomes), { issued: 10, sends_per_hour: 90 });
  },

  'takes 50 repeats of one request at once for one': async (store, connect) => {
    const rules = { resendCooldownMs: 0, sendsPerHour: 2 };
    const outcomes = await atOnce(connect, 50, (each) => sending(each, 'right', { rules }));
    assert.deepEqual(tally(outcomes), { issued: 50 });
    await issued(store, 'next', { rules });
    assert.deepEqual((await issue(store, 'third', { rules })).outcome, 'limited');
  },

  'mixes up no identifiers of 100 at once': async (_store, connect) => {
    const outcomes = await atOnce(connect, 100, async (each, place) => {
      const identifierKey = `identifier-${place}`;
      await issued(each, `code-${place}`, { identifierKey });
      const wrong = await guess(each, 'x', { identifierKey, codeHashes: [hashOf(`code-${place + 1}`)] });
      assert.deepEqual(wrong, { outcome: 'rejected', reason: 'wrong' });
      return verdict(each, `code-${place}`, { identifierKey });
    });
    assert.deepEqual(tally(outcomes), { accepted: 100 });
  },

  'loses none of 100 sessions that are opened at once': async (store, connect) => {
    const ids = await atOnce(connect, 100, async (each, place) => {
      const id = `session-${place}`;
      await each.openSession(opening(sessionRecord(id), { maxSessions: 100 }));
      return id;
    });
    assert.deepEqual((await listedIds(store)).toSorted(), ids.toSorted());
  },

  'keeps to the most sessions that a user may have, with 100 opened at once': async (store, connect) => {
    const ended = await atOnce(connect, 100, async (each, place) => {
      const outcome = await each.openSession(opening(sessionRecord(`session-${place}`, place), { maxSessions: 10 }));
      return outcome.outcome === 'opened' ? outcome.endedSessionIds : [];
    });
    const listed = await listedIds(store);
    assert.equal(listed.length, 10);
    assert.equal(ended.flat().length, 90);
    assert.equal(new Set([...listed, ...ended.flat()]).size, 100);
    for (const id of listed) assert.equal(await isRevoked(store, id), false);
  },

  'replaces a refresh token once of 50 times at once, and tells all the same successor': async (store, connect) => {
    await open(store, 'a');
    const outcomes = await atOnce(connect, 50, (each, place) =>
      each.rotateSession(rotation('a-refresh-1', `successor-${place}`)),
    );
    assert.deepEqual(tally(outcomes.map(({ outcome }) => outcome)), { rotated: 1, repeated: 49 });
    assert.equal(new Set(outcomes.map((each) => 'refreshId' in each && each.refreshId)).size, 1);
  },

  'finds reuse once of 50 times at once where there is no grace': async (store, connect) => {
    await open(store, 'a');
    const outcomes = await atOnce(connect, 50, (each, place) =>
      each.rotateSession(rotation('a-refresh-1', `successor-${place}`, { graceMs: 0 })),
    );
    assert.deepEqual(tally(outcomes.map(({ outcome }) => outcome)), { rotated: 1, reused: 1, ended: 48 });
    assert.deepEqual(await listedIds(store), []);
  },

  'ends a session once of 50 times at once': async (store, connect) => {
    await open(store, 'a');
    const ended = await atOnce(connect, 50, (each) =>
      each.endSession({ userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS }),
    );
    assert.equal(ended.filter(Boolean).length, 1);
  },

  'leaves no session open that was opened while all were ended': async (store, connect) => {
    const endAll = { userKey: USER, nowMs: START_MS + 1, revocationMs: REVOCATION_MS };
    await atOnce(connect, 100, async (each, place) => {
      if (place === 50) return each.endAllSessions(endAll);
      return each.openSession(opening(sessionRecord(`session-${place}`), { maxSessions: 100 }));
    });
    assert.deepEqual(await listedIds(store), []);
    const next = opening(sessionRecord('next', 1));
    assert.deepEqual(await store.openSession(next), { outcome: 'opened', endedSessionIds: [] });
  },
};

/** Does the same many times at once, over four connections where the store has them. */
async function atOnce<Result>(
  connect: Connect,
  times: number,
  act: (store: Store, place: number) => Promise<Result>,
): Promise<Result[]> {
  const stores = await connect(4);
  return Promise.all(Array.from({ length: times }, (_, place) => act(stores[place % stores.length] as Store, place)));
}

function tally(results: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}
