import type { Command } from 'commander';
import type * as Nodes from '../commands/nodes';
import type { Context } from '../context';
import { examples, withWatch } from './shared';
import type { Run } from './shared';

const loadNodes = (): typeof Nodes => require('../commands/nodes') as typeof Nodes;

export function addNodes(program: Command, context: Context, run: Run): void {
  const nodes = program.command('nodes').alias('node').description('the processes that take calls');
  withWatch(nodes.command('list'))
    .description('nodes with their heartbeat, calls and unreachable trunks')
    .option('--all', 'also nodes that have stopped')
    .addHelpText('after', examples('sidekick nodes list', 'sidekick nodes list --all -o json'))
    .action((options: Nodes.NodesListOptions) => run(loadNodes, (m) => m.listNodes(context, options)));
}
