import { Option } from 'commander';
import type { Command } from 'commander';
import type * as Users from '../commands/users';
import type { Context, ListOptions } from '../context';
import { examples, numberIn, withData, withList, withYes } from './shared';
import type { Run } from './shared';

const loadUsers = (): typeof Users => require('../commands/users') as typeof Users;
const many = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

function withUser(command: Command): Command {
  return withData(command)
    .option('--role <role>', 'viewer, supervisor, ops or admin')
    .addOption(new Option('--tenant <name>', 'may look and act in this tenant; can be given again').argParser(many))
    .addOption(new Option('--queue <tenant/queue>', 'only in this queue; can be given again').argParser(many))
    .option('--everywhere', 'in all tenants')
    .option('--display-name <text>', 'name for people')
    .option('--entra-id <id>', 'object id of the user who signs in at Entra');
}

export function addUsers(program: Command, context: Context, run: Run): void {
  const users = program.command('users').alias('user').description('who may use the API, and for what');
  withList(users.command('list'))
    .description('users with their roles, places and tokens')
    .addHelpText('after', examples('sidekick users list', 'sidekick users list -o json'))
    .action((options: ListOptions) => run(loadUsers, (m) => m.listUsers(context, options)));
  withUser(users.command('create'))
    .description('make a user')
    .argument('<name>', 'name of the user, such as anna@example.com')
    .addHelpText(
      'after',
      examples(
        'sidekick users create anna --role supervisor --tenant demo',
        'sidekick users create wallboard --role viewer --queue demo/support',
      ),
    )
    .action((name: string, options: Users.UserOptions) => run(loadUsers, (m) => m.createUser(context, name, options)));
  withUser(users.command('set'))
    .description('change a user; what is not named stays')
    .argument('<name>', 'name of the user')
    .option('--disable', 'may do nothing until enabled')
    .option('--enable', 'active again')
    .addHelpText(
      'after',
      examples('sidekick users set anna --role ops --everywhere', 'sidekick users set anna --disable'),
    )
    .action((name: string, options: Users.UserOptions) => run(loadUsers, (m) => m.changeUser(context, name, options)));
  withYes(withData(users.command('delete')))
    .description('forget a user and the tokens of that user')
    .argument('<name>', 'name of the user')
    .addHelpText('after', examples('sidekick users delete anna', 'sidekick users delete anna --yes'))
    .action((name: string, options: Users.DeleteUserOptions) =>
      run(loadUsers, (m) => m.deleteUser(context, name, options)),
    );
  withData(users.command('token'))
    .description('make a token for the API, in place of the one of that name; it is shown once')
    .argument('<name>', 'name of the user')
    .option('--name <text>', 'what the token is for', 'default')
    .option('--days <n>', 'how long it is good, days', numberIn(0.01, 3650), 90)
    .option('--revoke', 'refuse the token of that name from now on')
    .addHelpText(
      'after',
      examples('sidekick users token anna', 'sidekick users token wallboard --name hall --days 365'),
    )
    .action((name: string, options: Users.TokenOptions) => run(loadUsers, (m) => m.userToken(context, name, options)));
}
