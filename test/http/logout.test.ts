import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, type SignedIn, startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';
const JOE = 'joe@example.com';

describeOnEachStore('POST /logout', (stored) => {
  let app: AuthApp;
  beforeEach(async () => {
    app = await startAuthApp({ ...stored() });
  });
  const logout = (
    { bearer, cookie, body }: { bearer?: string; cookie?: string | string[]; body?: unknown },
    { url }: AuthApp = app,
  ) =>
    call(`${url}/auth/logout`, {
      ...(body === undefined ? {} : { body: { refresh_token: body } }),
      headers: {
        ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
        ...(cookie === undefined
          ? {}
          : {
              Cookie: [cookie]
                .flat()
                .map((value) => `refresh_token=${value}`)
                .join('; '),
            }),
      },
    });
  const isCleared = ({ cookies }: Answer) =>
    cookies.some(({ name, value, attributes }) => name === 'refresh_token' && value === '' && attributes['expires']);
  /** Whether the access token and the refresh token are good. */
  const lives = async ({ authorization, refreshToken }: SignedIn, { url }: AuthApp = app) => [
    (await call(`${url}/me`, { method: 'GET', headers: { Authorization: authorization } })).status === 200,
    (await call(`${url}/auth/refresh`, { body: { refresh_token: refreshToken } })).status === 200,
  ];
  const DEAD = [false, false];
  const ALIVE = [true, true];

  it.each<[string, (tokens: SignedIn) => Parameters<typeof logout>[0]]>([
    ['the bearer token', ({ accessToken }) => ({ bearer: accessToken })],
    ['the cookie', ({ refreshToken }) => ({ cookie: refreshToken })],
    ['refresh_token in the body', ({ refreshToken }) => ({ body: refreshToken })],
    ['bearer token and cookie', ({ accessToken, refreshToken }) => ({ bearer: accessToken, cookie: refreshToken })],
    ['bearer token and body', ({ accessToken, refreshToken }) => ({ bearer: accessToken, body: refreshToken })],
    ['a forged bearer token and the cookie', ({ refreshToken }) => ({ bearer: 'forged', cookie: refreshToken })],
    ['the bearer token and a forged cookie', ({ accessToken }) => ({ bearer: accessToken, cookie: 'forged' })],
    ['the bearer token and a forged body', ({ accessToken }) => ({ bearer: accessToken, body: 'forged' })],
    ['the cookie and a forged body', ({ refreshToken }) => ({ cookie: refreshToken, body: 'forged' })],
    ['the cookie and a planted one', ({ refreshToken }) => ({ cookie: ['planted', refreshToken] })],
    ['the cookie, twice', ({ refreshToken }) => ({ cookie: [refreshToken, refreshToken] })],
  ])('ends the session with %s, its access token and its refresh token at once', async (_with, present) => {
    const signedIn = await app.signIn(JO);
    const elsewhere = await app.signIn(JO);
    const answer = await logout(present(signedIn));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ message: 'Successfully logged out' });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(isCleared(answer)).toBe(true);
    expect(await lives(signedIn)).toEqual(DEAD);
    expect(await lives(elsewhere)).toEqual(ALIVE);
  });

  it('ends the access tokens of the session that it was not shown', async () => {
    const signedIn = await app.signIn(JO);
    const { body } = await call(`${app.url}/auth/refresh`, { body: { refresh_token: signedIn.refreshToken } });
    await logout({ bearer: String(body.access_token) });
    expect(await lives(signedIn)).toEqual(DEAD);
    expect(await lives({ ...signedIn, refreshToken: String(body.refresh_token) })).toEqual(DEAD);
  });

  it('ends both sessions of a user whose bearer token and cookie are of different ones', async () => {
    const [one, two] = [await app.signIn(JO), await app.signIn(JO)];
    expect(isCleared(await logout({ bearer: one.accessToken, cookie: two.refreshToken }))).toBe(true);
    expect([await lives(one), await lives(two)]).toEqual([DEAD, DEAD]);
  });

  it('ends both sessions whose refresh tokens come in the body and by cookie', async () => {
    const [one, two] = [await app.signIn(JO), await app.signIn(JO)];
    expect(isCleared(await logout({ body: one.refreshToken, cookie: two.refreshToken }))).toBe(true);
    expect([await lives(one), await lives(two)]).toEqual([DEAD, DEAD]);
  });

  it('ends the bearer token’s session alone where the cookie is another user’s, whose cookie stays', async () => {
    const [jo, joe] = [await app.signIn(JO), await app.signIn(JOE)];
    const answer = await logout({ bearer: jo.accessToken, cookie: joe.refreshToken });
    expect([answer.status, isCleared(answer)]).toEqual([200, false]);
    expect([await lives(jo), await lives(joe)]).toEqual([DEAD, ALIVE]);
  });

  it('ends the bearer token’s session alone where the body’s token is another user’s', async () => {
    const [jo, joe] = [await app.signIn(JO), await app.signIn(JOE)];
    expect((await logout({ bearer: jo.accessToken, body: joe.refreshToken })).status).toBe(200);
    expect([await lives(jo), await lives(joe)]).toEqual([DEAD, ALIVE]);
  });

  it('can be done again, with the tokens that it has just ended', async () => {
    const { accessToken, refreshToken } = await app.signIn(JO);
    for (const _ of [1, 2]) {
      for (const tokens of [{ bearer: accessToken }, { cookie: refreshToken }, { body: refreshToken }]) {
        const answer = await logout(tokens);
        expect([answer.status, isCleared(answer)]).toEqual([200, true]);
      }
    }
  });

  it('takes tokens that have expired, and those that a refresh has replaced', async () => {
    const { accessToken, refreshToken } = await app.signIn(JO);
    const { body } = await call(`${app.url}/auth/refresh`, { body: { refresh_token: refreshToken } });
    app.clock.advanceSeconds(3600);
    expect((await logout({ bearer: accessToken })).status).toBe(200);
    expect((await logout({ cookie: refreshToken })).status).toBe(200);
    app.clock.advanceSeconds(30 * 86_400);
    expect((await logout({ bearer: accessToken })).status).toBe(200);
    expect((await logout({ cookie: String(body.refresh_token) })).status).toBe(200);
  });

  it('ends a live session by an access token of it that has expired', async () => {
    const signedIn = await app.signIn(JO);
    app.clock.advanceSeconds(3600);
    await logout({ bearer: signedIn.accessToken });
    expect(await lives(signedIn)).toEqual(DEAD);
  });

  it('is 401 without a token', async () => {
    const answer = await logout({});
    expect([answer.status, answer.body.code]).toEqual([401, 'token_missing']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]*"$/);
  });

  it.each<[string, Parameters<typeof logout>[0]]>([
    ['bearer token', { bearer: 'forged' }],
    ['cookie', { cookie: 'forged' }],
    ['body', { body: 'forged' }],
    ['token at all', { bearer: 'forged', cookie: ['forged', 'planted'], body: 'forged' }],
  ])('is 401 where no %s is authentic', async (_what, tokens) => {
    const answer = await logout(tokens);
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]*", error="invalid_token"/);
  });

  it('does not take a token of one kind for one of the other', async () => {
    const { accessToken, refreshToken } = await app.signIn(JO);
    for (const tokens of [{ bearer: refreshToken }, { cookie: accessToken }, { body: accessToken }])
      expect((await logout(tokens)).status).toBe(401);
  });

  it('does not take tokens of an application with another secret', async () => {
    const other = await startAuthApp({ ...stored(), jwt: { secret: 'quite another secret of more than 32 bytes' } });
    const signedIn = await other.signIn(JO);
    expect((await logout({ bearer: signedIn.accessToken, cookie: signedIn.refreshToken })).status).toBe(401);
    expect(await lives(signedIn, other)).toEqual(ALIVE);
  });

  it('reports the end of each session once', async () => {
    const ended: OtpAuthEvent<'session.ended'>[] = [];
    app.auth.events.on('session.ended', (event) => ended.push(event));
    const { accessToken, refreshToken } = await app.signIn(JO);
    await logout({ bearer: accessToken, cookie: refreshToken });
    await logout({ bearer: accessToken });
    expect(ended).toEqual([
      expect.objectContaining({
        identifier: 'j***@example.com',
        userId: JO,
        sessionId: readToken(accessToken).payload['sid'],
        reason: 'logout',
        ip: '127.0.0.1',
      }),
    ]);
  });

  it('clears the cookie with the attributes it was set with', async () => {
    const options: OtpAuthOptions = {
      cookie: { name: 'rt', domain: 'example.com', path: '/auth', sameSite: 'strict', secure: true },
    };
    const running = await startAuthApp({ ...stored(), ...options });
    await running.auth.api.requestOtp({ email: JO });
    const { body, cookies } = await call(`${running.url}/auth/verify-otp`, {
      body: { email: JO, otp: running.lastCode(JO) },
    });
    const set = cookies.find(({ name }) => name === 'rt');
    const answer = await logout({ bearer: String(body.access_token) }, running);
    const cleared = answer.cookies.find(({ name }) => name === 'rt');
    const place = { domain: 'example.com', path: '/auth', secure: true, httponly: true, samesite: 'Strict' };
    expect(set?.attributes).toMatchObject(place);
    expect(cleared?.attributes).toMatchObject(place);
    expect(cleared?.attributes).not.toHaveProperty('max-age');
  });
});
