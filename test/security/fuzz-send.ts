import http from 'node:http';
import net from 'node:net';
import type { HostileRequest } from './fuzz-requests.js';

/** What came back. */
export interface Received {
  /** 0: nothing, because the connection was ended. */
  status: number;
  headers: Record<string, string>;
  text: string;
  tookMs: number;
}

/** Nothing takes this long unless it hangs. */
const GIVE_UP_MS = 15_000;
/** What is not understood is answered, or the connection ended, at once. */
const RAW_TAKES_MS = 5_000;

/** Sends requests to one server. Ends with `close`. */
export interface Sender {
  /** Several answers where several requests were sent in one. Rejects where none came in all the time there is. */
  send(request: HostileRequest): Promise<Received[]>;
  close(): void;
}

export function createSender(port: number): Sender {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  return {
    send: (request) =>
      request.raw === undefined ? sendPolitely(port, agent, request).then((one) => [one]) : sendRaw(port, request.raw),
    close: () => agent.destroy(),
  };
}

function sendPolitely(port: number, agent: http.Agent, request: HostileRequest): Promise<Received> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const tookMs = () => performance.now() - startedAt;
    // An array, so that a name may come twice; Node then adds nothing.
    const headers = ['Host', `127.0.0.1:${port}`, 'Connection', 'keep-alive', ...request.headers.flat()];
    const { method, path } = request;
    const sent = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        const { statusCode: status = 0, headers: fields } = response;
        resolve({ status, headers: joined(fields), text: Buffer.concat(chunks).toString('latin1'), tookMs: tookMs() });
      });
    });
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${GIVE_UP_MS} ms`));
      sent.destroy();
    }, GIVE_UP_MS);
    sent.on('error', () => {
      clearTimeout(timer);
      // Node ends the connection with what it cannot parse, or with a body that nobody reads.
      resolve({ status: 0, headers: {}, text: '', tookMs: tookMs() });
    });
    sent.end(request.body);
  });
}

function sendRaw(port: number, bytes: Buffer): Promise<Received[]> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(readAnswers(Buffer.concat(chunks).toString('latin1'), performance.now() - startedAt));
    };
    // An incomplete request is waited for; whoever sent it goes away.
    const timer = setTimeout(finish, RAW_TAKES_MS);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', finish);
    socket.on('close', finish);
  });
}

/** Takes apart what came over a socket: one answer after the other. */
function readAnswers(text: string, tookMs: number): Received[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((part) => part.startsWith('HTTP/1.1 ') && !part.startsWith('HTTP/1.1 100 '))
    .map((part) => {
      const [head = '', ...rest] = part.split('\r\n\r\n');
      const [start = '', ...fields] = head.split('\r\n');
      const headers = fields.map((field) => [
        field.slice(0, field.indexOf(':')).toLowerCase(),
        field.slice(field.indexOf(':') + 1).trim(),
      ]);
      return {
        status: Number(start.slice(9, 12)),
        headers: Object.fromEntries(headers) as Record<string, string>,
        text: withoutChunks(rest.join('\r\n\r\n')),
        tookMs,
      };
    });
}

function withoutChunks(text: string): string {
  return /^[\da-f]+\r\n/i.test(text) ? text.replaceAll(/(?:^|\r\n)[\da-f]+\r\n/gi, '') : text;
}

function joined(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}
