import type { Command } from 'commander';
import { DEFAULT_GLOBALS } from '../context';
import type { Outside } from '../context';
import { readGlobals } from '../globals';
import { line } from '../io';
import { candidates } from './candidates';
import type * as LiveNames from './live-names';

/**
 * What the scripts of `sidekick completion` call with what was typed: prints what may stand there, one a line. A terminal that
 * completes must not show errors, so what cannot be found is left out.
 */
export async function complete(outside: Outside, program: Command, words: readonly string[]): Promise<number> {
  const names = async (kind: string): Promise<readonly string[]> => {
    try {
      program.parseOptions([...contextOf(words)]);
      const context = { ...outside, global: { ...DEFAULT_GLOBALS, ...readGlobals(outside.io, program, program) } };
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- most completions need no database
      return await (require('./live-names') as typeof LiveNames).liveNames(context, kind);
    } catch {
      return []; // no database, no context: no names
    }
  };
  (await candidates(program, words, names)).forEach((word) => line(outside.io.stdout, word));
  return 0;
}

/** The context that was typed, which names are to come from. */
function contextOf(words: readonly string[]): readonly string[] {
  const at = words.slice(0, -1).lastIndexOf('--context');
  return at < 0 ? [] : words.slice(at, at + 2);
}
