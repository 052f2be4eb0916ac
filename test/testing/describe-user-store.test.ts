import type { UserStore } from '../../src/core/users/user-store.js';
import { memoryUserStore } from '../../src/stores/memory/memory-user-store.js';
import { describeUserStore } from '../../src/testing/describe-user-store.js';

/** Runs the suite with a runner of our own, and returns the names of the promises that were not kept. */
async function broken(change: (store: UserStore) => Partial<UserStore>) {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const it = (name: string, body: () => Promise<void>) => tests.push({ name, body });
  const createStore = () => {
    const store = memoryUserStore();
    return { ...store, ...change(store) };
  };
  describeUserStore('a store', createStore, { describe: (_name, body) => body(), it });
  expect(tests.length).toBeGreaterThan(30);
  const failures: string[] = [];
  for (const { name, body } of tests) await body().catch(() => failures.push(name));
  return failures;
}

describe('describeUserStore', () => {
  it('runs with the functions of any test runner, and finds nothing wrong with a store that is right', async () => {
    await expect(broken(() => ({}))).resolves.toEqual([]);
  });

  it('takes a store that answers with null where there is nothing', async () => {
    const withNulls = broken((store) => ({
      findById: async (id) => (await store.findById(id)) ?? null,
      findByIdentifier: async (identifier) => (await store.findByIdentifier(identifier)) ?? null,
      update: async (id, changes) => (await store.update(id, changes)) ?? null,
    }));
    await expect(withNulls).resolves.toEqual([]);
  });

  it('finds a store that looks whether an address is free, and then takes it', async () => {
    const racing = broken((store) => {
      const users = new Map<string, string>();
      return {
        async create(user) {
          if (users.has(user.email ?? '')) return 'taken';
          await Promise.resolve();
          users.set(user.email ?? '', '');
          const made = await store.create({ ...user, email: `${users.size}-${Math.random()}`, phoneNumber: null });
          return made === 'taken' ? made : { ...made, email: user.email };
        },
      };
    });
    await expect(racing).resolves.toContain('creates one user of many with the same address at once');
  });

  it('finds a store that writes the whole user where a part was changed', async () => {
    const overwriting = broken((store) => ({
      async update(id, changes) {
        const before = await store.findById(id);
        await Promise.resolve();
        return before == null ? undefined : store.update(id, { ...before, ...changes });
      },
    }));
    await expect(overwriting).resolves.toContain('loses none of two changes of different members at once');
  });

  it('finds a store that lists as many as it likes, counts a page, or knows no roles', async () => {
    const endless = broken((store) => ({ list: (query) => store.list({ ...query, limit: 1000 }) }));
    await expect(endless).resolves.toContain('lists page by page, and counts all pages');
    const miscounting = broken((store) => ({
      async list(query) {
        const { users } = await store.list(query);
        return { users, count: users.length };
      },
    }));
    await expect(miscounting).resolves.toContain('lists page by page, and counts all pages');
    const ignorant = broken((store) => ({ list: (query) => store.list({ ...query, role: undefined }) }));
    await expect(ignorant).resolves.toEqual([
      'deletes a user once, and frees what the user had',
      'lists those who have a role, and not one that resembles it',
    ]);
  });

  it('finds a store that fails where it should answer that there is no such user', async () => {
    const picky = broken((store) => ({
      async findById(id) {
        if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error('invalid input syntax for type uuid');
        return store.findById(id);
      },
    }));
    await expect(picky).resolves.toEqual(['answers that there is no such user, whatever the id']);
  });

  it('finds a store that hands out what it holds', async () => {
    const sharing = broken((store) => {
      const held = new Map<string, Awaited<ReturnType<UserStore['create']>>>();
      return {
        async findById(id) {
          const known = held.get(id) ?? (await store.findById(id));
          if (known != null) held.set(id, known);
          return known === 'taken' ? undefined : known;
        },
        async findByIdentifier(identifier) {
          const found = await store.findByIdentifier(identifier);
          const known = held.get(found?.id ?? '') ?? found;
          return known === 'taken' ? undefined : known;
        },
      };
    });
    await expect(sharing).resolves.toContain('changes a user by changes alone, not by what is done to an answer');
  });
});
