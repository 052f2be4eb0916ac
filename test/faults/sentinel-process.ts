import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findRedisProgram } from '../setup/redis-process.cjs';
import { closeAfterFile } from '../support/closing.js';

/** The sentinel ends when its standard input does, on purpose or because this process died. */
const KEEPER =
  'exec 3<&0; "$@" 3<&- </dev/null & server=$!; { read -r _ <&3; kill -KILL "$server"; wait "$server"; } 2>/dev/null';

/** Starts a sentinel that watches the master at `masterPort`, by the name of `name`. It is ended after the file's last test. */
export async function startSentinel({
  name,
  masterPort,
  quorum,
}: {
  name: string;
  masterPort: number;
  quorum: number;
}): Promise<{ port: number }> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-sentinel-'));
  const port = await findFreePort();
  const configuration = path.join(folder, 'sentinel.conf');
  writeFileSync(
    configuration,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${quorum}`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 3000`,
      '',
    ].join('\n'),
  );
  const command = [findRedisProgram() as string, configuration, '--sentinel'];
  const child = spawn('/bin/sh', ['-c', KEEPER, 'sh', ...command], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  const exited = once(child, 'close');
  closeAfterFile(async () => {
    child.stdin.end();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line.includes('+monitor')) resolve();
    });
    void exited.then(() => reject(new Error(`The sentinel ended.\n${said.join('\n')}`)));
  });
  return { port };
}

async function findFreePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
