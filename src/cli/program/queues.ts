import type { Command } from 'commander';
import type * as Queues from '../commands/queues';
import type { Context, WatchedListOptions } from '../context';
import { examples, withWatch } from './shared';
import type { Run } from './shared';

const loadQueues = (): typeof Queues => require('../commands/queues') as typeof Queues;

export function addQueues(program: Command, context: Context, run: Run): void {
  const queues = program.command('queues').alias('queue').description('queues');
  withWatch(queues.command('list'))
    .description('queues with their waiting calls and their agents')
    .addHelpText('after', examples('sidekick queues list', 'sidekick queues list -o json'))
    .action((options: WatchedListOptions) => run(loadQueues, (m) => m.listQueues(context, options)));
}
