import type { Command } from 'commander';
import type * as Agents from '../commands/agents';
import type { Context, WatchedListOptions } from '../context';
import { examples, withData, withWatch } from './shared';
import type { Run } from './shared';

const loadAgents = (): typeof Agents => require('../commands/agents') as typeof Agents;

export function addAgents(program: Command, context: Context, run: Run): void {
  const agents = program.command('agents').alias('agent').description('agents');
  withWatch(agents.command('list'))
    .description('agents with their state and presence')
    .addHelpText('after', examples('sidekick agents list', 'sidekick agents list -o json'))
    .action((options: WatchedListOptions) => run(loadAgents, (m) => m.listAgents(context, options)));
  const verbs = [
    ['ready', 'make an agent ready again'],
    ['pause', 'an agent gets no calls until made ready; a call in progress goes on'],
    ['sign-in', 'sign an agent in'],
    ['sign-out', 'sign an agent out; refused during a call unless --yes is given, and the call goes on'],
  ] as const;
  for (const [verb, description] of verbs) {
    const command = withData(agents.command(verb))
      .description(description)
      .argument('<name>', 'name of the agent')
      .option('--tenant <name>', 'tenant of the agent, where two have one of that name')
      .addHelpText('after', examples(`sidekick agents ${verb} Anna`, `sidekick agents ${verb} Anna --tenant demo`))
      .action((name: string, options: Agents.ChangeOptions) =>
        run(loadAgents, (m) => m.changeAgent(context, verb, name, options)),
      );
    if (verb === 'pause') {
      command.option('--reason <text>', 'shown beside the state', 'paused');
    }
    if (verb === 'sign-out') {
      command.option('--yes', 'also during a call');
    }
  }
}
