import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startProgram } from './process.mjs';

/** A Redis of the benchmark's own, that keeps nothing on disk. */
export async function startRedis() {
  const program = ['redis-server', 'valkey-server'].find((name) =>
    (process.env.PATH ?? '').split(path.delimiter).some((part) => existsSync(path.join(part, name))),
  );
  if (program === undefined) throw new Error('Install redis-server or valkey-server: the benchmark starts its own.');
  const port = await freePort();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-bench-'));
  const args = ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = startProgram(program, args, { core: 'store' });
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
  client.on('error', () => {}); // until it listens
  await client.ping();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    /** Of one section of `INFO`, a number. */
    async info(name) {
      return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(await client.info())?.[1]);
    },
    async stop() {
      client.disconnect();
      server.kill();
      await sleep(100);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
