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
import { startSurvivor, survive, type Survivor } from './survive.js';

/** One application with the package's own client, and two that hand theirs over, set up as by default. */
async function survivorsOn(url: string): Promise<Record<string, Survivor>> {
  const handOver = (client: RedisClient) => {
    client.on('error', () => {});
    closeAfterFile(() => client.disconnect());
    return startSurvivor({ redis: client });
  };
  return {
    'own client': await startSurvivor({ redis: url }),
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

  it('is behind a connection that loses everything and tells nobody', async () => {
    const redis = await startRedis();
    const proxy = await startLossyProxy(redis.port);
    const survivors = { 'own client': await startSurvivor({ redis: `redis://127.0.0.1:${proxy.port}` }) };
    await survive('half-open', survivors, async () => {
      proxy.lose();
      await setTimeout(2_500);
      proxy.pass();
    });
  });
});
