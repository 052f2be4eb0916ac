import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import type { RedisClient } from '../../src/index.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, startRedis } from '../support/redis.js';
import { startLossyProxy } from './proxy.js';
import { send } from './send.js';
import { startSurvivor, survive, type Survivor } from './survive.js';

/**
 * Two applications with the package's own client, of which one has revocations pushed (in a database of its own), and
 * two that hand theirs over, set up as by default.
 */
async function survivorsOn(url: string): Promise<Record<string, Survivor>> {
  const handOver = (client: RedisClient) => {
    client.on('error', () => {});
    closeAfterFile(() => client.disconnect());
    return startSurvivor({ redis: client });
  };
  return {
    'own client': await startSurvivor({ redis: url }),
    'own client, pushed': await startSurvivor({ redis: `${url}/1`, revocation: 'push' }),
    'ioredis 6': await handOver(new Redis(url)),
    'ioredis 5': await handOver(new Redis5(url)),
  };
}

function adminOf(url: string): Redis {
  const admin = new Redis(url);
  closeAfterFile(() => admin.disconnect());
  return admin;
}

async function repeatedly(times: number, everyMs: number, action: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await action();
    await setTimeout(everyMs);
  }
}

describeWithOwnRedis('Redis under load', () => {
  it('is killed and started again, and keeps its promises where Redis keeps its data', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-aof-'));
    closeAfterFile(() => rmSync(folder, { recursive: true, force: true }));
    const redis = await startRedis({ args: ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'] });
    await survive('killed', await survivorsOn(redis.url), async () => {
      await redis.kill();
      await setTimeout(1_500);
      await redis.start();
    });
  });

  it('is frozen for longer than the time that it may take', async () => {
    const redis = await startRedis();
    await survive('frozen', await survivorsOn(redis.url), async () => {
      redis.pause();
      await setTimeout(2_500);
      redis.resume();
    });
  });

  it('forgets its scripts again and again', async () => {
    const redis = await startRedis();
    const admin = adminOf(redis.url);
    await survive('SCRIPT FLUSH', await survivorsOn(redis.url), () =>
      repeatedly(100, 10, () => admin.call('SCRIPT', 'FLUSH', 'SYNC')),
    );
  });

  it('ends its clients’ connections again and again', async () => {
    const redis = await startRedis();
    const admin = adminOf(redis.url);
    await survive('CLIENT KILL', await survivorsOn(redis.url), () =>
      repeatedly(15, 100, () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
    );
  });

  it('has no memory left', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
    const admin = adminOf(redis.url);
    await survive('out of memory', await survivorsOn(redis.url), async () => {
      await admin.config('SET', 'maxmemory', '1');
      await setTimeout(1_500);
      await admin.config('SET', 'maxmemory', '0');
    });
  });

  it('has no memory left, and does a thing wholly or not at all', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
    const admin = adminOf(redis.url);
    const { url, lastCode } = await startSurvivor({ redis: redis.url });
    const post = (path: string, body: object = {}, token?: string) => send(`${url}/auth${path}`, { body, token });
    const me = async (token: string) => (await send(`${url}/me`, { method: 'GET', token })).status;
    const signIn = async (email: string) => {
      await post('/request-otp', { email });
      const { body } = await post('/verify-otp', { email, otp: lastCode(email), token_transport: 'body' });
      return { access: String(body['access_token']), refresh: String(body['refresh_token']) };
    };
    await post('/request-otp', { email: 'waiting@example.com' });
    const otp = lastCode('waiting@example.com');
    const kept = await signIn('kept@example.com');
    const leaving = await signIn('leaving@example.com');
    const everywhere = await signIn('everywhere@example.com');
    const revoked = await signIn('revoked@example.com');

    const everything = async () => {
      const keys = (await admin.keys('*')).sort();
      return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, (await admin.dump(key)) ?? ''])));
    };
    await admin.config('SET', 'maxmemory', '1');
    const before = await everything();
    const refused = [
      await post('/request-otp', { email: 'new@example.com' }),
      await post('/verify-otp', { email: 'waiting@example.com', otp }),
      await post('/verify-otp', { email: 'waiting@example.com', otp: '000000' }),
      await post('/refresh', { refresh_token: kept.refresh }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(await everything()).toEqual(before);
    // What frees memory before it takes any is let through by Redis, and then to its end.
    const done = [
      await post('/logout', {}, leaving.access),
      await post('/logout-all', {}, everywhere.access),
      await post('/logout', { refresh_token: revoked.refresh }),
    ];
    for (const [index, { access }] of [leaving, everywhere, revoked].entries())
      expect([done[index]?.status, await me(access)]).toEqual(done[index]?.status === 200 ? [200, 401] : [503, 200]);
    expect(await me(kept.access)).toBe(200);

    await admin.config('SET', 'maxmemory', '0');
    expect((await post('/verify-otp', { email: 'waiting@example.com', otp })).status).toBe(200);
    expect((await post('/refresh', { refresh_token: kept.refresh })).status).toBe(200);
  });

  it('is behind a connection that loses everything and tells nobody', async () => {
    const redis = await startRedis();
    const proxy = await startLossyProxy(redis.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const survivors = {
      'own client': await startSurvivor({ redis: url }),
      'own client, pushed': await startSurvivor({ redis: `${url}/1`, revocation: 'push' }),
    };
    await survive('half-open', survivors, async () => {
      proxy.lose();
      await setTimeout(2_500);
      proxy.pass();
    });
  });
});
