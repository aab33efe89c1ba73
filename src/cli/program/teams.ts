import type { Command } from 'commander';
import type * as Policies from '../commands/teams-policies';
import type * as SignIn from '../commands/teams-sign-in';
import type { Context } from '../context';
import { examples, integerIn, withList } from './shared';
import type { Run } from './shared';

const loadPolicies = (): typeof Policies => require('../commands/teams-policies') as typeof Policies;
const loadSignIn = (): typeof SignIn => require('../commands/teams-sign-in') as typeof SignIn;

export function addTeams(program: Command, context: Context, run: Run): void {
  const teams = program.command('teams').description('the Teams side: settings of agents, accounts for notifications');
  withList(teams.command('check-policies'))
    .description("whose settings in Teams would swallow a queue's call; exit code 1 if calls would be lost")
    .argument('<file...>', 'exports of Teams PowerShell, JSON or CSV (sbc-config/teams/export-policies.ps1)')
    .option('--agents', 'only the agents of the database, and whether id and number fit')
    .option('--ring-seconds <n>', 'how long an agent is rung', integerIn(3, 300), 15)
    .option('--policy <name>', 'calling policy that the fixes grant', 'Sidekick Agents')
    .addHelpText(
      'after',
      examples(
        'sidekick teams check-policies policies.json',
        'sidekick teams check-policies users.csv settings.csv calling-policies.csv --agents',
      ),
    )
    .action((files: string[], options: Policies.CheckPoliciesOptions) =>
      run(loadPolicies, (m) => m.checkPolicies(context, files, options)),
    );
  teams
    .command('sign-in')
    .description('sign an account in for which Graph sends presence by itself; writes its refresh token to a file')
    .requiredOption('--account <name>', 'user principal name of the account')
    .requiredOption('--out <file>', 'the file to write; it is a secret')
    .option('--tenant-id <id>', 'Entra tenant; default: SIDEKICK_GRAPH_TENANT_ID')
    .option('--client-id <id>', 'app registration; default: SIDEKICK_GRAPH_CLIENT_ID')
    .addHelpText(
      'after',
      examples(
        'sidekick teams sign-in --account presence@contoso.com --out /var/lib/sidekick/presence-1.token',
        'sidekick teams sign-in --account presence@contoso.com --out p.token --tenant-id contoso.com --client-id 4c5f…',
      ),
    )
    .action((options: SignIn.SignInOptions) => run(loadSignIn, (m) => m.signIn(context, options)));
}
