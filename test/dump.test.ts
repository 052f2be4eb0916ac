import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { SECRET, startAuthApp } from './support/auth-app.js';
import { call } from './support/call.js';
import { freshRedis, redisUrl } from './support/redis.js';

const ADDRESSES = ['jo.longer-name@example.com', 'joe.longer-name@example.com', 'typo.longer-name@example.com'];
const [JO = '', JOE = '', TYPO = ''] = ADDRESSES;

describe('whoever reads all of Redis', () => {
  it('finds no code, no token, no address and no secret, in no key and in no value', async () => {
    const redis = await freshRedis();
    const app = await startAuthApp({ redis: redisUrl(), otp: { liveCodes: 3 } });
    const tokens: string[] = [];
    const codes: string[] = [];
    const post = async (path: string, body: object, headers = {}) => {
      const answer = await call(`${app.url}/auth/${path}`, { body, headers });
      const { access_token, refresh_token, device_token } = answer.body;
      const given = [access_token, refresh_token, device_token, ...answer.cookies.map(({ value }) => value)];
      tokens.push(...given.filter((token): token is string => typeof token === 'string' && token !== ''));
      return answer;
    };
    const requestCode = async (email: string) => {
      await post('request-otp', { email });
      codes.push(app.lastCode(email));
      return app.lastCode(email);
    };

    // Codes that are pending, guessed at, used and used up; sessions that run, were refreshed, ended and reused.
    await requestCode(JO);
    await post('verify-otp', { email: JO, otp: await requestCode(JO) });
    const { body: reused } = await post('verify-otp', {
      email: JO,
      otp: await requestCode(JO),
      token_transport: 'body',
    });
    for (const _ of [1, 2]) await post('refresh', { refresh_token: reused.refresh_token });
    app.clock.advanceSeconds(60);
    await post('refresh', { refresh_token: reused.refresh_token });
    await post('verify-otp', { email: JOE, otp: await requestCode(JOE) });
    const { body: ended } = await post('verify-otp', { email: JOE, otp: await requestCode(JOE) });
    await post('logout', {}, { Authorization: `Bearer ${String(ended.access_token)}` });
    await requestCode(TYPO);
    for (const otp of ['111111', '222222', '333333', '444444', '555555', '666666'])
      await post('verify-otp', { email: TYPO, otp });
    await requestCode(JO);

    const dump = await everythingIn(redis);
    expect(dump.keys.length).toBeGreaterThan(5);
    const prefixes = new Set(dump.keys.map((key) => /^[a-z]+_/.exec(key)?.[0]));
    expect(prefixes).toEqual(new Set(['otp_', 'limit_', 'session_', 'blacklist_']));
    const text = dump.text;
    for (const address of ADDRESSES) {
      expect(text).not.toContain(address);
      expect(text).not.toContain(address.slice(0, address.indexOf('@')));
    }
    expect(text).not.toMatch(/example\.com/i);
    expect(text).not.toContain(SECRET);
    expect(tokens.length).toBeGreaterThan(8);
    for (const token of tokens) {
      expect(text).not.toContain(token);
      for (const part of token.split('.').slice(1)) expect(text).not.toContain(part);
    }
    // As a word of its own: a time in milliseconds may well hold the same digits.
    for (const code of codes) expect(text).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`));
  });

  it('finds nothing that stays for ever', async () => {
    const redis = await freshRedis();
    const app = await startAuthApp({ redis: redisUrl() });
    const { refreshToken } = await app.signIn(JO);
    await app.auth.api.refresh({ refreshToken });
    await call(`${app.url}/auth/request-otp`, { body: { email: JO } });
    await call(`${app.url}/auth/verify-otp`, { body: { email: JO, otp: '123456' } });
    await app.auth.api.revokeUser(JO);
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) {
      const life = await redis.pttl(key);
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(90 * 86_400_000); // a device cookie's life, the longest of all
    }
  });

  it('finds no revocation that lives longer than the tokens it names', async () => {
    const redis = await freshRedis();
    const app = await startAuthApp({ redis: redisUrl(), jwt: { accessTokenMinutes: 5 } });
    const { accessToken } = await app.signIn(JO);
    app.clock.advanceSeconds(60);
    await app.auth.api.logout({ accessToken });
    await app.auth.api.revokeUser(JO);
    const revocations = await redis.keys('blacklist_*');
    expect(revocations.length).toBeGreaterThanOrEqual(3);
    for (const key of revocations) expect(await redis.pttl(key)).toBeLessThanOrEqual(5 * 60_000);
  });

  it('finds nothing of session ids that somebody made up', async () => {
    const redis = await freshRedis();
    const app = await startAuthApp({ redis: redisUrl() });
    const { authorization } = await app.signIn(JO);
    const before = await redis.keys('*');
    for (const id of ['made-up', 'x'.repeat(4000), '..%2f..', '*', '__proto__']) {
      const answer = await call(`${app.url}/auth/sessions/${id}`, {
        method: 'DELETE',
        headers: { Authorization: authorization },
      });
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
      expect(await app.auth.api.revokeSession(JO, id)).toBe(false);
    }
    expect((await redis.keys('*')).toSorted()).toEqual(before.toSorted());
  });

  it('finds the prefixes that are configured, and no other key', async () => {
    const redis = await freshRedis();
    const app = await startAuthApp({
      redis: redisUrl(),
      otp: { keyPrefix: 'shop:o:' },
      jwt: { blacklistKeyPrefix: 'shop:b:' },
      sessionKeyPrefix: 'shop:s:',
      limitKeyPrefix: 'shop:l:',
      userKeyPrefix: 'shop:u:',
    });
    const { accessToken } = await app.signIn(JO);
    await app.auth.api.logout({ accessToken });
    await app.signIn(JO);
    await call(`${app.url}/auth/request-otp`, { body: { email: JO } });
    const keys = await redis.keys('*');
    expect(keys.filter((key) => !key.startsWith('shop:'))).toEqual([]);
    for (const letter of ['o', 'b', 's', 'l']) expect(keys.some((key) => key.startsWith(`shop:${letter}:`))).toBe(true);
  });
});

/** Every key with all that it holds, whatever its type. */
async function everythingIn(redis: Redis): Promise<{ keys: string[]; text: string }> {
  const keys = await redis.keys('*');
  const contents = await Promise.all(
    keys.map(async (key) => {
      const type = await redis.type(key);
      switch (type) {
        case 'string':
          return redis.get(key);
        case 'hash':
          return redis.hgetall(key);
        case 'list':
          return redis.lrange(key, 0, -1);
        case 'set':
          return redis.smembers(key);
        case 'zset':
          return redis.zrange(key, '0', '-1');
        default:
          throw new Error(`what is a ${type}?`);
      }
    }),
  );
  return { keys, text: inspect([keys, contents], { depth: 10, maxArrayLength: null, maxStringLength: null }) };
}
