import type { Command } from 'commander';
import type * as NumberTest from '../commands/number-test';
import type { Context } from '../context';
import { addList, addVerbs } from './configured';
import { examples, moment, withList } from './shared';
import type { Run } from './shared';

const loadNumberTest = (): typeof NumberTest => require('../commands/number-test') as typeof NumberTest;

export function addNumbers(program: Command, context: Context, run: Run): void {
  const numbers = program.command('numbers').alias('number').description('numbers that callers dial');
  addList(numbers, 'numbers', 'numbers and what they lead to', context, run);
  addVerbs(
    numbers,
    'numbers',
    { one: 'a number', name: '+49301000100', create: 'queue=sales greeting=hello', set: 'queue=support' },
    context,
    run,
  );
  withList(numbers.command('test'))
    .description('what a caller would meet, without a call: greeting, hours, menus, queue, and who would get it now')
    .argument('<number>', 'the number')
    .option('--at <time>', 'at this time instead of now, such as 2026-12-24T10:00; agents are looked at now', moment)
    .addHelpText(
      'after',
      examples('sidekick numbers test +49301000100', 'sidekick numbers test +49301000100 --at 2026-12-24T10:00'),
    )
    .action((number: string, options: NumberTest.NumberTestOptions) =>
      run(loadNumberTest, (m) => m.testNumber(context, number, options)),
    );
}
