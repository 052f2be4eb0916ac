import { budgetOf } from '../../src/core/budget.js';
import { otpAuth, type OtpAuthOptions } from '../../src/index.js';
import { SECRET } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';

describe('the budget of guesses', () => {
  it('is 25 a day by default, 50 with a device cookie, and under one in a hundred a year', () => {
    const budget = start().budget();
    expect(budget.guessesPerDay).toBe(25);
    expect(budget.oddsPerDay).toBeCloseTo(25 / 1e6, 12);
    expect(budget.oddsPerYear).toBeCloseTo(1 - (1 - 25 / 1e6) ** 365, 10);
    expect(budget.oddsPerYear).toBeLessThan(0.01);
    expect(budget.returningDevice.guessesPerDay).toBe(50);
    expect(budget.returningDevice.oddsPerDay).toBeCloseTo(50 / 1e6, 12);
    expect(budget.returningDevice.oddsPerYear).toBeCloseTo(1 - (1 - 50 / 1e6) ** 365, 10);
  });

  it('is what limits.failuresPerDay allows', () => {
    expect(start({ limits: { failuresPerDay: 7 } }).budget()).toEqual(budgetOf({ failuresPerDay: 7, codeLength: 6 }));
    expect(budgetOf({ failuresPerDay: 7, codeLength: 6 })).toMatchObject({
      guessesPerDay: 7,
      returningDevice: { guessesPerDay: 14 },
    });
  });

  it('gives ten times worse odds for each further digit', () => {
    expect(start({ otp: { length: 8 } }).budget().oddsPerDay).toBeCloseTo(25 / 1e8, 14);
  });

  it.each([
    { otp: { liveCodes: 3, maxAttempts: 10, expirySeconds: 600, resendCooldownSeconds: 0 } },
    { limits: { sendsPerHour: 1000, sendsPerDay: 1000 } },
  ])('is no larger with more codes, that live longer and side by side: %j', (options) => {
    expect(start(options).budget()).toEqual(start().budget());
  });

  it('has no odds above certainty', () => {
    const { oddsPerDay, oddsPerYear } = budgetOf({ failuresPerDay: 100, codeLength: 1 });
    expect([oddsPerDay, oddsPerYear]).toEqual([1, 1]);
  });
});

describe('a configuration that makes guessing worth while', () => {
  it('is refused, with the odds and the options that would change them', () => {
    expect(() => start({ limits: { failuresPerDay: 1000 } })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining(
          'limits.maxOddsPerYear: 1000 guesses in any 24 hours at codes of 6 digits give a stranger odds of 30.6 % a year, ' +
            'more than the 5 % that may be: lower limits.failuresPerDay to 140, or raise otp.length to 7, or raise limits.maxOddsPerYear',
        ),
      }),
    );
  });

  it.each<OtpAuthOptions>([
    { limits: { failuresPerDay: 140 } },
    { limits: { failuresPerDay: 1000 }, otp: { length: 7 } },
    { limits: { failuresPerDay: 1000, maxOddsPerYear: 0.31 } },
  ])('starts once it is changed as it was told: %j', (options) => {
    expect(start(options).budget().oddsPerYear).toBeLessThanOrEqual(options.limits?.maxOddsPerYear ?? 0.05);
  });

  it('is refused for the very next guess, and by limits.maxOddsPerYear alone', () => {
    expect(() => start({ limits: { failuresPerDay: 141 } })).toThrow(/lower limits\.failuresPerDay to 140/);
    expect(() => start({ limits: { maxOddsPerYear: 0.009 } })).toThrow(/lower limits\.failuresPerDay to 24/);
  });

  it('is named beside every other problem', () => {
    expect(() => start({ limits: { failuresPerDay: 1000 }, recentSeconds: 0 })).toThrow(
      expect.objectContaining({
        details: {
          errors: expect.arrayContaining([
            expect.objectContaining({ path: 'limits.maxOddsPerYear' }),
            expect.objectContaining({ path: 'recentSeconds' }),
          ]),
        },
      }),
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
