import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';

const SLOTS = 16_384;

/** Starts a Redis node on each port, and forms one cluster of them. Returns what ends them; they keep nothing. */
export async function startNodes(ports) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'example-cluster-'));
  const nodes = ports.map((port) => startNode(port, folder));
  const stop = async () => {
    for (const { server } of nodes) server.kill();
    await Promise.all(nodes.map(({ ended }) => ended));
    rmSync(folder, { recursive: true });
  };
  try {
    await Promise.race([formCluster(ports), ...nodes.map(({ ended }) => ended.then(failed))]);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

function startNode(port, folder) {
  const program = process.env.REDIS_SERVER ?? 'redis-server';
  const args = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--cluster-enabled', 'yes'];
  const own = ['--port', `${port}`, '--cluster-config-file', `nodes-${port}.conf`];
  const server = spawn(program, [...args, ...own], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => {
    server.once('error', resolve).once('exit', () => resolve(new Error(`The node on port ${port} has ended.`)));
  });
  return { server, ended };
}

function failed(error) {
  throw error;
}

/** What `redis-cli --cluster create` does. */
async function formCluster(ports) {
  const clients = ports.map((port) => new Redis(port).on('error', () => {})); // each tries until its node is there
  try {
    for (const [index, client] of clients.entries()) {
      const [first, end] = [index, index + 1].map((part) => Math.round((part * SLOTS) / ports.length));
      await client.cluster('SET-CONFIG-EPOCH', index + 1);
      await client.cluster('ADDSLOTS', ...Array.from({ length: end - first }, (_, offset) => first + offset));
      await client.cluster('MEET', '127.0.0.1', ports[0]);
    }
    for (const client of clients)
      while (!/cluster_state:ok[^]*cluster_size:3/.test(await client.cluster('INFO'))) await setTimeout(100);
  } finally {
    for (const client of clients) client.disconnect();
  }
}
