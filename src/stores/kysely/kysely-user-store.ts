import { type Kysely, sql } from 'kysely';
import { newUserId } from '../../core/users/user-id.js';
import type { UserChanges, UserRecord, UserStore } from '../../core/users/user-store.js';
import { USERS_TABLE, type UsersTable } from './users-table.js';

/**
 * Keeps users in SQL: SQLite, PostgreSQL, MySQL, MariaDB, and whatever else Kysely speaks to. The table is the one that
 * `usersMigration` makes.
 *
 * @param options.table @default 'auth_users'
 */
export function kyselyUserStore<Database>(
  database: Kysely<Database>,
  { table = USERS_TABLE }: { table?: string } = {},
): UserStore {
  const db = database as unknown as Kysely<Record<string, UsersTable>>;

  const findBy = async (column: 'id' | 'email' | 'phone_number', value: string) => {
    // SQL's text has no zero bytes, and PostgreSQL fails on one.
    if (value.includes('\0')) return undefined;
    const row = await db.selectFrom(table).selectAll().where(column, '=', value).executeTakeFirst();
    // MySQL compares without regard to case and trailing spaces.
    return row?.[column] === value ? row : undefined;
  };

  /** Whether the change failed because somebody else has an identifier: each driver says that in its own way. */
  const isTaken = async ({ email, phone_number }: Partial<UsersTable>, id: string) => {
    const owners = await Promise.all([
      email == null ? undefined : findBy('email', email),
      phone_number == null ? undefined : findBy('phone_number', phone_number),
    ]);
    return owners.some((owner) => owner !== undefined && owner.id !== id);
  };
  const unlessTaken = async (row: Partial<UsersTable>, id: string, change: () => Promise<unknown>) => {
    try {
      await change();
      return 'done';
    } catch (error) {
      if (await isTaken(row, id)) return 'taken';
      throw error;
    }
  };

  return {
    async findById(id) {
      const row = await findBy('id', id);
      return row && fromRow(row);
    },

    async findByIdentifier({ kind, value }) {
      const row = await findBy(kind === 'email' ? 'email' : 'phone_number', value);
      return row && fromRow(row);
    },

    async create(user) {
      const row = { id: newUserId(), ...toRow(user) } as UsersTable;
      const outcome = await unlessTaken(row, row.id, () => db.insertInto(table).values(row).execute());
      return outcome === 'taken' ? outcome : fromRow(row);
    },

    async update(id, changes) {
      if ((await findBy('id', id)) === undefined) return undefined;
      const row = toRow(changes);
      if (Object.keys(row).length > 0) {
        const outcome = await unlessTaken(row, id, () => db.updateTable(table).set(row).where('id', '=', id).execute());
        if (outcome === 'taken') return outcome;
      }
      const after = await findBy('id', id);
      return after && fromRow(after);
    },

    async delete(id) {
      if ((await findBy('id', id)) === undefined) return false;
      const { numDeletedRows } = await db.deleteFrom(table).where('id', '=', id).executeTakeFirst();
      return numDeletedRows > 0n;
    },

    async list({ skip, limit, query, role }) {
      let matching = db.selectFrom(table);
      if (role !== undefined) matching = matching.where(holds('roles', JSON.stringify(role)));
      if (query !== undefined) {
        const text = query.toLowerCase();
        matching = matching.where((where) =>
          where.or([holds('email', text), holds('phone_number', text), holds('full_name_search', text)]),
        );
      }
      const [rows, total] = await Promise.all([
        matching.selectAll().orderBy('created_at').orderBy('id').limit(limit).offset(skip).execute(),
        matching
          .select((select) => select.fn.countAll<number | string | bigint>().as('count'))
          .executeTakeFirstOrThrow(),
      ]);
      return { users: rows.map(fromRow), count: Number(total.count) };
    },
  };
}

/**
 * Whether the column has the text in it, as it is. Not `like`: that has characters of its own, and with regard to case
 * no two databases agree on it.
 */
function holds(column: keyof UsersTable, text: string) {
  return sql<boolean>`length(replace(${sql.ref(column)}, ${text}, '')) < length(${sql.ref(column)})`;
}

/** What is there; the rest is left as it is, or to the column's default. */
function toRow({ email, phoneNumber, fullName, roles, disabled, createdAt, totp }: UserChanges & { createdAt?: Date }) {
  return {
    ...(email !== undefined && { email }),
    ...(phoneNumber !== undefined && { phone_number: phoneNumber }),
    ...(fullName !== undefined && {
      full_name: fullName,
      full_name_search: fullName === null ? null : fullName.toLowerCase(),
    }),
    ...(roles !== undefined && { roles: JSON.stringify(roles) }),
    ...(disabled !== undefined && { disabled: disabled ? 1 : 0 }),
    ...(createdAt !== undefined && { created_at: createdAt.toISOString() }),
    ...(totp !== undefined && { totp }),
  };
}

function fromRow(row: UsersTable): UserRecord {
  return {
    id: row.id,
    email: row.email,
    phoneNumber: row.phone_number,
    fullName: row.full_name,
    roles: JSON.parse(row.roles) as string[],
    disabled: Number(row.disabled) !== 0,
    createdAt: new Date(row.created_at),
    totp: row.totp,
  };
}
