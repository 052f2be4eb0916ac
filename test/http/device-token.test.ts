import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, startAuthApp, type Surroundings } from '../support/auth-app.js';
import { type Answer, call, cookieHeader } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';

const DAY_SECONDS = 86_400;
const JO = 'jo@example.com';
const ALLOWANCE = { sendsPerHour: 3, sendsPerDay: 5, failuresPerDay: 4 };

type Headers = Record<string, string>;

describeOnEachStore('a device that signed in before', (stored) => {
  let app: AuthApp;
  const start = async (options: OtpAuthOptions = {}, surroundings: Surroundings = {}) => {
    app = await startAuthApp({ ...stored(), limits: ALLOWANCE, ...options }, fakeClock(), surroundings);
    return app;
  };
  const ask = (email: string, headers: Headers = {}, body: object = {}) =>
    call(`${app.url}/auth/request-otp`, { body: { email, ...body }, headers });
  const verify = (email: string, otp: string, headers: Headers = {}, body: object = {}) =>
    call(`${app.url}/auth/verify-otp`, { body: { email, otp, ...body }, headers });

  const deviceCookieOf = (answer: Answer) => answer.cookies.find(({ name }) => name.endsWith('device_token'));
  const cookieOf = (answer: Answer): Headers => {
    const cookie = deviceCookieOf(answer);
    if (cookie === undefined) throw new Error(`There is no device cookie in the answer ${answer.status}.`);
    return cookieHeader(cookie);
  };
  /** Signs in as a browser does, and returns the cookie that it then has. */
  const signIn = async (email: string, headers: Headers = {}): Promise<Headers> => {
    expect((await ask(email, headers)).status).toBe(200);
    const answer = await verify(email, app.lastCode(email), headers);
    expect(answer.status).toBe(200);
    return cookieOf(answer);
  };
  const wrongCode = (email: string) => (app.lastCode(email) === '000000' ? '111111' : '000000');
  /** What a stranger does to an identifier: all that the limits let them. */
  const spendEverything = async (email: string, headers: Headers = {}) => {
    for (let time = 0; time < ALLOWANCE.sendsPerHour; time += 1) await ask(email, headers);
    expect((await ask(email, headers)).status).toBe(429);
    for (let time = 0; time < ALLOWANCE.failuresPerDay; time += 1) await verify(email, wrongCode(email), headers);
    expect((await verify(email, wrongCode(email), headers)).status).toBe(429);
  };

  it('gets a cookie for 90 days that scripts cannot read, behind the refresh cookie', async () => {
    await start();
    await ask(JO);
    const answer = await verify(JO, app.lastCode(JO));
    expect(answer.cookies.map(({ name }) => name)).toEqual(['refresh_token', 'device_token']);
    const { httponly, samesite, path, 'max-age': maxAge, domain, secure } = deviceCookieOf(answer)?.attributes ?? {};
    expect({ httponly, samesite, path, maxAge, domain, secure }).toEqual({
      httponly: true,
      samesite: 'Lax',
      path: '/',
      maxAge: String(90 * DAY_SECONDS),
    });
    expect(answer.body).not.toHaveProperty('device_token');
    expect(answer.text).not.toContain(deviceCookieOf(answer)?.value);
    expect(decodeURIComponent(deviceCookieOf(answer)?.value ?? '')).not.toMatch(/jo|example/);
  });

  it.each([
    [{ secure: true }, '__Host-device_token', {}],
    [{ secure: true, domain: 'example.com' }, 'device_token', { domain: 'example.com' }],
    [{ secure: true, path: '/auth' }, 'device_token', { path: '/auth' }],
    [{ secure: true, sameSite: 'strict', deviceName: 'known' }, '__Host-known', { samesite: 'Strict' }],
  ] as const)('gets the cookie with the attributes of the refresh cookie: %j', async (cookie, name, attributes) => {
    await start({ cookie });
    await ask(JO);
    const answer = await verify(JO, app.lastCode(JO));
    const device = answer.cookies.find((each) => each.name === name);
    expect(device?.attributes).toMatchObject({ httponly: true, secure: true, ...attributes });
  });

  it('gets none before it has signed in', async () => {
    await start();
    expect((await ask(JO)).cookies).toEqual([]);
    expect((await verify(JO, wrongCode(JO))).cookies).toEqual([]);
  });

  it('still signs in after a stranger has spent the messages and the failures of its identifier', async () => {
    await start();
    const cookie = await signIn(JO);
    app.clock.advanceSeconds(DAY_SECONDS);
    await spendEverything(JO);
    await signIn(JO, cookie);
    // The stranger has gained nothing by it.
    expect((await ask(JO)).status).toBe(429);
    expect((await verify(JO, app.lastCode(JO))).status).toBe(429);
  });

  it('has limits of its own, that neither strangers nor other devices feel', async () => {
    await start();
    const laptop = await signIn(JO);
    const phone = await signIn(JO);
    await spendEverything(JO, laptop);
    expect((await verify(JO, app.lastCode(JO), laptop)).status).toBe(429);
    expect((await ask(JO)).status).toBe(200);
    expect((await verify(JO, wrongCode(JO))).status).toBe(400);
    await signIn(JO, phone);
  });

  it('has Retry-After in each of its refusals, and nothing is sent', async () => {
    await start();
    const cookie = await signIn(JO);
    await spendEverything(JO, cookie);
    const sent = app.mails.length;
    for (const answer of [await ask(JO, cookie), await verify(JO, '123456', cookie)]) {
      expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.body.retry_after).toBe(Number(answer.headers['retry-after']));
    }
    expect(app.mails).toHaveLength(sent);
  });

  it('gets no fresh allowance by signing in again', async () => {
    await start();
    let cookie = await signIn(JO);
    for (let time = 0; time < ALLOWANCE.sendsPerHour; time += 1) cookie = await signIn(JO, cookie);
    expect((await ask(JO, cookie)).status).toBe(429);
  });

  it('may type in a code that was asked for elsewhere', async () => {
    await start();
    const cookie = await signIn(JO);
    await ask(JO);
    expect((await verify(JO, app.lastCode(JO), cookie)).status).toBe(200);
  });

  it.each<[string, (cookie: Headers) => [Headers, string]]>([
    ['by its cookie', (cookie) => [cookie, '']],
    ['by device_token in the form', (cookie) => [{}, `&device_token=${cookie['Cookie']?.split('=')[1]}`]],
  ])('signs in at the OAuth 2.0 endpoint with a code of its own: %s', async (_way, shown) => {
    await start();
    const cookie = await signIn(JO);
    await spendEverything(JO);
    expect((await ask(JO, cookie)).status).toBe(200);
    const [headers, member] = shown(cookie);
    const body = `grant_type=password&username=${JO}&password=${app.lastCode(JO)}${member}`;
    const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await call(`${app.url}/auth/token`, { body, headers: form })).status).toBe(200);
  });

  it('is a stranger to every other identifier', async () => {
    await start();
    const mallory = await signIn('mallory@example.com');
    await spendEverything(JO);
    expect((await ask(JO, mallory)).status).toBe(429);
    expect((await verify(JO, wrongCode(JO), mallory)).status).toBe(429);
  });

  it('knows several people, each with what is theirs', async () => {
    await start();
    const jo = await signIn(JO);
    const both = await signIn('kim@example.com', jo);
    await spendEverything(JO);
    await spendEverything('kim@example.com');
    expect((await ask(JO, both)).status).toBe(200);
    expect((await ask('kim@example.com', both)).status).toBe(200);
    expect((await ask('kim@example.com', jo)).status).toBe(429);
  });

  it('is a stranger once 90 days have passed', async () => {
    await start();
    const cookie = await signIn(JO);
    app.clock.advanceSeconds(90 * DAY_SECONDS - 1);
    await spendEverything(JO);
    expect((await ask(JO, cookie)).status).toBe(200);
    app.clock.advanceSeconds(1);
    expect((await ask(JO, cookie)).status).toBe(429);
  });

  it.each(['', 'x', 'j:{"a":1}', '%00', '~~~~', 'a.b.c', '"quoted"', 'x'.repeat(5000)])(
    'is a stranger with a cookie such as %p, and that is no error',
    async (value) => {
      await start();
      const headers = { Cookie: `device_token=${value}` };
      await signIn(JO, headers);
      const forged = { Cookie: `device_token=${value}; refresh_token=${value}` };
      expect((await ask(JO, forged)).status).toBe(200);
      expect((await verify(JO, wrongCode(JO), forged)).status).toBe(400);
      await spendEverything('kim@example.com');
      expect((await ask('kim@example.com', headers)).status).toBe(429);
    },
  );

  it('is known also where a foreign page has planted a cookie of the same name', async () => {
    await start();
    const { Cookie = '' } = await signIn(JO);
    await spendEverything(JO);
    expect((await ask(JO, { Cookie: `device_token=planted; ${Cookie}` })).status).toBe(200);
  });

  it('is not known by a cookie of another application', async () => {
    await start({ jwt: { secret: 'the secret of another application, just as long' } });
    const foreign = await signIn(JO);
    await start();
    await spendEverything(JO);
    expect((await ask(JO, foreign)).status).toBe(429);
  });

  it('is known while the secret that signed its cookie is listed', async () => {
    const [older, newer] = [
      'an older secret, of more than thirty-two bytes',
      'a newer secret, of more than thirty-two bytes',
    ];
    await start({ jwt: { secret: older } });
    const cookie = await signIn(JO);
    await start({ jwt: { secret: [newer, older] } });
    await spendEverything(JO);
    const renewed = await signIn(JO, cookie);
    await start({ jwt: { secret: newer } });
    await spendEverything(JO);
    expect((await ask(JO, cookie)).status).toBe(429);
    expect((await ask(JO, renewed)).status).toBe(200);
  });

  it("does nothing for a foreign page that has its visitor's browser ask for codes", async () => {
    await start();
    const cookie = await signIn(JO);
    await spendEverything(JO);
    const foreign = { ...cookie, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    expect((await ask(JO, foreign)).status).toBe(429);
    expect((await ask(JO, cookie)).status).toBe(200);
  });

  describe('and has no cookies', () => {
    const signInByBody = async (deviceToken?: unknown) => {
      const inBody = { device_token: deviceToken };
      expect((await ask(JO, {}, inBody)).status).toBe(200);
      const answer = await verify(JO, app.lastCode(JO), {}, { ...inBody, token_transport: 'body' });
      expect(answer.status).toBe(200);
      return answer;
    };

    it('gets the same value in the body, and hands it in there', async () => {
      await start();
      const first = await signInByBody();
      expect(first.cookies).toEqual([]);
      const token = first.body['device_token'];
      expect(token).toEqual(expect.stringMatching(/^[\w.~-]+$/));
      await spendEverything(JO);
      const second = await signInByBody(token);
      expect(second.body['device_token']).toEqual(expect.any(String));
    });

    it.each([null, '', 'nonsense'])('is a stranger with %p in the body', async (token) => {
      await start();
      await signInByBody(token);
    });

    it('is told where the member is no text', async () => {
      await start();
      const answer = await ask(JO, {}, { device_token: { $ne: null } });
      expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([400, 'device_token']);
    });

    it('uses the functions in the same way', async () => {
      await start();
      const { api } = app.auth;
      await api.requestOtp({ email: JO });
      const { deviceToken } = await api.verifyOtp({ email: JO, otp: app.lastCode(JO) });
      await spendEverything(JO);
      await expect(api.requestOtp({ email: JO })).rejects.toMatchObject({ code: 'rate_limited' });
      await api.requestOtp({ email: JO, deviceToken });
      const again = await api.verifyOtp({ email: JO, otp: app.lastCode(JO), deviceToken });
      expect(again.deviceToken).not.toBe('');
    });
  });

  describe('and is revoked', () => {
    it.each([
      [
        'POST /logout-all',
        async () => {
          const { authorization } = await app.signIn(JO);
          expect((await call(`${app.url}/auth/logout-all`, { headers: { authorization } })).status).toBe(200);
        },
      ],
      ['api.revokeUser', async () => void (await app.auth.api.revokeUser(JO))],
    ])('by %s is a stranger until it signs in again', async (_name, revoke) => {
      await start({ limits: { ...ALLOWANCE, sendsPerHour: 5 } });
      const cookie = await signIn(JO);
      const others = await signIn('kim@example.com');
      app.clock.advanceSeconds(1);
      await revoke();
      app.clock.advanceSeconds(1);
      for (let time = 0; time < ALLOWANCE.failuresPerDay; time += 1) await verify(JO, wrongCode(JO));
      expect((await ask(JO, cookie)).status).toBe(429);
      expect((await verify(JO, app.lastCode(JO), cookie)).status).toBe(429);
      expect((await ask('kim@example.com', others)).status).toBe(200);

      app.clock.advanceSeconds(DAY_SECONDS);
      const renewed = await signIn(JO, cookie);
      await verify(JO, wrongCode(JO), renewed);
      for (let time = 0; time < ALLOWANCE.failuresPerDay; time += 1) await verify(JO, wrongCode(JO));
      expect((await verify(JO, wrongCode(JO))).status).toBe(429);
      expect((await ask(JO, renewed)).status).toBe(200);
      expect((await ask(JO, cookie)).status).toBe(429); // whoever had copied it
    });
  });
});
