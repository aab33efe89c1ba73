import type { Command } from 'commander';
import type * as Doctor from '../commands/doctor';
import type { Context } from '../context';
import { examples, withList } from './shared';
import type { Run } from './shared';

const loadDoctor = (): typeof Doctor => require('../commands/doctor') as typeof Doctor;

export function addDoctor(program: Command, context: Context, run: Run): void {
  withList(program.command('doctor'))
    .description('look at everything a node needs, in order, and say how to mend it; exit code 1 if a check failed')
    .option('--ca <file>', 'PEM file with roots to trust beside the public ones')
    .addHelpText('after', examples('sidekick doctor', 'sidekick doctor -o json'))
    .action((options: Doctor.DoctorOptions) => run(loadDoctor, (m) => m.doctor(context, options)));
}
