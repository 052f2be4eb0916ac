import assert from 'node:assert/strict';
import type { ReturningDevice, Store } from '../../core/ports.js';
import { DAY_MS, guessWrong, HOUR_MS, idOf, issued, MINUTE_MS, RULES, sending, START_MS, verdict } from './promise.js';
import type { StorePromises } from './promise.js';

const device: ReturningDevice = { lane: 'device', issuedAtMs: START_MS - DAY_MS };
const otherDevice: ReturningDevice = { lane: 'other-device', issuedAtMs: START_MS - DAY_MS };

/** What a browser that signed in before has to itself. */
export const devicePromises: StorePromises = {
  'keeps strangers from using up the failures of a returning device': async (store) => {
    const rules = { failuresPerDay: 2 };
    await issued(store, 'theirs', { rules, device });
    await guessWrong(store, 1, { rules, device });
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'limited');
    assert.equal(await verdict(store, 'theirs', { rules, device }), 'accepted');
  },

  'keeps strangers from using up the messages of a returning device': async (store) => {
    const rules = { sendsPerDay: 1 };
    await issued(store, 'asked by a stranger', { rules });
    await issued(store, 'theirs', { rules, device });
    assert.equal(await sending(store, 'again', { rules, device }), 'resend_cooldown');
    assert.equal(await sending(store, 'again', { rules, device, afterMs: HOUR_MS }), 'sends_per_day');
    assert.equal(await verdict(store, 'theirs', { rules, device }), 'accepted');
  },

  'limits a returning device as it limits strangers, and none for the other': async (store) => {
    const rules = { failuresPerDay: 2 };
    assert.equal(await verdict(store, 'any', { rules, device }), 'absent');
    assert.equal(await verdict(store, 'any', { rules, device }), 'absent');
    assert.equal(await verdict(store, 'any', { rules, device }), 'limited');
    assert.equal(await sending(store, 'any', { rules, device }), 'failures_per_day');
    assert.equal(await verdict(store, 'any', { rules, device: otherDevice }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
  },

  'keeps the codes of a device from strangers and other devices': async (store) => {
    await issued(store, 'theirs', { device });
    assert.equal(await verdict(store, 'theirs'), 'absent');
    assert.equal(await verdict(store, 'theirs', { device: otherDevice }), 'absent');
    assert.equal(await verdict(store, 'theirs', { device, identifierKey: 'another' }), 'absent');
    assert.equal(await verdict(store, 'theirs', { device }), 'accepted');
  },

  'accepts a code that was asked for elsewhere on a returning device': async (store) => {
    await issued(store, 'asked elsewhere');
    await issued(store, 'theirs', { device });
    assert.equal(await verdict(store, 'asked elsewhere', { device }), 'accepted');
    assert.equal(await verdict(store, 'theirs', { device }), 'absent');
    assert.equal(await verdict(store, 'asked elsewhere', { device }), 'replayed');
    assert.equal(await verdict(store, 'asked elsewhere'), 'replayed');
  },

  'uses up the codes of strangers with the one of the device': async (store) => {
    await issued(store, 'asked elsewhere');
    await issued(store, 'theirs', { device });
    assert.equal(await verdict(store, 'theirs', { device }), 'accepted');
    assert.equal(await verdict(store, 'asked elsewhere'), 'absent');
    assert.equal(await verdict(store, 'theirs', { device }), 'replayed');
    assert.equal(await verdict(store, 'theirs'), 'absent');
  },

  'counts the wrong guess of a device in its own lane, as often as it was compared': async (store) => {
    const rules = { failuresPerDay: 3 };
    await issued(store, 'asked elsewhere', { rules });
    await issued(store, 'theirs', { rules, device });
    await guessWrong(store, 1, { rules, device });
    // One of three is left, for the device's own code; strangers have all of theirs.
    assert.equal(await verdict(store, 'asked elsewhere', { rules, device }), 'wrong');
    assert.equal(await verdict(store, 'theirs', { rules, device }), 'limited');
    await guessWrong(store, 2, { rules });
    assert.equal(await verdict(store, 'asked elsewhere', { rules }), 'accepted');
  },

  'counts the wrong guess of a device against the codes of strangers too': async (store) => {
    await issued(store, 'asked elsewhere');
    await guessWrong(store, RULES.maxAttempts - 1, { device });
    await guessWrong(store, 1);
    assert.equal(await verdict(store, 'asked elsewhere'), 'attempts_used_up');
    assert.equal(await verdict(store, 'asked elsewhere', { device }), 'attempts_used_up');
  },

  'gives a code that is dead no place among the live ones': async (store) => {
    const rules = { liveCodes: 2, maxAttempts: 1, resendCooldownMs: 0 };
    await issued(store, 'one', { rules });
    await issued(store, 'two', { rules });
    // The device has one comparison left, so that the newer code dies before the older.
    await guessWrong(store, 1, { rules: { ...rules, failuresPerDay: 1 }, device });
    await issued(store, 'three', { rules });
    assert.equal(await verdict(store, 'one', { rules }), 'accepted');
  },

  'takes a device for a stranger once it is revoked, and others not': async (store) => {
    const rules = { failuresPerDay: 1 };
    assert.equal(await verdict(store, 'any', { rules }), 'absent');
    await revokeDevices(store, device.issuedAtMs);
    assert.equal(await verdict(store, 'any', { rules, device }), 'limited');
    assert.equal(await sending(store, 'any', { rules, device }), 'failures_per_day');
    const later = { ...device, issuedAtMs: device.issuedAtMs + 1 };
    assert.equal(await verdict(store, 'any', { rules, device: later }), 'absent');
    await issued(store, 'any', { rules, device, identifierKey: 'another' });
    assert.equal(await verdict(store, 'any', { rules, identifierKey: 'another' }), 'absent');
  },

  'keeps the codes of a revoked device from it': async (store) => {
    await issued(store, 'theirs', { device });
    await revokeDevices(store, START_MS);
    assert.equal(await verdict(store, 'theirs', { device }), 'absent');
    await issued(store, 'as a stranger', { device });
    assert.equal(await verdict(store, 'as a stranger'), 'accepted');
  },

  'never takes a revocation of devices back': async (store) => {
    const rules = { failuresPerDay: 1 };
    await revokeDevices(store, device.issuedAtMs);
    await revokeDevices(store, device.issuedAtMs - HOUR_MS);
    assert.equal(await verdict(store, 'any', { rules, device }), 'absent');
    assert.equal(await verdict(store, 'any', { rules }), 'limited');
  },

  'withdraws a code from the lane that it is in': async (store) => {
    const withdraw = (code: string, of: ReturningDevice | undefined) =>
      store.withdrawCode({
        identifierKey: 'identifier',
        purpose: 'sign-in',
        device: of,
        codeId: idOf(code),
        issuedAtMs: START_MS,
      });
    await issued(store, 'asked elsewhere');
    await issued(store, 'theirs', { device });
    await withdraw('theirs', undefined);
    await withdraw('theirs', otherDevice);
    assert.equal(await sending(store, 'next', { device }), 'resend_cooldown');
    await withdraw('theirs', device);
    await issued(store, 'next', { device });
    assert.equal(await sending(store, 'next'), 'resend_cooldown');

    await revokeDevices(store, START_MS - MINUTE_MS);
    await withdraw('next', device);
    await issued(store, 'after', { device: { ...device, issuedAtMs: START_MS } });
    await withdraw('asked elsewhere', device);
    await issued(store, 'as a stranger', { device });
  },
};

function revokeDevices(store: Store, nowMs: number): Promise<void> {
  return store.revokeDevices({ identifierKey: 'identifier', nowMs, forgetAfterMs: 90 * DAY_MS });
}
