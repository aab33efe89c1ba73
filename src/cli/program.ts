/**
 * Every command with its options. Only this file is loaded for `--help`: a command's own module, and what it needs, is loaded
 * when it runs. docs/cli.md is held to this file by a test.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommonOptions, Context, ListOptions } from './context';
import { EXIT_CODES } from './exit-codes';
import * as lazy from './lazy';

type Module = Readonly<Record<string, unknown>>;
type Action<M extends Module> = (module: M) => Promise<number>;

const EXIT_HELP = `\nExit codes:\n${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`;

/** Builds the command tree. `done` gets the exit code of the command that ran. */
export function buildProgram(context: Context, done: (exitCode: number) => void): Command {
  const run = async <M extends Module>(load: () => M, action: Action<M>): Promise<void> => {
    done(await action(load()));
  };
  const program = new Command('sidekick')
    .description('A Connect-model contact center for Microsoft Teams.')
    .option('--debug', 'show where an error comes from')
    .addHelpText('after', EXIT_HELP)
    .addHelpText('after', '\nExamples:\n  sidekick demo\n  sidekick demo call --to +49301000100');
  addRunning(program, context, run);
  addConfiguration(program, context, run);
  addLooking(program, context, run);
  return program;
}

type Run = <M extends Module>(load: () => M, action: Action<M>) => Promise<void>;

function addRunning(program: Command, context: Context, run: Run): void {
  withData(program.command('serve'))
    .description('run a node; settings come from the environment (docs/settings.md)')
    .option('--embed <parts>', 'start these parts embedded: postgres, sip, media, teams (comma list)')
    .option('--sip <host:port>', 'where the embedded SIP server takes calls, UDP and TCP', '127.0.0.1:5060')
    .option('--http <host:port>', 'where health, metrics and the API answer, or off; wins over SIDEKICK_HTTP')
    .addHelpText('after', examples('sidekick serve', 'sidekick serve --embed sip,media --http 127.0.0.1:9090'))
    .action((options: lazy.Serve.ServeOptions) => run(lazy.serve, (m) => m.serve(context, options)));
  const demo = withData(program.command('demo'))
    .description('try it: everything embedded, five simulated Teams agents, two numbers')
    .option('--sip <host:port>', 'where callers reach it, UDP and TCP', '127.0.0.1:5060')
    .option('--http <host:port>', 'where health, metrics and the API answer', '127.0.0.1:8080')
    .option('--log', 'show the log')
    .addHelpText('after', examples('sidekick demo', 'sidekick demo --sip 127.0.0.1:15060 --http 127.0.0.1:18080'))
    .action((options: lazy.Demo.DemoCommandOptions) => run(lazy.demo, (m) => m.demo(context, options)));
  withData(demo.command('call'))
    .description('place a simulated carrier call to the running demo and show each stage')
    .option('--to <number>', 'the number to dial', '+49301000100')
    .option('--seconds <n>', 'how long to talk once connected', numberIn(0, 3600), 4)
    .option('--count <n>', 'place this many calls', integerIn(1, 100_000), 1)
    .option('--rate <n>', 'new calls per second, with --count', numberIn(0.01, 1000), 1)
    .option('--wait <n>', 'give up after waiting so many seconds for an agent', numberIn(1, 86_400), 120)
    .option('--json', 'one JSON object a line; the last is the summary')
    .addHelpText(
      'after',
      examples('sidekick demo call --to +49301000101 --seconds 10', 'sidekick demo call --count 50 --rate 5 --json'),
    )
    .action((_options, command: Command) =>
      run(
        lazy.demoCall,
        // `--data` may stand before or after `call`.
        (m) => m.demoCall(context, command.optsWithGlobals<lazy.DemoCall.DemoCallOptions>()),
      ),
    );
}

function addConfiguration(program: Command, context: Context, run: Run): void {
  const config = program.command('config').description('the configuration document');
  config
    .command('validate')
    .description('check a document; needs no database')
    .requiredOption('-f, --file <file>', 'the YAML file, or - for standard input')
    .addHelpText(
      'after',
      examples('sidekick config validate -f center.yaml', 'cat center.yaml | sidekick config validate -f -'),
    )
    .action((options: lazy.Config.ValidateOptions) => run(lazy.config, (m) => m.validateConfig(context, options)));
  withData(config.command('apply'))
    .description('make the database what a document says; calls in progress are not touched')
    .requiredOption('-f, --file <file>', 'the YAML file, or - for standard input')
    .option('--prune', 'also remove what the document does not name')
    .addHelpText(
      'after',
      examples('sidekick config apply -f center.yaml', 'sidekick config apply -f center.yaml --prune'),
    )
    .action((options: lazy.Config.ApplyCommandOptions) => run(lazy.config, (m) => m.applyConfig(context, options)));
  const migrate = program.command('migrate').description('the tables of the database');
  withList(migrate.command('status'))
    .description('which migrations the database has and lacks; exit code 1 if it lacks some')
    .addHelpText('after', examples('sidekick migrate status', 'sidekick migrate status -o json'))
    .action((options: ListOptions) => run(lazy.migrate, (m) => m.migrateStatus(context, options)));
  withData(migrate.command('up'))
    .description('bring the database up to this version; goes forward only')
    .addHelpText('after', examples('sidekick migrate up', 'SIDEKICK_DATABASE_URL=postgres://… sidekick migrate up'))
    .action((options: CommonOptions) => run(lazy.migrate, (m) => m.migrateUp(context, options)));
}

