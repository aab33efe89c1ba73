import type { Command } from 'commander';
import type * as Demo from '../commands/demo';
import type * as DemoCall from '../commands/demo-call';
import type { Context } from '../context';
import { examples, integerIn, numberIn, withData } from './shared';
import type { Run } from './shared';

const loadDemo = (): typeof Demo => require('../commands/demo') as typeof Demo;
const loadDemoCall = (): typeof DemoCall => require('../commands/demo-call') as typeof DemoCall;

export function addDemo(program: Command, context: Context, run: Run): void {
  const demo = withData(program.command('demo'))
    .description('try it: everything embedded, five simulated Teams agents, two numbers')
    .option('--sip <host:port>', 'where callers reach it, UDP and TCP', '127.0.0.1:5060')
    .option('--http <host:port>', 'where health, metrics and the API answer', '127.0.0.1:8080')
    .option('--log', 'show the log')
    .option('--scenario <name>', 'what the simulated Teams tenant does, such as voicemail')
    .addHelpText('after', examples('sidekick demo', 'sidekick demo --sip 127.0.0.1:15060 --http 127.0.0.1:18080'))
    .action((options: Demo.DemoCommandOptions) => run(loadDemo, (m) => m.demo(context, options)));
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
        loadDemoCall,
        // `--data` may stand before or after `call`.
        (m) => m.demoCall(context, command.optsWithGlobals<DemoCall.DemoCallOptions>()),
      ),
    );
}
