import type { Command } from 'commander';
import type * as Migrate from '../commands/migrate';
import type { CommonOptions, Context, ListOptions } from '../context';
import { examples, withData, withList } from './shared';
import type { Run } from './shared';

const loadMigrate = (): typeof Migrate => require('../commands/migrate') as typeof Migrate;

export function addMigrate(program: Command, context: Context, run: Run): void {
  const migrate = program.command('migrate').description('the tables of the database');
  withList(migrate.command('status'))
    .description('which migrations the database has and lacks; exit code 1 if it lacks some')
    .addHelpText('after', examples('sidekick migrate status', 'sidekick migrate status -o json'))
    .action((options: ListOptions) => run(loadMigrate, (m) => m.migrateStatus(context, options)));
  withData(migrate.command('up'))
    .description('bring the database up to this version; goes forward only')
    .addHelpText('after', examples('sidekick migrate up', 'SIDEKICK_DATABASE_URL=postgres://… sidekick migrate up'))
    .action((options: CommonOptions) => run(loadMigrate, (m) => m.migrateUp(context, options)));
  withData(migrate.command('grant'))
    .description('give a role of Postgres the rights of a level and no more; run by the owner of the tables')
    .argument('<role>', 'name of the role in Postgres')
    .requiredOption('--as <level>', 'viewer, ops, admin or node')
    .addHelpText(
      'after',
      examples('sidekick migrate grant sidekick_ops --as ops', 'sidekick migrate grant sidekick_node --as node'),
    )
    .action((role: string, options: Migrate.GrantOptions) =>
      run(loadMigrate, (m) => m.migrateGrant(context, role, options)),
    );
}
