import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import type { RedisClient } from '../../src/index.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, type OwnRedis, startRedis } from '../support/redis.js';
import { startLossyProxy } from './proxy.js';
import { startSentinel } from './sentinel-process.js';
import { startSurvivor, survive, type Survivor } from './survive.js';

const NAME = 'otp-master';

interface Watched {
  master: OwnRedis;
  sentinels: { host: string; port: number }[];
  /** The port of the one that the sentinels take for the master. */
  masterPort(): Promise<number>;
}

/** A master with a replica, watched by three sentinels of which two must agree. */
async function startWatched(): Promise<Watched> {
  const { master } = await startReplicated();
  const started = await Promise.all(
    [1, 2, 3].map(() => startSentinel({ name: NAME, masterPort: master.port, quorum: 2 })),
  );
  const asked = connect((started[0] as { port: number }).port);
  const ask = async (...args: string[]) => (await asked.call('SENTINEL', ...args)) as string[];
  await until(async () => {
    const fields = await ask('MASTER', NAME);
    const count = (what: string) => Number(fields[fields.indexOf(what) + 1]);
    return count('num-slaves') === 1 && count('num-other-sentinels') === 2;
  });
  return {
    master,
    sentinels: started.map(({ port }) => ({ host: '127.0.0.1', port })),
    masterPort: async () => Number((await ask('get-master-addr-by-name', NAME))[1]),
  };
}

async function startReplicated(): Promise<{ master: OwnRedis; replica: OwnRedis }> {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${master.port}`] });
  const client = connect(replica.port);
  await until(async () => (await client.info('replication')).includes('master_link_status:up'));
  return { master, replica };
}

function connect(port: number): Redis {
  const client = new Redis(port, '127.0.0.1');
  client.on('error', () => {});
  closeAfterFile(() => client.disconnect());
  return client;
}

/** Asks again and again, for ten seconds at most. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; !(await condition()); await setTimeout(20))
    if (performance.now() > giveUpAt) throw new Error('The servers did not come to agree');
}

async function survivorsOn({ master, sentinels }: Watched): Promise<Record<string, Survivor>> {
  const handOver = (client: RedisClient) => {
    client.on('error', () => {});
    closeAfterFile(() => client.disconnect());
    return startSurvivor({ redis: client });
  };
  return {
    'own client': await startSurvivor({ redis: master.url, redisOptions: { sentinels, name: NAME } }),
    'ioredis 6': await handOver(new Redis({ sentinels, name: NAME })),
    'ioredis 5': await handOver(new Redis5({ sentinels, name: NAME })),
  };
}

describeWithOwnRedis('Redis that fails over under load', () => {
  it('loses its master, and goes on with the one that its sentinels choose', async () => {
    const watched = await startWatched();
    await survive('Sentinel, master killed', await survivorsOn(watched), async () => {
      await watched.master.kill();
      await until(async () => (await watched.masterPort()) !== watched.master.port);
    });
  });

  it('changes its master behind one address, while the former one keeps its connections and only reads', async () => {
    const { master, replica } = await startReplicated();
    const proxy = await startLossyProxy(master.port);
    const survivors = { 'own client': await startSurvivor({ redis: `redis://127.0.0.1:${proxy.port}` }) };
    await survive('READONLY', survivors, async () => {
      proxy.leadTo(replica.port);
      await connect(master.port).call('FAILOVER', 'TO', '127.0.0.1', replica.port);
      const promoted = connect(replica.port);
      await until(async () => (await promoted.info('replication')).includes('role:master'));
    });
  });
});
