import type { Store } from '../core/ports.js';
import { attemptPromises } from './store-promises/attempts.js';
import { codePromises } from './store-promises/codes.js';
import { concurrencyPromises } from './store-promises/concurrency.js';
import { devicePromises } from './store-promises/devices.js';
import { inspectionPromises } from './store-promises/inspection.js';
import { leasePromises } from './store-promises/leases.js';
import type { StorePromises } from './store-promises/promise.js';
import { factorPromises } from './store-promises/factors.js';
import { refreshPromises } from './store-promises/refresh.js';
import { revocationPromises } from './store-promises/revocations.js';
import { sendPromises } from './store-promises/sends.js';
import { sessionPromises } from './store-promises/sessions.js';
import { smsPromises } from './store-promises/sms.js';
import { findTestRunner, type TestRunner } from './test-runner.js';

/** How {@link describeStore} runs. */
export interface DescribeStoreOptions extends Partial<TestRunner> {
  /**
   * Opens another store on the same data, over a connection of its own: the operations that happen at once are then
   * spread over several connections, as they are between an application's processes.
   */
  createPeer?: ((store: Store) => Store | Promise<Store>) | undefined;
}

/** What a {@link Store} promises, by subject. */
const SUBJECTS: Record<string, StorePromises> = {
  codes: codePromises,
  'wrong guesses': attemptPromises,
  'limits on sending': sendPromises,
  'what support staff see': inspectionPromises,
  'returning devices': devicePromises,
  'paid messages': smsPromises,
  sessions: sessionPromises,
  'refresh tokens': refreshPromises,
  revocations: revocationPromises,
  'second factors': factorPromises,
  leases: leasePromises,
  'many at once': concurrencyPromises,
};

/**
 * Describes the tests that every {@link Store} must pass, with `describe` and `it` of the test runner in use.
 *
 * @param name - Of the store, as it shall appear in the report.
 * @param createStore - Gives a fresh and empty store for each test, which the test closes at its end.
 * @throws TypeError where the runner has no global `describe` and `it`, and none were handed over.
 */
export function describeStore(
  name: string,
  createStore: () => Store | Promise<Store>,
  options: DescribeStoreOptions = {},
): void {
  const { describe, it } = findTestRunner(options);
  const { createPeer } = options;

  describe(`${name} as a store`, () => {
    for (const [subject, promises] of Object.entries(SUBJECTS)) {
      describe(subject, () => {
        for (const [promise, keepsIt] of Object.entries(promises)) {
          it(promise, () => onFreshStore(keepsIt, createStore, createPeer));
        }
      });
    }
  });
}

async function onFreshStore(
  keepsIt: StorePromises[string],
  createStore: () => Store | Promise<Store>,
  createPeer: DescribeStoreOptions['createPeer'],
): Promise<void> {
  const opened = [await createStore()];
  const [store] = opened as [Store];
  try {
    await keepsIt(store, async (count) => {
      while (createPeer !== undefined && opened.length < count) opened.push(await createPeer(store));
      return [...opened];
    });
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}
