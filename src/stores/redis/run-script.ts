import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.js';

/** Whether a script that answers 1 or 0 answered 1: as text, where a client that was handed over has `stringNumbers`. */
export function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

/** A Lua script and the digest that Redis knows it by. */
export interface Script {
  lua: string;
  sha1: string;
}

export function script(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/**
 * Runs a script by its digest, and sends its text only where the server doesn't know it (a fresh server, a
 * failover, `SCRIPT FLUSH`). Nothing is defined on the client, so one that was handed over stays as it was.
 */
export async function runScript(
  client: RedisClient,
  { lua, sha1 }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(lua, keys.length, ...keys, ...args);
  }
}
