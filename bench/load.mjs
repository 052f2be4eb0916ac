import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'undici';

const hasWrk = spawnSync('wrk', ['--version']).error === undefined;

/** In the report. */
export const generator = hasWrk ? 'wrk' : 'sockets of Node (wrk is not installed: the fastest targets look alike)';

/** The same requests again and again for some seconds. */
export function hammer(target, requests, load) {
  return hasWrk ? byWrk(target, requests, load) : bySockets(target, requests, load);
}

/** On one core, nothing that runs in Node is faster than the fastest targets. */
async function byWrk({ url }, requests, { connections, seconds }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-bench-'));
  const fields = path.join(folder, 'fields');
  writeFileSync(fields, requests.map(({ headers }) => `${Object.entries(headers)[0].join(': ')}\n`).join(''));
  const script = path.join(import.meta.dirname, 'wrk.lua');
  const args = ['-t', '1', '-c', String(connections), '-d', String(seconds), '-s', script];
  const { stdout } = await promisify(execFile)('wrk', [...args, url + requests[0].path, '--', fields]);
  rmSync(folder, { recursive: true });
  const [count, microseconds, failed] = /^measured (\d+) (\d+) (\d+)$/m.exec(stdout).slice(1).map(Number);
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return { count, perSecond: count / (microseconds / 1e6) };
}

async function bySockets({ url }, requests, { connections, seconds }) {
  const { hostname, port } = new URL(url);
  const texts = requests.map(({ path, headers }) => {
    const fields = Object.entries({ host: hostname, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`GET ${path} HTTP/1.1\r\n${fields.join('')}\r\n`);
  });
  let count = 0;
  let isOver = false;
  const start = performance.now();
  setTimeout(() => {
    isOver = true;
  }, seconds * 1000);
  await Promise.all(
    Array.from({ length: connections }, (_, connection) => {
      let next = Math.floor((connection * texts.length) / connections);
      return new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname).setNoDelay().setEncoding('latin1');
        let answer = '';
        const send = () => socket.write(texts[next++ % texts.length]);
        socket.on('connect', send);
        socket.on('error', reject);
        socket.on('data', (chunk) => {
          answer += chunk;
          if (!answer.startsWith('HTTP/1.1 200')) reject(new Error(`refused: ${answer.split('\r\n', 1)[0]}`));
          if (!answer.endsWith(EVERY_ANSWER)) return;
          answer = '';
          count++;
          if (!isOver) send();
          else socket.end(resolve);
        });
      });
    }),
  );
  return { count, perSecond: count / ((performance.now() - start) / 1000) };
}

/** The end of what each guarded route answers. */
const EVERY_ANSWER = '{"ok":true}';

/** Every request once, as fast as so many connections carry them. */
export async function eachOnce({ url }, requests, { connections }) {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const answers = [];
  let next = 0;
  const oneAfterTheOther = async () => {
    while (next < requests.length) {
      const index = next++;
      const { statusCode, headers, body } = await pool.request(requests[index]);
      if (statusCode !== 200) throw new Error(`${requests[index].path} answered ${statusCode}: ${await body.text()}`);
      await body.dump();
      answers[index] = headers;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
  const perSecond = requests.length / ((performance.now() - start) / 1000);
  await pool.close();
  return { count: requests.length, perSecond, answers };
}

/** What a load costs the target's process, in microseconds a request, with the load's own figures. */
export async function costing(target, work) {
  const before = await target.figures();
  const done = await work();
  const after = await target.figures();
  return { ...done, cpu: (after.cpuMicroseconds - before.cpuMicroseconds) / done.count };
}
