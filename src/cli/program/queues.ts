import type { Command } from 'commander';
import type * as QueueShow from '../commands/queue-show';
import type * as Queues from '../commands/queues';
import type { Context, WatchedListOptions } from '../context';
import { examples, withData, withList, withTenant, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadQueues = (): typeof Queues => require('../commands/queues') as typeof Queues;
const loadQueueShow = (): typeof QueueShow => require('../commands/queue-show') as typeof QueueShow;

export function addQueues(program: Command, context: Context, run: Run): void {
  const queues = program.command('queues').alias('queue').description('queues: what waits in them, and their rules');
  withWatch(queues.command('list'))
    .description('queues with their waiting calls and their agents')
    .addHelpText('after', examples('sidekick queues list', 'sidekick queues list -o json'))
    .action((options: WatchedListOptions) => run(loadQueues, (m) => m.listQueues(context, options)));
  withTenant(withWatch(queues.command('show')))
    .description('one queue as it is now: W(eight), C(ompleted), A(bandoned), SL of today, members and callers')
    .argument('<name>', 'name of the queue')
    .addHelpText('after', examples('sidekick queues show sales', 'sidekick queues show sales --watch=5s'))
    .action((name: string, options: QueueShow.QueueShowOptions) =>
      run(loadQueueShow, (m) => m.showQueue(context, name, options)),
    );
  withTenant(withList(queues.command('watch')))
    .description('all queues, or one, again every 2 s until Ctrl-C')
    .argument('[name]', 'name of the queue')
    .addHelpText('after', examples('sidekick queues watch', 'sidekick queues watch sales'))
    .action((name: string | undefined, options: QueueShow.QueueShowOptions) =>
      name === undefined
        ? run(loadQueues, (m) => m.listQueues(context, { ...options, watch: true }))
        : run(loadQueueShow, (m) => m.showQueue(context, name, { ...options, watch: true })),
    );
  withTenant(withYes(withData(queues.command('pause'))))
    .description('a queue takes no new calls until it is resumed; those that wait go on waiting')
    .argument('<name>', 'name of the queue')
    .option('--reason <text>', 'shown beside the state')
    .addHelpText(
      'after',
      examples('sidekick queues pause sales', 'sidekick queues pause sales --reason "fire drill" --yes'),
    )
    .action((name: string, options: Queues.QueueStateOptions) =>
      run(loadQueues, (m) => m.pauseQueue(context, name, options)),
    );
  withTenant(withData(queues.command('resume')))
    .description('a paused queue takes calls again')
    .argument('<name>', 'name of the queue')
    .addHelpText('after', examples('sidekick queues resume sales', 'sidekick queues resume sales --tenant demo'))
    .action((name: string, options: Queues.QueueStateOptions) =>
      run(loadQueues, (m) => m.resumeQueue(context, name, options)),
    );
}
