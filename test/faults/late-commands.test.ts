import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { createDeadline, withDeadline } from '../../src/core/deadline.js';
import { type OtpAuthOptions, redisStore } from '../../src/index.js';
import { failFast } from '../../src/stores/redis/fail-fast.js';
import { openRedis } from '../../src/stores/redis/open-redis.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, type OwnRedis, startRedis } from '../support/redis.js';
import { send } from './send.js';
import { startSurvivor, STORE_TIMEOUT_MS, type Survivor, untilItWorks } from './survive.js';

/** One way of many to be connected: the package's own client, or the application's, set up as by default. */
const CLIENTS: Record<string, (url: string) => OtpAuthOptions['redis']> = {
  'its own client': (url) => url,
  'ioredis 6 handed over': (url) => handOver(new Redis(url)),
  'ioredis 5 handed over': (url) => handOver(new Redis5(url)),
};

function handOver<Client extends Redis | Redis5>(client: Client): Client {
  client.on('error', () => {});
  closeAfterFile(() => client.disconnect());
  return client;
}

const EMAIL = 'jo@example.com';

describeWithOwnRedis('what a Redis does late', () => {
  describe.each(Object.keys(CLIENTS))('with %s', (name) => {
    let redis: OwnRedis;
    let admin: Redis;
    let survivor: Survivor;
    const post = (path: string, body: object) => send(`${survivor.url}/auth${path}`, { body });
    const start = async (options: OtpAuthOptions = {}) => {
      redis = await startRedis();
      admin = handOver(new Redis(redis.url));
      survivor = await startSurvivor({ ...options, redis: CLIENTS[name]?.(redis.url) as string });
    };
    const freezeWhile = async (action: () => Promise<unknown>) => {
      redis.pause();
      await action();
      redis.resume();
      await untilItWorks(survivor);
    };
    const signIn = async () => {
      await post('/request-otp', { email: EMAIL });
      return post('/verify-otp', { email: EMAIL, otp: survivor.lastCode(EMAIL), token_transport: 'body' });
    };

    it('leaves no code alive that was not sent, and lets the person ask again at once', async () => {
      await start({ otp: { resendCooldownSeconds: 30 } });
      await untilItWorks(survivor);
      const { api } = survivor.app.auth;
      await freezeWhile(() =>
        expect(api.requestOtp({ email: EMAIL })).rejects.toMatchObject({ code: 'store_unavailable' }),
      );
      await eventually(async () => expect(await liveCodes()).toBe(0));
      await expect(api.requestOtp({ email: EMAIL })).resolves.toMatchObject({ resendIn: 30 });
      expect(await liveCodes()).toBe(1);
    });

    it('lists no session whose tokens nobody got', async () => {
      await start();
      const client = CLIENTS[name]?.(redis.url) as string | Redis;
      const opened = typeof client === 'string' ? openRedis(client, STORE_TIMEOUT_MS, {}) : client;
      closeAfterFile(() => opened.disconnect());
      const deadline = createDeadline({ timeoutMs: STORE_TIMEOUT_MS, logger: console, advice: '' });
      const store = withDeadline(redisStore(failFast(opened, STORE_TIMEOUT_MS)), deadline, console);
      await store.ping();
      const nowMs = Date.now();
      const times = { startedAtMs: nowMs, lastUsedAtMs: nowMs, expiresAtMs: nowMs + 60_000, endsAtMs: nowMs + 60_000 };
      const request = {
        userKey: 'u',
        session: { id: 's', amr: [], ...times },
        refreshId: 'r',
        decidedAtMs: nowMs,
        nowMs,
      };

      const error = jest.spyOn(console, 'error').mockImplementation(() => {});
      await freezeWhile(() =>
        expect(store.openSession({ ...request, maxSessions: 5, revocationMs: 60_000 })).rejects.toMatchObject({
          code: 'store_unavailable',
        }),
      );
      expect(error).toHaveBeenCalledTimes(1);
      error.mockRestore();
      // Its revocation shows that it was there, and was ended.
      await eventually(async () => expect(await admin.get('blacklist_{u}:s')).toBe('1'));
      await expect(store.listSessions({ userKey: 'u', nowMs })).resolves.toEqual([]);
    });

    it('answers a refresh that is repeated after its time was up', async () => {
      await start();
      const { body } = await signIn();
      const refresh = () => post('/refresh', { refresh_token: body['refresh_token'] });
      await freezeWhile(async () => expect((await refresh()).status).toBe(503));
      const repeated = await refresh();
      expect(repeated.status).toBe(200);
      expect((await refresh()).body['refresh_token']).toBe(repeated.body['refresh_token']);
    });

    it('is not asked for more while it answers nothing', async () => {
      await start();
      await untilItWorks(survivor);
      await admin.config('RESETSTAT');
      await freezeWhile(async () => {
        await post('/request-otp', { email: EMAIL });
        await setTimeout(STORE_TIMEOUT_MS);
        const answers = await Promise.all(
          Array.from({ length: 200 }, (_, number) => post('/request-otp', { email: `${number}@example.com` })),
        );
        expect(answers.every(({ status }) => status === 503)).toBe(true);
      });
      // What came before the freeze was noticed, what worked after it, and nothing of the two hundred.
      expect(await scriptsRun()).toBeLessThan(50);
    });

    it('is not sent afterwards what was asked for while it was gone', async () => {
      await start();
      await untilItWorks(survivor);
      await redis.kill();
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, number) => post('/request-otp', { email: `${number}@example.com` })),
      );
      expect(answers.every(({ status }) => status === 503)).toBe(true);
      await redis.start();
      await untilItWorks(survivor);
      expect(await scriptsRun()).toBeLessThan(50);
    });

    async function scriptsRun(): Promise<number> {
      const stats = await admin.info('commandstats');
      const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    }

    /** Codes that can be guessed at. */
    async function liveCodes(): Promise<number> {
      const stored = await Promise.all((await admin.keys('otp_*')).map((key) => admin.get(key)));
      // Lua writes an empty list as an object.
      const codes = stored.map((json) => (JSON.parse(json ?? '{}') as { codes?: object }).codes ?? {});
      return codes.flatMap((list) => Object.values(list) as unknown[]).length;
    }
  });
});

/** Checks again and again, for five seconds at most. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (const giveUpAt = performance.now() + 5_000; ; await setTimeout(20)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
  }
}
