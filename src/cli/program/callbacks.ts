import type { Command } from 'commander';
import type * as Callbacks from '../commands/callbacks';
import type { Context, ListOptions } from '../context';
import { examples, integerIn, withData, withList, withWatch, withYes } from './shared';
import type { Run } from './shared';

const load = (): typeof Callbacks => require('../commands/callbacks') as typeof Callbacks;

export function addCallbacks(program: Command, context: Context, run: Run): void {
  const callbacks = program
    .command('callbacks')
    .alias('callback')
    .description('callers who hung up and are called when it is their turn');
  withWatch(callbacks.command('list'))
    .description('callbacks that are pending')
    .option('--all', 'also those that have ended')
    .option('--limit <n>', 'at most so many, newest first', integerIn(1, 10_000), 50)
    .addHelpText('after', examples('sidekick callbacks list', 'sidekick callbacks list --all --limit 10 -o json'))
    .action((options: Callbacks.CallbacksListOptions) => run(load, (m) => m.listCallbacks(context, options)));
  withList(callbacks.command('get'))
    .description('one callback; `sidekick calls get` of the same id has everything that happened to it')
    .argument('<id>', 'id of the callback')
    .addHelpText('after', examples('sidekick callbacks get 0b2a9bd6-…', 'sidekick callbacks get … -o json'))
    .action((id: string, options: ListOptions) => run(load, (m) => m.getCallback(context, id, options)));
  withYes(withData(callbacks.command('cancel')))
    .description('the customer is not called; says whom, and asks')
    .argument('<id>', 'id of the callback')
    .addHelpText(
      'after',
      examples('sidekick callbacks cancel 0b2a9bd6-…', 'sidekick callbacks cancel 0b2a9bd6-… --yes'),
    )
    .action((id: string, options: Callbacks.CancelOptions) => run(load, (m) => m.cancelCallback(context, id, options)));
}
