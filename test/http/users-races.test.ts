import type { OtpAuthError, OtpAuthOptions } from '../../src/index.js';
import { type Accounts, BOSS, JANE, startAccounts } from '../support/accounts.js';
import { describeOnEachUserStore } from '../support/each-user-store.js';

const AT_ONCE = 24;

function atOnce<Result>(act: (place: number) => Promise<Result>, times = AT_ONCE): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, place) => act(place)));
}

/** What became of it, as a status. */
function statusOf(act: Promise<unknown>): Promise<{ status: number }> {
  return act.then(
    () => ({ status: 200 }),
    (error: unknown) => ({ status: (error as OtpAuthError).status }),
  );
}

function tally(results: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describeOnEachUserStore('many at once', (stored) => {
  /** Two processes on the same stores. */
  const startTwo = async (options: OtpAuthOptions = {}) => {
    const one = await startAccounts({ ...stored(), ...options });
    const other = await startAccounts({ ...stored(), ...options }, one.clock);
    return { one, other, either: (place: number) => (place % 2 === 0 ? one : other) };
  };
  const stillSignedIn = async ({ url }: Accounts, accessToken: unknown) =>
    (await fetch(`${url}/me`, { headers: { authorization: `Bearer ${String(accessToken)}` } })).status === 200;
  const verify = (app: Accounts, email: string, otp: string) =>
    app.as(undefined, 'POST', '/verify-otp', { email, otp, token_transport: 'body' });

  it('sign up with one address and become one user', async () => {
    const { one, either } = await startTwo({ otp: { liveCodes: 3 } });
    for (let round = 0; round < 5; round += 1) {
      const email = `jane-${round}@example.com`;
      const codes = [await one.codeFor(email), await one.codeFor(email), await one.codeFor(email)];
      // One code that is right uses up the others, so that of the requests with codes not more than one gets through.
      const answers = await atOnce((place) =>
        place % 2 === 0
          ? verify(either(place / 2), email, codes[(place / 2) % 3] ?? '')
          : statusOf(either(place).auth.api.createUser({ email })),
      );
      const counts = tally(answers);
      // One sign-in; and one user at most whom the functions made.
      expect((counts[200] ?? 0) + (counts[400] ?? 0) + (counts[409] ?? 0)).toBe(AT_ONCE);
      expect(counts[409]).toBeGreaterThanOrEqual(AT_ONCE / 2 - 1);
      expect(counts[400]).toBe(AT_ONCE / 2 - 1);
      expect((await one.auth.api.listUsers({ query: email })).count).toBe(1);
    }
  });

  it('make one user of one address', async () => {
    const { one, either } = await startTwo();
    const boss = await one.signedIn(BOSS, { roles: ['admin'] });
    const answers = await atOnce((place) => either(place).as(boss, 'POST', '/users', { email: JANE }));
    expect(tally(answers)).toEqual({ 201: 1, 409: AT_ONCE - 1 });
    expect((await one.auth.api.listUsers()).count).toBe(2);
  });

  it('leave an admin, whoever takes whose role, account or life', async () => {
    const { one, either } = await startTwo();
    const admins = await Promise.all(
      Array.from({ length: 4 }, (_, place) => one.signedIn(`boss-${place}@example.com`, { roles: ['admin'] })),
    );
    for (let round = 0; round < 4; round += 1) {
      // Whoever is left of the round before makes the others admins again.
      const { data } = await one.auth.api.listUsers();
      for (const { id } of data) await one.auth.api.updateUser(id, { roles: ['admin'], disabled: false });
      const ids = data.map(({ id }) => id);
      const answers = await atOnce((place) => {
        const id = ids[place % ids.length] as string;
        const { api } = either(place).auth;
        const acts = [
          () => api.updateUser(id, { roles: ['user'] }),
          () => api.updateUser(id, { disabled: true }),
          () => (place > 20 ? api.deleteUser(id) : api.updateUser(id, { roles: [] })),
        ];
        return statusOf((acts[(place >> 2) % 3] as () => Promise<unknown>)());
      });
      expect(Object.keys(tally(answers)).filter((status) => !['200', '404', '409'].includes(status))).toEqual([]);
      const left = (await one.auth.api.listUsers()).data.filter(
        (user) => user.roles.includes('admin') && !user.disabled,
      );
      expect(left.length).toBeGreaterThanOrEqual(1);
    }
    expect(admins).toHaveLength(4);
  });

  it('leave one of two admins who remove themselves', async () => {
    const { one, either } = await startTwo();
    for (let round = 0; round < 5; round += 1) {
      const two = await Promise.all(
        ['a', 'b'].map((name) => one.signedIn(`${name}-${round}@example.com`, { roles: ['admin'] })),
      );
      for (const { id, roles } of (await one.auth.api.listUsers({ query: '@' })).data)
        if (roles.includes('admin') && !two.some((admin) => admin.id === id)) await one.auth.api.deleteUser(id);
      const answers = await Promise.all(two.map((admin, place) => either(place).as(admin, 'DELETE', '/users/me')));
      expect(tally(answers)).toEqual({ 204: 1, 409: 1 });
    }
  });

  it('let nobody in who is disabled, or loses a role, meanwhile', async () => {
    const { one, other } = await startTwo();
    for (const changes of [{ disabled: true }, { roles: ['user'] }]) {
      for (let round = 0; round < AT_ONCE; round += 1) {
        const email = `jane-${Object.keys(changes)[0]}-${round}@example.com`;
        const { id } = await one.auth.api.createUser({ email, roles: ['user', 'editor'] });
        const otp = await one.codeFor(email);
        const [signedIn] = await Promise.all([verify(one, email, otp), other.auth.api.updateUser(id, changes)]);
        if (signedIn.status !== 200) {
          expect(signedIn).toMatchObject({ status: 400, body: { code: 'invalid_otp' } });
          continue;
        }
        const { access_token: accessToken, refresh_token: refreshToken } = signedIn.body;
        if (!(await stillSignedIn(other, accessToken))) {
          const refreshed = await other.as(undefined, 'POST', '/refresh', { refresh_token: refreshToken });
          expect(refreshed.status).toBe(401);
          continue;
        }
        const { roles } = await other.auth.api.authenticate(accessToken as string);
        expect({ changes, roles }).toEqual({ changes: { roles: ['user'] }, roles: ['user'] });
      }
    }
  });

  it('refresh into no role that was taken meanwhile, nor into an account that was removed', async () => {
    const { one, other } = await startTwo();
    for (let round = 0; round < AT_ONCE; round += 1) {
      const jane = await one.signedIn(`jane-${round}@example.com`, { roles: ['user', 'editor'] });
      const { api } = other.auth;
      const [refreshed] = await Promise.all([
        one.as(undefined, 'POST', '/refresh', { refresh_token: jane.refreshToken }),
        round % 2 === 0 ? api.updateUser(jane.id, { roles: ['user'] }) : api.deleteUser(jane.id),
      ]);
      expect(await stillSignedIn(other, jane.accessToken)).toBe(false);
      expect(await stillSignedIn(other, refreshed.body.access_token)).toBe(false);
    }
  });

  it('use a code for a new address once, and give the address to one user', async () => {
    const { one, either } = await startTwo({
      otp: { liveCodes: 3 },
      limits: { failuresPerDay: 1000, maxOddsPerYear: 1 },
    });
    const jane = await one.signedIn(JANE);
    const email = 'doe@example.com';
    await one.as(jane, 'POST', '/users/me/identifier', { email });
    const otp = one.lastCode(email);
    const answers = await atOnce((place) =>
      either(place).as(jane, 'POST', '/users/me/identifier/verify', { email, otp }),
    );
    expect(tally(answers)).toEqual({ 200: 1, 400: AT_ONCE - 1 });

    const two = [await one.signedIn('a@example.com'), await one.signedIn('b@example.com')];
    const wanted = 'wanted@example.com';
    const api = one.auth.api;
    const taken = await Promise.all(
      two.map(({ id }, place) => statusOf(either(place).auth.api.updateUser(id, { email: wanted }))),
    );
    expect(tally(taken)).toEqual({ 200: 1, 409: 1 });
    expect((await api.listUsers({ query: wanted })).count).toBe(1);
  });
});
