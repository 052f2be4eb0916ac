import SqliteDatabase from 'libsql';
import { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { findDatabaseFolder, startDatabase } from '../setup/database-process.cjs';
import { closeAfterFile } from './closing.js';

/** The databases that users are kept in in the tests. */
export type Sql = 'SQLite' | 'PostgreSQL' | 'MariaDB';

/** Where a server of somebody else's may be used; its tables `auth_users` and `people` are dropped. */
const LENT: Partial<Record<Sql, string>> = { PostgreSQL: 'TEST_POSTGRES_URL', MariaDB: 'TEST_MYSQL_URL' };
const PACKAGES = { PostgreSQL: 'postgresql', MariaDB: 'mariadb-server' };

/** Whether there is such a database here. */
export function canUse(sql: Sql): boolean {
  return sql === 'SQLite' || lentUrl(sql) !== undefined || findDatabaseFolder(sql) !== undefined;
}

/** `describe` for tests on a database: skipped, and saying why, where there is no such server. */
export function describeOnSql(sql: Sql, name: string, body: () => void): void {
  if (sql === 'SQLite' || canUse(sql)) describe(name, body);
  else
    describe.skip(`${name} (skipped: no ${sql} here; install ${PACKAGES[sql]}, or set ${LENT[sql]})`, () => {
      it('is tested where there is one', () => {});
      body();
    });
}

/** Its URL, and the server behind it: started if nobody lends one, and closed after the file's last test. */
export async function sqlUrl(sql: 'PostgreSQL' | 'MariaDB'): Promise<string> {
  const lent = lentUrl(sql);
  if (lent !== undefined) return lent;
  const server = await startDatabase(sql);
  closeAfterFile(() => server.close());
  return server.url;
}

/** Opens a database, and closes it after the file's last test. SQLite's is in memory. */
export async function openSql(sql: Sql): Promise<Kysely<unknown>> {
  const db = new Kysely<unknown>({ dialect: await dialectOf(sql) });
  closeAfterFile(() => db.destroy());
  return db;
}

async function dialectOf(sql: Sql) {
  if (sql === 'SQLite') return new SqliteDialect({ database: new SqliteDatabase(':memory:') });
  const url = await sqlUrl(sql);
  if (sql === 'PostgreSQL') return new PostgresDialect({ pool: new Pool({ connectionString: url }) });
  return new MysqlDialect({ pool: createPool({ uri: url }) });
}

function lentUrl(sql: Sql): string | undefined {
  return process.env[LENT[sql] ?? ''] || undefined;
}
