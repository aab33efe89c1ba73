import type { Command } from 'commander';
import type * as Serve from '../commands/serve';
import type { Context } from '../context';
import { examples, withData } from './shared';
import type { Run } from './shared';

const loadServe = (): typeof Serve => require('../commands/serve') as typeof Serve;

export function addServe(program: Command, context: Context, run: Run): void {
  withData(program.command('serve'))
    .description('run a node; settings come from the environment (docs/settings.md)')
    .option('--embed <parts>', 'start these parts embedded: postgres, sip, media, teams (comma list)')
    .option('--sip <host:port>', 'where the embedded SIP server takes calls, UDP and TCP', '127.0.0.1:5060')
    .option('--http <host:port>', 'where health, metrics and the API answer, or off; wins over SIDEKICK_HTTP')
    .addHelpText('after', examples('sidekick serve', 'sidekick serve --embed sip,media --http 127.0.0.1:9090'))
    .action((options: Serve.ServeOptions) => run(loadServe, (m) => m.serve(context, options)));
}
