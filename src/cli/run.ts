/** Runs one command line: parses, dispatches, turns whatever goes wrong into words and an exit code. */
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { SidekickError } from '../lib/errors';
import { complete } from './completion/complete';
import type { Outside } from './context';
import { reportError } from './output/errors';
import { buildProgram } from './program';

/**
 * @param args without node and script
 * @returns the exit code; never throws
 */
export async function runCli(args: readonly string[], context: Outside): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  if (args[0] === '__complete') {
    return complete(context, program, args.slice(1));
  }
  prepare(program, context);
  const debug = args.includes('--debug');
  try {
    await program.parseAsync(
      args.filter((arg) => arg !== '--debug'),
      { from: 'user' },
    );
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no errors. Help that was not asked for (`sidekick`, `sidekick config`) is a usage error.
      return error.exitCode === 0 ? 0 : reportUsage(error, program, args, context, debug);
    }
    return reportError(context.io, error, debug);
  }
}

/** Commander must neither exit nor print errors by itself. */
function prepare(command: Command, context: Outside): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => context.io.stdout.write(text),
    writeErr: (text) => context.io.stderr.write(text),
    outputError: () => undefined,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  command.commands.forEach((child) => prepare(child, context));
}

function reportUsage(
  error: CommanderError,
  program: Command,
  args: readonly string[],
  context: Outside,
  debug: boolean,
): number {
  if (error.code === 'commander.help') {
    return 2;
  }
  const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
  const usage = new SidekickError('SK_USAGE', what, {
    ...(hints.length > 0 ? { why: hints.join(' ').replace(/^\(|\)$/g, '') } : {}),
    next: `run \`${commandPath(program, args)} --help\``,
  });
  return reportError(context.io, usage, debug);
}

/** The words of the command line that name a command, such as `sidekick demo call`. */
function commandPath(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let command = program;
  for (const arg of args) {
    if (arg.startsWith('-')) {
      continue;
    }
    const child = command.commands.find((c) => c.name() === arg || c.aliases().includes(arg));
    if (child === undefined) {
      break;
    }
    names.push(child.name());
    command = child;
  }
  return names.join(' ');
}
