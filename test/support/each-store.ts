import { Redis } from 'ioredis';
import { memoryStore, type OtpAuthOptions } from '../../src/index.js';
import { closeAfterFile } from './closing.js';
import { redisUrl } from './redis.js';

/**
 * Runs the same promises on the memory store and on Redis. `stored()` gives the options that choose the store: the
 * same one for every instance of one test, and empty at the beginning of each.
 */
export function describeOnEachStore(name: string, body: (stored: () => OtpAuthOptions) => void): void {
  describe.each(['memory', 'Redis'])(`${name}, on %s`, (kind) => {
    let options: OtpAuthOptions = {};

    if (kind === 'memory') {
      // One store for several instances cannot follow their clocks; revocations in it end by the real one.
      beforeEach(() => {
        options = { store: memoryStore() };
      });
    } else {
      let redis: Redis;
      beforeAll(() => {
        redis = new Redis(redisUrl());
        closeAfterFile(() => redis.disconnect());
      });
      beforeEach(async () => {
        await redis.flushdb();
        options = { redis: redisUrl() };
      });
    }

    body(() => options);
  });
}
