import { Redis } from 'ioredis';
import { startAuthApp } from './support/auth-app.js';
import { call } from './support/call.js';
import { closeAfterFile } from './support/closing.js';
import { redisUrl, freshRedis } from './support/redis.js';

const JO = 'jo@example.com';

/** A connection that keeps what it sends, command by command, as Redis gets it. */
class CountedRedis extends Redis {
  readonly sent: string[] = [];

  override sendCommand(...[command, ...rest]: Parameters<Redis['sendCommand']>): ReturnType<Redis['sendCommand']> {
    this.sent.push(command.name.toLowerCase());
    return super.sendCommand(command, ...rest);
  }
}

describe('round trips to Redis', () => {
  const start = async () => {
    await freshRedis();
    const redis = new CountedRedis(redisUrl());
    closeAfterFile(() => redis.disconnect());
    const app = await startAuthApp({ redis });
    // Redis knows the scripts from here on, as it does after the first minute of its life.
    const { authorization, refreshToken } = await app.signIn('warm-up@example.com');
    await app.auth.api.refresh({ refreshToken });
    await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: authorization } });
    await call(`${app.url}/auth/request-otp`, { body: { email: 'warm-up@example.com' } });
    await call(`${app.url}/auth/verify-otp`, { body: { email: 'warm-up@example.com', otp: '123456' } });
    await app.auth.api.logout({ refreshToken });
    redis.sent.length = 0;
    return {
      ...app,
      /** The commands that this takes. */
      sentFor: async (act: () => Promise<unknown>) => {
        redis.sent.length = 0;
        await act();
        return [...redis.sent];
      },
    };
  };

  it('are one to send a code, two to sign in, one to refresh and to authenticate; over HTTP one more where an address is limited', async () => {
    const { auth, url, lastCode, sentFor } = await start();
    expect(await sentFor(() => auth.api.requestOtp({ email: JO }))).toHaveLength(1);
    expect(await sentFor(() => auth.api.verifyOtp({ email: JO, otp: '000000' }).catch(() => {}))).toHaveLength(1);
    let tokens = { accessToken: '', refreshToken: '' };
    const signIn = async () => {
      tokens = await auth.api.verifyOtp({ email: JO, otp: lastCode(JO) });
    };
    expect(await sentFor(signIn)).toHaveLength(2);
    const refresh = async () => {
      tokens = await auth.api.refresh(tokens);
    };
    expect(await sentFor(refresh)).toHaveLength(1);
    const Authorization = `Bearer ${tokens.accessToken}`;
    const [me, logout] = [
      () => call(`${url}/me`, { method: 'GET', headers: { Authorization } }),
      () => call(`${url}/auth/logout`, { headers: { Authorization } }),
    ];
    expect(await sentFor(me)).toHaveLength(1);
    // The second asks whether any process is to be told of the revocation.
    expect((await sentFor(logout)).length).toBeLessThanOrEqual(2);
    expect(await sentFor(() => call(`${url}/auth/request-otp`, { body: { email: 'joe@example.com' } }))).toHaveLength(
      2,
    );
    expect(await sentFor(() => call(`${url}/auth/verify-otp`, { body: { email: JO, otp: '000000' } }))).toHaveLength(2);
  });

  it('are none for what can be refused without asking', async () => {
    const { url, sentFor, signIn, clock } = await start();
    const { authorization, refreshToken } = await signIn(JO);
    clock.advanceSeconds(40 * 86_400);
    const nobody = [
      () => call(`${url}/me`, { method: 'GET' }),
      () => call(`${url}/me`, { method: 'GET', headers: { Authorization: 'Bearer x.y.z' } }),
      () => call(`${url}/me`, { method: 'GET', headers: { Authorization: authorization } }),
      () => call(`${url}/auth/refresh`, { body: { refresh_token: 'x.y.z' } }),
      () => call(`${url}/auth/refresh`, { body: { refresh_token: refreshToken } }),
      () => call(`${url}/auth/logout`, { body: { refresh_token: 'x.y.z' } }),
      () => call(`${url}/auth/request-otp`, { method: 'GET' }),
      () => call(`${url}/auth/verify-otp`, { body: {}, headers: { Origin: 'https://evil.example' } }),
    ];
    for (const act of nobody) expect(await sentFor(act)).toEqual([]);
  });

  it('are one more where Redis has forgotten the script, and then none any more', async () => {
    const { auth, sentFor } = await start();
    const other = new Redis(redisUrl());
    closeAfterFile(() => other.disconnect());
    await other.script('FLUSH');
    expect(await sentFor(() => auth.api.requestOtp({ email: JO }))).toHaveLength(2);
    expect(await sentFor(() => auth.api.requestOtp({ email: 'joe@example.com' }))).toHaveLength(1);
  });
});
