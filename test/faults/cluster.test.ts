import { setTimeout } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, type OwnRedisCluster, startRedisCluster } from '../support/redis.js';
import { startSurvivor, survive, type Survivor } from './survive.js';

/** Two applications that hand over their clients, set up as by default. */
async function survivorsOn({ nodes }: OwnRedisCluster): Promise<Record<string, Survivor>> {
  const handOver = (client: Cluster | Cluster5) => {
    client.on('error', () => {});
    closeAfterFile(() => client.disconnect());
    return startSurvivor({ redis: client });
  };
  return { 'ioredis 6': await handOver(new Cluster(nodes)), 'ioredis 5': await handOver(new Cluster5(nodes)) };
}

describeWithOwnRedis('Redis Cluster under load', () => {
  let cluster: OwnRedisCluster;
  let admins: Redis[];

  beforeAll(async () => {
    cluster = await startRedisCluster({ nodes: 3 });
    admins = cluster.nodes.map((node) => new Redis(node));
    closeAfterFile(() => admins.forEach((admin) => admin.disconnect()));
  });

  it('runs every flow on three nodes', async () => {
    await survive('Cluster', await survivorsOn(cluster), () => setTimeout(1_000));
    const held = await Promise.all(admins.map((admin) => admin.dbsize()));
    expect(held.every((keys) => keys > 0)).toBe(true);
  });

  it('moves slots between its nodes', async () => {
    let moved = 0;
    await survive('Cluster, slots moved', await survivorsOn(cluster), async () => {
      // Of people who are here at this moment: their next requests find the slot on its way, and then elsewhere.
      for (let round = 0; round < 12; round += 1) {
        const [from, to] = [admins[round % 3] as Redis, admins[(round + 1) % 3] as Redis];
        const keys = await from.keys(round % 2 === 0 ? 'session_*' : 'otp_*');
        const key = keys[Math.floor(keys.length / 2)];
        if (key !== undefined) moved += await moveSlot(await slotOf(from, key), from, to);
      }
    });
    process.stdout.write(`Cluster, slots moved: ${moved} keys went with them\n`);
    expect(moved).toBeGreaterThan(0);
  });

  it('serves those whose nodes answer while one is frozen', async () => {
    const [frozen] = cluster.servers;
    const survivals = await survive('Cluster, a node frozen', await survivorsOn(cluster), async () => {
      frozen?.pause();
      await setTimeout(2_500);
      frozen?.resume();
    });
    for (const { answers } of Object.values(survivals)) expect(answers.get('503 store_unavailable')).toBeGreaterThan(0);
  });

  async function slotOf(node: Redis, key: string): Promise<number> {
    return Number(await node.call('CLUSTER', 'KEYSLOT', key));
  }

  /** As `redis-cli --cluster reshard` does it. Returns how many keys there were. */
  async function moveSlot(slot: number, from: Redis, to: Redis): Promise<number> {
    const [fromId, toId] = [String(await from.call('CLUSTER', 'MYID')), String(await to.call('CLUSTER', 'MYID'))];
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await setTimeout(50); // as a slot with many keys takes
    let moved = 0;
    for (;;) {
      const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0 && (await assign(slot, toId, from, to))) return moved;
      moved += keys.length;
      if (keys.length > 0)
        await from.call('MIGRATE', '127.0.0.1', to.options.port as number, '', 0, 5_000, 'REPLACE', 'KEYS', ...keys);
    }
  }

  /** `false` where a key has come meanwhile. */
  async function assign(slot: number, toId: string, from: Redis, to: Redis): Promise<boolean> {
    await to.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    try {
      await from.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
      return true;
    } catch {
      return false;
    }
  }
});
