import type { Database } from 'libsql';
import type { UserChanges, UserRecord, UserStore } from 'express-otp-auth';

/** The application's own table. Signing in needs the columns up to `totp`; the others are the application's business. */
export const PEOPLE = `
  CREATE TABLE IF NOT EXISTS people (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    email     TEXT UNIQUE,
    phone     TEXT UNIQUE,
    name      TEXT,
    roles     TEXT NOT NULL,
    active    INTEGER NOT NULL,
    joined_at TEXT NOT NULL,
    totp      TEXT,
    colour    TEXT
  ) STRICT
`;

interface Person {
  id: number;
  email: string | null;
  phone: string | null;
  name: string | null;
  roles: string;
  active: 0 | 1;
  joined_at: string;
  totp: string | null;
}

/** Users in the table `people`: the six functions that express-otp-auth asks for. */
export function peopleStore(db: Database): UserStore {
  const one = (sql: string, ...values: unknown[]) => {
    const row = db.prepare(sql).get(...values) as Person | undefined;
    return row && toUser(row);
  };

  return {
    async findById(id) {
      return one('SELECT * FROM people WHERE id = ?', rowId(id));
    },

    async findByIdentifier({ kind, value }) {
      return one(`SELECT * FROM people WHERE ${kind === 'email' ? 'email' : 'phone'} = ?`, value);
    },

    async create(user) {
      const columns = { ...toColumns(user), joined_at: user.createdAt.toISOString() };
      const names = Object.keys(columns);
      const places = names.map(() => '?');
      return (
        one(
          `INSERT INTO people (${names}) VALUES (${places}) ON CONFLICT DO NOTHING RETURNING *`,
          ...Object.values(columns),
        ) ?? 'taken'
      );
    },

    async update(id, changes) {
      const columns = toColumns(changes);
      const set = ['id = id', ...Object.keys(columns).map((name) => `${name} = ?`)];
      try {
        return one(`UPDATE people SET ${set} WHERE id = ? RETURNING *`, ...Object.values(columns), rowId(id));
      } catch (error) {
        if ((error as { code?: string }).code === 'SQLITE_CONSTRAINT_UNIQUE') return 'taken';
        throw error;
      }
    },

    async delete(id) {
      return db.prepare('DELETE FROM people WHERE id = ?').run(rowId(id)).changes > 0;
    },

    async list({ skip, limit, query = '', role }) {
      // Not LIKE: there, `%` and `_` in what somebody types would stand for anything.
      const matching = `
        FROM people
        WHERE (instr(lower(email), lower(:query)) OR instr(phone, :query) OR instr(lower(name), lower(:query)))
          AND (:role IS NULL OR EXISTS (SELECT 1 FROM json_each(roles) WHERE value = :role))`;
      const values = { query, role: role ?? null };
      const page = db.prepare(`SELECT * ${matching} ORDER BY joined_at, id LIMIT :limit OFFSET :skip`);
      const total = db.prepare(`SELECT count(*) AS count ${matching}`);
      return {
        users: (page.all({ ...values, limit, skip }) as Person[]).map(toUser),
        count: (total.get(values) as { count: number }).count,
      };
    },
  };
}

/** Ids are text to express-otp-auth; text that is no id of ours is no row's. */
function rowId(id: string): number {
  return /^[0-9]{1,15}$/.test(id) ? Number(id) : -1;
}

function toUser({ id, email, phone, name, roles, active, joined_at, totp }: Person): UserRecord {
  return {
    id: String(id),
    email,
    phoneNumber: phone,
    fullName: name,
    roles: JSON.parse(roles) as string[],
    disabled: active === 0,
    createdAt: new Date(joined_at),
    totp,
  };
}

/** What is `undefined` stays as it is, and `null` empties the column. */
function toColumns({ email, phoneNumber, fullName, roles, disabled, totp }: UserChanges) {
  const columns = {
    email,
    phone: phoneNumber,
    name: fullName,
    roles: roles && JSON.stringify(roles),
    active: disabled === undefined ? undefined : Number(!disabled),
    totp,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}
