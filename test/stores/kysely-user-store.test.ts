import type { Kysely } from 'kysely';
import { kyselyUserStore, usersMigration } from '../../src/stores/kysely/index.js';
import { describeUserStore } from '../../src/testing/describe-user-store.js';
import { describeOnSql, openSql, type Sql } from '../support/sql.js';

describe.each<Sql>(['SQLite', 'PostgreSQL', 'MariaDB'])('%s', (sql) => {
  describeOnSql(sql, 'through Kysely', () => {
    const table = 'auth_users';
    let opened: Promise<Kysely<unknown>> | undefined;

    const open = async () => {
      const db = await openSql(sql);
      await db.schema.dropTable(table).ifExists().execute();
      await usersMigration().up(db);
      return db;
    };
    const emptied = async () => {
      const db = await (opened ??= open());
      await (db as Kysely<Record<string, object>>).deleteFrom(table).execute();
      return kyselyUserStore(db);
    };

    describeUserStore('kyselyUserStore', emptied);

    it('rejects with what the database says where that is not that an identifier is taken', async () => {
      await emptied();
      const store = kyselyUserStore(await openSql('SQLite'), { table: 'nowhere' });
      const user = { email: 'jane@example.com', roles: [], disabled: false, createdAt: new Date() };
      await expect(store.create(user)).rejects.toThrow(/no such table: nowhere/);
    });

    it('finds names in whatever case, in every script', async () => {
      const store = await emptied();
      const user = { email: 'jane@example.com', roles: [], disabled: false, createdAt: new Date() };
      await store.create({ ...user, fullName: 'Jane Ångström Στέφανος' });
      for (const query of ['ÅNGSTRÖM', 'ångström', 'ΣΤΈΦΑΝ', 'jANE Å'])
        expect([query, (await store.list({ skip: 0, limit: 9, query })).count]).toEqual([query, 1]);
    });

    it('keeps users in a table of another name, which the migration makes and drops', async () => {
      await emptied();
      const db = await opened!;
      const people = usersMigration({ table: 'people' });
      await db.schema.dropTable('people').ifExists().execute();
      await people.up(db);
      const store = kyselyUserStore(db, { table: 'people' });
      await store.create({ email: 'jane@example.com', roles: [], disabled: false, createdAt: new Date() });
      expect((await store.list({ skip: 0, limit: 10 })).count).toBe(1);
      await people.down?.(db);
      await expect(store.list({ skip: 0, limit: 10 })).rejects.toThrow();
    });
  });
});
