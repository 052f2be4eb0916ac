import type { Store } from '../../src/core/ports.js';
import { memoryStore } from '../../src/stores/memory/memory-store.js';
import { describeStore, type DescribeStoreOptions } from '../../src/testing/describe-store.js';

/** Runs the suite with a runner of our own, and returns the names of the promises that were not kept. */
async function broken(createStore: () => Store | Promise<Store>, options: DescribeStoreOptions = {}) {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const it = (name: string, body: () => Promise<void>) => tests.push({ name, body });
  describeStore('a store', createStore, { describe: (_name, body) => body(), it, ...options });
  expect(tests.length).toBeGreaterThan(100);
  const failures: string[] = [];
  for (const { name, body } of tests) await body().catch(() => failures.push(name));
  return failures;
}

describe('describeStore', () => {
  it('runs with the functions of any test runner, and finds nothing wrong with a store that is right', async () => {
    await expect(broken(async () => memoryStore())).resolves.toEqual([]);
  });

  it('finds a store that accepts a code twice', async () => {
    const accepting = (): Store => ({ ...memoryStore(), consumeCode: async () => ({ outcome: 'accepted' }) });
    await expect(broken(accepting)).resolves.toContain('accepts a code exactly once of 50 times at once');
  });

  it('finds a store that reads, decides and then writes', async () => {
    const racing = (): Store => {
      const store = memoryStore();
      const used = new Set<string>();
      return {
        ...store,
        async consumeCode(request) {
          const [hash = ''] = request.codeHashes;
          const before = used.has(hash);
          await Promise.resolve();
          if (before || hash !== 'hash-right') return store.consumeCode(request);
          used.add(hash);
          return { outcome: 'accepted' };
        },
      };
    };
    await expect(broken(racing)).resolves.toContain('accepts a code exactly once of 50 times at once');
  });

  it('closes each store and each peer that it was given, also where a promise is not kept', async () => {
    let open = 0;
    const opened = (store: Store): Store => {
      open += 1;
      return {
        ...store,
        ping: () => Promise.reject(new Error('not there')),
        close: async () => {
          open -= 1;
        },
      };
    };
    const failures = await broken(() => opened(memoryStore()), { createPeer: opened });
    expect(failures).toEqual(['answers when asked whether it is there']);
    expect(open).toBe(0);
  });

  it('says what to do where there is no test runner', () => {
    const { describe: hidden } = globalThis;
    try {
      Reflect.deleteProperty(globalThis, 'describe');
      expect(() => describeStore('a store', () => memoryStore())).toThrow(/hand over its 'describe' and 'it'/);
    } finally {
      globalThis.describe = hidden;
    }
  });
});
