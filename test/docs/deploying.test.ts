import { call } from '../support/call.js';
import { freshRedis, redisUrl } from '../support/redis.js';
import { startGuideServer } from './guide-server.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

const GUIDE = 'docs/deploying.md';
const production = {
  NODE_ENV: 'production',
  EXPRESS_OTP_AUTH_JWT_SECRET: 'a secret for tests of more than thirty-two bytes',
};

describe("docs/deploying.md's server", () => {
  it('is healthy, limits by the address that the one proxy in front saw, and ends when it is told to', async () => {
    await freshRedis();
    const { url, program } = await startGuideServer(GUIDE, { ...production, EXPRESS_OTP_AUTH_REDIS_URL: redisUrl() });
    expect(await call(`${url}/health`, { method: 'GET' })).toMatchObject({ status: 200, body: { ok: true } });

    const left = async (forwarded: string) => {
      const headers = { 'X-Forwarded-For': forwarded };
      const { headers: answered } = await call(`${url}/auth/verify-otp`, { headers, body: { malformed: true } });
      return Number(/r=(\d+)/.exec(String(answered['ratelimit']))?.[1]);
    };
    const first = await left('198.51.100.1');
    expect(await left('203.0.113.7, 198.51.100.1')).toBe(first - 1); // forged by a client, and the proxy's own word
    expect(await left('198.51.100.2')).toBe(first);

    program.signal('SIGTERM');
    await expect(program.ended).resolves.toEqual({ code: 0, signal: null });
  });

  it('says so where it cannot reach its store', async () => {
    const nowhere = { EXPRESS_OTP_AUTH_REDIS_URL: 'redis://127.0.0.1:1/0', EXPRESS_OTP_AUTH_STORE_TIMEOUT_MS: '500' };
    const { url } = await startGuideServer(GUIDE, { ...production, ...nowhere });
    expect(await call(`${url}/health`, { method: 'GET' })).toMatchObject({ status: 503, body: { ok: false } });
  });

  it('refuses browsers where the proxy changes Host, and takes X-Forwarded-Host for it', async () => {
    const { url } = await startGuideServer(GUIDE, { EXPRESS_OTP_AUTH_REDIS_URL: 'memory:' });
    const ask = (headers: Record<string, string>) =>
      call(`${url}/auth/verify-otp`, {
        headers: { Origin: 'https://app.example.com', ...headers },
        body: { email: 'jo@example.com', otp: '000000' },
      });
    expect(await ask({})).toMatchObject({ status: 403, body: { code: 'cross_site_request' } });
    for (const header of ['Host', 'X-Forwarded-Host'])
      expect(await ask({ [header]: 'app.example.com' })).toMatchObject({ body: { code: 'invalid_otp' } });
  });
});
