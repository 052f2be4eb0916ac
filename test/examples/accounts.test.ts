import { cpSync } from 'node:fs';
import path from 'node:path';
import { call } from '../support/call.js';
import { projectWithPackage, runInstalled } from '../support/installed-package.js';
import { type Program, startProgram } from '../support/program.js';
import { describeOnSql, sqlUrl } from '../support/sql.js';

const root = path.resolve(__dirname, '../..');
const BOSS = 'boss@example.com';
const JANE = 'jane@example.com';

jest.setTimeout(180_000); // A compiler and servers, on a machine that may have other things to do

let project: string;
beforeAll(() => {
  project = projectWithPackage({ kinds: ['esm'] });
});

describe.each([
  { name: 'accounts-sqlite', sql: 'SQLite' },
  { name: 'accounts-postgres', sql: 'PostgreSQL' },
] as const)('examples/$name', ({ name, sql }) => {
  describeOnSql(sql, `in ${sql}`, () => {
    let folder: string;
    let env: Record<string, string>;

    beforeAll(async () => {
      folder = path.join(project, name);
      cpSync(path.join(root, 'examples', name), folder, { recursive: true });
      runInstalled('tsc', [], folder);
      env =
        sql === 'SQLite' ? { DATABASE_FILE: path.join(folder, 'people.sqlite') } : { DATABASE_URL: await sqlUrl(sql) };
    });

    const start = async () => {
      const server = startProgram(process.execPath, ['dist/server.js'], {
        cwd: folder,
        env: { ...env, PORT: '0', EXPRESS_OTP_AUTH_FIRST_ADMIN: BOSS },
      });
      const url = await server.line(/^http:/);
      return { server, url, as: asUser(url), signIn: (email: string) => signIn(server, url, email) };
    };

    it('keeps its people, with what is its own, over restarts', async () => {
      const { server, as, signIn: signInAs } = await start();
      const jane = await signInAs(JANE);
      expect(await as(jane, 'GET', '/colour')).toMatchObject({ status: 200, body: { colour: null } });
      expect(await as(jane, 'PUT', '/colour', { colour: 'green' })).toMatchObject({ status: 204 });
      const { body } = await as(jane, 'PATCH', '/auth/users/me', { full_name: 'Jane Doe' });
      expect(body).toMatchObject({ email: JANE, full_name: 'Jane Doe', roles: ['user'] });
      server.signal('SIGTERM');
      await expect(server.ended).resolves.toEqual({ code: 0, signal: null });

      const again = await start();
      const sameJane = await again.signIn(JANE);
      expect(await again.as(sameJane, 'GET', '/colour')).toMatchObject({ body: { colour: 'green' } });
      expect((await again.as(sameJane, 'GET', '/auth/users/me')).body).toEqual(body);
    });

    it('has an admin from the start, who manages people', async () => {
      const { as, signIn: signInAs } = await start();
      const boss = await signInAs(BOSS);
      const made = await as(boss, 'POST', '/auth/users', { email: 'john@example.com', roles: ['user', 'painter'] });
      expect(made).toMatchObject({ status: 201, body: { roles: ['user', 'painter'] } });
      const taken = await as(boss, 'POST', '/auth/users', { email: 'John@example.com' });
      expect(taken).toMatchObject({ status: 409, body: { code: 'conflict' } });
      const listed = await as(boss, 'GET', '/auth/users?query=JOHN');
      expect(listed.body).toEqual({ data: [made.body], count: 1 });
      const john = await signInAs('john@example.com');
      const { id } = made.body;
      expect(await as(boss, 'PATCH', `/auth/users/${String(id)}`, { disabled: true })).toMatchObject({ status: 200 });
      expect(await as(john, 'GET', '/colour')).toMatchObject({ status: 401 });
      expect(await as(boss, 'DELETE', `/auth/users/${String(id)}`)).toMatchObject({ status: 204 });
      expect(await as(boss, 'DELETE', '/auth/users/me')).toMatchObject({ status: 409 });
    });

    it('passes the suite that every user store must pass', async () => {
      const program = startProgram(process.execPath, ['--test', '--test-reporter=tap', 'dist/user-store.test.js'], {
        cwd: folder,
        env: { TEST_DATABASE_URL: env['DATABASE_URL'] ?? '' },
      });
      await expect(program.ended).resolves.toEqual({ code: 0, signal: null });
      const runs = program.said();
      expect(runs).toMatch(/^# fail 0$/m);
      expect(Number(/^# pass (\d+)$/m.exec(runs)?.[1])).toBeGreaterThan(30);
    });
  });
});

function asUser(url: string) {
  return (authorization: string, method: string, place: string, body?: object) =>
    call(`${url}${place}`, { method, body, headers: { Authorization: authorization } });
}

/** The whole way, with the code that a server without a mail server prints. */
async function signIn(server: Program, url: string, email: string): Promise<string> {
  await call(`${url}/auth/request-otp`, { body: { email } });
  const line = await server.line(new RegExp(`^To ${email}: `));
  const otp = /\b\d{6}\b/.exec(line)?.[0];
  const { body } = await call(`${url}/auth/verify-otp`, { body: { email, otp } });
  return `Bearer ${String(body.access_token)}`;
}
