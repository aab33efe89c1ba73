import type { Command } from 'commander';
import type * as Simulate from '../commands/simulate';
import type { Context } from '../context';
import { examples, integerIn, withList, withTenant } from './shared';
import type { Run } from './shared';

const loadSimulate = (): typeof Simulate => require('../commands/simulate') as typeof Simulate;

export function addSimulate(program: Command, context: Context, run: Run): void {
  withTenant(withList(program.command('simulate')))
    .description('what would happen: made-up or recorded callers, and the very rules by which calls are routed')
    .argument('[file]', 'simulation file (docs/simulation.md); not with --last-week')
    .option(
      '--last-week <queue>',
      'the callers of this queue in the last seven days, and of queues that share its agents',
    )
    .option('-f, --config <file>', 'on this configuration document instead of the one of the file, or the one in force')
    .option('--compare <file>', 'the same callers on this configuration document as well')
    .option('--runs <n>', 'independent runs; default: that of the file, or 10', integerIn(1, 1000))
    .option('--seed <n>', 'the same seed gives the same result', integerIn(0, 2_147_483_647))
    .option('--html <file>', 'writes a page with plots')
    .addHelpText(
      'after',
      examples(
        'sidekick simulate monday.yaml --html monday.html',
        'sidekick simulate --last-week support --compare new.yaml',
      ),
    )
    .action((file: string | undefined, options: Simulate.SimulateOptions) =>
      run(loadSimulate, (m) => m.simulate(context, file, options)),
    );
}
