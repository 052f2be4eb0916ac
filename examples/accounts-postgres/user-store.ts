import type { UserChanges, UserRecord, UserStore } from 'express-otp-auth';
import type { Pool } from 'pg';

/** The application's own table. Signing in needs the columns up to `totp`; the others are the application's business. */
export const PEOPLE = `
  CREATE TABLE IF NOT EXISTS people (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email     text UNIQUE,
    phone     text UNIQUE,
    name      text,
    roles     text[] NOT NULL,
    active    boolean NOT NULL,
    joined_at timestamptz NOT NULL,
    totp      text,
    colour    text
  )
`;

interface Person {
  /** `bigint` comes as text. */
  id: string;
  email: string | null;
  phone: string | null;
  name: string | null;
  roles: string[];
  active: boolean;
  joined_at: Date;
  totp: string | null;
}

const UNIQUE_VIOLATION = '23505';

/** Users in the table `people`: the six functions that express-otp-auth asks for. */
export function peopleStore(pool: Pool): UserStore {
  const one = async (sql: string, ...values: unknown[]) => {
    const { rows } = await pool.query<Person>(sql, values);
    return rows[0] && toUser(rows[0]);
  };

  return {
    findById: (id) => one('SELECT * FROM people WHERE id = $1', rowId(id)),

    findByIdentifier: ({ kind, value }) =>
      one(`SELECT * FROM people WHERE ${kind === 'email' ? 'email' : 'phone'} = $1`, value),

    async create(user) {
      const columns = { ...toColumns(user), joined_at: user.createdAt };
      const names = Object.keys(columns);
      const places = names.map((_, place) => `$${place + 1}`);
      return (
        (await one(
          `INSERT INTO people (${names}) VALUES (${places}) ON CONFLICT DO NOTHING RETURNING *`,
          ...Object.values(columns),
        )) ?? 'taken'
      );
    },

    async update(id, changes) {
      const columns = toColumns(changes);
      const set = Object.keys(columns).map((name, place) => `${name} = $${place + 2}`);
      if (set.length === 0) return one('SELECT * FROM people WHERE id = $1', rowId(id));
      try {
        return await one(`UPDATE people SET ${set} WHERE id = $1 RETURNING *`, rowId(id), ...Object.values(columns));
      } catch (error) {
        if ((error as { code?: string }).code === UNIQUE_VIOLATION) return 'taken';
        throw error;
      }
    },

    async delete(id) {
      const { rowCount } = await pool.query('DELETE FROM people WHERE id = $1', [rowId(id)]);
      return rowCount === 1;
    },

    async list({ skip, limit, query = '', role }) {
      // Not LIKE: there, `%` and `_` in what somebody types would stand for anything.
      const matching = `
        FROM people
        WHERE ($1 = '' OR strpos(lower(email), lower($1)) > 0 OR strpos(phone, $1) > 0 OR strpos(lower(name), lower($1)) > 0)
          AND ($2::text IS NULL OR $2 = ANY (roles))`;
      const values = [query, role ?? null];
      const [page, total] = await Promise.all([
        pool.query<Person>(`SELECT * ${matching} ORDER BY joined_at, id LIMIT $3 OFFSET $4`, [...values, limit, skip]),
        pool.query<{ count: string }>(`SELECT count(*) ${matching}`, values),
      ]);
      return { users: page.rows.map(toUser), count: Number(total.rows[0]?.count) };
    },
  };
}

/** Ids are text to express-otp-auth; text that is no id of ours is no row's. */
function rowId(id: string): string {
  return /^[0-9]{1,18}$/.test(id) ? id : '-1';
}

function toUser({ id, email, phone, name, roles, active, joined_at, totp }: Person): UserRecord {
  return { id, email, phoneNumber: phone, fullName: name, roles, disabled: !active, createdAt: joined_at, totp };
}

/** What is `undefined` stays as it is, and `null` empties the column. */
function toColumns({ email, phoneNumber, fullName, roles, disabled, totp }: UserChanges) {
  const columns = {
    email,
    phone: phoneNumber,
    name: fullName,
    roles,
    active: disabled === undefined ? undefined : !disabled,
    totp,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}
