import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { call, cookieHeader } from '../support/call.js';
import { projectWithPackage } from '../support/installed-package.js';
import { startProgram } from '../support/program.js';
import { type GuideServer, programIn, startGuideServer } from './guide-server.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

const GUIDE = 'docs/single-page-apps.md';
const email = 'jo@example.com';

describe("docs/single-page-apps.md's server", () => {
  const [page, foreign] = ['https://app.example.com', 'https://app.example.net'];
  let server: GuideServer;
  beforeAll(async () => {
    server = await startGuideServer(GUIDE, { EXPRESS_OTP_AUTH_REDIS_URL: 'memory:' });
  });

  /** What a browser adds to a request that a page at `origin` sends. */
  const from = (origin: string) => ({ Origin: origin, 'Sec-Fetch-Site': origin === page ? 'same-site' : 'cross-site' });

  it('lets a page of the other origin sign in, stay signed in and read answers', async () => {
    const { url, smtp } = server;
    const preflight = await call(`${url}/auth/request-otp`, {
      method: 'OPTIONS',
      headers: {
        ...from(page),
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    });
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': page,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'authorization,content-type',
      },
    });

    expect(await call(`${url}/auth/request-otp`, { headers: from(page), body: { email } })).toMatchObject({
      status: 200,
    });
    await smtp.waitFor(email);
    const otp = smtp.lastCode(email);
    const signedIn = await call(`${url}/auth/verify-otp`, { headers: from(page), body: { email, otp } });
    const readable = { 'access-control-allow-origin': page, 'access-control-allow-credentials': 'true' };
    expect(signedIn).toMatchObject({ status: 200, headers: readable });

    const cookie = signedIn.cookies.find(({ name }) => name.endsWith('refresh_token'))!;
    expect(cookie.attributes['samesite']).toBe('Lax'); // the guide: as it is by default
    const refreshed = await call(`${url}/auth/refresh`, { headers: { ...from(page), ...cookieHeader(cookie) } });
    expect(refreshed).toMatchObject({ status: 200, headers: readable });
    const headers = { ...from(page), Authorization: `Bearer ${refreshed.body.access_token}` };
    const orders = await call(`${url}/api/orders`, { method: 'GET', headers });
    expect(orders).toMatchObject({ status: 200, headers: readable, body: { of: email } });
  });

  it('lets pages read errors, and what they carry', async () => {
    const answer = await call(`${server.url}/api/orders`, { method: 'GET', headers: from(page) });
    expect(answer).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': page } });
    expect(answer.headers['access-control-expose-headers']).toBe('Retry-After,WWW-Authenticate');
  });

  it('does nothing for a page of any other origin', async () => {
    const answer = await call(`${server.url}/auth/refresh`, { headers: from(foreign) });
    expect(answer).toMatchObject({ status: 403, body: { code: 'cross_site_request' } });
    expect(answer.headers['access-control-allow-origin']).not.toBe(foreign);
  });

  it("is reached through Vite's proxy, set up as the guide has it", async () => {
    const folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'pages');
    mkdirSync(folder);
    const config = programIn(GUIDE, 'vite.config.ts').replace('http://localhost:3000', server.url);
    expect(config).toContain(server.url);
    writeFileSync(path.join(folder, 'vite.config.ts'), config);
    const vite = path.resolve('node_modules/vite/bin/vite.js');
    const program = startProgram(process.execPath, [vite, '--clearScreen=false'], {
      cwd: folder,
      env: { NO_COLOR: '1' },
    });
    const origin = /http:\/\/[^/\s]+/.exec(await program.line(/Local:/))?.[0] ?? '';
    const body = { email, otp: '000000' };
    const answer = await call(`${origin}/auth/verify-otp`, {
      headers: { Origin: origin, 'Sec-Fetch-Site': 'same-origin' },
      body,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_otp' } });
  });
});
