import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { describeOnEachStore } from '../support/each-store.js';

const email = 'ann@example.com';

describeOnEachStore('what support staff are told', (stored) => {
  const start = (options: OtpAuthOptions = {}) => startAuthApp({ ...stored(), ...options });
  const ask = (app: AuthApp) => app.auth.api.requestOtp({ email });
  const type = (app: AuthApp, otp: string) =>
    app.auth.api.verifyOtp({ email, otp }).then(
      () => 'signed in',
      (error: unknown) => (error as { code: string }).code,
    );
  const outcome = async (app: AuthApp) => (await app.auth.api.explain(email)).lastOutcome;
  const wrongFor = (app: AuthApp) => (app.lastCode(email) === '000000' ? '000001' : '000000');

  it('is nothing of somebody who never asked for a code', async () => {
    const { auth } = await start();
    expect(await auth.api.explain('Ann@Example.com ')).toEqual({
      identifier: email,
      sentAt: [],
      refusedAt: [],
      lastOutcome: 'none',
      pendingCode: undefined,
      limits: [],
      sessions: { count: 0, lastSignInAt: undefined, lastUsedAt: undefined },
    });
  });

  it('follows a sign-in from the message to the session', async () => {
    const app = await start();
    const startMs = app.clock.now();
    await ask(app);
    expect(await outcome(app)).toBe('waiting');
    app.clock.advanceSeconds(20);
    await type(app, wrongFor(app));
    expect(await app.auth.api.explain(email)).toMatchObject({
      sentAt: [new Date(startMs)],
      refusedAt: [new Date(startMs + 20_000)],
      lastOutcome: 'wrong_code',
      pendingCode: { expiresAt: new Date(startMs + 300_000), guessesLeft: 4 },
    });
    await type(app, app.lastCode(email));
    const told = await app.auth.api.explain(email);
    expect([told.lastOutcome, told.pendingCode]).toEqual(['signed_in', undefined]);
    expect(told.sessions).toEqual({
      count: 1,
      lastSignInAt: new Date(startMs + 20_000),
      lastUsedAt: new Date(startMs + 20_000),
    });
  });

  it('tells a code that has expired from one that was used long ago', async () => {
    const app = await start();
    await ask(app);
    app.clock.advanceSeconds(301);
    expect(await outcome(app)).toBe('over');
    await ask(app);
    await type(app, app.lastCode(email));
    app.clock.advanceSeconds(301);
    expect(await outcome(app)).toBe('signed_in');
    app.clock.advanceSeconds(86_400);
    expect(await outcome(app)).toBe('none');
  });

  it('says when a new code has to be asked for', async () => {
    const app = await start({ otp: { maxAttempts: 2 } });
    await ask(app);
    for (const _ of [1, 2]) await type(app, wrongFor(app));
    expect(await app.auth.api.explain(email)).toMatchObject({ lastOutcome: 'attempts_used_up' });
    expect((await app.auth.api.explain(email)).pendingCode).toBeUndefined();
  });

  it('names the limits that are reached, and until when', async () => {
    const app = await start({
      otp: { resendCooldownSeconds: 30 },
      limits: { sendsPerHour: 2, sendsPerDay: 2, failuresPerDay: 1 },
    });
    const startMs = app.clock.now();
    await ask(app);
    expect((await app.auth.api.explain(email)).limits).toEqual([
      { limit: 'resend_cooldown', until: new Date(startMs + 30_000) },
    ]);
    app.clock.advanceSeconds(60);
    await ask(app);
    await type(app, wrongFor(app));
    app.clock.advanceSeconds(60);
    const { limits } = await app.auth.api.explain(email);
    expect(limits).toEqual([
      { limit: 'failures_per_day', until: new Date(startMs + 60_000 + 86_400_000) },
      { limit: 'sends_per_hour', until: new Date(startMs + 3_600_000) },
      { limit: 'sends_per_day', until: new Date(startMs + 86_400_000) },
    ]);
    // As the limits themselves say.
    await expect(ask(app)).rejects.toMatchObject({ code: 'rate_limited', details: { retryAfterSeconds: 86_400 - 60 } });
  });

  it('says that nothing was sent to somebody who may not sign in', async () => {
    const app = await start({ users: { store: 'memory' }, signUp: 'closed' });
    await ask(app);
    const told = async () => (await outcome(app)) === 'not_sent';
    for (let turn = 0; turn < 100 && !(await told()); turn += 1) await new Promise(setImmediate);
    expect(await outcome(app)).toBe('not_sent');
    expect(app.mails).toEqual([]);
  });

  it('is of strangers’ browsers, or of the one whose device token is given', async () => {
    const app = await start();
    await ask(app);
    const { deviceToken } = await app.auth.api.verifyOtp({ email, otp: app.lastCode(email) });
    app.clock.advanceSeconds(301);
    await app.auth.api.requestOtp({ email, deviceToken });
    expect((await app.auth.api.explain(email)).sentAt).toHaveLength(1);
    expect(await app.auth.api.explain(email, { deviceToken })).toMatchObject({ lastOutcome: 'waiting' });
  });

  it('never is a code, and changes nothing', async () => {
    const app = await start();
    await ask(app);
    expect(JSON.stringify(await app.auth.api.explain(email))).not.toContain(app.lastCode(email));
    expect(await type(app, app.lastCode(email))).toBe('signed in');
  });

  it('counts the sessions of an account, whatever its id is', async () => {
    const app = await start({ users: { store: 'memory' } });
    await app.signIn(email);
    expect((await app.auth.api.explain(email)).sessions.count).toBe(1);
  });

  it.each(['ann', 'a@b@c', '', '+1'])('refuses %p, which is no address', async (text) => {
    const { auth } = await start();
    await expect(auth.api.explain(text)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
