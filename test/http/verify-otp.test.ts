import { verify } from 'jsonwebtoken';
import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { SECRET, START_MS, startAuthApp } from '../support/auth-app.js';
import { type Answer, call, cookieHeader, type SetCookie } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';

describeOnEachStore('POST /verify-otp', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startAuthApp({ ...stored(), ...options });
    const post = (path: string, body: object) => call(`${app.url}/auth/${path}`, { body });
    const verifyOtp = (otp: string, more: object = {}) => post('verify-otp', { email: JO, otp, ...more });
    /** Asks for a code, and gives it. */
    const codeFor = async (email = JO) => {
      expect((await post('request-otp', { email })).status).toBe(200);
      return app.lastCode(email);
    };
    return { ...app, post, verifyOtp, codeFor };
  };
  const refreshCookieOf = ({ cookies }: Answer) => cookies.find(({ name }) => name === 'refresh_token');

  it('signs in with the right code: an access token in the body, the refresh token in a cookie alone', async () => {
    const { verifyOtp, codeFor } = await start();
    const answer = await verifyOtp(await codeFor());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      message: 'OTP verified successfully!',
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 3600,
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(readToken(refreshCookieOf(answer)?.value).payload).toMatchObject({ type: 'refresh' });
  });

  describe('in a browser that is signed in', () => {
    const startSignedIn = async (options: OtpAuthOptions = {}) => {
      const app = await start(options);
      const first = await app.verifyOtp(await app.codeFor());
      const cookie = cookieHeader(refreshCookieOf(first) as SetCookie);
      const ended: string[] = [];
      app.auth.events.on('session.ended', ({ reason, userId }) => ended.push(`${reason} ${userId}`));
      const me = async (accessToken: unknown) =>
        (await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${String(accessToken)}` } }))
          .status;
      const signInAnew = async (email: string, headers: Record<string, string>, more: object = {}) =>
        call(`${app.url}/auth/verify-otp`, { body: { email, otp: await app.codeFor(email), ...more }, headers });
      return { ...app, first: first.body.access_token, cookie, ended, me, signInAnew };
    };

    it.each([JO, 'ann@example.com'])('ends the session whose cookie it replaces: as %s', async (email) => {
      const { first, cookie, ended, me, signInAnew, url } = await startSignedIn();
      const next = await signInAnew(email, cookie);
      expect(await me(first)).toBe(401);
      expect(await me(next.body.access_token)).toBe(200);
      expect(ended).toEqual([`replaced ${JO}`]);
      expect((await call(`${url}/auth/refresh`, { headers: cookie })).status).toBe(401);
      expect(
        (await call(`${url}/auth/refresh`, { headers: cookieHeader(refreshCookieOf(next) as SetCookie) })).status,
      ).toBe(200);
    });

    it('ends none where its cookie stays, the code is wrong, or the cookie is forged', async () => {
      const { first, cookie, ended, me, signInAnew, verifyOtp, url } = await startSignedIn();
      await signInAnew(JO, cookie, { token_transport: 'body' });
      await call(`${url}/auth/verify-otp`, { body: { email: JO, otp: '000000' }, headers: cookie });
      await signInAnew(JO, { Cookie: `${cookie.Cookie.slice(0, -6)}AAAAAA` });
      await verifyOtp('000000');
      expect(await me(first)).toBe(200);
      expect(ended).toEqual([]);
    });
  });

  it('gives the refresh token in the body, and no cookie for it, where token_transport is "body"', async () => {
    const { verifyOtp, codeFor } = await start();
    const answer = await verifyOtp(await codeFor(), { token_transport: 'body' });
    expect(answer.body).toMatchObject({
      message: 'OTP verified successfully!',
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 3600,
    });
    expect(readToken(answer.body.refresh_token).payload).toMatchObject({ type: 'refresh' });
    expect(refreshCookieOf(answer)).toBeUndefined();
  });

  it('sets the cookie where token_transport is "cookie"', async () => {
    const { verifyOtp, codeFor } = await start();
    const answer = await verifyOtp(await codeFor(), { token_transport: 'cookie' });
    expect(answer.body.refresh_token).toBeUndefined();
    expect(refreshCookieOf(answer)).toBeDefined();
  });

  it('refuses an unknown token_transport before the code is looked at', async () => {
    const { verifyOtp, codeFor } = await start();
    const code = await codeFor();
    const answer = await verifyOtp(code, { token_transport: 'header' });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(['token_transport']);
    expect((await verifyOtp(code)).status).toBe(200);
  });

  it('signs a token with every claim that the contract names', async () => {
    const { verifyOtp, codeFor } = await start();
    const { body } = await verifyOtp(await codeFor());
    const { header, payload } = readToken(body.access_token);
    const now = START_MS / 1000;
    expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.any(String) as string });
    expect(payload).toEqual({
      sub: JO,
      email: JO,
      roles: [],
      sid: expect.any(String) as string,
      jti: expect.any(String) as string,
      iat: now,
      exp: now + 3600,
      auth_time: now,
      amr: ['otp'],
      type: 'access',
    });
    expect(verify(String(body.access_token), SECRET, { clockTimestamp: now })).toMatchObject({ sub: JO });
  });

  it('names the issuer and the audience where they are configured', async () => {
    const { verifyOtp, codeFor } = await start({ jwt: { issuer: 'https://issuer.example', audience: 'api' } });
    const { body } = await verifyOtp(await codeFor());
    expect(readToken(body.access_token).payload).toMatchObject({ iss: 'https://issuer.example', aud: 'api' });
  });

  it('adds what claims(user) returns, and lets none of it replace a claim of its own', async () => {
    const { verifyOtp, codeFor, url } = await start({
      claims: async ({ id, email }) => ({
        plan: 'gold',
        for: [id, email],
        ...Object.fromEntries(
          'sub email phone_number roles sid jti iat exp nbf auth_time amr type iss aud'
            .split(' ')
            .map((name) => [name, 'evil']),
        ),
      }),
    });
    const { body } = await verifyOtp(await codeFor());
    const { payload } = readToken(body.access_token);
    expect(payload).toMatchObject({ plan: 'gold', for: [JO, JO], sub: JO, email: JO, roles: [], type: 'access' });
    expect(JSON.stringify(payload)).not.toContain('evil');
    const me = await call(`${url}/me`, {
      method: 'GET',
      headers: { Authorization: `Bearer ${String(body.access_token)}` },
    });
    expect(me.body['claims']).toMatchObject({ plan: 'gold' });
  });

  it('is of the user as they are, whatever claims(user) does to what it is given', async () => {
    const { verifyOtp, codeFor } = await start({
      claims: (user) => {
        user.id = 'evil';
        (user.roles as string[]).push('admin');
        return {};
      },
    });
    const { status, body } = await verifyOtp(await codeFor());
    expect(status).toBe(200);
    expect(readToken(body.access_token).payload).toMatchObject({ sub: JO, roles: [] });
  });

  it('lives jwt.accessTokenMinutes, and no longer than the session', async () => {
    const { verifyOtp, codeFor, clock, post } = await start({
      jwt: { accessTokenMinutes: 1440, refreshTokenDays: 7, sessionMaxDays: 1, refreshGraceSeconds: 0 },
    });
    const { body } = await verifyOtp(await codeFor(), { token_transport: 'body' });
    expect(body.expires_in).toBe(86_400);
    clock.advanceSeconds(86_400 - 60);
    const refreshed = await post('refresh', { refresh_token: body.refresh_token });
    expect(refreshed.body.expires_in).toBe(60);
  });

  it('answers the same to a code that is wrong, expired, replaced, used up or was never asked for', async () => {
    const { post, verifyOtp, codeFor, clock } = await start();
    const used = await codeFor();
    await verifyOtp(used);
    const usedAnswer = await verifyOtp(used);
    const wrong = await verifyOtp(otherThan(await codeFor()));
    const expiring = await codeFor();
    clock.advanceSeconds(300);
    const expired = await verifyOtp(expiring);
    const neverAsked = await post('verify-otp', { email: 'nobody@example.com', otp: '123456' });
    for (const answer of [usedAnswer, wrong, expired, neverAsked]) {
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual(neverAsked.body);
      expect(answer.body.code).toBe('invalid_otp');
      expect(answer.cookies).toEqual([]);
    }
  });

  it('takes a code until otp.expirySeconds have passed', async () => {
    const { verifyOtp, codeFor, clock } = await start({ otp: { expirySeconds: 30 } });
    const first = await codeFor();
    clock.advanceSeconds(29.999);
    expect((await verifyOtp(first)).status).toBe(200);
    const second = await codeFor();
    clock.advanceSeconds(30);
    expect((await verifyOtp(second)).status).toBe(400);
  });

  it('takes a code for the address that it was made for, and for no other', async () => {
    const { post, verifyOtp, codeFor } = await start();
    const [code] = [await codeFor(), await codeFor('joe@example.com')];
    const another = await post('verify-otp', { email: 'joe@example.com', otp: code });
    // One time in a million both have the same code.
    if (code !== (await codeFor('joe@example.com'))) expect(another.status).toBe(400);
    expect((await verifyOtp(code)).status).toBe(200);
  });

  it('takes the right code after otp.maxAttempts − 1 wrong ones, and no longer after one more', async () => {
    const { verifyOtp, codeFor } = await start({ otp: { maxAttempts: 3 } });
    const first = await codeFor();
    for (const _ of [1, 2]) await verifyOtp(otherThan(first));
    expect((await verifyOtp(first)).status).toBe(200);
    const second = await codeFor();
    for (const _ of [1, 2, 3]) await verifyOtp(otherThan(second));
    expect((await verifyOtp(second)).body.code).toBe('invalid_otp');
  });

  it('counts wrong guesses over all live codes at once', async () => {
    const { verifyOtp, codeFor } = await start({ otp: { maxAttempts: 2, liveCodes: 2 } });
    const codes = [await codeFor(), await codeFor()];
    for (const _ of [1, 2]) await verifyOtp(otherThan(...codes));
    for (const code of codes) expect((await verifyOtp(code)).status).toBe(400);
  });

  it('refuses even the right code once limits.failuresPerDay are used up, whatever was sent or right in between', async () => {
    const { post, verifyOtp, codeFor, clock } = await start({
      limits: { failuresPerDay: 4 },
      otp: { maxAttempts: 3 },
    });
    const first = await codeFor();
    for (const _ of [1, 2]) expect((await verifyOtp(otherThan(first))).status).toBe(400);
    expect((await verifyOtp(first)).status).toBe(200);
    clock.advanceSeconds(3600);
    const second = await codeFor();
    await verifyOtp(otherThan(second));
    const third = await codeFor();
    await verifyOtp(otherThan(third));

    const refused = await verifyOtp(third);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'rate_limited', retry_after: 23 * 3600 });
    expect(refused.headers['retry-after']).toBe(String(23 * 3600));
    expect((await post('request-otp', { email: JO })).status).toBe(429);
    clock.advanceSeconds(23 * 3600);
    expect((await verifyOtp(await codeFor())).status).toBe(200);
  });

  it('allows 25 failures in any 24 hours where nothing else is configured, also where no code was asked for', async () => {
    const { verifyOtp } = await start();
    for (let failure = 0; failure < 25; failure += 1) expect((await verifyOtp('123456')).status).toBe(400);
    expect((await verifyOtp('123456')).status).toBe(429);
  });

  it('keeps leading zeros', async () => {
    const { verifyOtp, post } = await start({
      reviewCodes: [{ identifier: JO, code: '000042', expiresAt: START_MS + 3_600_000 }],
    });
    await post('request-otp', { email: JO });
    expect((await verifyOtp('42')).status).toBe(400);
    expect((await verifyOtp('000042')).status).toBe(200);
  });

  it('tells its listeners, and operators the reason that callers do not get', async () => {
    const { verifyOtp, codeFor, auth, clock } = await start({ otp: { maxAttempts: 1 } });
    const events: [string, OtpAuthEvent][] = [];
    for (const name of ['otp.verified', 'session.started', 'otp.rejected'] as const)
      auth.events.on(name, (event) => events.push([name, event]));
    const code = await codeFor();
    const { body } = await verifyOtp(code);
    const { sid } = readToken(body.access_token).payload;
    await verifyOtp(code);
    const next = await codeFor();
    await verifyOtp(otherThan(next));
    await verifyOtp(next);
    clock.advanceSeconds(300);
    await verifyOtp(next);
    expect(events.map(([name, event]) => [name, 'reason' in event ? event.reason : undefined])).toEqual([
      ['otp.verified', undefined],
      ['session.started', expect.anything()],
      ['otp.rejected', 'replayed'],
      ['otp.rejected', 'wrong'],
      ['otp.rejected', 'attempts_used_up'],
      ['otp.rejected', 'absent'],
    ]);
    expect(events[1]?.[1]).toMatchObject({ at: START_MS, identifier: 'j***@example.com', userId: JO, sessionId: sid });
    expect(JSON.stringify(events)).not.toContain(next);
  });
});

/** A code of the same length that is none of these. */
function otherThan(...codes: string[]): string {
  const candidates = ['111111', '222222', '333333', '444444'];
  return candidates.find((candidate) => !codes.includes(candidate)) ?? '';
}
