import type { CodeRules } from './ports.js';

/** What someone who guesses codes can get out of one identifier. */
export interface Odds {
  /** Guesses that are compared with a code in any 24 hours, from whatever number of addresses. */
  guessesPerDay: number;
  /** Odds, 0 to 1, that one of them is right. */
  oddsPerDay: number;
  /** The same for 365 such days in a row. */
  oddsPerYear: number;
}

/** The odds of a stranger, and those of whoever holds one of the identifier's device cookies. */
export interface Budget extends Odds {
  returningDevice: Odds;
}

/** What the odds depend on. */
export type BudgetRules = CodeRules & { codeLength: number };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_PER_YEAR = 365;
const PURPOSES = 2; // signing in and changing an identifier: each has live codes of its own

/**
 * The greatest number of guesses that the limits allow, and the odds that go with it.
 *
 * Two bounds hold at once, and the lower one counts. A lane's failures: every comparison of a guess with a live code is
 * charged one, in the same atomic step, so more live codes give more chances a guess and fewer guesses. A lane's codes:
 * each is compared with `maxAttempts` wrong guesses at most, and only so many are sent in 24 hours, besides those that
 * were live when the 24 hours began. A device cookie adds a lane of its own to the one that all share: twice the guesses.
 */
export function budgetOf(rules: BudgetRules): Budget {
  const guessesPerDay = Math.min(rules.failuresPerDay, rules.maxAttempts * mostCodesPerDay(rules));
  return {
    ...oddsOf(guessesPerDay, rules.codeLength),
    returningDevice: oddsOf(2 * guessesPerDay, rules.codeLength),
  };
}

/** Codes of one lane that can be compared with in any 24 hours. */
function mostCodesPerDay(rules: CodeRules): number {
  const liveBefore = Math.min(PURPOSES * rules.liveCodes, mostSends(rules, rules.expiryMs));
  return mostSends(rules, DAY_MS) + liveBefore;
}

/** Codes that are sent to one lane within so long, whatever the moment it begins at. */
function mostSends({ resendCooldownMs, sendsPerHour, sendsPerDay }: CodeRules, withinMs: number): number {
  const byCooldown = resendCooldownMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil(withinMs / resendCooldownMs);
  return Math.min(sendsPerDay, Math.ceil(withinMs / HOUR_MS) * sendsPerHour, byCooldown);
}

function oddsOf(guessesPerDay: number, codeLength: number): Odds {
  // Codes are drawn evenly and independently, and different guesses at one code exclude one another: the odds of a day
  // are at most their sum. One day's codes tell nothing about the next day's.
  const oddsPerDay = Math.min(1, guessesPerDay / 10 ** codeLength);
  return { guessesPerDay, oddsPerDay, oddsPerYear: -Math.expm1(DAYS_PER_YEAR * Math.log1p(-oddsPerDay)) };
}
