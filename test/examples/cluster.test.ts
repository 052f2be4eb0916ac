import { randomInt } from 'node:crypto';
import { cpSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findRedisProgram } from '../setup/redis-process.cjs';
import { call } from '../support/call.js';
import { projectWithPackage } from '../support/installed-package.js';
import { startProgram } from '../support/program.js';
import { describeWithOwnRedis } from '../support/redis.js';

jest.setTimeout(180_000); // A compiler and five servers, on a machine that may have other things to do

const email = 'jo@example.com';

describeWithOwnRedis('examples/cluster', () => {
  it('signs in at one process and out at the other, on three nodes, and ends when it is told to', async () => {
    const folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'cluster');
    cpSync(path.resolve(__dirname, '../../examples/cluster'), folder, { recursive: true });
    const ports = await freePorts(3);
    const program = startProgram(process.execPath, ['start.js'], {
      cwd: folder,
      env: { REDIS_PORTS: ports.join(','), PORTS: '0,0', REDIS_SERVER: findRedisProgram() ?? '' },
      terminal: true, // whatever happens to this test, all that the example starts ends with it
    });
    await program.line(/^Redis Cluster on the ports/);
    const one = await program.line(/^http:/);
    const other = await program.line(new RegExp(`^http:(?!${one.slice('http:'.length)}$)`));
    await Promise.all(ports.map(expectPartOfCluster));

    await call(`${one}/auth/request-otp`, { body: { email } });
    const otp = /\b\d{6}\b/.exec(await program.line(/^To jo@example\.com: /))?.[0];
    const { body } = await call(`${other}/auth/verify-otp`, { body: { email, otp } });
    const headers = { Authorization: `Bearer ${String(body.access_token)}` };
    const me = async (url: string) => (await call(`${url}/me`, { method: 'GET', headers })).status;
    expect([await me(one), await me(other)]).toEqual([200, 200]);
    expect(await call(`${one}/auth/logout`, { headers })).toMatchObject({ status: 200 });
    expect([await me(one), await me(other)]).toEqual([401, 401]);
    const health = await call(`${other}/health`, { method: 'GET' });
    expect(health).toMatchObject({ status: 200, body: { ok: true, revocation: { upToDate: expect.any(Boolean) } } });

    program.signal('SIGTERM');
    await expect(program.ended).resolves.toEqual({ code: 0, signal: null });
  });
});

async function expectPartOfCluster(port: number): Promise<void> {
  const node = new Redis(port);
  const info = String(await node.call('CLUSTER', 'INFO'));
  node.disconnect();
  expect(info).toMatch(/cluster_state:ok[^]*cluster_size:3\r/);
}

/** Ports that nobody uses, nor those of the cluster bus, 10000 above each; all below the ones that systems give to outgoing connections. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(11_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listening) await new Promise((resolve) => server.close(resolve));
  return listening;
}
