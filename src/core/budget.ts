/** What someone who guesses codes can get out of one identifier. */
export interface Odds {
  /** Guesses that are answered in any 24 hours, and not refused as too many, from whatever number of addresses. */
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
export interface BudgetRules {
  /** Wrong guesses of one lane in any 24 hours. */
  failuresPerDay: number;
  /** Decimal digits of a code. */
  codeLength: number;
}

const DAYS_PER_YEAR = 365;

/**
 * The greatest number of guesses that the limits allow, and the odds that go with it.
 *
 * A lane's failures are what bounds them, and nothing else does: each wrong guess is charged in the step that compares it,
 * once for every code that it is compared with, for whatever purpose, whenever that code was issued, and however many came
 * before it. So new codes, old codes and several live ones give nobody more chances, and a guess at no code at all is
 * charged too. The holder of a device cookie has the cookie's lane and, without it, the one that all strangers share.
 */
export function budgetOf({ failuresPerDay, codeLength }: BudgetRules): Budget {
  return {
    ...oddsOf(failuresPerDay, codeLength),
    returningDevice: oddsOf(2 * failuresPerDay, codeLength),
  };
}

function oddsOf(guessesPerDay: number, codeLength: number): Odds {
  // Codes are drawn evenly and independently, and different guesses at one code exclude one another: the odds of a day
  // are at most the sum of its guesses'. One day's codes tell nothing about the next day's.
  const oddsPerDay = Math.min(1, guessesPerDay / 10 ** codeLength);
  return { guessesPerDay, oddsPerDay, oddsPerYear: -Math.expm1(DAYS_PER_YEAR * Math.log1p(-oddsPerDay)) };
}
