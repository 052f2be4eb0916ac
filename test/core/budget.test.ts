import { budgetOf } from '../../src/core/budget.js';
import { otpAuth, type OtpAuthOptions } from '../../src/index.js';
import { closeAfterFile } from '../support/closing.js';
import { SECRET } from '../support/auth-app.js';

const defaults = {
  expiryMs: 300_000,
  liveCodes: 1,
  maxAttempts: 5,
  resendCooldownMs: 30_000,
  sendsPerHour: 10,
  sendsPerDay: 20,
  failuresPerDay: 25,
  codeLength: 6,
};

describe('the budget of guesses', () => {
  it('is 25 a day by default, 50 with a device cookie, and under one in a hundred a year', () => {
    const auth = start();
    const budget = auth.budget();
    expect(budget.guessesPerDay).toBe(25);
    expect(budget.oddsPerDay).toBeCloseTo(25 / 1e6, 12);
    expect(budget.oddsPerYear).toBeCloseTo(1 - (1 - 25 / 1e6) ** 365, 10);
    expect(budget.oddsPerYear).toBeLessThan(0.01);
    expect(budget.returningDevice.guessesPerDay).toBe(50);
    expect(budget.returningDevice.oddsPerDay).toBeCloseTo(50 / 1e6, 12);
    expect(budget.returningDevice.oddsPerYear).toBeCloseTo(1 - (1 - 50 / 1e6) ** 365, 10);
  });

  it.each([
    ['the failures of a day', { failuresPerDay: 7 }, 7],
    // Four codes of the day and, of each of the two purposes, one that was live when the day began, but no more than
    // can be sent within the life of a code: two attempts each.
    ['codes and attempts', { sendsPerDay: 4, maxAttempts: 2 }, 12],
    ['the live codes of before', { sendsPerDay: 4, maxAttempts: 2, liveCodes: 2 }, 16],
    ['what could be sent before', { sendsPerDay: 1, maxAttempts: 2, liveCodes: 3 }, 4],
    ['the sends of an hour', { sendsPerHour: 1, sendsPerDay: 1000, maxAttempts: 1, failuresPerDay: 1000 }, 25],
    [
      'the cool-down',
      {
        resendCooldownMs: 3_600_000,
        sendsPerHour: 1000,
        sendsPerDay: 1000,
        maxAttempts: 1,
        failuresPerDay: 1000,
      },
      25,
    ],
    ['no cool-down', { resendCooldownMs: 0, sendsPerDay: 3, maxAttempts: 1 }, 5],
  ])('is bounded by %s', (_name, rules, guesses) => {
    const budget = budgetOf({ ...defaults, ...rules });
    expect(budget.guessesPerDay).toBe(guesses);
    expect(budget.returningDevice.guessesPerDay).toBe(2 * guesses);
  });

  it('is not made larger by codes that live side by side, where failures are the bound', () => {
    expect(budgetOf({ ...defaults, liveCodes: 3 })).toEqual(budgetOf(defaults));
  });

  it('gives ten times worse odds for each further digit', () => {
    const { oddsPerDay } = budgetOf({ ...defaults, codeLength: 8 });
    expect(oddsPerDay).toBeCloseTo(25 / 1e8, 14);
  });
});

describe('a configuration that makes guessing worth while', () => {
  it('is refused, with the odds and the options that would change them', () => {
    expect(() => start({ limits: { failuresPerDay: 1000, sendsPerDay: 1000 } })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(
          /limits\.maxOddsPerYear: 1000 guesses in any 24 hours at codes of 6 digits give a stranger odds of 30\.6 % a year, more than the 5 % that may be: lower limits\.failuresPerDay to 140, or raise otp\.length to 7, or .*limits\.sendsPerDay.*otp\.maxAttempts/,
        ),
      }),
    );
  });

  it.each([
    { limits: { failuresPerDay: 140, sendsPerDay: 1000 } },
    { limits: { failuresPerDay: 1000, sendsPerDay: 1000 }, otp: { length: 7 } },
    { limits: { failuresPerDay: 1000, sendsPerDay: 1000, maxOddsPerYear: 0.31 } },
    { limits: { failuresPerDay: 1000 } }, // 20 codes and two, of five guesses each
  ])('starts once it is changed as it was told: %j', (options) => {
    expect(start(options).budget().oddsPerYear).toBeLessThanOrEqual(options.limits.maxOddsPerYear ?? 0.05);
  });

  it('is refused for the very next guess', () => {
    expect(() => start({ limits: { failuresPerDay: 141, sendsPerDay: 1000 } })).toThrow(/lower .* to 140/);
  });

  it('is named beside every other problem', () => {
    const options = { limits: { failuresPerDay: 1000, sendsPerDay: 1000 }, recentSeconds: 0 };
    expect(() => start(options)).toThrow(
      /maxOddsPerYear.*\n(?:.*\n)*.*recentSeconds|recentSeconds.*\n(?:.*\n)*.*maxOddsPerYear/,
    );
  });

  it('may be allowed no odds but real ones', () => {
    for (const maxOddsPerYear of [0, -0.1, 1.1, Number.NaN])
      expect(() => start({ limits: { maxOddsPerYear } })).toThrow(/limits\.maxOddsPerYear/);
  });
});

function start(options: OtpAuthOptions = {}) {
  const auth = otpAuth({ redis: 'memory:', jwt: { secret: SECRET }, ...options });
  closeAfterFile(() => auth.close());
  return auth;
}
