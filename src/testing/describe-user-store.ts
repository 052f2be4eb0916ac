import type { UserStore } from '../core/users/user-store.js';
import { findTestRunner, type TestRunner } from './test-runner.js';
import { changePromises } from './user-store-promises/changes.js';
import { concurrencyPromises } from './user-store-promises/concurrency.js';
import { listPromises } from './user-store-promises/lists.js';
import type { UserStorePromises } from './user-store-promises/promise.js';
import { recordPromises } from './user-store-promises/records.js';

/** What a {@link UserStore} promises, by subject. */
const SUBJECTS: Record<string, UserStorePromises> = {
  users: recordPromises,
  changes: changePromises,
  lists: listPromises,
  'many at once': concurrencyPromises,
};

/**
 * Describes the tests that every {@link UserStore} must pass, with `describe` and `it` of the test runner in use.
 *
 * @param name - Of the store, as it shall appear in the report.
 * @param createStore - Gives an empty store for each test. What it opened is for the caller to close.
 * @param runner - `describe` and `it`, where the runner has no global ones.
 * @throws TypeError where the runner has no global `describe` and `it`, and none were handed over.
 */
export function describeUserStore(
  name: string,
  createStore: () => UserStore | Promise<UserStore>,
  runner: Partial<TestRunner> = {},
): void {
  const { describe, it } = findTestRunner(runner);

  describe(`${name} as a user store`, () => {
    for (const [subject, promises] of Object.entries(SUBJECTS)) {
      describe(subject, () => {
        for (const [promise, keepsIt] of Object.entries(promises)) {
          it(promise, async () => keepsIt(await createStore()));
        }
      });
    }
  });
}
