import type { Command } from 'commander';
import type * as Hours from '../commands/hours';
import type { Context } from '../context';
import { addList, addVerbs } from './configured';
import { examples, moment, withList, withTenant } from './shared';
import type { Run } from './shared';

const loadHours = (): typeof Hours => require('../commands/hours') as typeof Hours;

export function addHours(program: Command, context: Context, run: Run): void {
  const hours = program.command('hours').description('opening hours and holidays');
  addList(hours, 'hours', 'opening hours and whether it is open now', context, run);
  addVerbs(
    hours,
    'hours',
    {
      one: 'opening hours',
      name: 'office',
      create: "'weekly={mon: [08:00-18:00], tue: [08:00-18:00]}'",
      set: "'weekly.fri=[08:00-14:00]'",
    },
    context,
    run,
  );
  withTenant(withList(hours.command('check')))
    .description('is it open now or at a time, why, and until when; exit code 1 if it is closed')
    .argument('<name>', 'name of the opening hours')
    .option('--at <time>', 'at this time instead of now, such as 2026-12-24T10:00', moment)
    .addHelpText('after', examples('sidekick hours check office', 'sidekick hours check office --at 2026-12-24T10:00'))
    .action((name: string, options: Hours.HoursCheckOptions) =>
      run(loadHours, (m) => m.checkHours(context, name, options)),
    );
  withTenant(withList(hours.command('close')))
    .description('closed on one day, or open at other times than the week says')
    .argument('<name>', 'name of the opening hours')
    .argument('<date>', 'the day, such as 2026-12-24')
    .option('--name <text>', 'what the day is', 'closed')
    .option('--open <windows>', 'open all the same in these windows, such as 08:00-12:00, comma list')
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText(
      'after',
      examples(
        'sidekick hours close office 2026-12-24 --name "Christmas Eve"',
        'sidekick hours close office 2026-12-31 --name "New Year\'s Eve" --open 08:00-12:00',
      ),
    )
    .action((name: string, date: string, options: Hours.CloseOptions) =>
      run(loadHours, (m) => m.closeOn(context, name, date, options)),
    );
  withTenant(withList(hours.command('reopen')))
    .description('a day is as the week says again')
    .argument('<name>', 'name of the opening hours')
    .argument('<date>', 'the day, such as 2026-12-24')
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText(
      'after',
      examples('sidekick hours reopen office 2026-12-24', 'sidekick hours reopen office 2026-12-24 --dry-run'),
    )
    .action((name: string, date: string, options: Hours.CloseOptions) =>
      run(loadHours, (m) => m.reopenOn(context, name, date, options)),
    );
}
