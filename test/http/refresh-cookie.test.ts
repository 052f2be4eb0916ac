import type { OtpAuthOptions } from '../../src/index.js';
import { fakeClock, startAuthApp, type Surroundings } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';

const JO = 'jo@example.com';

async function start(options: OtpAuthOptions = {}, surroundings: Surroundings = {}) {
  const app = await startAuthApp(options, fakeClock(), surroundings);
  return {
    ...app,
    /** Signs in over HTTP, and gives the cookie that holds the refresh token. */
    signInForCookie: async (headers: Record<string, string> = {}) => {
      await app.auth.api.requestOtp({ email: JO });
      const answer = await call(`${app.url}/auth/verify-otp`, { body: { email: JO, otp: app.lastCode(JO) }, headers });
      return refreshCookieOf(answer);
    },
    refresh: (cookie: string | string[], headers: Record<string, string> = {}) =>
      call(`${app.url}/auth/refresh`, { headers: { ...headers, Cookie: cookie } }),
  };
}

function refreshCookieOf({ cookies }: Answer) {
  const cookie = cookies.find(({ name }) => /^(?:__Host-)?(?:refresh_token|rt)$/.test(name));
  if (cookie === undefined) throw new Error('no cookie with a refresh token was set');
  return cookie;
}

const behindTlsProxy: Surroundings = { prepare: (app) => app.set('trust proxy', true) };
const overHttps = { 'X-Forwarded-Proto': 'https' };

describe('the cookie with the refresh token', () => {
  it('is HttpOnly, SameSite=Lax, for all paths of this host alone, and lives as long as the token', async () => {
    const { name, value, attributes } = await (await start()).signInForCookie();
    expect(name).toBe('refresh_token');
    expect(value.split('.')).toHaveLength(3);
    expect(attributes).toEqual({
      httponly: true,
      samesite: 'Lax',
      path: '/',
      'max-age': '604800',
      expires: expect.any(String) as string,
    });
  });

  it("is Secure exactly when the request came over HTTPS, with cookie.secure 'auto'", async () => {
    const { signInForCookie } = await start({}, behindTlsProxy);
    expect((await signInForCookie()).attributes).not.toHaveProperty('secure');
    expect((await signInForCookie(overHttps)).attributes['secure']).toBe(true);
  });

  it('does not believe X-Forwarded-Proto from a proxy that is not trusted', async () => {
    const { signInForCookie } = await start();
    const { name, attributes } = await signInForCookie(overHttps);
    expect([name, attributes['secure']]).toEqual(['refresh_token', undefined]);
  });

  it('gets the __Host- prefix where it is Secure, for path / and without a domain', async () => {
    const { signInForCookie, refresh } = await start({ cookie: { secure: true } });
    const cookie = await signInForCookie();
    expect(cookie.name).toBe('__Host-refresh_token');
    const answer = await refresh(`__Host-refresh_token=${cookie.value}`);
    expect(answer.status).toBe(200);
    expect(refreshCookieOf(answer).name).toBe('__Host-refresh_token');
    // A page on a sibling domain can plant a cookie of the bare name; it is not read.
    expect((await refresh(`refresh_token=${cookie.value}`)).body.code).toBe('token_missing');
  });

  it('gets the __Host- prefix over HTTPS alone, with auto', async () => {
    const { signInForCookie, refresh } = await start({}, behindTlsProxy);
    const cookie = await signInForCookie(overHttps);
    expect(cookie.name).toBe('__Host-refresh_token');
    expect((await refresh(`__Host-refresh_token=${cookie.value}`, overHttps)).status).toBe(200);
    expect((await signInForCookie()).name).toBe('refresh_token');
  });

  it.each<NonNullable<OtpAuthOptions['cookie']>>([
    { secure: true, domain: 'example.com' },
    { secure: true, path: '/auth' },
    { secure: false },
  ])('keeps its bare name with %j', async (cookie) => {
    const { name, attributes } = await (await start({ cookie })).signInForCookie();
    expect(name).toBe('refresh_token');
    expect(attributes).toMatchObject({
      ...(cookie.domain === undefined ? {} : { domain: cookie.domain }),
      path: cookie.path ?? '/',
    });
    expect(attributes['secure']).toBe(cookie.secure === true ? true : undefined);
  });

  it('has the name, SameSite, domain and path that are configured', async () => {
    const { signInForCookie, refresh } = await start({
      cookie: { name: 'rt', sameSite: 'strict', domain: 'example.com', path: '/auth/refresh', secure: true },
    });
    const cookie = await signInForCookie();
    expect(cookie.name).toBe('rt');
    expect(cookie.attributes).toMatchObject({
      samesite: 'Strict',
      domain: 'example.com',
      path: '/auth/refresh',
      secure: true,
      httponly: true,
    });
    expect((await refresh(`rt=${cookie.value}`)).status).toBe(200);
  });

  it('can be SameSite=None where it is Secure', async () => {
    const { attributes } = await (await start({ cookie: { sameSite: 'none', secure: true } })).signInForCookie();
    expect(attributes).toMatchObject({ samesite: 'None', secure: true });
  });
});