function addLooking(program: Command, context: Context, run: Run): void {
  const calls = program.command('calls').alias('call').description('calls, running and past');
  withList(calls.command('list'))
    .description('running calls')
    .option('--all', 'also calls that have ended')
    .option('--limit <n>', 'at most so many, newest first', integerIn(1, 10_000), 50)
    .addHelpText('after', examples('sidekick calls list', 'sidekick calls list --all --limit 10 -o json'))
    .action((options: lazy.Calls.CallsListOptions) => run(lazy.calls, (m) => m.listCalls(context, options)));
  withList(calls.command('get'))
    .description('one call with everything that happened to it')
    .argument('<id>', 'id of the call')
    .addHelpText(
      'after',
      examples('sidekick calls get 0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11', 'sidekick calls get … -o json'),
    )
    .action((id: string, options: ListOptions) => run(lazy.calls, (m) => m.getCall(context, id, options)));
  addAgents(program, context, run);
  const queues = program.command('queues').alias('queue').description('queues');
  withList(queues.command('list'))
    .description('queues with their waiting calls and their agents')
    .addHelpText('after', examples('sidekick queues list', 'sidekick queues list -o json'))
    .action((options: ListOptions) => run(lazy.queues, (m) => m.listQueues(context, options)));
  withList(program.command('status'))
    .description('is it ready, what is it doing; exit code 1 if it is not ready')
    .option('--http <host:port>', "the node's HTTP address; default: that of the running demo, else SIDEKICK_HTTP")
    .addHelpText('after', examples('sidekick status', 'sidekick status --http 10.0.0.5:8080 -o json'))
    .action((options: lazy.Status.StatusOptions) => run(lazy.status, (m) => m.status(context, options)));
  program
    .command('version')
    .description('the version of sidekick and of Node')
    .addHelpText('after', examples('sidekick version', 'sidekick version --json'))
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) =>
      run(lazy.version, (m) => Promise.resolve(m.printVersion(context, options.json === true))),
    );
}

function addAgents(program: Command, context: Context, run: Run): void {
  const agents = program.command('agents').alias('agent').description('agents');
  withList(agents.command('list'))
    .description('agents with their state and presence')
    .addHelpText('after', examples('sidekick agents list', 'sidekick agents list -o json'))
    .action((options: ListOptions) => run(lazy.agents, (m) => m.listAgents(context, options)));
  const verbs = [
    ['ready', 'make an agent ready again'],
    ['pause', 'an agent gets no calls until made ready; a call in progress goes on'],
    ['sign-in', 'sign an agent in'],
    ['sign-out', 'sign an agent out; refused during a call unless --yes is given, and the call goes on'],
  ] as const;
  for (const [verb, description] of verbs) {
    const command = withData(agents.command(verb))
      .description(description)
      .argument('<name>', 'name of the agent')
      .option('--tenant <name>', 'tenant of the agent, where two have one of that name')
      .addHelpText('after', examples(`sidekick agents ${verb} Anna`, `sidekick agents ${verb} Anna --tenant demo`))
      .action((name: string, options: lazy.Agents.ChangeOptions) =>
        run(lazy.agents, (m) => m.changeAgent(context, verb, name, options)),
      );
    if (verb === 'pause') {
      command.option('--reason <text>', 'shown beside the state', 'paused');
    }
    if (verb === 'sign-out') {
      command.option('--yes', 'also during a call');
    }
  }
}

function withData(command: Command): Command {
  return command.addOption(
    new Option('--data <dir>', 'folder of an embedded Sidekick').default('.sidekick').env('SIDEKICK_DATA'),
  );
}

function withList(command: Command): Command {
  return withData(command).addOption(
    new Option('-o, --output <format>', 'table, tsv, json or name; default: a table on a terminal, tsv in a pipe'),
  );
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((text) => `  ${text}`).join('\n')}`;
}

function numberIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
    }
    return value;
  };
}

function integerIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = numberIn(least, most)(text);
    if (!Number.isInteger(value)) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
