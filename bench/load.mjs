import { connect } from 'node:net';
import { Pool } from 'undici';

/**
 * The same requests again and again for some seconds, each connection beginning elsewhere among them. Plain sockets:
 * on one core, general load generators are slower than the fastest targets, and all of those would look alike.
 */
export async function hammer({ url }, requests, { connections, seconds }) {
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
