import type { Command } from 'commander';
import { Option } from 'commander';
import type * as Contexts from '../commands/context';
import type { Context } from '../context';
import { examples, withYes } from './shared';
import type { Run } from './shared';

const loadContexts = (): typeof Contexts => require('../commands/context') as typeof Contexts;

export function addContext(program: Command, context: Context, run: Run): void {
  const contexts = program
    .command('context')
    .alias('contexts')
    .description('installations by name, kept in ~/.config/sidekick/config.yaml');
  contexts
    .command('list')
    .description('the installations that have a name; passwords are not shown')
    .addOption(new Option('-o, --output <format>', 'table, wide, json, yaml, csv, name or tsv'))
    .addOption(new Option('--json', 'the same as -o json'))
    .addHelpText('after', examples('sidekick context list', 'sidekick context list -o name'))
    .action((options: { output?: string; json?: boolean }) =>
      run(loadContexts, (m) => m.listContexts(context, options)),
    );
  contexts
    .command('use')
    .description('make one the usual context, which commands work on when nothing else is said')
    .argument('<name>', 'name of the context')
    .addHelpText('after', examples('sidekick context use prod', 'sidekick --context test queues list'))
    .action((name: string) => run(loadContexts, (m) => m.useContext(context, name)));
  contexts
    .command('set')
    .description('make a context, or change what is given of it')
    .argument('<name>', 'name of the context')
    .option('--database <url>', 'its database, as in SIDEKICK_DATABASE_URL')
    .option('--url <url>', "base URL of a node's HTTP, such as https://sidekick.example.com")
    .addHelpText(
      'after',
      examples(
        'sidekick context set prod --database postgres://ops@db.example.com/sidekick',
        'sidekick context set prod --url https://sidekick.example.com',
      ),
    )
    .action((name: string, options: Contexts.ContextSetOptions) =>
      run(loadContexts, (m) => m.setContext(context, name, options)),
    );
  withYes(contexts.command('delete'))
    .description('forget a context; nothing happens to the installation')
    .argument('<name>', 'name of the context')
    .addHelpText('after', examples('sidekick context delete old', 'sidekick context delete old --yes'))
    .action((name: string, options: { yes?: boolean }) =>
      run(loadContexts, (m) => m.deleteContext(context, name, options.yes)),
    );
}
