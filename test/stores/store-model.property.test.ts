import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { CodePurpose, CodeRules, ConsumeCode, IssueCode, Store, WithdrawCode } from '../../src/core/ports.js';
import { memoryStore } from '../../src/stores/memory/memory-store.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import { freshRedis } from '../support/redis.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);

let redis: Redis;
let runs = 0;

beforeAll(async () => {
  redis = await freshRedis();
});

describe('codes, whatever happens in whatever order', () => {
  it('are judged alike by both stores', async () => {
    await fc.assert(fc.asyncProperty(anyRules, stepsWith(anyWait), judgedAlike), { numRuns: 300 });
  });

  it('are judged alike by both stores when the clock is set back', async () => {
    // Not over the end of a code: a store may have dropped it by then, and it does not come back.
    const rules = anyRules.map((any) => ({ ...any, expiryMs: 90 * DAY_MS }));
    const waits = fc.oneof(anyWait, oneOf<number>(-HOUR_MS, -MINUTE_MS, -1));
    await fc.assert(fc.asyncProperty(rules, stepsWith(waits), judgedAlike), { numRuns: 300 });
  });

  it('are never compared with more guesses of a lane in 24 hours than the rules have', async () => {
    await fc.assert(
      fc.asyncProperty(anyRules, stepsWith(anyWait), async (rules, steps) => {
        const requests = requestsOf(steps, rules, 'identifier');
        expect(mostInAnyDay(await comparisonsIn(requests))).toBeLessThanOrEqual(rules.failuresPerDay);
      }),
      { numRuns: 300 },
    );
  });

  it('are compared with as many guesses as the rules have, where someone tries', async () => {
    const rules = { ...hardRules, liveCodes: 2, failuresPerDay: 9 };
    const attack: Step[] = Array.from({ length: 40 }, (_, place) =>
      place % 3 === 0
        ? { does: 'ask', who: 'stranger', purpose: 'sign-in' }
        : { does: 'guess', who: 'stranger', purpose: 'sign-in', which: 'wrong' },
    );
    expect(mostInAnyDay(await comparisonsIn(requestsOf(attack, rules, 'identifier')))).toBe(rules.failuresPerDay);
  });
});

async function judgedAlike(rules: CodeRules, steps: Step[]): Promise<void> {
  runs += 1;
  const requests = requestsOf(steps, rules, `identifier-${runs}`);
  const inMemory = await outcomesOn(memoryStore(), requests);
  expect(await outcomesOn(redisStore(redis), requests)).toEqual(inMemory);
}

/** One thing that someone does, or that time does. */
type Step =
  | { does: 'ask'; who: Who; purpose: CodePurpose }
  /** `which` of the codes so far, the last one first: also one that was never issued, because a limit stood against it. */
  | { does: 'ask again' | 'withdraw'; which: number }
  | { does: 'guess'; who: Who; purpose: CodePurpose; which: number | 'wrong' }
  | { does: 'revoke devices' | 'sign device cookies' }
  | { does: 'wait'; ms: number };
type Who = 'stranger' | 'laptop' | 'phone';

/** A call of a store. */
type Request =
  | { operation: 'issueCode'; request: IssueCode }
  | { operation: 'withdrawCode'; request: WithdrawCode }
  | { operation: 'consumeCode'; request: ConsumeCode }
  | { operation: 'revokeDevices'; request: Parameters<Store['revokeDevices']>[0] };

const hardRules: CodeRules = {
  expiryMs: 5 * MINUTE_MS,
  liveCodes: 1,
  maxAttempts: 3,
  resendCooldownMs: 0,
  sendsPerHour: 100,
  sendsPerDay: 100,
  failuresPerDay: 6,
};

const oneOf = <const Value extends string | number>(...values: Value[]) => fc.constantFrom(...values);

const anyRules: fc.Arbitrary<CodeRules> = fc.record({
  expiryMs: fc.constantFrom(MINUTE_MS, 5 * MINUTE_MS, 2 * DAY_MS),
  liveCodes: fc.integer({ min: 1, max: 3 }),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  resendCooldownMs: fc.constantFrom(0, MINUTE_MS),
  sendsPerHour: fc.integer({ min: 1, max: 9 }),
  sendsPerDay: fc.integer({ min: 1, max: 12 }),
  failuresPerDay: fc.integer({ min: 1, max: 9 }),
});

const anyWait = oneOf<number>(1, SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS - 1, HOUR_MS, DAY_MS - HOUR_MS, DAY_MS);

function stepsWith(waits: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const someone = {
    who: oneOf('stranger', 'stranger', 'laptop', 'phone'),
    purpose: oneOf('sign-in', 'sign-in', 'change-identifier'),
  };
  const which = fc.nat({ max: 4 });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ does: oneOf('ask'), ...someone }) },
    { weight: 8, arbitrary: fc.record({ does: oneOf('guess'), ...someone, which: oneOf('wrong') }) },
    { weight: 4, arbitrary: fc.record({ does: oneOf('guess'), ...someone, which }) },
    { weight: 4, arbitrary: fc.record({ does: oneOf('wait'), ms: waits }) },
    { weight: 1, arbitrary: fc.record({ does: oneOf('ask again', 'withdraw'), which }) },
    { weight: 1, arbitrary: fc.record({ does: oneOf('revoke devices', 'sign device cookies') }) },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

