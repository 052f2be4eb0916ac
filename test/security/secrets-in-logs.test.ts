import { inspect } from 'node:util';
import type { OtpAuthEvent } from '../../src/index.js';
import { SECRET, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { closeAfterFile } from '../support/closing.js';
import { describeWithOwnRedis, startRedis } from '../support/redis.js';

const JO = 'jo.longer-name@example.com';
const EVENTS = [
  'otp.requested',
  'otp.sent',
  'otp.delivery_failed',
  'otp.verified',
  'otp.rejected',
  'limit.hit',
  'session.started',
  'session.refreshed',
  'session.reuse_detected',
  'session.ended',
] as const;

describeWithOwnRedis('the log and the events', () => {
  it('hold no code, no token, no secret and no whole address, whatever goes well or wrong', async () => {
    const server = await startRedis({ args: ['--requirepass', 'the-password-of-redis'] });
    const provider = { isUp: true };
    const codes: string[] = [];
    const app = await startAuthApp({
      redis: server.url.replace('//', '//:the-password-of-redis@'),
      reviewCodes: [{ identifier: 'review.longer-name@example.com', code: '907846', expiresAt: Date.UTC(2026, 1) }],
      email: {
        send: ({ text, to }) => {
          codes.push(/^\d{6}$/m.exec(text)?.[0] ?? '');
          if (provider.isUp) return;
          throw Object.assign(new Error(`550 ${to}: ${text}`), { response: text, code: 'EENVELOPE' });
        },
      },
    });
    const secrets = new Set([SECRET, 'the-password-of-redis', JO, 'review.longer-name@example.com', '907846']);
    const events: [string, OtpAuthEvent][] = [];
    for (const name of EVENTS) {
      app.auth.events.on(name, (event) => {
        events.push([name, event]);
        throw new Error(`a listener fails, and says why: ${JO}`);
      });
    }
    const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const answer = await call(`${app.url}/auth/${path}`, { body, headers });
      for (const token of [answer.body.access_token, answer.body.refresh_token])
        if (token !== undefined) for (const part of token.split('.')) secrets.add(part);
      return answer;
    };
    const signIn = async () => {
      await post('request-otp', { email: JO });
      return (await post('verify-otp', { email: JO, otp: codes.at(-1), token_transport: 'body' })).body;
    };

    const first = await signIn();
    await post('verify-otp', { email: JO, otp: codes.at(-1) });
    await post('request-otp', { email: 'review.longer-name@example.com' });
    const refreshed = await post('refresh', { refresh_token: first.refresh_token });
    app.clock.advanceSeconds(60);
    await post('refresh', { refresh_token: first.refresh_token });
    await post('logout', { refresh_token: refreshed.body.refresh_token });
    await post('logout', {}, { Authorization: `Bearer ${String(first.access_token)}` });
    for (let failure = 0; failure < 26; failure += 1) await post('verify-otp', { email: JO, otp: '111111' });
    provider.isUp = false;
    await post('request-otp', { email: 'jo.other-name@example.com' });
    secrets.add('jo.other-name@example.com');
    await server.kill();
    expect((await post('request-otp', { email: JO })).status).toBe(503);
    expect((await post('verify-otp', { email: JO, otp: codes.at(-1) })).status).toBe(503);
    expect((await post('refresh', { refresh_token: first.refresh_token })).status).toBe(503);

    expect(new Set(events.map(([name]) => name))).toEqual(new Set(EVENTS));
    const log = app.logged.join('\n');
    expect(log).toMatch(/a message could not be handed over/);
    expect(log).toMatch(/listener/);
    expect(log).toMatch(/review code/);
    expect(log).toMatch(new RegExp(`127\\.0\\.0\\.1:${server.port}`));
    for (const secret of [...secrets, ...codes]) expect(log).not.toContain(secret);

    // Without accounts the user's id is the address; nothing else of an event tells it.
    const told = inspect(
      events.map(([, { userId: _id, ...event }]) => event),
      { depth: 10 },
    );
    for (const secret of [...secrets, ...codes]) expect(told).not.toContain(secret);
  });
});

describe('the console', () => {
  it('hears of warnings and errors, and of nothing else, where there is no other logger', async () => {
    const levels = ['debug', 'info', 'log', 'warn', 'error'] as const;
    const spies = levels.map((level) => jest.spyOn(console, level).mockImplementation(() => {}));
    closeAfterFile(() => spies.map((spy) => spy.mockRestore()));
    const app = await startAuthApp({ logger: undefined as never, redis: 'redis://127.0.0.1:1', magicOtp: true });
    expect((await call(`${app.url}/auth/request-otp`, { body: { email: JO } })).status).toBe(503);
    const [debug, info, log, warn, error] = spies.map(({ mock }) => mock.calls.length);
    expect([debug, info, log]).toEqual([0, 0, 0]);
    expect([warn, error]).toEqual([1, 1]);
    expect(inspect(spies.map(({ mock }) => mock.calls))).not.toContain(JO);
  });
});
