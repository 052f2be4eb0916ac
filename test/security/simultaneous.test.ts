import type { OtpAuthOptions } from '../../src/index.js';
import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';

describeOnEachStore('simultaneous requests, at two processes with a connection each', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const clock = fakeClock();
    const limits = { requestsPerIpPerMinute: 10_000, verifiesPerIpPerMinute: 10_000, ...options.limits };
    const apps = [
      await startAuthApp({ ...stored(), ...options, limits }, clock),
      await startAuthApp({ ...stored(), ...options, limits }, clock),
    ] as const;
    const [first, second] = apps;
    const reasons: string[] = [];
    for (const { auth } of apps) auth.events.on('otp.rejected', ({ reason }) => reasons.push(reason));
    const url = (index: number) => (index % 2 ? first : second).url;
    return {
      first,
      apps,
      clock,
      /** Why operators are told that guesses were refused. */
      reasons,
      /** Hands all these codes in at once. */
      verifyAll: (codes: string[]) =>
        Promise.all(
          codes.map((otp, index) =>
            call(`${url(index)}/auth/verify-otp`, { body: { email: JO, otp, token_transport: 'body' } }),
          ),
        ),
      refreshAll: (tokens: string[]) =>
        Promise.all(
          tokens.map((refresh_token, index) => call(`${url(index)}/auth/refresh`, { body: { refresh_token } })),
        ),
      codeFor: async () => {
        await first.auth.api.requestOtp({ email: JO });
        return first.lastCode(JO);
      },
    };
  };
  const count = <Item>(items: Item[], item: Item) => items.filter((each) => each === item).length;
  const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status);

  it('sign in once with one code, of 50', async () => {
    const { verifyAll, codeFor, first } = await start();
    const started = jest.fn();
    first.auth.events.on('session.started', started);
    const answers = await verifyAll(Array<string>(50).fill(await codeFor()));
    expect(count(statusesOf(answers), 200)).toBe(1);
    expect(count(statusesOf(answers), 400)).toBe(49);
    expect(await first.auth.api.listSessions(JO)).toHaveLength(1);
  });

  it('do not count against a person whose browser sent the right code 50 times', async () => {
    const { verifyAll, codeFor, reasons } = await start();
    await verifyAll(Array<string>(50).fill(await codeFor()));
    expect(new Set(reasons)).toEqual(new Set(['replayed']));
    expect(statusesOf(await verifyAll([await codeFor()]))).toEqual([200]);
  });

  it('are compared otp.maxAttempts times, of 100 wrong ones', async () => {
    const { verifyAll, codeFor, reasons } = await start({ otp: { maxAttempts: 5 }, limits: { failuresPerDay: 110 } });
    const code = await codeFor();
    const wrong = wrongCodes(code, 100);
    expect(count(statusesOf(await verifyAll(wrong)), 400)).toBe(100);
    expect(count(reasons, 'wrong')).toBe(5);
    expect(count(reasons, 'attempts_used_up')).toBe(95);
    expect(statusesOf(await verifyAll([code]))).toEqual([400]);
  });

  it('are compared otp.maxAttempts times with the default limits, and no more than limits.failuresPerDay counted', async () => {
    const { verifyAll, codeFor, reasons } = await start();
    const statuses = statusesOf(await verifyAll(wrongCodes(await codeFor(), 100)));
    expect(count(reasons, 'wrong')).toBe(5);
    expect([count(statuses, 400), count(statuses, 429)]).toEqual([25, 75]);
  });

  it.each(Array.from({ length: 10 }, (_, round) => round))(
    'sign in with the right code among 4 wrong ones, whatever their order (round %i)',
    async (round) => {
      const { verifyAll, codeFor } = await start({ otp: { maxAttempts: 5 } });
      const code = await codeFor();
      const guesses = wrongCodes(code, 4);
      guesses.splice(round % 5, 0, code);
      const statuses = statusesOf(await verifyAll(guesses));
      expect([count(statuses, 200), count(statuses, 400)]).toEqual([1, 4]);
    },
  );

  it('sign in at most once with the right code among 100 wrong ones', async () => {
    const { verifyAll, codeFor, reasons } = await start();
    const code = await codeFor();
    const guesses = wrongCodes(code, 100);
    guesses.splice(50, 0, code);
    expect(count(statusesOf(await verifyAll(guesses)), 200)).toBeLessThanOrEqual(1);
    expect(count(reasons, 'wrong')).toBeLessThanOrEqual(5);
  });

  it('send one message, of 30 for one address', async () => {
    const { apps } = await start({ otp: { resendCooldownSeconds: 30 } });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        call(`${(index % 2 ? apps[0] : apps[1]).url}/auth/request-otp`, { body: { email: JO } }),
      ),
    );
    expect(count(statusesOf(answers), 200)).toBe(1);
    expect(count(statusesOf(answers), 429)).toBe(29);
    expect(apps.flatMap(({ mails }) => mails)).toHaveLength(1);
  });

  it('refresh to one successor, of 50, and end nothing', async () => {
    const { first, refreshAll } = await start();
    const { refreshToken } = await first.signIn(JO);
    const answers = await refreshAll(Array<string>(50).fill(refreshToken));
    expect(count(statusesOf(answers), 200)).toBe(50);
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    expect(successors.size).toBe(1);
    const ids = answers.map(({ body }) => readToken(body.access_token).payload['jti']);
    expect(new Set(ids).size).toBe(50);
    expect(statusesOf(await refreshAll([...successors].map(String)))).toEqual([200]);
  });

  it('end the session, all of them, when a replaced token comes with its successors', async () => {
    const { first, apps, refreshAll, clock } = await start();
    const detected = jest.fn();
    for (const { auth } of apps) auth.events.on('session.reuse_detected', detected);
    const { refreshToken } = await first.signIn(JO);
    const [second] = await refreshAll([refreshToken]);
    clock.advanceSeconds(60);
    const successor = String(second?.body.refresh_token);
    const answers = await refreshAll(Array.from({ length: 20 }, (_, index) => (index % 2 ? successor : refreshToken)));
    for (const [index, { status }] of answers.entries()) if (index % 2 === 0) expect(status).toBe(401);
    expect(detected).toHaveBeenCalledTimes(1);
    const after = answers.flatMap(({ body }) => (body.refresh_token === undefined ? [] : [body.refresh_token]));
    expect(statusesOf(await refreshAll([successor, ...after]))).toEqual([successor, ...after].map(() => 401));
  });

  it('log out for good while others refresh', async () => {
    const { first, apps, refreshAll } = await start();
    const { refreshToken, accessToken } = await first.signIn(JO);
    const [answers] = await Promise.all([
      refreshAll(Array<string>(20).fill(refreshToken)),
      call(`${apps[1].url}/auth/logout`, { headers: { Authorization: `Bearer ${accessToken}` } }),
    ]);
    for (const { body } of answers.filter(({ status }) => status === 200)) {
      await expect(first.auth.api.authenticate(String(body.access_token))).rejects.toMatchObject({
        code: 'invalid_token',
      });
      expect(statusesOf(await refreshAll([String(body.refresh_token)]))).toEqual([401]);
    }
    expect(await first.auth.api.listSessions(JO)).toEqual([]);
  });
});

/** So many codes, all different, none of them the right one. */
function wrongCodes(right: string, many: number): string[] {
  const codes = Array.from({ length: many + 1 }, (_, index) => String(100_000 + index));
  return codes.filter((code) => code !== right).slice(0, many);
}
