import type { Command } from 'commander';
import type * as Version from '../commands/version';
import type { Context } from '../context';
import { examples } from './shared';
import type { Run } from './shared';

const loadVersion = (): typeof Version => require('../commands/version') as typeof Version;

export function addVersion(program: Command, context: Context, run: Run): void {
  program
    .command('version')
    .description('the version of sidekick and of Node')
    .addHelpText('after', examples('sidekick version', 'sidekick version --json'))
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) =>
      run(loadVersion, (m) => Promise.resolve(m.printVersion(context, options.json === true))),
    );
}
