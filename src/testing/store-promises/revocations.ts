import assert from 'node:assert/strict';
import { HOUR_MS, isRevoked, MINUTE_MS, REVOCATION_MS, SECOND_MS, START_MS, USER } from './promise.js';
import type { StorePromises } from './promise.js';

/** Which access tokens are dead before their time. */
export const revocationPromises: StorePromises = {
  'revokes nothing that it was not told': async (store) => {
    assert.equal(await isRevoked(store, 'a'), false);
    assert.equal(await isRevoked(store, 'a', { userKeys: [] }), false);
  },

  'revokes the tokens of a session that it ends, whether it knows it or not': async (store) => {
    await store.endSession({ userKey: USER, sessionId: 'unknown', revocationMs: REVOCATION_MS });
    assert.equal(await isRevoked(store, 'unknown'), true);
    assert.equal(await isRevoked(store, 'unknown', { tokenId: 'another', issuedAfterMs: 2 * HOUR_MS }), true);
    assert.equal(await isRevoked(store, 'other'), false);
  },

  'revokes one token with the session': async (store) => {
    const end = { userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS };
    await store.endSession({ ...end, token: { id: 'revoked', remainingMs: MINUTE_MS } });
    assert.equal(await isRevoked(store, 'another-session', { tokenId: 'revoked' }), true);
    assert.equal(await isRevoked(store, 'another-session', { tokenId: 'token' }), false);
  },

  'revokes one token, and lets its session go on': async (store) => {
    await store.revokeToken({ userKey: USER, tokenId: 'revoked', remainingMs: MINUTE_MS });
    await store.revokeToken({ userKey: USER, tokenId: 'ended', remainingMs: 0 });
    assert.equal(await isRevoked(store, 'a', { tokenId: 'revoked' }), true);
    assert.equal(await isRevoked(store, 'a', { tokenId: 'ended' }), false);
    assert.equal(await isRevoked(store, 'a', { tokenId: 'token' }), false);
  },

  'does not remember a token that is past its end': async (store) => {
    const end = { userKey: USER, sessionId: 'a', revocationMs: REVOCATION_MS };
    await store.endSession({ ...end, token: { id: 'ended', remainingMs: 0 } });
    await store.endSession({ ...end, token: { id: 'long-ended', remainingMs: -5 * MINUTE_MS } });
    assert.equal(await isRevoked(store, 'another-session', { tokenId: 'ended' }), false);
    assert.equal(await isRevoked(store, 'another-session', { tokenId: 'long-ended' }), false);
    assert.equal(await isRevoked(store, 'a'), true);
  },

  'revokes everything that a user was issued before the second in which all was ended': async (store) => {
    const endAll = { userKey: USER, nowMs: START_MS + 1500, revocationMs: REVOCATION_MS };
    await store.endAllSessions(endAll);
    // The same second is told by session: a token of it may be of a sign-in that came after.
    assert.equal(await isRevoked(store, 'unknown', { issuedAfterMs: 0 }), true);
    assert.equal(await isRevoked(store, 'unknown', { issuedAfterMs: SECOND_MS }), false);
    assert.equal(await isRevoked(store, 'unknown', { issuedAfterMs: 0, userKeys: ['another'] }), false);
    await store.endAllSessions({ ...endAll, nowMs: START_MS - HOUR_MS });
    assert.equal(await isRevoked(store, 'unknown', { issuedAfterMs: 0 }), true);
    await store.endAllSessions({ ...endAll, nowMs: START_MS + MINUTE_MS });
    assert.equal(await isRevoked(store, 'unknown', { issuedAfterMs: SECOND_MS }), true);
  },

  'finds a revocation under each key of a user': async (store) => {
    await store.endSession({
      userKey: 'old-key',
      sessionId: 'a',
      revocationMs: REVOCATION_MS,
      token: { id: 'revoked', remainingMs: MINUTE_MS },
    });
    await store.endAllSessions({ userKey: 'oldest-key', nowMs: START_MS, revocationMs: REVOCATION_MS });
    const userKeys = [USER, 'old-key', 'oldest-key'];
    assert.equal(await isRevoked(store, 'a'), false);
    assert.equal(await isRevoked(store, 'b', { tokenId: 'revoked' }), false);
    assert.equal(await isRevoked(store, 'a', { userKeys }), true);
    assert.equal(await isRevoked(store, 'b', { userKeys, tokenId: 'revoked' }), true);
    assert.equal(await isRevoked(store, 'b', { userKeys, issuedAfterMs: -SECOND_MS }), true);
    assert.equal(await isRevoked(store, 'b', { userKeys }), false);
  },
};
