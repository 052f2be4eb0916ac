import type { ErrorRequestHandler } from 'express';
import { otpAuth } from '../../src/index.js';
import { SECRET, startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { closeAfterFile } from '../support/closing.js';

const JO = 'jo@example.com';

describe('every error', () => {
  const answers = new Map<string, Answer>();

  beforeAll(async () => {
    const app = await startAuthApp({ otp: { resendCooldownSeconds: 30 } });
    const mute = await startAuthApp({
      email: {
        send: () => {
          throw new Error('internal: no mailbox jo@example.com');
        },
      },
    });
    const down = await startAuthApp({ redis: 'redis://127.0.0.1:1' });
    app.app.get('/role', app.auth.requireRole('admin'));
    app.app.get('/recent', app.auth.requireRecent(1));
    const { authorization } = await app.signIn('signed-in@example.com');
    app.clock.advanceSeconds(2);
    const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
      call(`${app.url}/auth/${path}`, { body, headers });
    const get = (path: string, headers: Record<string, string>) => call(app.url + path, { method: 'GET', headers });

    await post('request-otp', { email: JO });
    answers.set('invalid_request', await post('request-otp', {}));
    answers.set('invalid_otp', await post('verify-otp', { email: 'nobody@example.com', otp: '123456' }));
    answers.set('token_missing', await get('/me', {}));
    answers.set('invalid_token', await get('/me', { Authorization: 'Bearer x' }));
    answers.set('invalid_refresh_token', await post('refresh', { refresh_token: 'x' }));
    answers.set('reauthentication_required', await get('/recent', { Authorization: authorization }));
    answers.set('insufficient_scope', await get('/role', { Authorization: authorization }));
    answers.set('cross_site_request', await post('refresh', {}, { Origin: 'https://evil.example' }));
    answers.set('method_not_allowed', await get('/auth/refresh', {}));
    answers.set('payload_too_large', await post('refresh', { x: 'x'.repeat(9000) }));
    answers.set('unsupported_media_type', await post('refresh', 'x', { 'Content-Type': 'text/plain' }));
    answers.set('rate_limited', await post('request-otp', { email: JO }));
    answers.set('delivery_failed', await call(`${mute.url}/auth/request-otp`, { body: { email: JO } }));
    answers.set('store_unavailable', await call(`${down.url}/auth/request-otp`, { body: { email: JO } }));
  });

  it.each([
    ['invalid_request', 400],
    ['invalid_otp', 400],
    ['token_missing', 401],
    ['invalid_token', 401],
    ['invalid_refresh_token', 401],
    ['reauthentication_required', 401],
    ['insufficient_scope', 403],
    ['cross_site_request', 403],
    ['method_not_allowed', 405],
    ['payload_too_large', 413],
    ['unsupported_media_type', 415],
    ['rate_limited', 429],
    ['delivery_failed', 502],
    ['store_unavailable', 503],
  ])('%s is a problem document with the status %i', (code, status) => {
    const { body, headers, ...answer } = answers.get(code) as Answer;
    expect(answer.status).toBe(status);
    expect(headers['content-type']).toMatch(/^application\/problem\+json(?:;|$)/);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({ code, status });
    for (const member of [body.type, body.title, body.detail]) expect(member).toEqual(expect.stringMatching(/\S/));
    expect(URL.canParse(String(body.type))).toBe(true);
    // Nobody's business: stacks, files, what a library said, who was asked about.
    expect(answer.text).not.toMatch(/internal|node_modules|\.[jt]s\b|\bat \w+ \(|example\.com/);
    const hasChallenge = headers['www-authenticate'] !== undefined;
    expect(hasChallenge).toBe(status === 401 || code === 'insufficient_scope');
    expect(headers['retry-after']).toBe(status === 429 ? '30' : status === 503 ? '1' : undefined);
  });

  it('has a type and a title of its own', () => {
    const bodies = [...answers.values()].map(({ body }) => body);
    for (const member of ['type', 'title'] as const)
      expect(new Set(bodies.map((body) => body[member])).size).toBe(bodies.length);
  });

  it('is the same as a function’s rejection: an error that is told by its code', async () => {
    const auth = otpAuth({ redis: 'memory:', jwt: { secret: SECRET }, email: { send: () => {} } });
    closeAfterFile(() => auth.close());
    await expect(auth.api.requestOtp({ email: 'x' })).rejects.toMatchObject({
      name: 'OtpAuthError',
      code: 'invalid_request',
    });
    await expect(auth.api.verifyOtp({ email: JO, otp: '123456' })).rejects.toMatchObject({ code: 'invalid_otp' });
    await expect(auth.api.refresh({ refreshToken: 'x' })).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    await expect(auth.api.authenticate('x')).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(auth.api.logout({})).rejects.toMatchObject({ code: 'token_missing' });
  });
});

describe('an error that is not the package’s', () => {
  it('goes to the application’s error handler', async () => {
    const failure = new Error('the plans’ database is gone');
    const { url, app, auth, lastCode } = await startAuthApp({
      claims: () => {
        throw failure;
      },
    });
    const heard = jest.fn();
    const handler: ErrorRequestHandler = (error, _req, res, _next) => {
      heard(error);
      res.status(500).json({});
    };
    app.use(handler);
    await auth.api.requestOtp({ email: JO });
    const answer = await call(`${url}/auth/verify-otp`, { body: { email: JO, otp: lastCode(JO) } });
    expect(answer.status).toBe(500);
    expect(heard).toHaveBeenCalledWith(failure);
  });
});
