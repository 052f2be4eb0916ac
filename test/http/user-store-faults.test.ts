import { memoryUserStore, type OtpAuthOptions, type UserRecord, type UserStore } from '../../src/index.js';
import { BOSS, JANE, startAccounts } from '../support/accounts.js';
import { describeWithOwnRedis, startRedis } from '../support/redis.js';

/** A store that can be broken while it runs. */
function breakable() {
  const store = memoryUserStore();
  let fault: (() => Promise<never>) | undefined;
  const broken =
    <Args extends unknown[], Answer>(operation: (...args: Args) => Promise<Answer>) =>
    (...args: Args) =>
      fault === undefined ? operation(...args) : fault();
  const through: UserStore = {
    findById: broken((id) => store.findById(id)),
    findByIdentifier: broken((identifier) => store.findByIdentifier(identifier)),
    create: broken((user) => store.create(user)),
    update: broken((id, changes) => store.update(id, changes)),
    delete: broken((id) => store.delete(id)),
    list: broken((query) => store.list(query)),
  };
  return {
    store: through,
    breakBy: (next: typeof fault) => {
      fault = next;
    },
  };
}

const FAULTS: [string, () => Promise<never>][] = [
  [
    'rejects',
    () => Promise.reject(Object.assign(new Error('secret detail of jane@example.com'), { code: 'ECONNRESET' })),
  ],
  ['never answers', () => new Promise(() => {})],
  ['quotes a row', () => Promise.reject(new Error("Data too long: 'jane@example.com', (phone)=(+4915112345678)"))],
  [
    'throws',
    () => {
      throw new TypeError('a programmer’s mistake');
    },
  ],
];

describe('a user store that is out of order', () => {
  it.each(FAULTS)('is 503 everywhere, and nobody hears why: it %s', async (_how, fault) => {
    const { store, breakBy } = breakable();
    const app = await startAccounts({ users: { store }, storeTimeoutMs: 50 });
    const boss = await app.signedIn(BOSS, { roles: ['admin'] });
    const otp = await app.codeFor(JANE);
    breakBy(fault);
    const answers = [
      await app.as(undefined, 'POST', '/verify-otp', { email: JANE, otp }),
      await app.as(undefined, 'POST', '/refresh', { refresh_token: boss.refreshToken }),
      await app.as(boss, 'GET', '/users/me'),
      await app.as(boss, 'PATCH', '/users/me', { full_name: 'x' }),
      await app.as(boss, 'DELETE', '/users/me'),
      await app.as(boss, 'POST', '/users/me/identifier', { email: JANE }),
      await app.as(boss, 'GET', '/users'),
      await app.as(boss, 'POST', '/users', { email: JANE }),
      await app.as(boss, 'GET', `/users/${boss.id}`),
      await app.as(boss, 'PATCH', `/users/${boss.id}`, { roles: ['admin'] }),
      await app.as(boss, 'DELETE', `/users/${boss.id}`),
    ];
    for (const { status, body, headers, text } of answers) {
      expect({ status, code: body.code }).toEqual({ status: 503, code: 'store_unavailable' });
      expect(headers['retry-after']).toBe('1');
      expect(text).not.toMatch(/secret|mistake|jane/);
    }
    expect(app.logged.filter((line) => line.includes('It is the one that keeps the users'))).toHaveLength(1);
    expect(app.logged.join('\n')).not.toMatch(/jane|15112345678/);

    breakBy(undefined);
    expect(await app.as(boss, 'GET', '/users/me')).toMatchObject({ status: 200 });
  });

  it('is asked for nothing by requests for codes, where everybody may sign up', async () => {
    const { store, breakBy } = breakable();
    const app = await startAccounts({ users: { store } });
    breakBy(() => Promise.reject(new Error('gone')));
    expect(await app.as(undefined, 'POST', '/request-otp', { email: JANE })).toMatchObject({ status: 200 });
  });
});

describe('a user store whose answers are not as they should be', () => {
  const jane = { id: '1', email: JANE, roles: ['user'], disabled: false, createdAt: new Date() };
  const answering = (differences: object): OtpAuthOptions => ({
    users: {
      store: { ...memoryUserStore(), findByIdentifier: async () => ({ ...jane, ...differences }) as UserRecord },
    },
  });

  it.each([
    ['an id that is a number', { id: 1 }],
    ['an empty id', { id: '' }],
    ['roles in one text', { roles: 'admin' }],
    ['roles that are no text', { roles: [1] }],
    ['no roles', { roles: undefined }],
    ['a disabled that is a number', { disabled: 0 }],
    ['a time that is text', { createdAt: '2026-01-15' }],
    ['no time', { createdAt: new Date(Number.NaN) }],
  ])('gets no token: %s', async (_what, differences) => {
    const app = await startAccounts(answering(differences));
    const otp = await app.codeFor(JANE);
    expect(await app.as(undefined, 'POST', '/verify-otp', { email: JANE, otp })).toMatchObject({ status: 503 });
    expect(app.logged.join('\n')).toMatch(/the store does not answer: a user's (id|roles|disabled|createdAt) must be/);
  });

  it('finds nobody by an address that only resembles the user’s', async () => {
    const store = memoryUserStore();
    const careless: UserStore = {
      ...store,
      findByIdentifier: async () => ({ ...jane, email: 'JANE@example.com', roles: ['admin'] }),
    };
    const app = await startAccounts({ users: { store: careless } });
    const { accessToken } = await app.signIn(JANE);
    expect(await app.auth.api.authenticate(accessToken)).toMatchObject({ roles: ['user'], email: JANE });
  });
});

describeWithOwnRedis('with users on Redis', () => {
  it('makes the first admin when Redis is there, and disturbs nobody until then', async () => {
    const redis = await startRedis();
    await redis.stop();
    const app = await startAccounts({ redis: redis.url, users: { store: 'redis', firstAdmin: BOSS } });
    await expect(app.auth.api.listUsers()).rejects.toMatchObject({ code: 'store_unavailable' });
    await redis.start();
    const admins = async () => {
      const { data } = await app.auth.api.listUsers({ query: BOSS }).catch(() => ({ data: [] }));
      return data.filter(({ roles }) => roles.includes('admin')).length;
    };
    while ((await admins()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await admins()).toBe(1);
  });
});
