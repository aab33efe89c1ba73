/** How an error looks on a terminal: what, why, next step, code; the stack with --debug only. */
import { describeError, isSidekickError, toError } from '../../lib/errors';
import type { Io } from '../io';
import { line } from '../io';

/** Prints an error on stderr and returns the exit code that it stands for. */
export function reportError(io: Io, thrown: unknown, debug: boolean): number {
  if (isSidekickError(thrown)) {
    line(io.stderr, `error: ${thrown.message}`);
    printWhy(io, thrown.why ?? (thrown.cause === undefined ? undefined : describeError(thrown.cause)));
    if (thrown.next !== undefined) {
      line(io.stderr, `  next: ${thrown.next}`);
    }
  } else {
    line(io.stderr, 'error: something failed inside sidekick (SK_INTERNAL)');
    printWhy(io, describeError(thrown));
    line(
      io.stderr,
      `  next: ${debug ? 'report it with the lines below' : 'run it again with --debug and report what it shows'}`,
    );
  }
  if (debug) {
    for (let error: Error | undefined = toError(thrown), depth = 0; error && depth < 5; depth++) {
      line(io.stderr, `${depth === 0 ? '' : 'caused by '}${error.stack ?? error.message}`);
      error = error.cause === undefined ? undefined : toError(error.cause);
    }
  }
  return isSidekickError(thrown) ? thrown.kind.exit : 70;
}

function printWhy(io: Io, why: string | undefined): void {
  if (why === undefined || why === '') {
    return;
  }
  const [first, ...rest] = why.split('\n');
  line(io.stderr, `  why:  ${first ?? ''}`);
  rest.forEach((more) => line(io.stderr, `        ${more}`));
}
