import type { Application } from 'express';
import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';

const JO = 'jo@example.com';
const PARTNER = 'https://partner.example';

describe('a browser’s cross-site request', () => {
  const start = async (options = {}, trustProxy?: unknown) => {
    const app = await startAuthApp({ allowedOrigins: [PARTNER], ...options }, fakeClock(), {
      prepare: (application: Application) => trustProxy !== undefined && application.set('trust proxy', trustProxy),
    });
    const { host } = new URL(app.url);
    /** The statuses of the three endpoints: they say 403 for what is refused before anything else is looked at. */
    const refusals = async (headers: Record<string, string>) => {
      const paths = ['verify-otp', 'refresh', 'logout'];
      const answers = await Promise.all(paths.map((path) => call(`${app.url}/auth/${path}`, { body: {}, headers })));
      for (const { status, body } of answers) if (status === 403) expect(body.code).toBe('cross_site_request');
      return answers.map(({ status }) => (status === 403 ? 'refused' : 'passed'));
    };
    return { ...app, host, refusals };
  };
  const REFUSED = ['refused', 'refused', 'refused'];
  const PASSED = ['passed', 'passed', 'passed'];

  it.each<[string, (host: string) => Record<string, string>]>([
    ['Sec-Fetch-Site: cross-site', () => ({ 'Sec-Fetch-Site': 'cross-site' })],
    ['a foreign Origin', () => ({ Origin: 'https://evil.example' })],
    ['both', () => ({ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' })],
    ['the Origin null', () => ({ Origin: 'null' })],
    ['an empty Origin', () => ({ Origin: '' })],
    ['an Origin of another port', (host) => ({ Origin: `http://${host.replace(/:\d+$/, ':1')}` })],
    ['an Origin without the port', (host) => ({ Origin: `http://${host.replace(/:\d+$/, '')}` })],
    ['an Origin whose host begins like this one', (host) => ({ Origin: `http://${host}.evil.example` })],
    ['an Origin that names this host as a user', (host) => ({ Origin: `http://${host}@evil.example` })],
    ['an Origin that is two', (host) => ({ Origin: `http://${host} https://evil.example` })],
    ['an Origin of a sibling host', () => ({ Origin: 'http://app.127.0.0.1.example', 'Sec-Fetch-Site': 'same-site' })],
    ['an Origin without a host', () => ({ Origin: 'file://' })],
    ['an Origin that is no URL', () => ({ Origin: 'evil' })],
    ['this Origin, in a cross-site request', (host) => ({ Origin: `http://${host}`, 'Sec-Fetch-Site': 'cross-site' })],
    ['an Origin like an allowed one', () => ({ Origin: `${PARTNER}.evil.example` })],
    ['an allowed host over plain HTTP', () => ({ Origin: PARTNER.replace('https', 'http') })],
    ['an allowed host at another port', () => ({ Origin: `${PARTNER}:8443` })],
  ])('is refused at /verify-otp, /refresh and /logout: %s', async (_what, headers) => {
    const { refusals, host } = await start();
    expect(await refusals(headers(host))).toEqual(REFUSED);
  });

  it('is told to listeners', async () => {
    const { refusals, auth } = await start();
    const told: unknown[] = [];
    auth.events.on('access.refused', ({ code, ip }) => told.push({ code, ip }));
    await refusals({ Origin: 'https://evil.example' });
    expect(told).toEqual(Array(3).fill({ code: 'cross_site_request', ip: '127.0.0.1' }));
  });

  it.each<[string, (host: string) => Record<string, string>]>([
    ['neither header, so no browser', () => ({})],
    ['this Origin', (host) => ({ Origin: `http://${host}` })],
    ['this Origin and same-origin', (host) => ({ Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' })],
    ['this host over TLS that a proxy ended', (host) => ({ Origin: `https://${host}` })],
    ['Sec-Fetch-Site: same-origin', () => ({ 'Sec-Fetch-Site': 'same-origin' })],
    ['Sec-Fetch-Site: none, typed by the user', () => ({ 'Sec-Fetch-Site': 'none' })],
    ['an allowed Origin', () => ({ Origin: PARTNER })],
    ['an allowed Origin, cross-site', () => ({ Origin: PARTNER, 'Sec-Fetch-Site': 'cross-site' })],
  ])('passes: %s', async (_what, headers) => {
    const { refusals, host } = await start();
    expect(await refusals(headers(host))).toEqual(PASSED);
  });

  it('changes nothing: the code, the session and the cookie are as they were', async () => {
    const { url, auth, lastCode, signIn } = await start();
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    await auth.api.requestOtp({ email: JO });
    const code = lastCode(JO);
    const refused = await call(`${url}/auth/verify-otp`, { body: { email: JO, otp: code }, headers });
    expect([refused.status, refused.cookies]).toEqual([403, []]);
    expect((await call(`${url}/auth/verify-otp`, { body: { email: JO, otp: code } })).status).toBe(200);

    const { refreshToken, authorization } = await signIn(JO);
    const Cookie = `refresh_token=${refreshToken}`;
    for (const path of ['refresh', 'logout']) {
      const answer = await call(`${url}/auth/${path}`, {
        headers: { ...headers, Cookie, Authorization: authorization },
      });
      expect([answer.status, answer.cookies]).toEqual([403, []]);
    }
    expect((await call(`${url}/me`, { method: 'GET', headers: { Authorization: authorization } })).status).toBe(200);
    expect((await call(`${url}/auth/refresh`, { headers: { Cookie } })).status).toBe(200);
  });

  it('is refused whatever its media type, and whether or not its body can be read', async () => {
    const { url } = await start();
    for (const [body, type] of [
      ['refresh_token=x', 'application/x-www-form-urlencoded'],
      ['{}', 'text/plain'],
      ['{', 'application/json'],
    ] as const) {
      const headers = { 'Content-Type': type, Origin: 'https://evil.example' };
      expect((await call(`${url}/auth/logout`, { body, headers })).status).toBe(403);
    }
  });

  it('may ask for a code: no cookie is in play there', async () => {
    const { url } = await start();
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    expect((await call(`${url}/auth/request-otp`, { body: { email: JO }, headers })).status).toBe(200);
  });

  it('is judged by X-Forwarded-Host where the proxy is trusted, and only there', async () => {
    const headers = { Origin: 'https://app.example', 'X-Forwarded-Host': 'app.example' };
    expect(await (await start()).refusals(headers)).toEqual(REFUSED);
    expect(await (await start({}, '10.0.0.0/8')).refusals(headers)).toEqual(REFUSED);
    expect(await (await start({}, 'loopback')).refusals(headers)).toEqual(PASSED);
    expect(await (await start({}, true)).refusals({ ...headers, Origin: 'https://evil.example' })).toEqual(REFUSED);
  });

  it('is judged by the host as it is written in the request, whatever its case or its default port', async () => {
    const { refusals } = await start();
    expect(await refusals({ Host: 'App.Example', Origin: 'http://app.example' })).toEqual(PASSED);
    expect(await refusals({ Host: 'app.example:443', Origin: 'https://app.example' })).toEqual(PASSED);
    expect(await refusals({ Host: 'app.example', Origin: 'http://app.example:80' })).toEqual(PASSED);
    expect(await refusals({ Host: 'app.example:443', Origin: 'http://app.example' })).toEqual(REFUSED);
  });
});

describe('allowedOrigins', () => {
  it('takes an origin as people write it', async () => {
    const { url } = await startAuthApp({ allowedOrigins: ['HTTPS://Partner.Example/'] });
    const answer = await call(`${url}/auth/refresh`, { headers: { Origin: 'https://partner.example' } });
    expect(answer.body.code).toBe('token_missing');
  });
});
