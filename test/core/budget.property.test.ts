import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { createBackground } from '../../src/core/background.js';
import { type Budget, budgetOf } from '../../src/core/budget.js';
import { createDevices } from '../../src/core/device.js';
import type { Identifier } from '../../src/core/identifier.js';
import type { CodePurpose, CodeRules, Logger, Store } from '../../src/core/ports.js';
import { createRequestOtp } from '../../src/core/request-otp.js';
import { deriveSecrets, identifierKeyFor } from '../../src/core/secrets.js';
import { createConsumeOtp } from '../../src/core/verify-otp.js';
import { isOtpAuthError } from '../../src/errors.js';
import { memoryStore } from '../../src/stores/memory/memory-store.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import { fakeClock, SECRET } from '../support/auth-app.js';
import { freshRedis } from '../support/redis.js';

const [SECOND, MINUTE, HOUR, DAY] = [1, 60, 3600, 86_400]; // in seconds
const CODE_LENGTH = 6;

let redis: Redis;
let runs = 0;

beforeAll(async () => {
  redis = await freshRedis();
});

describe.each([
  ['memory', () => memoryStore()],
  ['Redis', () => redisStore(redis)],
])('guesses in any 24 hours, on %s', (_name, openStore) => {
  it('are never compared with more codes than the budget says, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(anyRules, anySteps, async (rules, steps) => {
        expectWithin(
          budgetOf({ failuresPerDay: rules.failuresPerDay, codeLength: CODE_LENGTH }),
          await comparisonsOf(openStore(), rules, steps),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('are as many as the budget says, where someone tries', async () => {
    const rules = { ...someRules, liveCodes: 2, failuresPerDay: 9 };
    const attack = Array.from({ length: 40 }, (_, place): Step => {
      const as = { who: place % 2 ? 'laptop' : 'stranger', purpose: 'sign-in' } as const;
      return place % 6 < 2 ? { does: 'ask', ...as } : { does: 'guess', ...as, guess: 'wrong' };
    });
    const comparisons = await comparisonsOf(openStore(), rules, attack);
    const budget = budgetOf({ failuresPerDay: rules.failuresPerDay, codeLength: CODE_LENGTH });
    expect(mostInAnyDay(comparisons.filter(({ lane }) => lane === 'stranger'))).toBe(budget.guessesPerDay);
    expect(mostInAnyDay(comparisons)).toBe(budget.returningDevice.guessesPerDay);
  });
});

/** One thing that someone does, or that time does. */
type Step =
  /** In vain: a stranger guesses while the message is under way, which then is not taken. */
  | { does: 'ask' | 'ask in vain'; who: Who; purpose: CodePurpose }
  | { does: 'guess'; who: Who; purpose: CodePurpose; guess: 'wrong' | 'newest' | 'older' }
  | { does: 'revoke devices' }
  | { does: 'wait'; seconds: number };
type Who = 'stranger' | 'laptop' | 'phone';

const someRules: CodeRules = {
  expiryMs: 300_000,
  liveCodes: 1,
  maxAttempts: 3,
  resendCooldownMs: 0,
  sendsPerHour: 100,
  sendsPerDay: 100,
  failuresPerDay: 6,
};

const oneOf = <const Value extends string | number>(...values: Value[]) => fc.constantFrom(...values);

const anyRules: fc.Arbitrary<CodeRules> = fc.record({
  expiryMs: oneOf(30_000, 300_000, 600_000),
  liveCodes: fc.integer({ min: 1, max: 3 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  resendCooldownMs: oneOf(0, 0, 30_000),
  sendsPerHour: fc.integer({ min: 1, max: 9 }),
  sendsPerDay: fc.integer({ min: 1, max: 6 }),
  failuresPerDay: fc.integer({ min: 1, max: 12 }),
});

const someone = {
  who: oneOf('stranger', 'stranger', 'laptop', 'phone'),
  purpose: oneOf('sign-in', 'sign-in', 'change-identifier'),
};
const seconds = oneOf<number>(SECOND, 30, MINUTE, 5 * MINUTE, HOUR, DAY - HOUR, DAY - 1, DAY);
const anySteps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ does: oneOf('ask', 'ask', 'ask', 'ask in vain'), ...someone }) },
    {
      weight: 14,
      arbitrary: fc.record({
        does: oneOf('guess'),
        ...someone,
        guess: oneOf('wrong', 'wrong', 'wrong', 'newest', 'older'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ does: oneOf('wait'), seconds }) },
    { weight: 1, arbitrary: fc.record({ does: oneOf('revoke devices') }) },
  ),
  { maxLength: 50, size: 'max' },
);

