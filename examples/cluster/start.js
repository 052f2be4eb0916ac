import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { startNodes } from './redis-nodes.js';

const numbers = (list) => list.split(',').map(Number);
const redisPorts = numbers(process.env.REDIS_PORTS ?? '7001,7002,7003');
const stopNodes = await startNodes(redisPorts);
console.log(`Redis Cluster on the ports ${redisPorts.join(', ')}`);

// Two processes of one application, as behind a load balancer. What they share is the secret, and Redis.
const shared = {
  EXPRESS_OTP_AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
  REDIS_NODE: `127.0.0.1:${redisPorts[0]}`,
};
const servers = numbers(process.env.PORTS ?? '3000,3001').map((port) =>
  spawn(process.execPath, [path.join(import.meta.dirname, 'server.js')], {
    env: { ...shared, ...process.env, PORT: `${port}` },
    stdio: 'inherit',
  }),
);
const ended = Promise.all(servers.map((server) => once(server, 'exit')));

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const server of servers) server.kill();
  });
await ended;
await stopNodes();
