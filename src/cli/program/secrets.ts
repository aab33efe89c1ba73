import type { Command } from 'commander';
import type * as Secrets from '../commands/secrets';
import type { CommonOptions, Context, ListOptions } from '../context';
import { examples, withData, withList, withYes } from './shared';
import type { Run } from './shared';

const loadSecrets = (): typeof Secrets => require('../commands/secrets') as typeof Secrets;
const TENANT = ['--tenant <name>', 'tenant whose secret it is; default: shared by all'] as const;

export function addSecrets(program: Command, context: Context, run: Run): void {
  const secrets = program.command('secrets').alias('secret').description('passwords and tokens, kept encrypted');
  withList(secrets.command('list'))
    .description('names of the secrets and their keys, never their values')
    .addHelpText('after', examples('sidekick secrets list', 'sidekick secrets list -o json'))
    .action((options: ListOptions) => run(loadSecrets, (m) => m.listSecrets(context, options)));
  withData(secrets.command('set'))
    .description('keep a value that comes from standard input, or is asked for on a terminal')
    .argument('<name>', 'name of the secret; documents write passwordFrom: secret:NAME')
    .option(...TENANT)
    .addHelpText(
      'after',
      examples('sidekick secrets set carrier-password', 'sidekick secrets set pbx --tenant demo < /run/secrets/pbx'),
    )
    .action((name: string, options: Secrets.SecretOptions) =>
      run(loadSecrets, (m) => m.setSecret(context, name, options)),
    );
  withYes(withData(secrets.command('delete')))
    .description('forget a secret')
    .argument('<name>', 'name of the secret')
    .option(...TENANT)
    .addHelpText('after', examples('sidekick secrets delete pbx', 'sidekick secrets delete pbx --tenant demo --yes'))
    .action((name: string, options: Secrets.SecretOptions) =>
      run(loadSecrets, (m) => m.deleteSecret(context, name, options)),
    );
  withData(secrets.command('rotate'))
    .description('encrypt all secrets with the first of the keys; exit code 1 if some could not be opened')
    .addHelpText('after', examples('sidekick secrets rotate', 'SIDEKICK_SECRET_KEY=NEW,OLD sidekick secrets rotate'))
    .action((options: CommonOptions) => run(loadSecrets, (m) => m.rotateSecrets(context, options)));
}
