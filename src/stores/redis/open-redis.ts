import { Redis } from 'ioredis';
import { coalesceWrites } from './coalesce-writes.js';
import type { RedisClient } from './redis-client.js';

/** Of each error only the text: the error of a login holds the command, password and all. */
const lastErrors = new WeakMap<RedisClient, string>();

/** Why a client that was opened here has no connection: `connect ECONNREFUSED …`, or what Redis says of a wrong password. */
export function lastErrorOf(client: RedisClient): string | undefined {
  return lastErrors.get(client);
}

/** A client of the package's own for a URL, set up to fail fast and to come back by itself. */
export function openRedis(url: string, storeTimeoutMs: number, options: Record<string, unknown>): RedisClient {
  const client = new Redis(url, {
    // Every command of the package is bounded in time by its caller, so waiting longer helps nobody.
    connectTimeout: Math.max(storeTimeoutMs, 1000),
    // A connection that hangs is given up; later than the caller is answered, because a process that stood still for a
    // moment finds its answers waiting, and must not cut them off.
    socketTimeout: 3 * storeTimeoutMs,
    maxRetriesPerRequest: 0,
    // How long `close()` keeps the process for a server that does not close its side, or for one that is gone.
    disconnectTimeout: 100,
    retryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
    // A script that was under way when the connection broke may have run: its caller is told, and nothing runs twice.
    autoResendUnfulfilledCommands: false,
    // After a failover behind one name, the open connection is still to the former master, which only reads now.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    ...options,
  });
  // Failures reach whoever asked for something; an unheard 'error' event would end the process.
  client.on('error', (error) => lastErrors.set(client, error.message));
  coalesceWrites(client);
  return client;
}
