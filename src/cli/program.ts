/**
 * Every command with its options: one file a noun under program/, in the order of the help. Only these files are loaded for
 * `--help`: a command's own module, and what it needs, is loaded when it runs. docs/cli.md is held to them by a test.
 */
import { Command } from 'commander';
import { DEFAULT_GLOBALS } from './context';
import type { Context, Outside } from './context';
import { EXIT_CODES } from './exit-codes';
import { readGlobals } from './globals';
import { addAgents } from './program/agents';
import { addCallbacks } from './program/callbacks';
import { addCalls } from './program/calls';
import { addCompletion } from './program/completion';
import { addConfig } from './program/config';
import { addConfigured } from './program/configured';
import { addContext } from './program/context';
import { addDemo } from './program/demo';
import { addDoctor } from './program/doctor';
import { addEvents } from './program/events';
import { addHours } from './program/hours';
import { addImport } from './program/import';
import { addMigrate } from './program/migrate';
import { addNodes } from './program/nodes';
import { addNumbers } from './program/numbers';
import { addPresence } from './program/presence';
import { addQueues } from './program/queues';
import { addReplay } from './program/replay';
import { addSecrets } from './program/secrets';
import { addServe } from './program/serve';
import { numberIn } from './program/shared';
import type { Run } from './program/shared';
import { addSimulate } from './program/simulate';
import { addStatus } from './program/status';
import { addTeams } from './program/teams';
import { addTls } from './program/tls';
import { addUsers } from './program/users';
import { addVersion } from './program/version';
import { addVoicemails } from './program/voicemails';

/** In the order of the help and of docs/cli.md. */
const NOUNS: readonly ((program: Command, context: Context, run: Run) => void)[] = [
  addServe,
  addDemo,
  addConfig,
  addImport,
  addMigrate,
  addCalls,
  addVoicemails,
  addCallbacks,
  addAgents,
  addQueues,
  addConfigured,
  addNumbers,
  addHours,
  addPresence,
  addTeams,
  addEvents,
  addReplay,
  addSimulate,
  addNodes,
  addUsers,
  addSecrets,
  addDoctor,
  addTls,
  addStatus,
  addContext,
  addCompletion,
  addVersion,
];

const EXIT_HELP = `\nExit codes:\n${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`;

/** Builds the command tree. `done` gets the exit code of the command that ran. */
export function buildProgram(outside: Outside, done: (exitCode: number) => void): Command {
  const context: { -readonly [K in keyof Context]: Context[K] } = { ...outside, global: DEFAULT_GLOBALS };
  const run: Run = async (load, action) => {
    done(await action(load()));
  };
  const program = new Command('sidekick')
    .description('A Connect-model contact center for Microsoft Teams.')
    .option('-q, --quiet', 'no words besides the result and errors')
    .option('-v, --verbose', 'say on stderr what is done')
    .option('--no-color', 'no colours; NO_COLOR in the environment does the same')
    .option('--timeout <seconds>', 'give up on a server that does not answer so long', numberIn(0.1, 3600))
    .option('--context <name>', 'the installation of that name (`sidekick context list`), or SIDEKICK_CONTEXT')
    .option('--server <url>', "base URL of a node's HTTP, such as http://10.0.0.5:8080, or SIDEKICK_SERVER")
    .option('--debug', 'show where an error comes from')
    .configureHelp({ showGlobalOptions: true })
    .hook('preAction', (_program, acting) => {
      context.global = readGlobals(outside.io, program, acting);
    })
    .addHelpText('after', EXIT_HELP)
    .addHelpText('after', '\nExamples:\n  sidekick demo\n  sidekick demo call --to +49301000100');
  NOUNS.forEach((add) => add(program, context, run));
  return program;
}
