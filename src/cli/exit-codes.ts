/** Exit codes of the `sidekick` command; docs/errors.md and `sidekick --help` show this table. */
export const EXIT_CODES = {
  0: 'done, or no difference',
  1: 'the answer is no: `demo call` did not hear both sides, a check found a failure',
  2: 'usage, an invalid file or setting',
  3: 'something cannot be reached; the text says what',
  4: 'not found',
  5: 'conflict, or something must be done first',
  6: 'not allowed',
  70: 'a fault of ours',
  130: 'interrupted',
} as const;
