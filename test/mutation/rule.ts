/** A rule of docs/routing.md, and small changes of the code that break it. */
export interface Rule {
  /** As it is called; the title of every test that is to notice has these words. */
  readonly rule: string;
  /** How docs/routing.md says it, word by word. */
  readonly says: string;
  readonly mutants: readonly Mutant[];
}

/** In a file, words that stand there exactly once become others, and then a test fails. */
export interface Mutant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Path of the test file, and the end or all of the test's title. */
  readonly killedBy: readonly [file: string, title: string];
}

/** Mutants of one source file that tests of one file notice. */
export function mutantsOf(file: string, tests: string): (find: string, replace: string, title: string) => Mutant {
  return (find, replace, title) => ({ file, find, replace, killedBy: [tests, title] });
}
