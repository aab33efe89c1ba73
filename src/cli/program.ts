/**
 * Every command with its options: one file a noun under program/, in the order of the help. Only these files are loaded for
 * `--help`: a command's own module, and what it needs, is loaded when it runs. docs/cli.md is held to them by a test.
 */
import { Command } from 'commander';
import type { Context } from './context';
import { EXIT_CODES } from './exit-codes';
import { addAgents } from './program/agents';
import { addCalls } from './program/calls';
import { addConfig } from './program/config';
import { addDemo } from './program/demo';
import { addMigrate } from './program/migrate';
import { addQueues } from './program/queues';
import { addServe } from './program/serve';
import type { Run } from './program/shared';
import { addStatus } from './program/status';
import { addVersion } from './program/version';

/** In the order of the help and of docs/cli.md. */
const NOUNS: readonly ((program: Command, context: Context, run: Run) => void)[] = [
  addServe,
  addDemo,
  addConfig,
  addMigrate,
  addCalls,
  addAgents,
  addQueues,
  addStatus,
  addVersion,
];

const EXIT_HELP = `\nExit codes:\n${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`;

/** Builds the command tree. `done` gets the exit code of the command that ran. */
export function buildProgram(context: Context, done: (exitCode: number) => void): Command {
  const run: Run = async (load, action) => {
    done(await action(load()));
  };
  const program = new Command('sidekick')
    .description('A Connect-model contact center for Microsoft Teams.')
    .option('--debug', 'show where an error comes from')
    .addHelpText('after', EXIT_HELP)
    .addHelpText('after', '\nExamples:\n  sidekick demo\n  sidekick demo call --to +49301000100');
  NOUNS.forEach((add) => add(program, context, run));
  return program;
}
