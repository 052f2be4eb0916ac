import { createEvents } from '../../../src/core/events.js';
import type { Logger } from '../../../src/core/ports.js';
import { checkedUserStore } from '../../../src/core/users/checked-user-store.js';
import { createStoredUsers, type StoredUsersDeps } from '../../../src/core/users/stored-users.js';
import type { UserStore } from '../../../src/core/users/user-store.js';
import { memoryUserStore } from '../../../src/stores/memory/memory-user-store.js';
import { fakeClock } from '../../support/auth-app.js';

const JANE = { kind: 'email', value: 'jane@example.com' } as const;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A store that takes its time, so that others come in between. */
function slow(store: UserStore): UserStore {
  const later = () => new Promise(setImmediate);
  return {
    ...store,
    findByIdentifier: async (identifier) => {
      const found = await store.findByIdentifier(identifier);
      await later();
      return found;
    },
    create: async (user) => {
      await later();
      return store.create(user);
    },
  };
}

function usersOf(store: UserStore, deps: Partial<StoredUsersDeps> = {}) {
  const { events, emit } = createEvents(silent);
  const created: unknown[] = [];
  events.on('user.created', ({ userId, identifier }) => created.push({ userId, identifier }));
  const userStore = checkedUserStore(store, (ask) => ask());
  return { created, users: createStoredUsers({ userStore, clock: fakeClock(), emit, signUp: 'open', ...deps }) };
}

describe('users in a store', () => {
  it('are one where 30 sign up with one address at once, and one is told of', async () => {
    const store = memoryUserStore();
    const { users, created } = usersOf(slow(store));
    const signedIn = await Promise.all(Array.from({ length: 30 }, () => users.signIn(JANE)));
    const [id, ...others] = new Set(signedIn.map((user) => user?.id));
    expect(others).toEqual([]);
    expect(created).toEqual([{ userId: id, identifier: 'j***@example.com' }]);
    expect((await store.list({ skip: 0, limit: 10 })).count).toBe(1);
  });

  it('are not looked for without end in a store that contradicts itself', async () => {
    const { users } = usersOf({ ...memoryUserStore(), create: async () => 'taken' });
    await expect(users.signIn(JANE)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('are an admin from the first sign-in, where that is the first admin’s', async () => {
    const { users } = usersOf(memoryUserStore(), { firstAdmin: JANE });
    expect((await users.signIn(JANE))?.roles).toEqual(['user', 'admin']);
    expect((await users.signIn({ ...JANE, value: 'john@example.com' }))?.roles).toEqual(['user']);
    expect((await users.signIn({ kind: 'phone', value: JANE.value }))?.roles).toEqual(['user']);
  });

  it('could sign in or not, and that is all that is said of it', async () => {
    const store = memoryUserStore();
    const disabled = { email: JANE.value, roles: [], disabled: true, createdAt: new Date() };
    const john = { kind: 'email', value: 'john@example.com' } as const;
    await store.create(disabled);
    await store.create({ ...disabled, email: john.value, disabled: false });
    const knows = async (signUp: 'open' | 'closed') => {
      const { users } = usersOf(store, { signUp });
      const eve = { kind: 'email', value: 'eve@example.com' } as const;
      return Promise.all([JANE, john, eve].map((identifier) => users.knows(identifier)));
    };
    expect(await knows('closed')).toEqual([false, true, false]);
    expect(await knows('open')).toEqual([false, true, true]);
  });
});
