import type { ErrorRequestHandler, RequestHandler } from 'express';
import { sign } from 'jsonwebtoken';
import type { OtpAuth, OtpAuthOptions } from '../../src/index.js';
import { SECRET, START_MS, startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';

/** An application whose one route stands behind guards. */
async function startGuarded(guards: (auth: OtpAuth) => RequestHandler[], options: OtpAuthOptions = {}) {
  const handled = jest.fn();
  const app = await startAuthApp(options);
  app.app.get('/guarded', ...guards(app.auth), (req, res) => {
    handled();
    res.json({ user: req.user ?? null });
  });
  return {
    ...app,
    handled,
    get: (authorization?: string | string[]) =>
      call(`${app.url}/guarded`, {
        method: 'GET',
        headers: authorization === undefined ? {} : { Authorization: authorization },
      }),
    /** The same token with other claims, properly signed. */
    resign: (token: string, changes: object) => {
      const { header, payload } = readToken(token);
      return `Bearer ${sign({ ...payload, ...changes }, SECRET, { header: { ...header, alg: 'HS256' } })}`;
    },
  };
}

const challengeOf = ({ headers }: Answer) => headers['www-authenticate'];

describe('requireUser', () => {
  it('sets req.user, whole, from a valid access token', async () => {
    const { get, signIn } = await startGuarded(({ requireUser }) => [requireUser], {
      claims: () => ({ plan: 'gold' }),
    });
    const { authorization, accessToken } = await signIn(JO);
    const { payload } = readToken(accessToken);
    const answer = await get(authorization);
    expect(answer.status).toBe(200);
    expect(answer.body['user']).toEqual({
      id: JO,
      email: JO,
      roles: [],
      sessionId: payload['sid'],
      tokenId: payload['jti'],
      authTime: START_MS / 1000,
      amr: ['otp'],
      claims: payload,
    });
    expect(payload['plan']).toBe('gold');
  });

  it('is 401 token_missing without credentials: a challenge without an error code (RFC 6750 §3.1)', async () => {
    const { get, handled } = await startGuarded(({ requireUser }) => [requireUser]);
    const answer = await get();
    expect([answer.status, answer.body.code]).toEqual([401, 'token_missing']);
    expect(challengeOf(answer)).toMatch(/^Bearer realm="[^"]+"$/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
    expect(handled).not.toHaveBeenCalled();
  });

  it.each(['Bearer', 'Bearer ', 'Bearer  ', 'bearer', 'Bearer a b', 'Bearer ,', 'Bearer "x"', 'Bearer x, Bearer y'])(
    'is 401 invalid_token with %j, which is no token',
    async (authorization) => {
      const { get, handled } = await startGuarded(({ requireUser }) => [requireUser]);
      const answer = await get(authorization);
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
      expect(challengeOf(answer)).toMatch(/^Bearer realm="[^"]+", error="invalid_token"/);
      expect(handled).not.toHaveBeenCalled();
    },
  );

  it.each(['', 'Basic am86MTIzNDU2', 'Token x', 'Bearerx', 'JWT x.y.z', '\u00e9', 'Negotiate'])(
    'is 401 with %j, which is another scheme or none',
    async (authorization) => {
      const { get } = await startGuarded(({ requireUser }) => [requireUser]);
      expect((await get(authorization)).status).toBe(401);
    },
  );

  it('does not take the token without its scheme, under another, in the query or in a cookie', async () => {
    const { get, signIn, url } = await startGuarded(({ requireUser }) => [requireUser]);
    const { accessToken } = await signIn(JO);
    for (const authorization of [accessToken, `Basic ${accessToken}`, `JWT ${accessToken}`])
      expect((await get(authorization)).status).toBe(401);
    const elsewhere = await call(`${url}/guarded?access_token=${accessToken}`, {
      method: 'GET',
      headers: { Cookie: `access_token=${accessToken}; refresh_token=${accessToken}` },
    });
    expect(elsewhere.status).toBe(401);
  });

  it('takes the scheme in any case, and several spaces after it (RFC 9110 §11.1)', async () => {
    const { get, signIn } = await startGuarded(({ requireUser }) => [requireUser]);
    const { accessToken } = await signIn(JO);
    for (const authorization of [`bearer ${accessToken}`, `BEARER ${accessToken}`, `Bearer   ${accessToken}`])
      expect((await get(authorization)).status).toBe(200);
  });

  it('refuses a token from the second of its expiry on', async () => {
    const { get, signIn, clock } = await startGuarded(({ requireUser }) => [requireUser], {
      jwt: { accessTokenMinutes: 1 },
    });
    const { authorization } = await signIn(JO);
    clock.advanceSeconds(59.9);
    expect((await get(authorization)).status).toBe(200);
    clock.advanceSeconds(0.1);
    expect((await get(authorization)).body.code).toBe('invalid_token');
  });

  it('goes by the token, whatever user other middleware has set', async () => {
    const { get, signIn } = await startGuarded(({ requireUser }) => [pretend, requireUser]);
    expect((await get()).status).toBe(401);
    const { authorization } = await signIn(JO);
    expect((await get(authorization)).body['user']).toMatchObject({ id: JO, roles: [] });
  });
});

describe('optionalUser', () => {
  it('lets requests without credentials through, without a user', async () => {
    const { get } = await startGuarded(({ optionalUser }) => [optionalUser]);
    const answer = await get();
    expect([answer.status, answer.body['user']]).toEqual([200, null]);
    expect((await get('Basic am86MTIzNDU2')).status).toBe(200);
  });

  it('sets req.user from a valid token', async () => {
    const { get, signIn } = await startGuarded(({ optionalUser }) => [optionalUser]);
    const { authorization } = await signIn(JO);
    expect((await get(authorization)).body['user']).toMatchObject({ id: JO });
  });

  it('is 401 with a bad token', async () => {
    const { get, signIn, clock, handled } = await startGuarded(({ optionalUser }) => [optionalUser]);
    const { authorization } = await signIn(JO);
    clock.advanceSeconds(3600);
    for (const bad of [authorization, 'Bearer', 'Bearer x.y.z'])
      expect((await get(bad)).body.code).toBe('invalid_token');
    expect(handled).not.toHaveBeenCalled();
  });
});

describe('requireRole', () => {
  it.each([
    ['after requireUser', (auth: OtpAuth) => [auth.requireUser, auth.requireRole('admin', 'editor')]],
    ['instead of requireUser', (auth: OtpAuth) => [auth.requireRole('admin', 'editor')]],
    ['after optionalUser', (auth: OtpAuth) => [auth.optionalUser, auth.requireRole('admin', 'editor')]],
  ])('%s: 401 without a token, 403 without one of the roles, else through', async (_where, guards) => {
    const { get, signIn, resign, handled } = await startGuarded(guards);
    const { authorization, accessToken } = await signIn(JO);
    expect((await get()).body.code).toBe('token_missing');
    const refused = await get(authorization);
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
    expect(challengeOf(refused)).toMatch(/^Bearer realm="[^"]+", error="insufficient_scope"/);
    expect((await get(resign(accessToken, { roles: ['reader', 'Admin'] }))).status).toBe(403);
    expect(handled).not.toHaveBeenCalled();
    expect((await get(resign(accessToken, { roles: ['reader', 'editor'] }))).status).toBe(200);
  });

  it.each<[unknown[]]>([[[]], [[['admin']]], [['admin', undefined]]])(
    'throws at the start where it is told %j, and does not lock everybody out later',
    async (roles) => {
      const { auth } = await startAuthApp();
      expect(() => auth.requireRole(...(roles as string[]))).toThrow(
        expect.objectContaining({ code: 'config_invalid' }),
      );
    },
  );

  it('goes by the token, whatever user other middleware has set', async () => {
    const { get, signIn } = await startGuarded((auth) => [pretend, auth.requireRole('admin')]);
    expect((await get()).status).toBe(401);
    expect((await get((await signIn(JO)).authorization)).status).toBe(403);
  });

  it('goes by the token, whatever user middleware between the guards has set', async () => {
    const { get, signIn } = await startGuarded((auth) => [auth.requireUser, pretend, auth.requireRole('admin')]);
    expect((await get((await signIn(JO)).authorization)).status).toBe(403);
  });
});

describe('requireRecent', () => {
  it.each([
    ['after requireUser', (auth: OtpAuth) => [auth.requireUser, auth.requireRecent(300)]],
    ['instead of requireUser', (auth: OtpAuth) => [auth.requireRecent(300)]],
  ])('%s: asks for another sign-in as RFC 9470 does once the last is too old', async (_where, guards) => {
    const { get, signIn, clock, handled } = await startGuarded(guards);
    expect((await get()).body.code).toBe('token_missing');
    const { authorization } = await signIn(JO);
    clock.advanceSeconds(300);
    expect((await get(authorization)).status).toBe(200);
    clock.advanceSeconds(1);
    const refused = await get(authorization);
    expect(refused.status).toBe(401);
    expect(refused.body).toMatchObject({ code: 'reauthentication_required', max_age: 300 });
    expect(challengeOf(refused)).toMatch(
      /^Bearer realm="[^"]+", error="insufficient_user_authentication".*, max_age=300$/,
    );
    expect(handled).toHaveBeenCalledTimes(1);
  });

  it('is not satisfied by a refresh, and is by another sign-in', async () => {
    const { get, signIn, clock, auth } = await startGuarded((auth) => [auth.requireRecent(300)]);
    const { refreshToken } = await signIn(JO);
    clock.advanceSeconds(301);
    const { accessToken } = await auth.api.refresh({ refreshToken });
    expect((await get(`Bearer ${accessToken}`)).status).toBe(401);
    expect((await get((await signIn(JO)).authorization)).status).toBe(200);
  });

  it('goes by the option recentSeconds where it is not told otherwise', async () => {
    const { get, signIn, clock } = await startGuarded((auth) => [auth.requireRecent()], { recentSeconds: 60 });
    const { authorization } = await signIn(JO);
    clock.advanceSeconds(60);
    expect((await get(authorization)).status).toBe(200);
    clock.advanceSeconds(1);
    expect((await get(authorization)).body.max_age).toBe(60);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '60', 'ten minutes', null])(
    'throws at the start where it is told %p, and does not let everybody through later',
    async (seconds) => {
      const { auth } = await startAuthApp();
      expect(() => auth.requireRecent(seconds as number)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    },
  );
});

describe('every guard', () => {
  it('answers by itself, and leaves the application’s error handler alone', async () => {
    const onError = jest.fn();
    const handler: ErrorRequestHandler = (error, _req, _res, next) => {
      onError();
      next(error);
    };
    const { url, app, auth } = await startAuthApp();
    app.get('/role', auth.requireRole('admin'));
    app.get('/recent', auth.requireRecent());
    app.get('/optional', auth.optionalUser);
    app.use(handler);
    for (const path of ['/me', '/role', '/recent', '/optional'])
      expect((await call(url + path, { method: 'GET', headers: { Authorization: 'Bearer x' } })).status).toBe(401);
    expect(onError).not.toHaveBeenCalled();
  });
});

/** Other middleware, with a user of its own. */
const pretend: RequestHandler = (req, _res, next) => {
  Object.assign(req, { user: { id: 'someone else', roles: ['admin'], authTime: Number.MAX_SAFE_INTEGER } });
  next();
};

describe('what guards refuse', () => {
  it('is told to listeners, with the code of the answer, and whose token it was where that is known', async () => {
    const { get, signIn, resign, auth } = await startGuarded((own) => [own.requireRole('admin')]);
    const told: unknown[] = [];
    auth.events.on('access.refused', ({ code, userId, ip }) => told.push({ code, userId, ip }));
    const { authorization, accessToken } = await signIn(JO);
    await get();
    await get(authorization);
    await get(`${resign(accessToken, {}).slice(0, -6)}AAAAAA`);
    expect(told).toEqual([
      { code: 'insufficient_scope', userId: JO, ip: '127.0.0.1' },
      { code: 'invalid_token', userId: undefined, ip: '127.0.0.1' },
    ]);
  });
});
