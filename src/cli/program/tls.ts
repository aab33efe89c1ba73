import { Option } from 'commander';
import type { Command } from 'commander';
import type * as Tls from '../commands/tls';
import type { Context } from '../context';
import { examples, withList } from './shared';
import type { Run } from './shared';

const loadTls = (): typeof Tls => require('../commands/tls') as typeof Tls;

export function addTls(program: Command, context: Context, run: Run): void {
  const tls = program.command('tls').description('the certificate that Teams sees');
  withList(tls.command('check'))
    .description(
      'name, key, use, chain and time of a certificate, with --connect also versions and cipher suites; exit code 1 if something is wrong',
    )
    .option('--cert <file>', 'PEM file with the certificate')
    .option('--key <file>', 'PEM file with its private key')
    .option('--chain <file>', 'PEM file with the certificates that are sent along')
    .option('--connect <host:port>', 'look at what a server shows instead')
    .option('--ca <file>', 'PEM file with roots to trust beside the public ones')
    .addOption(
      new Option(
        '--name <name>',
        'name that it must cover; can be given again; default: the SBC names of the configuration',
      ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]),
    )
    .addHelpText(
      'after',
      examples(
        'sidekick tls check --cert sbc-cert.pem --key sbc-key.pem --chain chain.pem',
        'sidekick tls check --connect sbc1.example.com:5061 --name sbc1.example.com',
      ),
    )
    .action((options: Tls.TlsOptions) => run(loadTls, (m) => m.checkTls(context, options)));
}
