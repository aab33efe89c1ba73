import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type * as Replay from '../commands/replay';
import type { Context } from '../context';
import { duration, examples, withList, withTenant } from './shared';
import type { Run } from './shared';

const loadReplay = (): typeof Replay => require('../commands/replay') as typeof Replay;

export function addReplay(program: Command, context: Context, run: Run): void {
  withTenant(withList(program.command('replay')))
    .description(
      "recorded decisions through today's rules, or a changed configuration: which would differ; exit code 1 if any does",
    )
    .option('--from <time>', 'from this time on (ISO), or so long ago, such as 2h; default: 1d', moment)
    .option('--to <time>', 'up to this time (ISO), or so long ago; default: now', moment)
    .option('--queue <name>', 'only decisions asked for by this queue')
    .option('-f, --config <file>', 'as if this configuration document had been in force')
    .option('--limit <n>', 'list at most so many differences; all are counted', (text) => Number(text), 50)
    .addHelpText(
      'after',
      examples(
        'sidekick replay --from 2h',
        'sidekick replay --from 2026-11-23T08:00:00Z --to 2026-11-23T18:00:00Z -f new.yaml',
      ),
    )
    .action((options: Replay.ReplayOptions) => run(loadReplay, (m) => m.replay(context, options)));
}

/** Milliseconds since the epoch. */
function moment(text: string): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)?$/.test(text)) {
    return Date.now() - duration(text);
  }
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError('It must be an ISO time such as 2026-11-23T08:00:00Z, or how long ago, such as 2h.');
  }
  return at;
}
