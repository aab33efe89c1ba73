import type { Command } from 'commander';
import type * as Config from '../commands/config';
import type { Context } from '../context';
import { examples, withData } from './shared';
import type { Run } from './shared';

const loadConfig = (): typeof Config => require('../commands/config') as typeof Config;

export function addConfig(program: Command, context: Context, run: Run): void {
  const config = program.command('config').description('the configuration document');
  config
    .command('validate')
    .description('check a document; needs no database')
    .requiredOption('-f, --file <file>', 'the YAML file, or - for standard input')
    .addHelpText(
      'after',
      examples('sidekick config validate -f center.yaml', 'cat center.yaml | sidekick config validate -f -'),
    )
    .action((options: Config.ValidateOptions) => run(loadConfig, (m) => m.validateConfig(context, options)));
  withData(config.command('apply'))
    .description('make the database what a document says; calls in progress are not touched')
    .requiredOption('-f, --file <file>', 'the YAML file, or - for standard input')
    .option('--prune', 'also remove what the document does not name')
    .addHelpText(
      'after',
      examples('sidekick config apply -f center.yaml', 'sidekick config apply -f center.yaml --prune'),
    )
    .action((options: Config.ApplyCommandOptions) => run(loadConfig, (m) => m.applyConfig(context, options)));
}
