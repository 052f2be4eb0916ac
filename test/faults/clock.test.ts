import { setTimeout } from 'node:timers/promises';
import type { OtpAuthOptions } from '../../src/index.js';
import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { describeOnEachStore } from '../support/each-store.js';
import { send } from './send.js';
import { startSurvivor, survive, type Survivor } from './survive.js';

const EMAIL = 'jo@example.com';
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

describeOnEachStore('a clock that is set back', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const { url, clock, lastCode } = await startAuthApp({ ...stored(), ...options }, fakeClock());
    const post = (path: string, body: object = {}, token?: string) => send(`${url}/auth${path}`, { body, token });
    const me = async (token: unknown) => (await send(`${url}/me`, { method: 'GET', token: String(token) })).status;
    const ask = async () => (await post('/request-otp', { email: EMAIL })).status;
    const guess = async (otp: string) => post('/verify-otp', { email: EMAIL, otp, token_transport: 'body' });
    const refresh = (token: unknown) => post('/refresh', { refresh_token: token });
    return { clock, lastCode, post, me, ask, guess, refresh };
  };

  it.each([HOUR_SECONDS, DAY_SECONDS])('locks nobody out: %i seconds', async (seconds) => {
    const { clock, lastCode, ask, guess, me, refresh } = await start({ otp: { resendCooldownSeconds: 30 } });
    expect(await ask()).toBe(200);
    clock.advanceSeconds(-seconds);
    // As if the code had been sent at this moment, and no longer than that.
    expect(await ask()).toBe(429);
    clock.advanceSeconds(31);
    expect(await ask()).toBe(200);
    const { status, body } = await guess(lastCode(EMAIL));
    expect(status).toBe(200);
    expect(await me(body['access_token'])).toBe(200);
    expect((await refresh(body['refresh_token'])).status).toBe(200);
  });

  it('accepts no code twice, and no revoked token', async () => {
    const { clock, lastCode, post, me, ask, guess, refresh } = await start();
    await ask();
    const otp = lastCode(EMAIL);
    const { body } = await guess(otp);
    await post('/logout', {}, String(body['access_token']));
    for (const seconds of [-60, -HOUR_SECONDS, HOUR_SECONDS + 60]) {
      clock.advanceSeconds(seconds);
      expect((await guess(otp)).status).toBe(400);
      expect(await me(body['access_token'])).toBe(401);
      expect((await refresh(body['refresh_token'])).status).toBe(401);
    }
  });

  it('lets people log out with tokens that are of the future now', async () => {
    const { clock, lastCode, post, me, ask, guess, refresh } = await start();
    await ask();
    const { body } = await guess(lastCode(EMAIL));
    clock.advanceSeconds(-HOUR_SECONDS / 4);
    expect(await me(body['access_token'])).toBe(401);
    expect((await post('/logout', {}, String(body['access_token']))).status).toBe(200);
    clock.advanceSeconds(HOUR_SECONDS / 4);
    expect(await me(body['access_token'])).toBe(401);
    expect((await refresh(body['refresh_token'])).status).toBe(401);
  });

  it('gives no guesses that were used up before', async () => {
    const { clock, ask, guess } = await start({ limits: { failuresPerDay: 5 } });
    for (let time = 0; time < 5; time += 1) {
      await ask();
      expect((await guess('000000')).status).toBe(400);
    }
    clock.advanceSeconds(-HOUR_SECONDS);
    expect((await guess('000000')).status).toBe(429);
    expect(await ask()).toBe(429);
  });

  it('takes a replaced refresh token for stolen all the same', async () => {
    const { clock, lastCode, ask, guess, me, refresh } = await start();
    await ask();
    const { body } = await guess(lastCode(EMAIL));
    clock.advanceSeconds(HOUR_SECONDS / 2);
    const replaced = body['refresh_token'];
    const next = await refresh(replaced);
    expect(next.status).toBe(200);
    clock.advanceSeconds(-HOUR_SECONDS / 4);
    expect((await refresh(replaced)).status).toBe(401);
    clock.advanceSeconds(HOUR_SECONDS / 4);
    expect(await me(next.body['access_token'])).toBe(401);
  });
});

describeOnEachStore('a clock that is set back under load', (stored) => {
  it('gives the contract’s answers, and everything works when it is right again', async () => {
    let aheadMs = 0;
    const alsoAllowed = ['401 invalid_token', '401 invalid_refresh_token'];
    const options: OtpAuthOptions = { ...stored(), clock: { now: () => Date.now() + aheadMs } };
    const survivors: Record<string, Survivor> = { 'one hour': await startSurvivor(options, { alsoAllowed }) };
    await survive('The clock is set back', survivors, async () => {
      aheadMs = -HOUR_SECONDS * 1000;
      await setTimeout(1_500);
      aheadMs = 0;
    });
  });
});
