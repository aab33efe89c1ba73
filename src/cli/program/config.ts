import type { Command } from 'commander';
import type * as Change from '../commands/config-change';
import type * as History from '../commands/config-history';
import type * as Config from '../commands/config';
import type { Context } from '../context';
import { examples, integerIn, withData, withList, withYes } from './shared';
import type { Run } from './shared';

const loadConfig = (): typeof Config => require('../commands/config') as typeof Config;
const loadChange = (): typeof Change => require('../commands/config-change') as typeof Change;
const loadHistory = (): typeof History => require('../commands/config-history') as typeof History;

const MOST_VERSIONS = 1_000_000;
const version = integerIn(0, MOST_VERSIONS);

export function addConfig(program: Command, context: Context, run: Run): void {
  const config = program.command('config').description('the configuration document');
  addReading(config, context, run);
  withFile(withData(config.command('diff')))
    .description('what a document would change; exit code 1 if anything')
    .option('--prune', 'as if what the document does not name were removed')
    .option('-o, --output <format>', 'unified or json', 'unified')
    .addHelpText(
      'after',
      examples('sidekick config diff -f center.yaml', 'sidekick config diff -f center.yaml --prune -o json'),
    )
    .action((options: Change.DiffOptions) => run(loadChange, (m) => m.diffConfig(context, options)));
  withChange(withFile(withData(config.command('apply'))))
    .description('make the database what a document says; calls in progress are not touched')
    .option('--prune', 'also remove what the document does not name')
    .addHelpText(
      'after',
      examples('sidekick config apply -f center.yaml', 'sidekick config apply -f center.yaml --prune --drain --yes'),
    )
    .action((options: Change.ApplyCommandOptions) => run(loadChange, (m) => m.applyConfig(context, options)));
  withData(config.command('export'))
    .description('what is configured, as a document; comments are not kept')
    .option('-o, --output <format>', 'yaml or json', 'yaml')
    .option('--at <version>', 'as it was at this version', version)
    .addHelpText(
      'after',
      examples('sidekick config export > center.yaml', 'sidekick config export --at 12 > before.yaml'),
    )
    .action((options: Config.ExportOptions) => run(loadConfig, (m) => m.exportConfig(context, options)));
  addHistory(config, context, run);
}

function addReading(config: Command, context: Context, run: Run): void {
  withFile(config.command('validate'))
    .description('check a document; needs no database')
    .option('--strict', 'exit code 1 if there are warnings')
    .option('-o, --output <format>', 'text or json', 'text')
    .addHelpText(
      'after',
      examples('sidekick config validate -f center.yaml', 'cat center.yaml | sidekick config validate -f -'),
    )
    .action((options: Config.ValidateOptions) => run(loadConfig, (m) => m.validateConfig(context, options)));
  config
    .command('schema')
    .description('the JSON Schema of the document, by which editors complete and check')
    .addHelpText('after', examples('sidekick config schema > sidekick.schema.json', 'sidekick config schema | head'))
    .action(() => run(loadConfig, (m) => m.printSchema(context)));
}

function addHistory(config: Command, context: Context, run: Run): void {
  withList(config.command('history'))
    .description('every version of the configuration, or what one of them changed')
    .argument('[version]', 'show what this version changed', version)
    .option('--limit <n>', 'at most so many, newest first', integerIn(1, MOST_VERSIONS), 20)
    .addHelpText('after', examples('sidekick config history', 'sidekick config history 12'))
    .action((one: number | undefined, options: History.HistoryOptions) =>
      run(loadHistory, (m) => m.configHistory(context, one, options)),
    );
  withChange(withData(config.command('rollback')))
    .description('make the configuration what it was at a version; that is a new version')
    .argument('<version>', 'a version of `sidekick config history`', version)
    .addHelpText('after', examples('sidekick config rollback 12 --dry-run', 'sidekick config rollback 12'))
    .action((one: number, options: Change.RollbackOptions) =>
      run(loadChange, (m) => m.rollbackConfig(context, one, options)),
    );
}

function withFile(command: Command): Command {
  return command.requiredOption('-f, --file <file>', 'the YAML file, or - for standard input');
}

/** What every command that changes the whole configuration takes. */
function withChange(command: Command): Command {
  return withYes(command)
    .option('--dry-run', 'only show what would change')
    .option('--drain', 'wait for the calls of what will be removed, with new ones led elsewhere')
    .option('--base <version>', 'only if this version is in force, else exit code 5', version);
}
