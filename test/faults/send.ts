import http from 'node:http';
import { ownTime } from './own-time.js';

/** One answer, or the lack of one. */
export interface Answer {
  /** 0: the connection broke, or nothing came within `GIVE_UP_MS`. */
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
  /** @see ownTime */
  tookMs: number;
}

/** Far beyond every bound: a request that comes here was not answered. */
const GIVE_UP_MS = 20_000;

const agent = new http.Agent({ keepAlive: true, maxSockets: 500 });

/** Sends one JSON request and measures how long the whole answer took. It never rejects. */
export function send(
  url: string,
  { method = 'POST', token, body }: { method?: string; token?: string | undefined; body?: object } = {},
): Promise<Answer> {
  const startedAt = ownTime();
  return new Promise((resolve) => {
    const finish = (status: number, headers: http.IncomingHttpHeaders = {}, text = '') =>
      resolve({ status, headers, body: readJson(text), tookMs: ownTime() - startedAt });
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
    const signal = AbortSignal.timeout(GIVE_UP_MS);
    const request = http.request(url, { method, agent, headers, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', () => finish(0));
      response.on('end', () => finish(response.statusCode ?? 0, response.headers, text));
    });
    request.on('error', () => finish(0));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Ends the connections that are kept for the next request. */
export function endConnections(): void {
  agent.destroy();
}

function readJson(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { unreadable: text.slice(0, 200) };
  }
}
