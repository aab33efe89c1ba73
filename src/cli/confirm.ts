/** Asks before something is done that cannot be taken back by the next command. */
import { SidekickError } from '../lib/errors';
import type { Context } from './context';

export interface Question {
  /** What will be done, such as `delete queue sales`. */
  readonly action: string;
  /** What it touches, a line each, such as `3 calls are waiting in "sales"`. */
  readonly touches: readonly string[];
  /** `--yes` was given. */
  readonly yes: boolean | undefined;
}

/**
 * Says on stderr what is touched, and asks on a terminal, where the name of the context stands before the question.
 * @throws SidekickError SK_NOT_CONFIRMED without a terminal and without --yes, or if the answer is no
 */
export async function confirm(context: Context, { action, touches, yes }: Question): Promise<void> {
  const { io, global } = context;
  if (yes === true) {
    return;
  }
  if (io.stdin.isTTY !== true) {
    throw new SidekickError('SK_NOT_CONFIRMED', `it was not confirmed to ${action}`, {
      why: touches.length > 0 ? touches.join('\n') : 'without a terminal nobody can be asked',
      next: 'add --yes to do it all the same',
    });
  }
  touches.forEach((text) => io.stderr.write(`${text}\n`));
  const where = global.target === undefined ? '' : `[${global.target.name}] `;
  const answer = await io.ask(`${where}${action}? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new SidekickError('SK_NOT_CONFIRMED', `it was not confirmed to ${action}`, {
      why: 'the answer was no',
      next: 'nothing was changed',
    });
  }
}

/** `1 call is waiting in "sales"`, `3 calls are waiting in "sales"`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