/** Turns what people do into calls, which are the same for every store. */
function requestsOf(steps: Step[], rules: CodeRules, identifierKey: string): Request[] {
  const requests: Request[] = [];
  const asked: IssueCode[] = [];
  let nowMs = START_MS;
  let latestMs = nowMs;
  let cookiesSignedAtMs = nowMs;
  const addressOf = (who: Who, purpose: CodePurpose) => ({
    identifierKey,
    purpose,
    device: who === 'stranger' ? undefined : { lane: who, issuedAtMs: cookiesSignedAtMs },
  });

  for (const step of steps) {
    switch (step.does) {
      case 'ask': {
        const name = `${asked.length}`;
        const request = { ...addressOf(step.who, step.purpose), codeId: name, codeHash: `hash-${name}`, nowMs, rules };
        asked.push(request);
        requests.push({ operation: 'issueCode', request });
        break;
      }
      case 'ask again': {
        const again = asked.at(-1 - step.which);
        if (again) requests.push({ operation: 'issueCode', request: { ...again, nowMs } });
        break;
      }
      case 'withdraw': {
        const withdrawn = asked.at(-1 - step.which);
        if (withdrawn)
          requests.push({ operation: 'withdrawCode', request: { ...withdrawn, issuedAtMs: withdrawn.nowMs } });
        break;
      }
      case 'guess': {
        const guessed = step.which === 'wrong' ? undefined : asked.at(-1 - step.which);
        const codeHashes = [guessed?.codeHash ?? 'wrong', 'under another secret'];
        requests.push({
          operation: 'consumeCode',
          request: { ...addressOf(step.who, step.purpose), codeHashes, nowMs, rules },
        });
        break;
      }
      case 'revoke devices':
        requests.push({ operation: 'revokeDevices', request: { identifierKey, nowMs, forgetAfterMs: 90 * DAY_MS } });
        break;
      case 'sign device cookies':
        cookiesSignedAtMs = nowMs;
        break;
      case 'wait':
        nowMs = Math.max(nowMs + step.ms, latestMs - HOUR_MS);
        latestMs = Math.max(latestMs, nowMs);
    }
  }
  return requests;
}

async function outcomesOn(store: Store, requests: Request[]): Promise<unknown[]> {
  const outcomes = [];
  for (const request of requests) outcomes.push({ request, outcome: await perform(store, request) });
  return outcomes;
}

function perform(store: Store, { operation, request }: Request): Promise<unknown> {
  switch (operation) {
    case 'issueCode':
      return store.issueCode(request);
    case 'withdrawCode':
      return store.withdrawCode(request);
    case 'consumeCode':
      return store.consumeCode(request);
    case 'revokeDevices':
      return store.revokeDevices(request);
  }
}

interface Comparison {
  lane: string;
  atMs: number;
  codes: number;
}

/**
 * How many codes each wrong guess was compared with, as seen from outside: with those that would have been accepted in
 * its place. A code that was used before and comes again is no guess: who sends it learns nothing by it.
 */
async function comparisonsIn(requests: Request[]): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const hashes = requests.flatMap(({ operation, request }) => (operation === 'issueCode' ? [request.codeHash] : []));
  const store = memoryStore();
  let devicesRevokedAtMs = Number.NEGATIVE_INFINITY;
  for (const [place, each] of requests.entries()) {
    const outcome = await perform(store, each);
    if (each.operation === 'revokeDevices') devicesRevokedAtMs = each.request.nowMs;
    if (each.operation !== 'consumeCode' || !isWrong(outcome)) continue;
    let codes = 0;
    for (const hash of new Set(hashes)) {
      const before = memoryStore();
      for (const earlier of requests.slice(0, place)) await perform(before, earlier);
      const instead = await before.consumeCode({ ...each.request, codeHashes: [hash] });
      if (instead.outcome === 'accepted') codes += 1;
    }
    const { device, nowMs } = each.request;
    const lane = device !== undefined && device.issuedAtMs > devicesRevokedAtMs ? device.lane : 'shared';
    comparisons.push({ lane, atMs: nowMs, codes });
  }
  return comparisons;
}

const isWrong = (outcome: unknown) => (outcome as { reason?: string }).reason === 'wrong';

/** The most comparisons of one lane in any moving 24 hours. */
function mostInAnyDay(comparisons: Comparison[]): number {
  const ending = comparisons.map((last) =>
    comparisons
      .filter(({ lane, atMs }) => lane === last.lane && atMs <= last.atMs && last.atMs - atMs < DAY_MS)
      .reduce((sum, { codes }) => sum + codes, 0),
  );
  return Math.max(0, ...ending);
}
