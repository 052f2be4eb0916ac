import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describeWithOwnRedis, type OwnRedis, startRedis } from '../support/redis.js';
import { compilePackage } from './compile.js';
import { type Process, startProcess } from './fleet.js';
import { type Network, startNetwork } from './network.js';
import { startTrial, type Verdict } from './trial.js';

describeWithOwnRedis('revocations that are pushed', () => {
  let packageFile: string;
  beforeAll(() => {
    packageFile = compilePackage();
  });

  it('are known to every process before they are acknowledged, as long as nothing fails', async () => {
    const server = await startRedis();
    // On a machine that is busy a process may take its time; here it is waited for.
    const settings = { waitMs: 5000, storeTimeoutMs: 20_000 };
    const fleet = await Promise.all([1, 2, 3, 4].map(() => startProcess(packageFile, server.url, settings)));
    await untilUpToDate(fleet);
    const trial = startTrial(fleet, { perSecond: 40 });
    await sleep(4000);
    const verdict = await trial.stop();
    say('without faults', fleet, verdict);
    expect(verdict).toMatchObject({ acceptedAfter: 0, refusedWithoutCause: 0, unacknowledged: 0, unknown: 0 });
    expect(verdict.revocations).toBeGreaterThan(50);
    expect(verdict.fromMemory / verdict.checks).toBeGreaterThan(0.9);
    await Promise.all(fleet.map((one) => one.end()));
  });

  it('are accepted by nobody a second later, whatever fails', async () => {
    const redis = await startRedis();
    const networks = await Promise.all([1, 2, 3, 4].map(() => startNetwork(redis.port)));
    const settings = { waitMs: 250, storeTimeoutMs: 1000 };
    const start = (index: number) =>
      startProcess(packageFile, `redis://127.0.0.1:${(networks[index] as Network).port}`, settings);
    const fleet = await Promise.all(networks.map((_, index) => start(index)));
    const scene: Scene = { redis, networks, fleet, start };
    await untilUpToDate(fleet);

    const trial = startTrial(fleet, { perSecond: 25 });
    const injected: string[] = [];
    const injectAll = async (faults: Faults) => {
      for (const [name, inject] of inRandomOrder(Object.entries(faults))) {
        injected.push(`${name} (${nowMs()})`);
        const index = randomInt(networks.length);
        injected[injected.length - 1] += ` ${index}`;
        await inject(scene, index, networks[index] as Network);
        await sleep(randomInt(100, 1000));
      }
    };
    // Both at once: what fails alone is survived more easily than two things that fail together.
    await Promise.all([injectAll(faultsOfRedis), injectAll(faultsOfProcesses)]);
    await untilUpToDate(fleet);
    const verdict = await trial.stop();
    say(`under ${injected.join('; ')}`, fleet, verdict);
    if (verdict.worstDelayMs >= 1000) process.stderr.write(`The worst: ${verdict.worst}\n`);
    expect(verdict.worstDelayMs).toBeLessThan(1000);
    expect(verdict.revocations - verdict.unacknowledged).toBeGreaterThan(50);
  }, 90_000);
});

/** By the clock that processes share. */
const nowMs = () => Math.round(Number(process.hrtime.bigint()) / 1e6);

interface Scene {
  redis: OwnRedis;
  networks: Network[];
  fleet: Process[];
  start: (index: number) => Promise<Process>;
}

/** Each may pick on the process at `index`, which has this network to itself. */
type Faults = Record<string, (scene: Scene, index: number, network: Network) => unknown>;

