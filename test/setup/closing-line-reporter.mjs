// Ends the report with one plain line of jest's own numbers, `12 passed, 0 failed`, for machines that read it.
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A file that does not even compile has no tests to count, and must not look like success.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // jest always prints its summary after every other reporter; only the end of the process is later.
    process.once('exit', () => {
      if (skipped > 0) process.stdout.write(`${skipped} skipped\n`);
      process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`);
    });
  }
}
