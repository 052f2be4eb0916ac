import type { Clock, Store } from '../../src/core/ports.js';
import { expiringMap } from '../../src/stores/memory/expiring-map.js';
import { memoryStore } from '../../src/stores/memory/memory-store.js';
import { describeStore } from '../../src/testing/describe-store.js';

describeStore('memoryStore', () => memoryStore());

describe('memoryStore and its clock', () => {
  const revocationMs = 3_600_000;
  const startMs = 1_000_000_000_000;
  let nowMs: number;
  let store: Store;
  const clock: Clock = { now: () => nowMs };

  beforeEach(() => {
    nowMs = startMs;
    store = memoryStore({ clock });
  });

  const isRevoked = (sessionId: string, tokenId: string, issuedAtSeconds = startMs / 1000) =>
    store.isRevoked({ userKeys: ['user'], sessionId, tokenId, issuedAtSeconds });

  it('forgets the revocation of a session and of a token when none of their tokens can be alive any more', async () => {
    await store.endSession({ userKey: 'user', sessionId: 'a', revocationMs, token: { id: 't', remainingMs: 60_000 } });
    nowMs = startMs + 59_999;
    await expect(isRevoked('other', 't')).resolves.toBe(true);
    nowMs = startMs + 60_000;
    await expect(isRevoked('other', 't')).resolves.toBe(false);
    nowMs = startMs + revocationMs - 1;
    await expect(isRevoked('a', 'any')).resolves.toBe(true);
    nowMs = startMs + revocationMs;
    await expect(isRevoked('a', 'any')).resolves.toBe(false);
  });

  it('remembers a revocation for the longest time that it was told, in whatever order', async () => {
    await store.endSession({ userKey: 'user', sessionId: 'a', revocationMs });
    await store.endSession({ userKey: 'user', sessionId: 'a', revocationMs: 1 });
    nowMs = startMs + revocationMs - 1;
    await expect(isRevoked('a', 'any')).resolves.toBe(true);
  });

  it('forgets that all was ended once nothing issued before can be alive any more', async () => {
    await store.endAllSessions({ userKey: 'user', nowMs: startMs, revocationMs });
    nowMs = startMs + 60_000;
    await store.endAllSessions({ userKey: 'user', nowMs: startMs - 1, revocationMs });
    nowMs = startMs + 60_000 + revocationMs - 1;
    await expect(isRevoked('any', 'any', startMs / 1000 - 1)).resolves.toBe(true);
    nowMs = startMs + 60_000 + revocationMs;
    await expect(isRevoked('any', 'any', startMs / 1000 - 1)).resolves.toBe(false);
  });

  it('asks the system where it is given none', async () => {
    store = memoryStore();
    await store.endSession({ userKey: 'user', sessionId: 'a', revocationMs });
    await expect(isRevoked('a', 'any')).resolves.toBe(true);
  });
});

describe('what a memoryStore holds', () => {
  it('is a constant part more than what is alive, however much has ended', () => {
    const map = expiringMap<string>();
    let most = 0;
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1) {
      map.set(`key-${nowMs}`, 'value', nowMs + 1000, nowMs);
      most = Math.max(most, map.size);
    }
    expect(most).toBeLessThan(1500);
  });

  it('is there until its time and not longer, and what was put again until the later of its times', () => {
    const map = expiringMap<string>();
    map.set('key', 'first', 10, 0);
    map.set('key', 'second', 5, 0);
    expect(map.get('key', 9)).toBe('second');
    expect(map.get('key', 10)).toBeUndefined();
    map.set('key', 'third', 11, 10);
    expect(map.get('key', 10)).toBe('third');
    map.delete('key');
    expect(map.get('key', 10)).toBeUndefined();
  });

  it('needs no timer, so that it keeps no process alive', async () => {
    const before = process.getActiveResourcesInfo();
    const store = memoryStore();
    await store.endSession({ userKey: 'user', sessionId: 'a', revocationMs: 60_000 });
    await store.revokeDevices({ identifierKey: 'identifier', nowMs: 0, forgetAfterMs: 60_000 });
    expect(process.getActiveResourcesInfo()).toEqual(before);
  });
});