const faultsOfRedis: Faults = {
  'subscribers killed': ({ redis }) => onRedis(redis, (admin) => admin.client('KILL', 'TYPE', 'PUBSUB')),
  'all connections killed': ({ redis }) =>
    onRedis(redis, async (admin) => {
      await admin.client('KILL', 'TYPE', 'PUBSUB');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'NORMAL');
    }),
  'Redis frozen for a moment': async ({ redis }) => {
    redis.pause();
    await sleep(400);
    redis.resume();
  },
  'Redis frozen': async ({ redis }) => {
    redis.pause();
    await sleep(1500);
    redis.resume();
  },
  'Redis restarted, empty': async ({ redis }) => {
    await redis.kill();
    await redis.start();
  },
  'Redis gone for a while, then empty': async ({ redis }) => {
    await redis.stop();
    await sleep(1000);
    await redis.start();
  },
  'a replica took over, without what was written last': async (scene) => {
    const replication = await startNetwork(scene.redis.port);
    const replica = await startRedis();
    await onRedis(replica, async (admin) => {
      await admin.replicaof('127.0.0.1', replication.port);
      while (!(await admin.info('replication')).includes('master_link_status:up')) await sleep(20);
      replication.lose(['commands']);
      await sleep(400);
      await scene.redis.kill();
      await admin.replicaof('NO', 'ONE');
    });
    for (const network of scene.networks) network.leadTo(replica.port);
    scene.redis = replica;
  },
};

const faultsOfProcesses: Faults = {
  'a subscriber cut off': (_scene, _index, network) => network.cut(['subscriber']),
  'commands cut off': (_scene, _index, network) => network.cut(['commands']),
  'a subscriber half-open': (_scene, _index, network) => network.lose(['subscriber']),
  'commands half-open': (_scene, _index, network) => network.lose(['commands']),
  'both half-open': (_scene, _index, network) => network.lose(['subscriber', 'commands']),
  'a process in the dark': async (_scene, _index, network) => {
    network.dark(1500);
    await sleep(1500);
  },
  'a slow subscriber': async (_scene, _index, network) => {
    network.delay(['subscriber'], 1500);
    await sleep(1500);
  },
  'slow commands': async (_scene, _index, network) => {
    network.delay(['commands'], 700);
    await sleep(700);
  },
  'both slow': async (_scene, _index, network) => {
    network.delay(['subscriber', 'commands'], 1200);
    await sleep(1200);
  },
  'an event loop blocked for a moment': ({ fleet }, index) => fleet[index]?.tell('block', { ms: 400 }),
  'an event loop blocked': ({ fleet }, index) => fleet[index]?.tell('block', { ms: 1500 }),
  'a process frozen': async ({ fleet }, index) => {
    fleet[index]?.signal('SIGSTOP');
    await sleep(randomInt(300, 2000));
    fleet[index]?.signal('SIGCONT');
  },
  'a process started': async ({ fleet, start }) => void fleet.push(await start(0)),
  'a process killed, and another one started': async ({ fleet, start }, index) => {
    await fleet[index]?.end();
    fleet[index] = await start(index);
  },
};

async function onRedis(redis: OwnRedis, act: (admin: Redis) => Promise<unknown>): Promise<void> {
  const admin = new Redis(redis.url);
  try {
    await act(admin);
  } finally {
    admin.disconnect();
  }
}

function inRandomOrder<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(randomInt(rest.length), 1)[0] as Item);
}

async function untilUpToDate(fleet: readonly Process[]): Promise<void> {
  for (const one of fleet) {
    if (!one.isRunning) continue;
    for (let attemptsLeft = 200; ; attemptsLeft -= 1) {
      const { revocation } = await one.tell<{ revocation: { upToDate: boolean } }>('health');
      if (revocation.upToDate) break;
      if (attemptsLeft === 0) throw new Error('a process has not come up to date');
      await sleep(50);
    }
  }
}

/** To the report, past jest's console. */
function say(circumstances: string, fleet: readonly Process[], verdict: Verdict): void {
  const { revocations, unacknowledged, checks, accepted, fromMemory, worstDelayMs, acceptedAfter } = verdict;
  const delay =
    worstDelayMs < 0
      ? 'all before the acknowledgement'
      : `the latest ${worstDelayMs.toFixed(0)} ms after the acknowledgement`;
  process.stderr.write(
    `Pushed revocations, ${circumstances}: ${revocations} revocations (${unacknowledged} not acknowledged), ` +
      `${checks} checks in ${fleet.length} processes (${((100 * fromMemory) / checks).toFixed(1)} % from memory), ` +
      `${accepted} acceptances compared: ${delay}; ${acceptedAfter} tokens accepted once more after it.\n`,
  );
}
