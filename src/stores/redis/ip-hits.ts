import type { Store as HitStore } from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import type { RedisClient } from './redis-client.js';
import { runScript, script, type Script } from './run-script.js';

/**
 * Counts of requests per address of the network, kept in Redis by rate-limit-redis.
 *
 * That loads its scripts when it is made, on whatever node answers, and needs them to be there from then on. Here
 * loading is taking note of the text, and its scripts run the way that the package's own do: a Redis that is down at
 * the start, `SCRIPT FLUSH`, a failover and a Cluster's many nodes make no difference, and nothing is sent in vain.
 */
export function redisIpHits(client: RedisClient, prefix: string): HitStore {
  const scripts = new Map<string, Script>();
  return new RedisStore({
    prefix,
    async sendCommandCluster({ command: [name = '', ...args] }) {
      if (name === 'SCRIPT') {
        const loaded = script(args[1] as string);
        scripts.set(loaded.sha1, loaded);
        return loaded.sha1;
      }
      const [sha1 = '', numberOfKeys, ...keysAndArgs] = args;
      const known = name === 'EVALSHA' ? scripts.get(sha1) : undefined;
      if (known === undefined) return (await client.call(name, ...args)) as RedisReply;
      const keys = keysAndArgs.splice(0, Number(numberOfKeys));
      return (await runScript(client, known, keys, keysAndArgs)) as RedisReply;
    },
  });
}
