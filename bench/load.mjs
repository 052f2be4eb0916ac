import autocannon from 'autocannon';
import { Pool } from 'undici';

/** The same requests again and again for some seconds, each connection through all of them. */
export async function hammer({ url }, requests, { connections, seconds }) {
  const result = await autocannon({ url, connections, duration: seconds, requests });
  if (result.non2xx > 0) throw new Error(`${result.non2xx} requests were refused`);
  return { count: result.requests.total, perSecond: result.requests.total / result.duration };
}

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
