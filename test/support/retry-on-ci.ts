/**
 * On CI, where other programs share the machine, a test that fails is run once more; the first failure is printed all the same.
 * A test that fails twice has failed. At a developer's desk nothing is retried.
 */
if (process.env['CI'] === 'true') {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
