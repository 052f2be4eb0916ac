import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findRedisProgram, startRedisProcess } from '../setup/redis-process.cjs';
import { closeAfterFile } from './closing.js';

/** URL of the test Redis, with a database that belongs to this jest worker alone. It is not emptied: see `freshRedis`. */
export function redisUrl(): string {
  const url = new URL(process.env['TEST_REDIS_URL'] ?? '');
  const base = Number(url.pathname.slice(1) || 0);
  // Never the base itself: in a Redis that somebody lends us, database 0 is likely to hold something.
  url.pathname = `/${base + Number(process.env['JEST_WORKER_ID'] ?? 1)}`;
  return url.href;
}

/** A client on this worker's database, which is emptied first. It is closed after the file's last test. */
export async function freshRedis(): Promise<Redis> {
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: 1 });
  closeAfterFile(() => redis.disconnect());
  await redis.flushdb();
  return redis;
}

/** Whether this machine can start servers of its own, for tests that break them. */
export const canStartRedis = findRedisProgram() !== undefined;

/** `describe` for tests that break a server of their own: skipped, and saying why, where there is no server to start. */
export function describeWithOwnRedis(name: string, body: () => void): void {
  if (canStartRedis) describe(name, body);
  else describe.skip(`${name} (skipped: no redis-server or valkey-server on the PATH)`, body);
}

/** A server of the test's own, to be broken. Its address stays the same over stop and start. */
export interface OwnRedis {
  url: string;
  port: number;
  /** Shuts it down in good order; its connections are closed. Nothing is kept. */
  stop(): Promise<void>;
  /** Kills it: its connections are reset, nothing is kept. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  /** Freezes it: connections stay open, and nothing is answered. */
  pause(): void;
  resume(): void;
}

/** Starts a server of the test's own. It is closed after the file's last test. @param args more of its command line */
export async function startRedis({ args = [] }: { args?: readonly string[] } = {}): Promise<OwnRedis> {
  let server = await startRedisProcess({ args });
  closeAfterFile(() => server.close());
  const { port } = server;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server.signal(signal);
    server.signal('SIGCONT'); // a frozen server would not hear the signal
    await server.exited();
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start() {
      if (!server.running()) server = await startRedisProcess({ args, port });
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}

/** A cluster of the test's own. */
export interface OwnRedisCluster {
  nodes: { host: string; port: number }[];
  /** The nodes' servers, in the same order. */
  servers: OwnRedis[];
}

const slots = 16_384;

/** Starts a cluster whose slots are spread over `nodes` masters. It is closed after the file's last test. */
export async function startRedisCluster({ nodes = 3 }: { nodes?: number } = {}): Promise<OwnRedisCluster> {
  const servers = await Promise.all(
    Array.from({ length: nodes }, () => startRedis({ args: ['--cluster-enabled', 'yes'] })),
  );
  const clients = servers.map((server) => new Redis(server.url));
  try {
    await Promise.all(
      clients.map(async (client, index) => {
        const from = Math.ceil((index * slots) / nodes);
        const to = Math.ceil(((index + 1) * slots) / nodes);
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        await client.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: to - from }, (_, offset) => from + offset));
        await client.call('CLUSTER', 'MEET', '127.0.0.1', servers[0]!.port);
      }),
    );
    await Promise.all(clients.map((client) => untilWhole(client, nodes)));
  } finally {
    for (const client of clients) client.disconnect();
  }
  return { nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })), servers };
}

/** Resolves when this node knows of all nodes and of who has which slot. */
async function untilWhole(client: Redis, nodes: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const info = String(await client.call('CLUSTER', 'INFO'));
    if (info.includes('cluster_state:ok') && info.includes(`cluster_size:${nodes}\r`)) return;
    if (performance.now() > deadline) throw new Error(`The test cluster did not form:\n${info}`);
    await setTimeout(50);
  }
}
