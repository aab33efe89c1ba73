import type { Command } from 'commander';
import type * as Import from '../commands/import';
import type { Context } from '../context';
import { examples } from './shared';
import type { Run } from './shared';

const loadImport = (): typeof Import => require('../commands/import') as typeof Import;

export function addImport(program: Command, context: Context, run: Run): void {
  const imports = program
    .command('import')
    .description('make a document of what another system has; nothing is applied');
  withHome(imports.command('asterisk'))
    .description('a queues.conf: queues, templates and members become a document, what does not map is listed')
    .argument('<file>', 'the file, or - for standard input')
    .option('--host <host>', 'the PBX at which the phones of the agents are registered', 'asterisk.example.com')
    .addHelpText(
      'after',
      examples(
        'sidekick import asterisk queues.conf > center.yaml',
        'sidekick import asterisk - --host pbx.example.com',
      ),
    )
    .action((file: string, options: Import.ImportOptions) =>
      run(loadImport, (m) => m.importFile(context, 'asterisk', file, options)),
    );
  withHome(imports.command('freeswitch'))
    .description('a callcenter.conf.xml: queues, agents and tiers become a document, what does not map is listed')
    .argument('<file>', 'the file, or - for standard input')
    .option('--host <host>', 'the PBX at which the phones of the agents are registered', 'freeswitch.example.com')
    .addHelpText(
      'after',
      examples(
        'sidekick import freeswitch callcenter.conf.xml > center.yaml',
        'sidekick import freeswitch callcenter.conf.xml --host pbx.example.com',
      ),
    )
    .action((file: string, options: Import.ImportOptions) =>
      run(loadImport, (m) => m.importFile(context, 'freeswitch', file, options)),
    );
  withHome(imports.command('teams-queue'))
    .description('the JSON of Get-CsCallQueue: call queues become a document, what does not map is listed')
    .argument('<file>', 'the file, or - for standard input')
    .option('--users <file>', 'the JSON of Get-CsOnlineUser, which knows the numbers of the agents')
    .option('--sbc-name <name>', 'name of our SBC as paired with the tenant', 'sbc.example.com')
    .addHelpText(
      'after',
      examples(
        'sidekick import teams-queue queues.json --users users.json > center.yaml',
        'sidekick import teams-queue queues.json --users users.json --sbc-name sbc1.example.com',
      ),
    )
    .action((file: string, options: Import.ImportOptions) =>
      run(loadImport, (m) => m.importFile(context, 'teams-queue', file, options)),
    );
}

function withHome(command: Command): Command {
  return command
    .option('--tenant <name>', 'name of the tenant that is made', 'main')
    .option('--country <code>', 'country by which national numbers are read, ISO 3166', 'DE')
    .option('--time-zone <zone>', 'time zone of the tenant, IANA', 'Europe/Berlin');
}
