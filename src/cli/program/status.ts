import type { Command } from 'commander';
import type * as Status from '../commands/status';
import type { Context } from '../context';
import { examples, withList } from './shared';
import type { Run } from './shared';

const loadStatus = (): typeof Status => require('../commands/status') as typeof Status;

export function addStatus(program: Command, context: Context, run: Run): void {
  withList(program.command('status'))
    .description('is it ready, what is it doing; exit code 1 if it is not ready')
    .option('--http <host:port>', "the node's HTTP address; default: that of the running demo, else SIDEKICK_HTTP")
    .addHelpText('after', examples('sidekick status', 'sidekick status --http 10.0.0.5:8080 -o json'))
    .action((options: Status.StatusOptions) => run(loadStatus, (m) => m.status(context, options)));
}
