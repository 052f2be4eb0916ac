/**
 * What the contract suites need of a test runner. Jest, Vitest, Mocha and `node:test` all have it: the module itself
 * can be handed over.
 */
export interface TestRunner {
  describe: (name: string, body: () => void) => unknown;
  it: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * The runner's functions: those that were handed over, else the global ones.
 *
 * @throws TypeError where there are neither.
 */
export function findTestRunner(given: Partial<TestRunner> = {}): TestRunner {
  const globals = globalThis as Partial<TestRunner>;
  const describe = given.describe ?? globals.describe;
  const it = given.it ?? globals.it;
  if (describe === undefined || it === undefined) {
    throw new TypeError("No test runner: hand over its 'describe' and 'it', or turn its globals on.");
  }
  return { describe, it };
}
