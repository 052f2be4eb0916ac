import { createEvents } from '../../../src/core/events.js';
import type { Logger } from '../../../src/core/ports.js';
import { checkedUserStore } from '../../../src/core/users/checked-user-store.js';
import { keepFirstAdmin } from '../../../src/core/users/first-admin.js';
import type { UserStore } from '../../../src/core/users/user-store.js';
import { memoryUserStore } from '../../../src/stores/memory/memory-user-store.js';
import { fakeClock } from '../../support/auth-app.js';

const BOSS = { kind: 'email', value: 'boss@example.com' } as const;

describe('keeping the first admin', () => {
  const started: { stop(): void }[] = [];
  const warnings: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (warning) => warnings.push(String(warning)),
    error: (error) => warnings.push(String(error)),
  };

  const start = (store: UserStore) => {
    const { emit } = createEvents(logger);
    const userStore = checkedUserStore(store, (ask) => ask());
    const admin = keepFirstAdmin(BOSS, {
      userStore,
      exclusively: (_name, work) => work(),
      clock: fakeClock(),
      emit,
      logger,
    });
    started.push(admin);
    return admin;
  };
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    for (const admin of started.splice(0)) admin.stop();
    warnings.splice(0);
    jest.useRealTimers();
  });

  /** A store that is down at first. */
  const failing = (times: number) => {
    const store = memoryUserStore();
    let asked = 0;
    const findByIdentifier: UserStore['findByIdentifier'] = (identifier) => {
      asked += 1;
      return asked <= times ? Promise.reject(new Error('not there yet')) : store.findByIdentifier(identifier);
    };
    return {
      store: { ...store, findByIdentifier },
      asked: () => asked,
      users: () => store.list({ skip: 0, limit: 9 }),
    };
  };

  it('tries again, at longer and longer intervals, until the store is there', async () => {
    const { store, asked, users } = failing(3);
    start(store);
    await settle();
    const counts = [asked()];
    for (const pauseMs of [499, 1, 999, 1, 1999, 1]) {
      await jest.advanceTimersByTimeAsync(pauseMs);
      await settle();
      counts.push(asked());
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect((await users()).users).toMatchObject([{ email: BOSS.value, roles: ['user', 'admin'] }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tries no more once it is stopped', async () => {
    const { store, asked } = failing(100);
    const admin = start(store);
    await settle();
    admin.stop();
    await jest.advanceTimersByTimeAsync(100_000);
    expect(asked()).toBe(1);
    const other = start(store);
    other.stop();
    await settle();
    await jest.advanceTimersByTimeAsync(100_000);
    expect(asked()).toBe(2);
  });

  it('takes whom another process has made meanwhile', async () => {
    const store = memoryUserStore();
    const boss = { email: BOSS.value, roles: ['user'], disabled: false, createdAt: new Date() };
    const create: UserStore['create'] = async (user) => {
      await store.create(boss);
      return store.create(user);
    };
    start({ ...store, create });
    await settle();
    const { users } = await store.list({ skip: 0, limit: 9 });
    expect(users).toMatchObject([{ email: BOSS.value, roles: ['user', 'admin'] }]);
  });

  it('says so, and tries again later, where nobody is found who has the address that is taken', async () => {
    const store = memoryUserStore();
    let created = 0;
    const create: UserStore['create'] = async () => {
      created += 1;
      return 'taken';
    };
    start({ ...store, create });
    await settle();
    expect(created).toBe(2);
    expect(warnings).toEqual([expect.stringContaining('users.firstAdmin is taken')]);
    await jest.advanceTimersByTimeAsync(500);
    await settle();
    expect(created).toBe(4);
  });

  it('leaves whoever was disabled disabled, and says so', async () => {
    const store = memoryUserStore();
    await store.create({ email: BOSS.value, roles: [], disabled: true, createdAt: new Date() });
    start(store);
    await settle();
    expect((await store.list({ skip: 0, limit: 9 })).users).toMatchObject([{ roles: ['admin'], disabled: true }]);
    expect(warnings).toEqual(['express-otp-auth: the user in users.firstAdmin is disabled, and stays so']);
  });
});