describe('a request’s cookies', () => {
  it('are read among others, in any order and with any white space', async () => {
    const { signInForCookie, refresh } = await start();
    const { value } = await signInForCookie();
    const answer = await refresh(`a=1;refresh_token=${value};  b="2"; c; =d; refresh_token2=x; xrefresh_token=y`);
    expect(answer.status).toBe(200);
  });

  it('count the one that is authentic where others of the name were planted', async () => {
    const { signInForCookie, refresh } = await start();
    const { value } = await signInForCookie();
    expect((await refresh(`refresh_token=planted; refresh_token=${value}; refresh_token=`)).status).toBe(200);
  });

  it('count the newest where several of one user’s are authentic, left over from another path', async () => {
    const { signIn, refresh, clock, auth } = await start();
    const reused = jest.fn();
    auth.events.on('session.reuse_detected', reused);
    const old = await signIn(JO);
    const { refreshToken: replacement } = await auth.api.refresh(old);
    clock.advanceSeconds(60);
    const { refreshToken } = await auth.api.refresh({ refreshToken: replacement });
    const leftOver = `refresh_token=${old.refreshToken}`;
    expect((await refresh(`${leftOver}; refresh_token=${refreshToken}`)).status).toBe(200);
    expect(reused).not.toHaveBeenCalled();
  });

  it('count for nothing where authentic ones of several users came', async () => {
    const { signIn, refresh } = await start();
    const [jo, joe] = [await signIn(JO), await signIn('joe@example.com')];
    const answer = await refresh(`refresh_token=${jo.refreshToken}; refresh_token=${joe.refreshToken}`);
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_refresh_token']);
    expect(refreshCookieOf(answer).value).toBe('');
  });

  it.each([
    ['of another name by its case', (value: string) => `Refresh_Token=${value}`, 'token_missing'],
    ['that a parser would make an object of', () => 'refresh_token=j:{"length":1}', 'invalid_refresh_token'],
    ['that a parser would take for signed', (value: string) => `refresh_token=s:${value}`, 'invalid_refresh_token'],
    ['in quotes', (value: string) => `refresh_token="${value}x"`, 'invalid_refresh_token'],
    ['with a broken escape', () => 'refresh_token=%E0%A4%A', 'invalid_refresh_token'],
    ['with an index', (value: string) => `refresh_token[0]=${value}`, 'token_missing'],
    ['that is empty', () => 'refresh_token=', 'invalid_refresh_token'],
    ['named like a member of every object', () => '__proto__=x; constructor=y', 'token_missing'],
  ])('are refused: one %s', async (_what, cookie, code) => {
    const { signInForCookie, refresh } = await start();
    const answer = await refresh(cookie((await signInForCookie()).value));
    expect([answer.status, answer.body.code]).toEqual([401, code]);
  });

  it('are read from the header, whatever the application’s parser has made of them', async () => {
    const { signInForCookie, refresh } = await start(
      {},
      {
        prepare: (app) =>
          app.use((req, _res, next) => {
            Object.assign(req, { cookies: { refresh_token: { length: 1 } }, signedCookies: {}, secret: 'x' });
            next();
          }),
      },
    );
    expect((await refresh(`refresh_token=${(await signInForCookie()).value}`)).status).toBe(200);
  });
});
