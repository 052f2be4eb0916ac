// Ends the report with one plain line of jest's own numbers, `12 passed, 0 failed`, for machines that read it.
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A file that does not even compile has no tests to count, and must not look like success.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const lines = [...new Set(skipped(results)), `${results.numPassedTests} passed, ${failed} failed`];
    // jest always prints its summary after every other reporter; only the end of the process is later.
    process.once('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }
}

/** What was skipped, by the outermost name: it says why (`describeInBrowser`), and jest shows it for single files alone. */
function skipped({ testResults }) {
  return testResults
    .flatMap((file) => file.testResults)
    .filter(({ status }) => status === 'pending' || status === 'todo')
    .map(({ ancestorTitles, title }) => `skipped: ${ancestorTitles[0] ?? title}`);
}
