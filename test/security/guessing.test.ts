import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, fakeClock, startAuthApp } from '../support/auth-app.js';
import { call, cookieHeader } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';

const VICTIM = 'victim@example.com';
const ADDRESSES = Array.from({ length: 50 }, (_, place) => `203.0.113.${place + 1}`);
const STEP_SECONDS = 600;
const STEPS_PER_DAY = 86_400 / STEP_SECONDS;
const GUESSES_PER_STEP = 5;

describeOnEachStore('a guesser with 50 addresses and as many codes as can be had', (stored) => {
  const start = (options: OtpAuthOptions = {}) =>
    startAuthApp(
      { ...stored(), ...options, otp: { resendCooldownSeconds: 30, ...options.otp }, limits: { ...options.limits } },
      fakeClock(),
      { prepare: (app) => app.set('trust proxy', 1) },
    );

  it.each<[string, { days: number; resends?: number }, OtpAuthOptions]>([
    ['by default', { days: 2 }, {}],
    ['with three live codes', { days: 1, resends: 3 }, { otp: { liveCodes: 3, maxAttempts: 10, expirySeconds: 600 } }],
    ['with few codes', { days: 1 }, { limits: { sendsPerDay: 3, failuresPerDay: 100 }, otp: { maxAttempts: 2 } }],
  ])('gets no more in any 24 hours than the budget says, %s', async (name, effort, options) => {
    const app = await start(options);
    const tally = await attack(app, effort);
    const budget = app.auth.budget();
    report(`${name}: the budget is ${budget.guessesPerDay} guesses a day; ${describeTally(tally)}`);
    expect(tally.mostComparedInADay).toBeGreaterThan(0);
    expect(tally.mostComparedInADay).toBeLessThanOrEqual(tally.mostAnsweredInADay);
    expect(tally.mostAnsweredInADay).toBeLessThanOrEqual(budget.guessesPerDay);
    expect(tally.unanswerable).toBe(0);
  });

  it('gets as many compared as the budget says, and not one more', async () => {
    const app = await start();
    const tally = await attack(app, { days: 1 });
    expect(tally.mostComparedInADay).toBe(app.auth.budget().guessesPerDay);
  });

  it('gets no more than the budget says for a device cookie, when one was stolen', async () => {
    const app = await start();
    await call(`${app.url}/auth/request-otp`, { body: { email: VICTIM } });
    const signedIn = await call(`${app.url}/auth/verify-otp`, { body: { email: VICTIM, otp: app.lastCode(VICTIM) } });
    const device = signedIn.cookies.find(({ name }) => name === 'device_token');
    if (device === undefined) throw new Error('No device cookie came.');

    const tally = await attack(app, { days: 1, stolen: cookieHeader(device) });
    const budget = app.auth.budget().returningDevice;
    report(`with a device cookie: the budget is ${budget.guessesPerDay} guesses a day; ${describeTally(tally)}`);
    expect(tally.mostComparedInADay).toBe(budget.guessesPerDay);
  });

  it('keeps a person out who is a stranger too, and none who signed in before', async () => {
    const app = await start();
    await call(`${app.url}/auth/request-otp`, { body: { email: VICTIM } });
    const signedIn = await call(`${app.url}/auth/verify-otp`, { body: { email: VICTIM, otp: app.lastCode(VICTIM) } });
    const device = signedIn.cookies.find(({ name }) => name === 'device_token');
    app.clock.advanceSeconds(86_400);
    await attack(app, { days: 0.25 });

    const headers = device === undefined ? {} : cookieHeader(device);
    const asked = await call(`${app.url}/auth/request-otp`, { body: { email: VICTIM }, headers });
    const body = { email: VICTIM, otp: app.lastCode(VICTIM) };
    expect([asked.status, (await call(`${app.url}/auth/verify-otp`, { body })).status]).toEqual([200, 429]);
    expect((await call(`${app.url}/auth/verify-otp`, { body, headers })).status).toBe(200);
  });
});

