import { Redis } from 'ioredis';
import type { Kysely } from 'kysely';
import { memoryStore, memoryUserStore, type OtpAuthOptions } from '../../src/index.js';
import { kyselyUserStore, usersMigration } from '../../src/stores/kysely/index.js';
import { closeAfterFile } from './closing.js';
import { redisUrl } from './redis.js';
import { describeOnSql, openSql } from './sql.js';

/**
 * Runs the same promises on users in memory, on Redis, in SQLite and in PostgreSQL. `stored()` gives the options that
 * choose the stores: the same ones for every instance of one test, and empty at the beginning of each.
 */
export function describeOnEachUserStore(name: string, body: (stored: () => OtpAuthOptions) => void): void {
  let options: OtpAuthOptions = {};
  const stored = () => options;

  describe(`${name}, in memory`, () => {
    beforeEach(() => {
      options = { store: memoryStore(), users: { store: memoryUserStore() } };
    });
    body(stored);
  });

  describe(`${name}, on Redis`, () => {
    let redis: Redis;
    beforeAll(() => {
      redis = new Redis(redisUrl());
      closeAfterFile(() => redis.disconnect());
    });
    beforeEach(async () => {
      await redis.flushdb();
      options = { redis: redisUrl(), users: { store: 'redis' } };
    });
    body(stored);
  });

  for (const sql of ['SQLite', 'PostgreSQL'] as const) {
    describeOnSql(sql, `${name}, in ${sql}`, () => {
      let db: Kysely<unknown>;
      beforeAll(async () => {
        db = await openSql(sql);
      });
      beforeEach(async () => {
        await db.schema.dropTable('auth_users').ifExists().execute();
        await usersMigration().up(db);
        options = { store: memoryStore(), users: { store: kyselyUserStore(db) } };
      });
      body(stored);
    });
  }
}