/** A guess that was refused, and how many codes it was compared with. */
interface Comparison {
  lane: Who;
  atMs: number;
  codes: number;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Lets people do all that through the real functions, and finds out what each refused guess was compared with. */
async function comparisonsOf(store: Store, rules: CodeRules, steps: Step[]): Promise<Comparison[]> {
  runs += 1;
  const identifier: Identifier = { kind: 'email', value: `person-${runs}@example.com` };
  const secrets = deriveSecrets([SECRET]);
  const clock = fakeClock();
  const { recorded, calls } = record(store);
  const sent: string[] = [];
  const guesses: { call: number; lane: Who; atMs: number }[] = [];
  let delivers = true;
  const email = {
    async send({ code, purpose }: { code: string; purpose: CodePurpose }) {
      sent.unshift(code);
      if (delivers) return;
      guesses.push({ call: calls.length, lane: 'stranger', atMs: clock.now() });
      await settled(consumeOtp({ identifier, purpose, requester: {}, code: codeUnlike(sent) }));
      throw new Error('no such mailbox');
    },
    async close() {},
  };
  const settings = {
    codeLength: CODE_LENGTH,
    delivery: 'await' as const,
    storeTimeoutMs: 1000,
    magicOtp: false,
    reviewCodes: [],
  };
  const deps = { store: recorded, secrets, clock, emit: () => {}, logger: silent, rules, settings };
  const requestOtp = createRequestOtp({
    ...deps,
    background: createBackground({ spreadMs: 0 }),
    channels: { email, phone: undefined },
  });
  const consumeOtp = createConsumeOtp(deps);
  const devices = createDevices({ secrets, clock });
  const tokens = new Map<Who, string>([
    ['laptop', devices.remember([], identifier)],
    ['phone', devices.remember([], identifier)],
  ]);
  const revoked = new Set<Who>();
  const deviceOf = (who: Who) => devices.recognise([tokens.get(who) ?? ''], identifier);

  for (const step of steps) {
    if (step.does === 'wait') {
      clock.advanceSeconds(step.seconds);
    } else if (step.does === 'revoke devices') {
      const identifierKey = identifierKeyFor(secrets, identifier);
      await recorded.revokeDevices({ identifierKey, nowMs: clock.now(), forgetAfterMs: 90 * DAY * 1000 });
      for (const who of tokens.keys()) revoked.add(who);
    } else {
      const { who, purpose } = step;
      const asked = { identifier, purpose, requester: {}, device: deviceOf(who) };
      delivers = step.does !== 'ask in vain';
      if (step.does === 'guess') {
        const code = { wrong: codeUnlike(sent), newest: sent[0], older: sent[1] }[step.guess] ?? codeUnlike(sent);
        guesses.push({ call: calls.length, lane: revoked.has(who) ? 'stranger' : who, atMs: clock.now() });
        const isAccepted = await settled(consumeOtp({ ...asked, code }));
        if (isAccepted) guesses.pop();
        if (isAccepted && who !== 'stranger') {
          clock.advanceSeconds(0.001); // what is signed in the very moment of the revocation counts as revoked
          tokens.set(who, devices.remember([tokens.get(who) ?? ''], identifier));
          revoked.delete(who);
        }
      } else {
        await settled(requestOtp({ ...asked, locale: 'en' }));
      }
    }
  }

  const inMemory = memoryStore();
  for (const { again, outcome } of calls) expect(await again(inMemory)).toEqual(outcome);

  const comparisons = [];
  for (const { call, lane, atMs } of guesses) {
    comparisons.push({ lane, atMs, codes: await codesComparedIn(calls, call) });
  }
  return comparisons;
}

/** A call of the store, that can be done again elsewhere, also with another guess. */
interface Call {
  codeHash?: string;
  again: (store: Store, codeHashes?: string[]) => Promise<unknown>;
  outcome?: unknown;
}

/** Passes everything on, and takes note of it. */
function record(store: Store): { recorded: Store; calls: Call[] } {
  const calls: Call[] = [];
  const noting = async <Outcome>(call: Call, outcome: Promise<Outcome>): Promise<Outcome> => {
    calls.push(call);
    call.outcome = await outcome;
    return outcome;
  };
  const recorded: Store = {
    ...store,
    issueCode: (request) =>
      noting({ codeHash: request.codeHash, again: (other) => other.issueCode(request) }, store.issueCode(request)),
    withdrawCode: (request) => noting({ again: (other) => other.withdrawCode(request) }, store.withdrawCode(request)),
    consumeCode: (request) =>
      noting(
        { again: (other, codeHashes = [...request.codeHashes]) => other.consumeCode({ ...request, codeHashes }) },
        store.consumeCode(request),
      ),
    revokeDevices: (request) =>
      noting({ again: (other) => other.revokeDevices(request) }, store.revokeDevices(request)),
  };
  return { recorded, calls };
}

/** As seen from outside: a guess was compared with those codes that would have been accepted in its place. */
async function codesComparedIn(calls: Call[], place: number): Promise<number> {
  const before = calls.slice(0, place);
  const hashes = new Set(before.flatMap(({ codeHash }) => codeHash ?? []));
  // A used code that came again was compared with nothing, while another would have been.
  if ((calls[place]?.outcome as { reason?: string } | undefined)?.reason === 'replayed') return 0;
  let compared = 0;
  for (const hash of hashes) {
    const instead = await onFreshStore(before, (store) => calls[place]?.again(store, [hash]));
    if ((instead as { outcome: string }).outcome === 'accepted') compared += 1;
  }
  return compared;
}

async function onFreshStore(before: Call[], last: (store: Store) => unknown): Promise<unknown> {
  const store = memoryStore();
  for (const { again } of before) await again(store);
  return last(store);
}

/** Whether it was done; a refusal is none of the package's failures. */
async function settled(doing: Promise<unknown>): Promise<boolean> {
  try {
    await doing;
    return true;
  } catch (error) {
    if (!isOtpAuthError(error)) throw error;
    return false;
  }
}

function codeUnlike(codes: string[]): string {
  let code = 0;
  while (codes.includes(String(code).padStart(CODE_LENGTH, '0'))) code += 1;
  return String(code).padStart(CODE_LENGTH, '0');
}

function expectWithin(budget: Budget, comparisons: Comparison[]): void {
  const of = (...lanes: Who[]) => mostInAnyDay(comparisons.filter(({ lane }) => lanes.includes(lane)));
  expect(of('stranger')).toBeLessThanOrEqual(budget.guessesPerDay);
  expect(of('stranger', 'laptop')).toBeLessThanOrEqual(budget.returningDevice.guessesPerDay);
  expect(of('stranger', 'phone')).toBeLessThanOrEqual(budget.returningDevice.guessesPerDay);
}

/** The most comparisons in any 24 hours, wherever they begin. */
function mostInAnyDay(comparisons: Comparison[]): number {
  const ending = comparisons.map((last) =>
    comparisons
      .filter(({ atMs }) => atMs <= last.atMs && last.atMs - atMs < DAY * 1000)
      .reduce((sum, { codes }) => sum + codes, 0),
  );
  return Math.max(0, ...ending);
}
