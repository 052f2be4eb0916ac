import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { START_MS, startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';
const DAY_SECONDS = 86_400;

describeOnEachStore('POST /refresh', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startAuthApp({ ...stored(), ...options });
    const url = `${app.url}/auth/refresh`;
    return {
      ...app,
      refresh: (refreshToken: unknown, headers = {}) => call(url, { body: { refresh_token: refreshToken }, headers }),
      refreshByCookie: (value: string, body?: unknown) =>
        call(url, { body, headers: { Cookie: `refresh_token=${value}` } }),
      refreshBare: () => call(url),
      me: (accessToken: unknown) =>
        call(`${app.url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${String(accessToken)}` } }),
    };
  };
  const refreshCookieOf = ({ cookies }: Answer) => cookies.find(({ name }) => name === 'refresh_token');
  const successorOf = ({ body }: Answer) => String(body.refresh_token);

  it('signs nobody out when the clock is set back', async () => {
    const { signIn, refreshByCookie, clock } = await start();
    const { refreshToken } = await signIn(JO);
    clock.advanceSeconds(-DAY_SECONDS);
    const answer = await refreshByCookie(refreshToken);
    expect(answer.status).toBe(200);
    clock.advanceSeconds(DAY_SECONDS);
    expect((await refreshByCookie(refreshCookieOf(answer)?.value ?? '')).status).toBe(200);
  });

  it('tells listeners of a token that is not good', async () => {
    const { refresh, auth, signIn } = await start();
    const codes: unknown[] = [];
    auth.events.on('access.refused', ({ code }) => codes.push(code));
    const { refreshToken } = await signIn(JO);
    await refresh(refreshToken);
    await refresh(`${refreshToken.slice(0, -6)}AAAAAA`);
    expect(codes).toEqual(['invalid_refresh_token']);
  });

  it('answers a token that came by cookie with a new cookie, and with no refresh token in the body', async () => {
    const { signIn, refreshByCookie, me } = await start();
    const { refreshToken } = await signIn(JO);
    const answer = await refreshByCookie(refreshToken);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 3600,
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    const cookie = refreshCookieOf(answer);
    expect(cookie?.value).not.toBe(refreshToken);
    expect(cookie?.attributes['max-age']).toBe(String(7 * DAY_SECONDS));
    expect((await me(answer.body.access_token)).body['id']).toBe(JO);
    expect((await refreshByCookie(cookie?.value ?? '')).status).toBe(200);
  });

  it('answers a token that came in the body in the body, and with no cookie', async () => {
    const { signIn, refresh } = await start();
    const { refreshToken } = await signIn(JO);
    const answer = await refresh(refreshToken);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: expect.any(String) as string,
    });
    expect(answer.cookies).toEqual([]);
    expect((await refresh(successorOf(answer))).status).toBe(200);
  });

  it('never tells a page’s scripts what came by cookie, whatever stands in the body', async () => {
    const { signIn, refreshByCookie } = await start();
    const { refreshToken } = await signIn(JO);
    const strangers = await signIn('joe@example.com');
    const bodies = [{}, { token_transport: 'body' }, { refresh_token: strangers.refreshToken }];
    for (const body of bodies) {
      const answer = await refreshByCookie(refreshToken, body);
      for (const told of [answer.body.refresh_token, answer.body.access_token].filter((token) => token !== undefined))
        if (readToken(told).payload['type'] === 'refresh') expect(readToken(told).payload['sub']).not.toBe(JO);
    }
  });

  it('answers a token that came both ways with a cookie alone', async () => {
    const { signIn, refreshByCookie } = await start();
    const { refreshToken } = await signIn(JO);
    const answer = await refreshByCookie(refreshToken, { refresh_token: refreshToken });
    expect([answer.status, refreshCookieOf(answer)?.value]).toEqual([200, expect.stringMatching(/^ey/)]);
    expect(answer.body).not.toHaveProperty('refresh_token');
  });

  it('keeps who the user is, when and how the sign-in was, and the session; issues another token', async () => {
    const { signIn, refresh, clock } = await start();
    const signedIn = await signIn(JO);
    clock.advanceSeconds(1000);
    const { body } = await refresh(signedIn.refreshToken);
    const [before, after] = [readToken(signedIn.accessToken).payload, readToken(body.access_token).payload];
    expect(after).toEqual({
      ...before,
      jti: expect.any(String) as string,
      iat: START_MS / 1000 + 1000,
      exp: START_MS / 1000 + 4600,
    });
    expect(after['jti']).not.toBe(before['jti']);
  });

  it('gives the token just replaced the same successor within the grace time', async () => {
    const { signIn, refresh, me, clock } = await start();
    const { refreshToken } = await signIn(JO);
    const first = await refresh(refreshToken);
    clock.advanceSeconds(9.999);
    const again = await refresh(refreshToken);
    expect(again.status).toBe(200);
    expect(successorOf(again)).toBe(successorOf(first));
    expect((await me(again.body.access_token)).status).toBe(200);
    expect((await refresh(successorOf(first))).status).toBe(200);
  });

  it('gives 20 simultaneous refreshes of one token one and the same successor', async () => {
    const { signIn, refresh, refreshByCookie, auth } = await start();
    const other = await start();
    const { refreshToken } = await signIn(JO);
    const killed = jest.fn();
    for (const { events } of [auth, other.auth]) events.on('session.reuse_detected', killed);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? refresh : other.refresh)(refreshToken)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map(successorOf)).size).toBe(1);
    expect(killed).not.toHaveBeenCalled();
    expect((await refreshByCookie(successorOf(answers[0] as Answer))).status).toBe(200);
  });

  it.each([
    ['later than the grace time', 10, 10],
    ['at once, with jwt.refreshGraceSeconds 0', 0, 0],
  ])('ends the whole session when a replaced token comes %s', async (_when, refreshGraceSeconds, laterBySeconds) => {
    const { signIn, refresh, me, auth, clock } = await start({ jwt: { refreshGraceSeconds } });
    const events: [string, OtpAuthEvent][] = [];
    for (const name of ['session.reuse_detected', 'session.ended'] as const)
      auth.events.on(name, (event) => events.push([name, event]));
    const stolen = await signIn(JO);
    const bystander = await signIn(JO);
    const rotated = await refresh(stolen.refreshToken);
    clock.advanceSeconds(laterBySeconds);

    const reused = await refresh(stolen.refreshToken, { 'User-Agent': 'A thief' });
    expect([reused.status, reused.body.code]).toEqual([401, 'invalid_refresh_token']);
    expect((await refresh(successorOf(rotated))).status).toBe(401);
    for (const accessToken of [stolen.accessToken, rotated.body.access_token])
      expect((await me(accessToken)).status).toBe(401);
    expect(events.map(([name]) => name)).toEqual(['session.reuse_detected', 'session.ended']);
    expect(events[0]?.[1]).toMatchObject({
      at: clock.now(),
      identifier: 'j***@example.com',
      userId: JO,
      sessionId: readToken(stolen.accessToken).payload['sid'],
      ip: '127.0.0.1',
      userAgent: 'A thief',
    });
    expect((await me(bystander.accessToken)).status).toBe(200);
    expect((await refresh(bystander.refreshToken)).status).toBe(200);
  });

  it('ends the session when a token comes whose successor was replaced too, also within the grace time', async () => {
    const { signIn, refresh, me, auth } = await start();
    const detected = jest.fn();
    auth.events.on('session.reuse_detected', detected);
    const { refreshToken, accessToken } = await signIn(JO);
    const second = await refresh(refreshToken);
    const third = await refresh(successorOf(second));
    expect((await refresh(refreshToken)).status).toBe(401);
    expect(detected).toHaveBeenCalledTimes(1);
    expect((await refresh(successorOf(third))).status).toBe(401);
    expect((await me(accessToken)).status).toBe(401);
  });

  it('ends a session that is not refreshed for jwt.refreshTokenDays, and starts that time anew with each refresh', async () => {
    const { signIn, refresh, clock } = await start({ jwt: { refreshTokenDays: 2 } });
    const { refreshToken } = await signIn(JO);
    clock.advanceSeconds(2 * DAY_SECONDS - 1);
    const second = await refresh(refreshToken);
    expect(second.status).toBe(200);
    clock.advanceSeconds(2 * DAY_SECONDS - 1);
    const third = await refresh(successorOf(second));
    expect(third.status).toBe(200);
    clock.advanceSeconds(2 * DAY_SECONDS);
    expect((await refresh(successorOf(third))).body.code).toBe('invalid_refresh_token');
  });

  it('ends a session jwt.sessionMaxDays after the sign-in, refreshed or not; the cookie ends with it', async () => {
    const { signIn, refreshByCookie, clock } = await start({ jwt: { refreshTokenDays: 2, sessionMaxDays: 3 } });
    const { refreshToken } = await signIn(JO);
    clock.advanceSeconds(2 * DAY_SECONDS - 1);
    const second = refreshCookieOf(await refreshByCookie(refreshToken));
    expect(second?.attributes['max-age']).toBe(String(DAY_SECONDS + 1));
    clock.advanceSeconds(DAY_SECONDS);
    const third = refreshCookieOf(await refreshByCookie(second?.value ?? ''));
    expect(third?.attributes['max-age']).toBe('1');
    clock.advanceSeconds(1);
    expect((await refreshByCookie(third?.value ?? '')).status).toBe(401);
  });

  it('clears the cookie of a token that is not valid', async () => {
    const { refreshByCookie } = await start();
    const answer = await refreshByCookie('forged');
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_refresh_token']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]*", error="invalid_token"/);
    const cookie = refreshCookieOf(answer);
    expect(cookie?.value).toBe('');
    expect(cookie?.attributes).toMatchObject({ path: '/', httponly: true, samesite: 'Lax' });
    expect(Date.parse(String(cookie?.attributes['expires']))).toBeLessThanOrEqual(1000);
  });

  it('is token_missing without any token: a challenge without an error code', async () => {
    const { refreshBare, refresh } = await start();
    for (const answer of [await refreshBare(), await refresh(undefined)]) {
      expect([answer.status, answer.body.code]).toEqual([401, 'token_missing']);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]*"$/);
    }
  });

  it('does not take an access token, in the body or in the cookie', async () => {
    const { signIn, refresh, refreshByCookie } = await start();
    const { accessToken } = await signIn(JO);
    for (const answer of [await refresh(accessToken), await refreshByCookie(accessToken)])
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_refresh_token']);
  });

  it('does not take a refresh token out of the Authorization header', async () => {
    const { signIn, url } = await start();
    const { refreshToken } = await signIn(JO);
    const answer = await call(`${url}/auth/refresh`, { headers: { Authorization: `Bearer ${refreshToken}` } });
    expect([answer.status, answer.body.code]).toEqual([401, 'token_missing']);
  });

  it('tells its listeners', async () => {
    const { signIn, refresh, auth } = await start();
    const refreshed = jest.fn();
    auth.events.on('session.refreshed', refreshed);
    const { refreshToken, accessToken } = await signIn(JO);
    await refresh(refreshToken, { 'User-Agent': 'A browser' });
    expect(refreshed).toHaveBeenCalledWith(
      expect.objectContaining({
        at: START_MS,
        identifier: 'j***@example.com',
        userId: JO,
        sessionId: readToken(accessToken).payload['sid'],
        ip: '127.0.0.1',
        userAgent: 'A browser',
      }),
    );
  });

  it('keeps a session going where claims(user) fails once, and tells nothing of why it failed', async () => {
    let fails = false;
    const { signIn, refresh, clock } = await start({
      claims: () => {
        if (fails) throw new Error('the plans’ database is at 10.0.0.7');
        return {};
      },
    });
    const { refreshToken } = await signIn(JO);
    fails = true;
    const failed = await refresh(refreshToken);
    expect(failed.status).toBe(500);
    fails = false;
    // Nothing was replaced, so this is no reuse, however late.
    clock.advanceSeconds(3600);
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});
