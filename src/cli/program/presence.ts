import type { Command } from 'commander';
import type * as Presence from '../commands/presence';
import type * as Status from '../commands/presence-status';
import type { Context, WatchedListOptions } from '../context';
import { examples, withTenant, withWatch } from './shared';
import type { Run } from './shared';

const loadPresence = (): typeof Presence => require('../commands/presence') as typeof Presence;
const loadStatus = (): typeof Status => require('../commands/presence-status') as typeof Status;

export function addPresence(program: Command, context: Context, run: Run): void {
  const presence = program.command('presence').description('Teams presence as we know it');
  withTenant(withWatch(presence.command('show')))
    .description('presence of every agent, or of one, with its age')
    .argument('[agent]', 'name of the agent')
    .addHelpText('after', examples('sidekick presence show', 'sidekick presence show Anna'))
    .action((name: string | undefined, options: Presence.PresenceShowOptions) =>
      run(loadPresence, (m) => m.showPresence(context, name, options)),
    );
  withWatch(presence.command('status'))
    .description('how reading presence goes, by app registration; * is the one of the settings')
    .addHelpText('after', examples('sidekick presence status', 'sidekick presence status --watch'))
    .action((options: WatchedListOptions) => run(loadStatus, (m) => m.presenceStatus(context, options)));
}
