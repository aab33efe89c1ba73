import { Argument } from 'commander';
import type { Command } from 'commander';
import type * as Completion from '../commands/completion';
import type { Context } from '../context';
import { examples } from './shared';
import type { Run } from './shared';

const loadCompletion = (): typeof Completion => require('../commands/completion') as typeof Completion;

export function addCompletion(program: Command, context: Context, run: Run): void {
  program
    .command('completion')
    .description('a script by which a shell completes commands, options and the names of queues, agents and the like')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', examples('source <(sidekick completion bash)', 'sidekick completion fish | source'))
    .action((shell: Completion.Shell) => run(loadCompletion, (m) => m.printCompletion(context, shell)));
}
