import { Argument } from 'commander';
import type { Command } from 'commander';
import type * as AgentState from '../commands/agent-state';
import type * as AgentWhy from '../commands/agent-why';
import type * as Agents from '../commands/agents';
import type * as Members from '../commands/members';
import type { Context } from '../context';
import { addVerbs } from './configured';
import { duration, examples, integerIn, withData, withList, withTenant, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadAgents = (): typeof Agents => require('../commands/agents') as typeof Agents;
const loadAgentWhy = (): typeof AgentWhy => require('../commands/agent-why') as typeof AgentWhy;
const loadMembers = (): typeof Members => require('../commands/members') as typeof Members;
const loadAgentState = (): typeof AgentState => require('../commands/agent-state') as typeof AgentState;

const VERBS = [
  ['ready', 'make an agent ready again, everywhere or in one queue'],
  ['pause', 'an agent gets no calls until made ready, or none of one queue; a call in progress goes on'],
  ['sign-in', 'sign an agent in, everywhere or to one queue'],
  ['sign-out', 'sign an agent out, everywhere or of one queue; asks during a call, which goes on'],
] as const;

export function addAgents(program: Command, context: Context, run: Run): void {
  const agents = program
    .command('agents')
    .alias('agent')
    .description('agents: what they do, and their endpoints and skills');
  withWatch(agents.command('list'))
    .description('agents with their state and presence')
    .option('--queue <name>', 'only members of this queue')
    .addHelpText('after', examples('sidekick agents list', 'sidekick agents list --queue sales -o json'))
    .action((options: Agents.AgentsListOptions) => run(loadAgents, (m) => m.listAgents(context, options)));
  withTenant(withWatch(agents.command('show')))
    .description('one agent as he is now, with what he does in each queue')
    .argument('<name>', 'name of the agent')
    .addHelpText('after', examples('sidekick agents show Anna', 'sidekick agents show Anna -o json'))
    .action((name: string, options: Agents.AgentShowOptions) =>
      run(loadAgents, (m) => m.showAgent(context, name, options)),
    );
  withTenant(withList(agents.command('why')))
    .description('why an agent gets no calls right now; exit code 1 if no queue can offer any')
    .argument('<name>', 'name of the agent')
    .addHelpText('after', examples('sidekick agents why Anna', 'sidekick agents why Anna -o json'))
    .action((name: string, options: AgentWhy.WhyOptions) =>
      run(loadAgentWhy, (m) => m.whyNoCalls(context, name, options)),
    );
  for (const [verb, description] of VERBS) {
    const command = withTenant(withData(agents.command(verb)))
      .description(description)
      .argument('<name>', 'name of the agent')
      .option('--queue <name>', 'in this queue only')
      .addHelpText('after', examples(`sidekick agents ${verb} Anna`, `sidekick agents ${verb} Anna --queue sales`))
      .action((name: string, options: AgentState.ChangeOptions) =>
        run(loadAgentState, (m) => m.changeAgent(context, verb, name, options)),
      );
    if (verb === 'pause') {
      command.option('--reason <text>', 'shown beside the state', 'paused');
    }
    if (verb === 'sign-out') {
      withYes(command);
    }
  }
  addWrapUp(agents, context, run);
  withYes(withTenant(withData(agents.command('force'))))
    .description("a supervisor's word: a forced pause stands until a supervisor ends it")
    .argument('<name>', 'name of the agent')
    .addArgument(new Argument('<state>', 'the state').choices(['ready', 'paused', 'signed-out']))
    .option('--reason <text>', 'shown beside the state')
    .addHelpText(
      'after',
      examples('sidekick agents force Anna paused --reason training', 'sidekick agents force Anna ready'),
    )
    .action((name: string, state: AgentState.ForcedVerb, options: AgentState.ChangeOptions) =>
      run(loadAgentState, (m) => m.forceAgent(context, name, state, options)),
    );
  withTenant(withList(agents.command('move')))
    .description('agents serve another queue instead, on the level that they had; calls in progress go on')
    .argument('<names...>', 'names of the agents')
    .requiredOption('--from <queue>', 'queue that they leave')
    .requiredOption('--to <queue>', 'queue that they serve from now on')
    .option('--level <n>', 'level in the other queue', integerIn(1, 1000))
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText(
      'after',
      examples(
        'sidekick agents move Anna --from support --to sales',
        'sidekick agents move Anna Ben --from support --to sales --level 2',
      ),
    )
    .action((names: string[], options: Members.MoveOptions) =>
      run(loadMembers, (m) => m.moveAgents(context, names, options)),
    );
  addVerbs(
    agents,
    'agents',
    {
      one: 'an agent',
      name: 'Zoe',
      create: "'endpoints=[{kind: pbx, trunk: pbx, user: 4711}]'",
      set: 'skills.french=7',
    },
    context,
    run,
  );
}

function addWrapUp(agents: Command, context: Context, run: Run): void {
  const wrapUp = agents.command('wrap-up').description('the rest after a call');
  withTenant(withData(wrapUp.command('end')))
    .description('end the wrap-up of an agent, who is ready then')
    .argument('<name>', 'name of the agent')
    .addHelpText(
      'after',
      examples('sidekick agents wrap-up end Anna', 'sidekick agents wrap-up end Anna --tenant demo'),
    )
    .action((name: string, options: AgentState.ChangeOptions) =>
      run(loadAgentState, (m) => m.endWrapUp(context, name, options)),
    );
  withTenant(withData(wrapUp.command('extend')))
    .description('give an agent in wrap-up more time, ten minutes after the call at most')
    .argument('<name>', 'name of the agent')
    .option('--by <time>', 'so much more', duration, 60_000)
    .addHelpText(
      'after',
      examples('sidekick agents wrap-up extend Anna', 'sidekick agents wrap-up extend Anna --by 3m'),
    )
    .action((name: string, options: AgentState.ExtendOptions) =>
      run(loadAgentState, (m) => m.extendWrapUp(context, name, options)),
    );
}
