import { memoryUserStore, type OtpAuthOptions, type UserStore } from '../../src/index.js';
import { type Accounts, BOSS, JANE, JOHN, PHONE, startAccounts } from '../support/accounts.js';
import { fakeClock } from '../support/auth-app.js';
import { describeOnEachUserStore } from '../support/each-user-store.js';

const verify = (app: Accounts, email: string, otp: string) =>
  app.as(undefined, 'POST', '/verify-otp', { email, otp, token_transport: 'body' });
const request = (app: Accounts, email: string) => app.as(undefined, 'POST', '/request-otp', { email });
const INVALID_OTP = { status: 400, body: { code: 'invalid_otp' } };

describeOnEachUserStore('signing up', (stored) => {
  const start = (options: OtpAuthOptions = {}, clock = fakeClock()) =>
    startAccounts({ ...stored(), ...options, users: { ...stored().users, ...options.users } }, clock);
  const emails = async (app: Accounts) => (await app.auth.api.listUsers()).data.map(({ email }) => email);

  describe('where it is open', () => {
    it('makes the user when the first code is verified, and never before', async () => {
      const app = await start();
      const otp = await app.codeFor(JANE);
      expect(await emails(app)).toEqual([]);
      expect(await verify(app, JANE, otp === '000000' ? '000001' : '000000')).toMatchObject(INVALID_OTP);
      expect(await emails(app)).toEqual([]);
      expect(await verify(app, JANE, otp)).toMatchObject({ status: 200 });
      expect(await emails(app)).toEqual([JANE]);
    });

    it('makes one user, who is the same one the next time', async () => {
      const app = await start();
      const first = await app.signIn(JANE);
      const second = await app.signIn(JANE);
      const ids = await Promise.all(
        [first, second].map(async ({ accessToken }) => (await app.auth.api.authenticate(accessToken)).id),
      );
      expect(ids[0]).toBe(ids[1]);
      expect(ids[0]).not.toBe(JANE);
    });

    it('puts id, address and roles into the token, and what claims(user) adds', async () => {
      const app = await start({
        claims: ({ fullName, roles }) => ({ name: fullName, staff: roles.includes('editor') }),
      });
      const jane = await app.signedIn(JANE, { roles: ['editor'], fullName: 'Jane' });
      const user = await app.auth.api.authenticate(jane.accessToken);
      expect(user).toMatchObject({ id: jane.id, email: JANE, roles: ['editor'] });
      expect(user.claims).toMatchObject({ sub: jane.id, email: JANE, roles: ['editor'], name: 'Jane', staff: true });
    });

    it('gives a user the role user', async () => {
      const app = await start();
      const { accessToken } = await app.signIn(JANE);
      expect((await app.auth.api.authenticate(accessToken)).roles).toEqual(['user']);
    });

    it('makes users by phone number, without an invented address', async () => {
      const texts: { to: string; code: string }[] = [];
      const app = await start({ sms: { allowedCountries: ['DE'], send: (sms) => texts.push(sms) } });
      await app.as(undefined, 'POST', '/request-otp', { phone_number: '+49 151 12345678' });
      const body = { phone_number: PHONE, otp: texts[0]?.code, token_transport: 'body' };
      const signedIn = await app.as(undefined, 'POST', '/verify-otp', body);
      const authorization = `Bearer ${String(signedIn.body.access_token)}`;
      const { body: user } = await app.as({ authorization }, 'GET', '/users/me');
      expect(user).toMatchObject({ email: null, phone_number: PHONE, roles: ['user'] });
      const { claims } = await app.auth.api.authenticate(String(signedIn.body.access_token));
      expect(claims).toMatchObject({ sub: user['id'], phone_number: PHONE });
      expect(claims).not.toHaveProperty('email');
    });

    it('answers alike for users, strangers and users who are disabled', async () => {
      const app = await start();
      await app.auth.api.createUser({ email: JANE });
      await app.auth.api.createUser({ email: JOHN, disabled: true });
      const answers = await Promise.all([JANE, JOHN, 'eve@example.com'].map((email) => request(app, email)));
      const [known, disabled, unknown] = answers.map(({ status, body, headers }) => {
        const { date: _date, ratelimit: _remaining, ...fields } = headers;
        return { status, body, fields };
      });
      expect(disabled).toEqual(known);
      expect(unknown).toEqual(known);
      expect(app.mails.map(({ to }) => to).toSorted()).toEqual(['eve@example.com', JANE, JOHN].toSorted());
    });

    it('signs nobody in who is disabled, and says what it says of a wrong code', async () => {
      const app = await start();
      const { id } = await app.auth.api.createUser({ email: JANE, disabled: true });
      const wrong = await verify(app, JANE, '000000');
      const right = await verify(app, JANE, await app.codeFor(JANE));
      expect({ status: right.status, body: right.body, cookies: right.cookies }).toEqual({
        status: 400,
        body: wrong.body,
        cookies: [],
      });
      await app.auth.api.updateUser(id, { disabled: false });
      expect(await verify(app, JANE, await app.codeFor(JANE))).toMatchObject({ status: 200 });
    });

    it('refreshes what the user has become, and nothing where the user is disabled or gone', async () => {
      const options = stored();
      const app = await start();
      const jane = await app.signedIn(JANE);
      if (typeof options.users?.store !== 'object') return; // on Redis nobody else writes
      // Behind the package's back, as an application does that keeps its own table.
      await options.users.store.update(jane.id, { roles: ['editor'], fullName: 'J' });
      const refreshed = await app.auth.api.refresh({ refreshToken: jane.refreshToken });
      expect((await app.auth.api.authenticate(refreshed.accessToken)).roles).toEqual(['editor']);
      await options.users.store.update(jane.id, { disabled: true });
      const { refreshToken } = refreshed;
      await expect(app.auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
      await options.users.store.delete(jane.id);
      await expect(app.auth.api.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    });
  });

  describe('where it is closed', () => {
    const closed = (options: OtpAuthOptions = {}) => start({ signUp: 'closed', ...options });
    /** What is sent in the background is out when all that was started has got on. */
    const turns = async () => {
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    };

    it('signs users in, and sends nobody else anything', async () => {
      const app = await closed();
      await app.auth.api.createUser({ email: JANE });
      expect(await verify(app, JANE, await app.codeFor(JANE))).toMatchObject({ status: 200 });
      expect(await request(app, JOHN)).toMatchObject({ status: 200 });
      await turns();
      expect(app.mails.map(({ to }) => to)).toEqual([JANE]);
      expect(await emails(app)).toEqual([JANE]);
    });

    it('makes nobody a user again who was deleted while the code was on its way', async () => {
      const app = await closed();
      const { id } = await app.auth.api.createUser({ email: JANE });
      const otp = await app.codeFor(JANE);
      await app.auth.api.deleteUser(id);
      expect(await verify(app, JANE, otp)).toMatchObject(INVALID_OTP);
      expect(await emails(app)).toEqual([]);
    });

    it('sends nothing to users who are disabled', async () => {
      const app = await closed();
      await app.auth.api.createUser({ email: JANE, disabled: true });
      expect(await request(app, JANE)).toMatchObject({ status: 200 });
      await turns();
      expect(app.mails).toEqual([]);
    });

    it('answers users, strangers and users who are disabled with the same, at every step and limit', async () => {
      const app = await closed({
        otp: { resendCooldownSeconds: 30, liveCodes: 2 },
        limits: { sendsPerHour: 2, failuresPerDay: 6 },
      });
      await app.auth.api.createUser({ email: JANE });
      await app.auth.api.createUser({ email: JOHN, disabled: true });
      const seen: Record<string, unknown[]> = {};
      const step = async (act: (email: string) => ReturnType<typeof request>) => {
        for (const email of [JANE, JOHN, 'eve@example.com']) {
          const { status, body, headers, cookies } = await act(email);
          const { date: _date, ratelimit: _remaining, ...fields } = headers;
          (seen[email] ??= []).push({ status, body, fields, cookies });
          await turns();
        }
      };
      const wrong = (email: string) => verify(app, email, app.lastCode(email) === '000000' ? '000001' : '000000');
      await step(wrong);
      await step((email) => request(app, email));
      await step((email) => request(app, email));
      app.clock.advanceSeconds(30);
      await step((email) => request(app, email));
      for (let time = 0; time < 4; time += 1) await step(wrong);
      app.clock.advanceSeconds(30);
      await step((email) => request(app, email));
      expect(seen[JOHN]).toEqual(seen[JANE]);
      expect(seen['eve@example.com']).toEqual(seen[JANE]);
      const statuses = (seen[JANE] as { status: number }[]).map(({ status }) => status);
      expect(statuses).toEqual([400, 200, 429, 200, 400, 400, 400, 429, 429]);
    });

    it('counts a message that could not be sent as one that was, and its code is good for nothing', async () => {
      const codes: string[] = [];
      const send = ({ text }: { text: string }) => {
        codes.push(/\b\d{6}\b/.exec(text)?.[0] ?? '');
        return Promise.reject(new Error('no server'));
      };
      const app = await closed({ email: { send }, otp: { resendCooldownSeconds: 30 } });
      await app.auth.api.createUser({ email: JANE });
      for (const email of [JANE, JOHN]) {
        expect(await request(app, email)).toMatchObject({ status: 200 });
        await turns();
        expect(await request(app, email)).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
      }
      expect(codes).toHaveLength(1);
      expect(await verify(app, JANE, codes[0] ?? '')).toMatchObject(INVALID_OTP);
    });

    it('answers before it asks who somebody is', async () => {
      const asked: string[] = [];
      let answer = () => {};
      const answered = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)));
      const watching: UserStore = {
        ...memoryUserStore(),
        findByIdentifier: ({ value }) => {
          asked.push(value);
          return answered; // a response that hung on this would not come
        },
      };
      const app = await start({ signUp: 'closed', storeTimeoutMs: 60_000, users: { store: watching } });
      expect(await request(app, JANE)).toMatchObject({ status: 200 });
      await turns();
      answer();
      expect(asked).toEqual([JANE]);
    });

    it('lets an admin make users, and users have another address', async () => {
      const app = await closed();
      const boss = await app.signedIn(BOSS, { roles: ['admin'] });
      expect(await app.as(boss, 'POST', '/users', { email: JANE })).toMatchObject({ status: 201 });
      const jane = await app.signedIn(JANE);
      const before = app.mails.length;
      await app.as(jane, 'POST', '/users/me/identifier', { email: JOHN });
      await app.sentTo(JOHN, before);
      const otp = app.lastCode(JOHN);
      expect(await app.as(jane, 'POST', '/users/me/identifier/verify', { email: JOHN, otp })).toMatchObject({
        status: 200,
      });
    });

    it('sends what has not begun when it is closed', async () => {
      const mails: string[] = [];
      const app = await startAccounts({
        ...stored(),
        signUp: 'closed',
        clock: { now: Date.now },
        email: { send: ({ to }) => mails.push(to) },
      });
      await app.auth.api.createUser({ email: JANE });
      await request(app, JANE);
      await app.close();
      expect(mails).toEqual([JANE]);
    });
  });

  describe('the first admin', () => {
    it('is there after the start, and can manage users', async () => {
      const app = await start({ users: { firstAdmin: ' Boss@Example.com' }, signUp: 'closed' });
      await untilAdmin(app);
      const boss = await app.signedIn(BOSS);
      expect(await app.as(boss, 'GET', '/users')).toMatchObject({ status: 200, body: { count: 1 } });
      expect((await app.auth.api.getUser(boss.id)).roles).toEqual(['user', 'admin']);
    });

    it('is one, however many processes start at once', async () => {
      const apps = await Promise.all(Array.from({ length: 5 }, () => start({ users: { firstAdmin: BOSS } })));
      for (const app of apps) await untilAdmin(app);
      expect((await apps[0]!.auth.api.listUsers()).count).toBe(1);
    });

    it('is who was there before, with an admin’s role besides those there were', async () => {
      const before = await start();
      const { id } = await before.auth.api.createUser({ email: BOSS, fullName: 'Boss', roles: ['chief'] });
      const app = await start({ users: { firstAdmin: BOSS } });
      await untilAdmin(app);
      const again = await start({ users: { firstAdmin: BOSS } });
      await untilAdmin(again);
      expect(await again.auth.api.getUser(id)).toMatchObject({ fullName: 'Boss', roles: ['chief', 'admin'] });
    });
  });

  async function untilAdmin(app: Accounts) {
    for (let turn = 0; turn < 2000; turn += 1) {
      const { data } = await app.auth.api.listUsers({ query: BOSS });
      if (data[0]?.roles.includes('admin')) return;
      await new Promise(setImmediate);
    }
    throw new Error('nobody was made an admin');
  }
});
