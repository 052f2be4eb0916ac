import type { OtpAuthOptions } from '../../src/index.js';
import { type Accounts, BOSS, JANE, JOHN, PHONE, startAccounts } from '../support/accounts.js';
import { describeOnEachUserStore } from '../support/each-user-store.js';
import { START_MS } from '../support/auth-app.js';

const SMS: OtpAuthOptions = { sms: { allowedCountries: ['DE'], send: () => {} } };
const MEMBERS = ['created_at', 'disabled', 'email', 'full_name', 'id', 'phone_number', 'roles', 'totp_enabled'];
const CREATED_AT = new Date(START_MS).toISOString();

describeOnEachUserStore('accounts', (stored) => {
  const start = (options: OtpAuthOptions = {}) => startAccounts({ ...stored(), ...options });
  const withAdmin = async (options: OtpAuthOptions = {}) => {
    const app = await start(options);
    return { ...app, admin: await app.signedIn(BOSS, { roles: ['user', 'admin'] }) };
  };
  const stillSignedIn = async ({ url }: Accounts, { authorization }: { authorization: string }) =>
    (await fetch(`${url}/me`, { headers: { authorization } })).status === 200;

  it('are listed in the order that they were made in, also where the clock stands still', async () => {
    const { auth } = await start();
    const emails = Array.from({ length: 20 }, (_, place) => `${(place * 7) % 20}@example.com`);
    for (const email of emails) await auth.api.createUser({ email });
    expect((await auth.api.listUsers()).data.map(({ email }) => email)).toEqual(emails);
    expect((await auth.api.listUsers({ skip: 5, limit: 5 })).data.map(({ email }) => email)).toEqual(
      emails.slice(5, 10),
    );
  });

  describe('GET /users/me', () => {
    it('shows the public members of the user who is signed in, and nothing else', async () => {
      const app = await start();
      const jane = await app.signedIn(JANE, { fullName: 'Jane Doe' });
      const { status, body, headers } = await app.as(jane, 'GET', '/users/me');
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe('no-store');
      expect(Object.keys(body).toSorted()).toEqual(MEMBERS);
      expect(body).toEqual({
        id: jane.id,
        email: JANE,
        phone_number: null,
        full_name: 'Jane Doe',
        roles: ['user'],
        disabled: false,
        totp_enabled: false,
        created_at: CREATED_AT,
      });
    });

    it('is 401 for nobody, and for whoever was removed behind its back', async () => {
      const options = stored();
      const app = await startAccounts(options);
      const jane = await app.signedIn(JANE);
      expect(await app.as(undefined, 'GET', '/users/me')).toMatchObject({
        status: 401,
        body: { code: 'token_missing' },
      });
      if (typeof options.users?.store !== 'object') return; // on Redis nobody else writes
      await options.users.store.delete(jane.id);
      expect(await app.as(jane, 'GET', '/users/me')).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
      expect(await app.as(jane, 'PATCH', '/users/me', {})).toMatchObject({ status: 401 });
      expect(await app.as(jane, 'DELETE', '/users/me')).toMatchObject({ status: 401 });
      expect(await app.as(jane, 'GET', `/users/${jane.id}`)).toMatchObject({ status: 401 });
      const change = await app.as(jane, 'POST', '/users/me/identifier', { email: JOHN });
      expect(change).toMatchObject({ status: 401 });
    });
  });

  describe('PATCH /users/me', () => {
    it('changes the full name, and clears it', async () => {
      const app = await start();
      const jane = await app.signedIn(JANE);
      const changed = await app.as(jane, 'PATCH', '/users/me', { full_name: '  Jane “Ångström” 李 ' });
      expect(changed).toMatchObject({ status: 200, body: { full_name: 'Jane “Ångström” 李', email: JANE } });
      expect((await app.as(jane, 'GET', '/users/me')).body).toEqual(changed.body);
      expect((await app.as(jane, 'PATCH', '/users/me', {})).body).toEqual(changed.body);
      expect((await app.as(jane, 'PATCH', '/users/me')).body).toEqual(changed.body);
      expect((await app.as(jane, 'PATCH', '/users/me', { full_name: null })).body['full_name']).toBeNull();
      await app.as(jane, 'PATCH', '/users/me', { full_name: 'J' });
      expect((await app.as(jane, 'PATCH', '/users/me', { full_name: ' ' })).body['full_name']).toBeNull();
    });

    it('lets nobody make themselves what they are not', async () => {
      const app = await start();
      const jane = await app.signedIn(JANE);
      const grabbed = {
        full_name: 'Jane',
        id: 'another',
        roles: ['admin'],
        disabled: true,
        email: JOHN,
        phone_number: PHONE,
        totp_enabled: true,
        created_at: '2000-01-01T00:00:00.000Z',
        totp: 'state',
        is_admin: true,
        __proto__: { roles: ['admin'] },
      };
      const { status, body } = await app.as(jane, 'PATCH', '/users/me', grabbed);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          id: jane.id,
          email: JANE,
          phone_number: null,
          full_name: 'Jane',
          roles: ['user'],
          disabled: false,
          totp_enabled: false,
          created_at: CREATED_AT,
        },
      });
      const { accessToken } = await app.auth.api.refresh({ refreshToken: jane.refreshToken });
      expect((await app.auth.api.authenticate(accessToken)).roles).toEqual(['user']);
    });

    it.each([
      ['a number', 5],
      ['a list', ['Jane']],
      ['more than 200 characters', 'x'.repeat(201)],
      ['a line break', 'Jane\nDoe'],
      ['half a surrogate pair', 'Jane \ud83d'],
      ['a zero byte', 'Jane\0'],
    ])('refuses %s for a name', async (_what, name) => {
      const app = await start();
      const jane = await app.signedIn(JANE);
      const { status, body } = await app.as(jane, 'PATCH', '/users/me', { full_name: name });
      expect({ status, code: body.code, path: body.errors?.[0]?.path }).toEqual({
        status: 400,
        code: 'invalid_request',
        path: 'full_name',
      });
    });
  });

  describe('DELETE /users/me', () => {
    it('removes the account with its sessions, and frees its address', async () => {
      const app = await start();
      const jane = await app.signedIn(JANE);
      const elsewhere = await app.signedIn(JANE);
      const { status, text, cookies } = await app.as(jane, 'DELETE', '/users/me');
      expect({ status, text }).toEqual({ status: 204, text: '' });
      expect(cookies).toMatchObject([{ name: 'refresh_token', value: '' }]);
      expect(await stillSignedIn(app, jane)).toBe(false);
      expect(await stillSignedIn(app, elsewhere)).toBe(false);
      await expect(app.auth.api.refresh({ refreshToken: elsewhere.refreshToken })).rejects.toMatchObject({
        code: 'invalid_refresh_token',
      });
      await expect(app.auth.api.getUser(jane.id)).rejects.toMatchObject({ code: 'not_found' });
      expect((await app.signedIn(JANE)).id).not.toBe(jane.id);
    });

    it('asks for a recent sign-in', async () => {
      const app = await start();
      const jane = await app.signedIn(JANE);
      app.clock.advanceSeconds(601);
      const { status, body, headers } = await app.as(jane, 'DELETE', '/users/me');
      expect({ status, code: body.code }).toEqual({ status: 401, code: 'reauthentication_required' });
      expect(headers['www-authenticate']).toContain('error="insufficient_user_authentication"');
      expect(await app.auth.api.getUser(jane.id)).toMatchObject({ email: JANE });
    });

    it('leaves the last admin, and lets any other go', async () => {
      const app = await withAdmin();
      expect(await app.as(app.admin, 'DELETE', '/users/me')).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await stillSignedIn(app, app.admin)).toBe(true);
      await app.auth.api.createUser({ email: JANE, roles: ['admin'] });
      expect(await app.as(app.admin, 'DELETE', '/users/me')).toMatchObject({ status: 204 });
    });

    it('does not count admins who are disabled', async () => {
      const app = await withAdmin();
      await app.auth.api.createUser({ email: JANE, roles: ['admin'], disabled: true });
      expect(await app.as(app.admin, 'DELETE', '/users/me')).toMatchObject({ status: 409 });
    });
  });

  describe('GET /users', () => {
    const fill = async (app: Accounts) => {
      for (const name of ['Ann', 'Bob', 'Cid']) {
        app.clock.advanceSeconds(1);
        await app.auth.api.createUser({ email: `${name.toLowerCase()}@example.org`, fullName: `${name} 100 %` });
      }
    };
    const emails = (body: { [member: string]: unknown }) =>
      (body['data'] as { email: string }[]).map(({ email }) => email);

    it('lists all users, oldest first, with public members alone', async () => {
      const app = await withAdmin();
      await fill(app);
      const { status, body } = await app.as(app.admin, 'GET', '/users');
      expect(status).toBe(200);
      expect(Object.keys(body)).toEqual(['data', 'count']);
      expect(emails(body)).toEqual([BOSS, 'ann@example.org', 'bob@example.org', 'cid@example.org']);
      expect(body['count']).toBe(4);
      for (const user of body['data'] as object[]) expect(Object.keys(user).toSorted()).toEqual(MEMBERS);
    });

    it('pages, counts all, and finds', async () => {
      const app = await withAdmin();
      await fill(app);
      const list = async (query: string) => {
        const { body } = await app.as(app.admin, 'GET', `/users?${query}`);
        return [emails(body).map((email) => email.slice(0, 3)), body['count']];
      };
      expect(await list('skip=1&limit=2')).toEqual([['ann', 'bob'], 4]);
      expect(await list('skip=3')).toEqual([['cid'], 4]);
      expect(await list('skip=100')).toEqual([[], 4]);
      expect(await list('limit=1000')).toEqual([['bos', 'ann', 'bob', 'cid'], 4]);
      expect(await list('query=EXAMPLE.ORG&limit=1')).toEqual([['ann'], 3]);
      expect(await list('query=bob%20100%20%25')).toEqual([['bob'], 1]);
      expect(await list('query=%25')).toEqual([['ann', 'bob', 'cid'], 3]);
      expect(await list('query=_')).toEqual([[], 0]);
      expect(await list('query=')).toEqual([['bos', 'ann', 'bob', 'cid'], 4]);
      expect(await list('query=%27%20or%201=1--')).toEqual([[], 0]);
      expect(await list('unknown=1')).toEqual([['bos', 'ann', 'bob', 'cid'], 4]);
    });

    it.each(['skip=-1', 'skip=x', 'skip=1.5', 'limit=0', 'limit=1001', 'limit=', 'skip=1&skip=2', 'query=a%00b'])(
      'refuses %s',
      async (query) => {
        const app = await withAdmin();
        const { status, body } = await app.as(app.admin, 'GET', `/users?${query}`);
        expect({ status, code: body.code, path: body.errors?.[0]?.path }).toEqual({
          status: 400,
          code: 'invalid_request',
          path: query.split('=')[0],
        });
      },
    );
  });

  describe('POST /users', () => {
    it('makes a user who can sign in, with the roles given', async () => {
      const app = await withAdmin();
      const { status, body } = await app.as(app.admin, 'POST', '/users', {
        email: ' Jane@Example.COM ',
        full_name: 'Jane',
        roles: ['user', 'editor of news', 'user'],
      });
      expect({ status, body }).toEqual({
        status: 201,
        body: {
          id: expect.any(String) as string,
          email: JANE,
          phone_number: null,
          full_name: 'Jane',
          roles: ['user', 'editor of news'],
          disabled: false,
          totp_enabled: false,
          created_at: CREATED_AT,
        },
      });
      const jane = await app.signedIn(JANE);
      expect(jane.id).toBe(body['id']);
      const { roles } = await app.auth.api.authenticate(jane.accessToken);
      expect(roles).toEqual(['user', 'editor of news']);
    });

    it('makes a user by phone number, without an invented address', async () => {
      const app = await withAdmin(SMS);
      const { status, body } = await app.as(app.admin, 'POST', '/users', { phone_number: '+49 151 12345678' });
      expect({ status, email: body['email'], phone: body['phone_number'], roles: body['roles'] }).toEqual({
        status: 201,
        email: null,
        phone: PHONE,
        roles: ['user'],
      });
    });

    it('makes a user who is disabled', async () => {
      const app = await withAdmin();
      expect(await app.as(app.admin, 'POST', '/users', { email: JANE, disabled: true })).toMatchObject({
        status: 201,
        body: { disabled: true },
      });
      const otp = await app.codeFor(JANE);
      expect(await app.as(undefined, 'POST', '/verify-otp', { email: JANE, otp })).toMatchObject({
        status: 400,
        body: { code: 'invalid_otp' },
      });
    });

    it('is 409 where somebody has the address, however it is written', async () => {
      const app = await withAdmin();
      await app.auth.api.createUser({ email: JANE });
      expect(await app.as(app.admin, 'POST', '/users', { email: 'JANE@example.com' })).toMatchObject({
        status: 409,
        body: { code: 'conflict' },
      });
      expect((await app.auth.api.listUsers()).count).toBe(2);
    });

    it('takes no id, no time and no second factor from anybody', async () => {
      const app = await withAdmin();
      const extra = { id: 'mine', created_at: '2000-01-01T00:00:00Z', totp_enabled: true, totp: 'state' };
      const { body } = await app.as(app.admin, 'POST', '/users', { email: JANE, ...extra });
      expect(body).toMatchObject({ totp_enabled: false, created_at: CREATED_AT });
      expect(body['id']).not.toBe('mine');
    });

    it.each([
      ['no identifier', {}, 'email'],
      ['no body', undefined, 'email'],
      ['two identifiers', { email: JANE, phone_number: PHONE }, 'phone_number'],
      ['a list of addresses', { email: `${JANE},${JOHN}` }, 'email'],
      ['roles that are no list', { email: JANE, roles: 'admin' }, 'roles'],
      ['an empty role', { email: JANE, roles: [''] }, 'roles.0'],
      ['a role of two lines', { email: JANE, roles: ['user\nadmin'] }, 'roles.0'],
      ['33 roles', { email: JANE, roles: Array.from({ length: 33 }, (_, place) => `role ${place}`) }, 'roles'],
      ['a disabled that is text', { email: JANE, disabled: 'false' }, 'disabled'],
    ])('refuses %s', async (_what, sent, path) => {
      const app = await withAdmin();
      const { status, body } = await app.as(app.admin, 'POST', '/users', sent);
      expect({ status, code: body.code, path: body.errors?.[0]?.path }).toEqual({
        status: 400,
        code: 'invalid_request',
        path,
      });
    });
  });

  describe('GET, PATCH and DELETE /users/:id', () => {
    it('show users themselves, and admins everybody', async () => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE);
      const own = await app.as(jane, 'GET', `/users/${jane.id}`);
      expect(own).toMatchObject({ status: 200, body: { id: jane.id, email: JANE } });
      expect((await app.as(app.admin, 'GET', `/users/${jane.id}`)).body).toEqual(own.body);
    });

    it('are 403 for everybody else, whether there is such a user or not', async () => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE);
      const john = await app.auth.api.createUser({ email: JOHN });
      for (const id of [john.id, app.admin.id, 'nobody', '%00', 'x'.repeat(300)]) {
        const answers = [
          await app.as(jane, 'GET', `/users/${id}`),
          await app.as(jane, 'PATCH', `/users/${id}`, { full_name: 'x' }),
          await app.as(jane, 'DELETE', `/users/${id}`),
        ];
        for (const { status, body } of answers)
          expect({ status, body }).toEqual({
            status: 403,
            body: {
              type: 'urn:express-otp-auth:error:insufficient_scope',
              title: 'Not allowed',
              status: 403,
              detail: 'You may not do this.',
              code: 'insufficient_scope',
            },
          });
      }
      for (const [method, path] of [
        ['PATCH', `/users/${jane.id}`],
        ['DELETE', `/users/${jane.id}`],
        ['GET', '/users'],
        ['POST', '/users'],
      ] as const)
        expect(await app.as(jane, method, path)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
      expect((await app.auth.api.listUsers()).count).toBe(3);
    });

    it('are 401 without a token', async () => {
      const app = await start();
      for (const [method, path] of [
        ['GET', '/users/me'],
        ['PATCH', '/users/me'],
        ['DELETE', '/users/me'],
        ['POST', '/users/me/identifier'],
        ['POST', '/users/me/identifier/verify'],
        ['GET', '/users'],
        ['POST', '/users'],
        ['GET', '/users/some'],
        ['PATCH', '/users/some'],
        ['DELETE', '/users/some'],
      ] as const)
        expect(await app.as(undefined, method, path)).toMatchObject({ status: 401, body: { code: 'token_missing' } });
    });

    it('are 405 for other methods', async () => {
      const app = await withAdmin();
      for (const [method, path, allow] of [
        ['PUT', '/users/some', 'GET, PATCH, DELETE'],
        ['POST', '/users/me', 'GET, PATCH, DELETE'],
        ['DELETE', '/users', 'GET, POST'],
        ['GET', '/users/me/identifier', 'POST'],
      ] as const)
        expect(await app.as(app.admin, method, path)).toMatchObject({ status: 405, headers: { allow } });
    });

    it('are 404 to admins where there is no such user', async () => {
      const app = await withAdmin();
      for (const id of ['nobody', '%00', '%27%20or%201=1', 'x'.repeat(300), '00000000-0000-0000-0000-000000000000'])
        for (const method of ['GET', 'PATCH', 'DELETE']) {
          const body = method === 'PATCH' ? { roles: ['user'] } : undefined;
          const answer = await app.as(app.admin, method, `/users/${id}`, body);
          expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 404, code: 'not_found' });
        }
    });

    it('change every member that is the admin’s to change, and no other', async () => {
      const app = await withAdmin(SMS);
      const jane = await app.auth.api.createUser({ email: JANE });
      const changes = {
        email: 'Doe@example.com',
        phone_number: PHONE,
        full_name: 'Jane',
        roles: ['a'],
        disabled: true,
      };
      const none = { id: 'another', created_at: '2000-01-01T00:00:00Z', totp_enabled: true, totp: 'state' };
      const { status, body } = await app.as(app.admin, 'PATCH', `/users/${jane.id}`, { ...changes, ...none });
      expect({ status, body }).toEqual({
        status: 200,
        body: { id: jane.id, totp_enabled: false, created_at: CREATED_AT, ...changes, email: 'doe@example.com' },
      });
      expect((await app.as(app.admin, 'GET', `/users/${jane.id}`)).body).toEqual(body);
    });

    it('take an identifier away where another is left', async () => {
      const app = await withAdmin(SMS);
      const { id } = await app.auth.api.createUser({ email: JANE });
      const change = (body: object) => app.as(app.admin, 'PATCH', `/users/${id}`, body);
      expect(await change({ email: null })).toMatchObject({ status: 400, body: { errors: [{ path: 'email' }] } });
      expect(await change({ email: null, phone_number: PHONE })).toMatchObject({
        status: 200,
        body: { email: null, phone_number: PHONE },
      });
      expect(await change({ phone_number: null })).toMatchObject({ status: 400 });
    });

    it('are 409 where another user has the identifier', async () => {
      const app = await withAdmin();
      const { id } = await app.auth.api.createUser({ email: JANE, fullName: 'Jane' });
      await app.auth.api.createUser({ email: JOHN });
      const taken = await app.as(app.admin, 'PATCH', `/users/${id}`, { email: JOHN, full_name: 'John' });
      expect(taken).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await app.auth.api.getUser(id)).toMatchObject({ email: JANE, fullName: 'Jane' });
    });

    it('tell an old address that it is no longer the one', async () => {
      const app = await withAdmin();
      const { id } = await app.auth.api.createUser({ email: JANE });
      await app.as(app.admin, 'PATCH', `/users/${id}`, { email: JOHN });
      expect(app.mails.filter(({ to }) => to === JANE)).toMatchObject([{ purpose: 'identifier_changed' }]);
      expect(app.mails.filter(({ to }) => to === JOHN)).toEqual([]);
    });

    it('remove a user with all that belongs to it', async () => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE);
      expect(await app.as(app.admin, 'DELETE', `/users/${jane.id}`)).toMatchObject({ status: 204, text: '' });
      expect(await app.as(app.admin, 'DELETE', `/users/${jane.id}`)).toMatchObject({ status: 404 });
      expect(await stillSignedIn(app, jane)).toBe(false);
    });

    it('leave the last admin an admin', async () => {
      const app = await withAdmin();
      const path = `/users/${app.admin.id}`;
      for (const body of [{ roles: ['user'] }, { roles: [] }, { disabled: true }, { roles: ['user'], full_name: 'x' }])
        expect(await app.as(app.admin, 'PATCH', path, body)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await app.as(app.admin, 'DELETE', path)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await app.as(app.admin, 'GET', '/users/me')).toMatchObject({
        body: { roles: ['user', 'admin'], disabled: false, full_name: null },
      });
      expect(await app.as(app.admin, 'PATCH', path, { roles: ['admin', 'chief'], disabled: false })).toMatchObject({
        status: 200,
      });
    });
  });

  describe('what is taken from a user', () => {
    it.each([
      ['the account', { disabled: true }],
      ['a role', { roles: ['user'] }],
      ['the address', { email: JOHN }],
    ])('takes effect on live tokens at once: %s', async (_what, changes) => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE, { roles: ['user', 'editor'] });
      expect(await stillSignedIn(app, jane)).toBe(true);
      expect(await app.as(app.admin, 'PATCH', `/users/${jane.id}`, changes)).toMatchObject({ status: 200 });
      expect(await stillSignedIn(app, jane)).toBe(false);
      expect(await app.as(undefined, 'POST', '/refresh', { refresh_token: jane.refreshToken })).toMatchObject({
        status: 401,
        body: { code: 'invalid_refresh_token' },
      });
    });

    it('takes an admin’s powers at once', async () => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE, { roles: ['admin'] });
      expect(await app.as(jane, 'GET', '/users')).toMatchObject({ status: 200 });
      await app.as(app.admin, 'PATCH', `/users/${jane.id}`, { roles: [] });
      expect(await app.as(jane, 'GET', '/users')).toMatchObject({ status: 401 });
      const again = await app.signedIn(JANE);
      expect(await app.as(again, 'GET', '/users')).toMatchObject({ status: 403 });
    });

    it('leaves whoever is given something, or another name, signed in; the next token knows of it', async () => {
      const app = await withAdmin();
      const jane = await app.signedIn(JANE);
      await app.as(app.admin, 'PATCH', `/users/${jane.id}`, {
        roles: ['user', 'editor'],
        full_name: 'J',
        disabled: false,
      });
      expect(await stillSignedIn(app, jane)).toBe(true);
      const { accessToken } = await app.auth.api.refresh({ refreshToken: jane.refreshToken });
      expect((await app.auth.api.authenticate(accessToken)).roles).toEqual(['user', 'editor']);
    });
  });

  describe('events', () => {
    it('tell of every change, with the address masked and who asked', async () => {
      const app = await withAdmin();
      const events: object[] = [];
      for (const name of ['user.created', 'user.updated', 'user.deleted'] as const)
        app.auth.events.on(name, (event) => events.push({ ...event, name }));
      const { body } = await app.as(app.admin, 'POST', '/users', { email: JANE });
      await app.as(app.admin, 'PATCH', `/users/${String(body['id'])}`, { full_name: 'Jane', roles: ['user'] });
      await app.as(app.admin, 'PATCH', `/users/${String(body['id'])}`, { full_name: 'Jane' });
      await app.as(app.admin, 'DELETE', `/users/${String(body['id'])}`);
      const context = { identifier: 'j***@example.com', userId: body['id'], ip: '127.0.0.1' };
      expect(events).toMatchObject([
        { name: 'user.created', ...context },
        { name: 'user.updated', ...context, changed: ['fullName'] },
        { name: 'user.deleted', ...context },
      ]);
    });
  });

  describe('auth.api', () => {
    it('does what the endpoints do', async () => {
      const app = await start();
      const { api } = app.auth;
      const jane = await api.createUser({ email: ' JANE@example.com', fullName: 'Jane', roles: ['admin'] });
      expect(jane).toEqual({
        id: expect.any(String) as string,
        email: JANE,
        phoneNumber: undefined,
        fullName: 'Jane',
        roles: ['admin'],
        disabled: false,
        totpEnabled: false,
        createdAt: new Date(START_MS),
      });
      expect(await api.getUser(jane.id)).toEqual(jane);
      expect(await api.listUsers({ skip: 0, limit: 1, query: 'jane' })).toEqual({ data: [jane], count: 1 });
      const changed = await api.updateUser(jane.id, { fullName: null });
      expect(changed).toEqual({ ...jane, fullName: undefined });
      await expect(api.updateUser(jane.id, { roles: [] })).rejects.toMatchObject({ code: 'conflict' });
      await expect(api.deleteUser(jane.id)).rejects.toMatchObject({ code: 'conflict' });
      await api.createUser({ email: JOHN, roles: ['admin'] });
      await api.deleteUser(jane.id);
      await expect(api.getUser(jane.id)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('refuses what the endpoints refuse', async () => {
      const { api } = (await start()).auth;
      await expect(api.createUser({ email: 'nobody' })).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(api.listUsers({ limit: 1001 })).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(api.updateUser('nobody', { roles: [] })).rejects.toMatchObject({ code: 'not_found' });
      await expect(api.deleteUser('nobody')).rejects.toMatchObject({ code: 'not_found' });
    });
  });
});

describe('without a user store', () => {
  it('there are no endpoints on users, and the functions say why', async () => {
    const app = await startAccounts({});
    for (const path of ['/users/me', '/users', '/users/some', '/users/me/identifier'])
      expect(await app.as(undefined, 'GET', path)).toMatchObject({ status: 404, body: {} });
    await expect(app.auth.api.listUsers()).rejects.toMatchObject({
      code: 'not_found',
      message: 'There are no accounts: users.store is not set.',
    });
  });
});
