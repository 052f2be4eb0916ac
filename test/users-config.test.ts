import { loadSettings } from '../src/config.js';
import { memoryStore, memoryUserStore, OtpAuthError, type OtpAuthOptions } from '../src/index.js';

/** The options may be anything: JavaScript has no types. */
const load = (options: unknown = {}, env: Record<string, string> = {}) =>
  loadSettings(
    options as OtpAuthOptions,
    Object.fromEntries(Object.entries(env).map(([name, text]) => [`EXPRESS_OTP_AUTH_${name}`, text])),
  );

function refusedPaths(options: unknown, env: Record<string, string | undefined> = {}): string[] {
  try {
    loadSettings(options as OtpAuthOptions, env);
  } catch (error) {
    if (!(error instanceof OtpAuthError)) throw error;
    for (const { path } of error.details.errors ?? []) expect(error.message).toContain(path);
    return [...new Set(error.details.errors?.map(({ path }) => path))];
  }
  return [];
}

describe('the options on users', () => {
  it('are none by default: anybody may sign up, and there are no accounts', () => {
    expect(load()).toMatchObject({ signUp: 'open', users: {} });
    expect(load().users.store).toBeUndefined();
  });

  it('come from variables as well', () => {
    const variables = { USER_STORE: 'redis', SIGN_UP: 'closed', FIRST_ADMIN: ' Boss@Example.com' };
    expect(load({}, variables)).toMatchObject({
      signUp: 'closed',
      users: { store: 'redis', firstAdmin: { kind: 'email', value: 'boss@example.com' } },
    });
    const store = memoryUserStore();
    expect(
      load(
        {
          users: { store, firstAdmin: '+4915112345678' },
          sms: { send: () => {}, allowedCountries: ['DE'] },
          signUp: 'open',
        },
        variables,
      ),
    ).toMatchObject({
      signUp: 'open',
      users: { firstAdmin: { kind: 'phone', value: '+4915112345678' } },
    });
    expect(load({ users: { store } }, variables).users.store).toBe(store);
  });

  it('answer at once where sign-up is closed, whatever delivery says', () => {
    const users = { store: 'memory' };
    expect(load({ users, signUp: 'closed', delivery: 'await' }).delivery).toBe('background');
    expect(load({ users, delivery: 'await' }).delivery).toBe('await');
  });

  const production = { NODE_ENV: 'production', EXPRESS_OTP_AUTH_JWT_SECRET: 'x'.repeat(40) };
  it.each<[what: string, ...refused: [options: unknown, paths: string[], env?: Record<string, string>]]>([
    ['a store of another name', { users: { store: 'postgres' } }, ['users.store']],
    ['a store that lacks a function', { users: { store: { ...memoryUserStore(), list: undefined } } }, ['users.store']],
    ['an unknown option', { users: { store: 'memory', admin: 'x' } }, ['users.admin']],
    ['a first admin who is nobody', { users: { store: 'memory', firstAdmin: 'boss' } }, ['users.firstAdmin']],
    ['a first admin without accounts', { users: { firstAdmin: 'boss@example.com' } }, ['users.firstAdmin']],
    ['closed sign-up without accounts', { signUp: 'closed' }, ['signUp']],
    ['sign-up by another name', { signUp: 'invited', users: { store: 'memory' } }, ['signUp']],
    ['users on a Redis that is not there', { redis: 'memory:', users: { store: 'redis' } }, ['users.store']],
    ['users on the Redis of a store', { store: memoryStore(), users: { store: 'redis' } }, ['users.store']],
    ['users in memory in production', { users: { store: 'memory' } }, ['users.store'], production],
  ])('refuse %s', (_what, ...refused) => {
    const [options, paths, env] = refused;
    expect(refusedPaths(options, env)).toEqual(paths);
  });

  it('take users in memory in production from whoever says so', () => {
    const options = { users: { store: 'memory' }, allowMemoryInProduction: true };
    expect(refusedPaths(options, production)).toEqual([]);
  });
});
