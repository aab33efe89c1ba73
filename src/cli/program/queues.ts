import type { Command } from 'commander';
import type * as Members from '../commands/members';
import type * as QueueShow from '../commands/queue-show';
import type * as Queues from '../commands/queues';
import type { Context, WatchedListOptions } from '../context';
import { addVerbs } from './configured';
import { examples, integerIn, withData, withList, withTenant, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadMembers = (): typeof Members => require('../commands/members') as typeof Members;
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
  addVerbs(
    queues,
    'queues',
    {
      one: 'a queue',
      name: 'sales',
      create: 'strategy=round-robin wrapUpSeconds=20',
      set: 'strategy=top-down maxWaitSeconds=600',
    },
    context,
    run,
  );
  addMembers(queues, context, run);
}

function addMembers(queues: Command, context: Context, run: Run): void {
  const members = queues.command('members').description('who serves a queue');
  withPlace(withChange(members.command('add')))
    .description('agents serve a queue from now on, behind its other members')
    .argument('<queue>', 'name of the queue')
    .argument('<agents...>', 'names of the agents')
    .addHelpText(
      'after',
      examples('sidekick queues members add sales Anna Ben', 'sidekick queues members add sales Clara --level 2'),
    )
    .action((queue: string, agents: string[], options: Members.MemberOptions) =>
      run(loadMembers, (m) => m.addMembers(context, queue, agents, options)),
    );
  withChange(members.command('remove'))
    .description('agents no longer serve a queue; calls in progress go on')
    .argument('<queue>', 'name of the queue')
    .argument('<agents...>', 'names of the agents')
    .addHelpText(
      'after',
      examples('sidekick queues members remove sales Anna', 'sidekick queues members remove sales Anna Ben --dry-run'),
    )
    .action((queue: string, agents: string[], options: Members.MemberOptions) =>
      run(loadMembers, (m) => m.removeMembers(context, queue, agents, options)),
    );
  withPlace(withChange(members.command('set')))
    .description('change the level, position, priority or weight of a member')
    .argument('<queue>', 'name of the queue')
    .argument('<agent>', 'name of the agent')
    .addHelpText(
      'after',
      examples(
        'sidekick queues members set sales Anna --level 2',
        'sidekick queues members set sales Ben --position 1',
      ),
    )
    .action((queue: string, agent: string, options: Members.MemberOptions) =>
      run(loadMembers, (m) => m.setMember(context, queue, agent, options)),
    );
}

function withChange(command: Command): Command {
  return withTenant(withList(command)).option('--dry-run', 'say what would change, and change nothing');
}

function withPlace(command: Command): Command {
  return command
    .option('--level <n>', 'lower levels are asked first', integerIn(1, 1000))
    .option('--position <n>', 'order among equals', integerIn(1, 100_000))
    .option('--priority <n>', 'an agent of several queues serves the lowest number first', integerIn(1, 1000))
    .option('--weight <n>', 'share of the draw of weighted-random', integerIn(1, 1000));
}
