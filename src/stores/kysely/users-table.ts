import type { Kysely, Migration } from 'kysely';

/** The table as `usersMigration` makes it. */
export interface UsersTable {
  /** A random UUID. */
  id: string;
  email: string | null;
  phone_number: string | null;
  full_name: string | null;
  /** The full name in lower case, because databases disagree on what that is. */
  full_name_search: string | null;
  /** A list in JSON. */
  roles: string;
  /** 0 or 1: not every driver knows booleans. */
  disabled: number;
  /** ISO 8601, UTC, to the millisecond: sorts as text, and is the same in every database. */
  created_at: string;
  totp: string | null;
}

export const USERS_TABLE = 'auth_users';

/**
 * Makes the table that `kyselyUserStore` keeps users in, and with `down` drops it: an entry for the application's own
 * list of Kysely migrations. Fit for SQLite, PostgreSQL, MySQL and MariaDB.
 *
 * @param options.table of the table; may name a schema, as in `'auth.users'` @default 'auth_users'
 */
export function usersMigration({ table = USERS_TABLE }: { table?: string } = {}): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable(table)
        .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
        .addColumn('email', 'varchar(254)', (column) => column.unique())
        .addColumn('phone_number', 'varchar(16)', (column) => column.unique())
        .addColumn('full_name', 'varchar(200)')
        .addColumn('full_name_search', 'varchar(400)')
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('disabled', 'smallint', (column) => column.notNull())
        .addColumn('created_at', 'varchar(24)', (column) => column.notNull())
        .addColumn('totp', 'text')
        .execute();
      // MySQL has no names of indexes beyond the table's own, PostgreSQL and SQLite have them per schema.
      const [name] = table.split('.').slice(-1);
      await db.schema.createIndex(`${name}_created_at`).on(table).columns(['created_at', 'id']).execute();
    },
    async down(db: Kysely<unknown>) {
      await db.schema.dropTable(table).execute();
    },
  };
}
