import type { Command } from 'commander';
import type * as Events from '../commands/events';
import type { Context } from '../context';
import { duration, examples, integerIn, withList, withTenant } from './shared';
import type { Run } from './shared';

const loadEvents = (): typeof Events => require('../commands/events') as typeof Events;

export function addEvents(program: Command, context: Context, run: Run): void {
  const events = program
    .command('events')
    .alias('event')
    .description('what happened: calls, agents, members of queues');
  withFilter(events.command('list'), '1h')
    .description('what happened lately, oldest first')
    .addHelpText(
      'after',
      examples('sidekick events list --since 10m', 'sidekick events list --since 1d --agent Anna -o csv'),
    )
    .action((options: Events.EventsOptions) => run(loadEvents, (m) => m.listEvents(context, options)));
  withFilter(events.command('tail'), '1m')
    .description('what happened lately, then what happens, until Ctrl-C')
    .addHelpText('after', examples('sidekick events tail --since 10m --queue sales', 'sidekick events tail -o json'))
    .action((options: Events.EventsOptions) => run(loadEvents, (m) => m.tailEvents(context, options)));
}

function withFilter(command: Command, since: string): Command {
  return withTenant(withList(command))
    .option('--since <time>', 'not older than so long, such as 10m', duration, duration(since))
    .option('--queue <name>', 'only of calls while they are in this queue, and of its members')
    .option('--agent <name>', 'only of this agent')
    .option('--call <id>', 'only of this call')
    .option('--limit <n>', 'at most so many, the newest', integerIn(1, 100_000), 1000);
}