interface Tally {
  /** Answers by their status. */
  requests: Record<number, number>;
  guesses: Record<number, number>;
  /** Guesses of the worst 24 hours that were compared with a code. */
  mostComparedInADay: number;
  /** Guesses of the worst 24 hours that were not refused as too many. */
  mostAnsweredInADay: number;
  /** Refusals that do not say when to come back. */
  unanswerable: number;
}

/** Asks for codes and guesses, from one address after the other, for days of the clock. */
async function attack(
  app: AuthApp,
  { days, resends = 1, stolen }: { days: number; resends?: number; stolen?: { Cookie: string } },
): Promise<Tally> {
  const tally: Tally = { requests: {}, guesses: {}, mostComparedInADay: 0, mostAnsweredInADay: 0, unanswerable: 0 };
  const comparedAtMs: number[] = [];
  const answeredAtMs: number[] = [];
  let turn = 0;
  const send = async (path: string, body: object, cookie: { Cookie?: string }) => {
    turn += 1;
    const address = ADDRESSES[turn % ADDRESSES.length] as string;
    const headers: Record<string, string> = { 'X-Forwarded-For': address, ...cookie };
    const answer = await call(`${app.url}/auth${path}`, { body: { email: VICTIM, ...body }, headers });
    if (answer.status === 429 && !(Number(answer.headers['retry-after']) > 0)) tally.unanswerable += 1;
    return answer.status;
  };
  const count = (counts: Record<number, number>, status: number) => {
    counts[status] = (counts[status] ?? 0) + 1;
  };

  const noteWrong = ({ at, reason }: { at: number; reason: string }) => {
    if (reason === 'wrong') comparedAtMs.push(at);
  };
  app.auth.events.on('otp.rejected', noteWrong);
  for (let step = 0; step < days * STEPS_PER_DAY; step += 1) {
    const cookie = stolen !== undefined && step % 2 === 0 ? stolen : {};
    for (let resend = 0; resend < resends; resend += 1) {
      app.clock.advanceSeconds(30);
      count(tally.requests, await send('/request-otp', {}, cookie));
    }
    for (let guess = 0; guess < GUESSES_PER_STEP; guess += 1) {
      const status = await send('/verify-otp', { otp: wrongCode(app, guess) }, cookie);
      count(tally.guesses, status);
      if (status !== 429) answeredAtMs.push(app.clock.now());
    }
    app.clock.advanceSeconds(STEP_SECONDS - 30 * resends);
  }
  app.auth.events.off('otp.rejected', noteWrong);

  tally.mostComparedInADay = mostInAnyDay(comparedAtMs);
  tally.mostAnsweredInADay = mostInAnyDay(answeredAtMs);
  return tally;
}

function mostInAnyDay(timesMs: number[]): number {
  const ending = timesMs.map((endMs) => timesMs.filter((atMs) => atMs <= endMs && endMs - atMs < 86_400_000).length);
  return Math.max(0, ...ending);
}

/** The guesser's luck is not what is tested. */
function wrongCode({ mails }: AuthApp, guess: number): string {
  const sent = new Set(mails.slice(-10).map(({ text }) => /\b\d{6}\b/.exec(text)?.[0]));
  for (let code = guess; ; code += GUESSES_PER_STEP) {
    const text = String(code).padStart(6, '0');
    if (!sent.has(text)) return text;
  }
}

function describeTally({ requests, guesses, mostComparedInADay, mostAnsweredInADay }: Tally): string {
  const list = (counts: Record<number, number>) =>
    Object.entries(counts)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ');
  return `in the worst 24 hours ${mostAnsweredInADay} were answered and ${mostComparedInADay} compared (guesses: ${list(guesses)}; requests: ${list(requests)})`;
}

function report(line: string): void {
  process.stdout.write(`guesser, ${line}\n`);
}
