import type { Command } from 'commander';
import type * as CallControl from '../commands/call-control';
import type * as CallExplain from '../commands/call-explain';
import type * as CallTrace from '../commands/call-trace';
import type * as Calls from '../commands/calls';
import type { Context, ListOptions } from '../context';
import { examples, integerIn, withData, withList, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadCallControl = (): typeof CallControl => require('../commands/call-control') as typeof CallControl;
const loadCallExplain = (): typeof CallExplain => require('../commands/call-explain') as typeof CallExplain;
const loadCallTrace = (): typeof CallTrace => require('../commands/call-trace') as typeof CallTrace;
const loadCalls = (): typeof Calls => require('../commands/calls') as typeof Calls;

export function addCalls(program: Command, context: Context, run: Run): void {
  const calls = program.command('calls').alias('call').description('calls, running and past');
  withWatch(calls.command('list'))
    .description('running calls')
    .option('--all', 'also calls that have ended')
    .option('--limit <n>', 'at most so many, newest first', integerIn(1, 10_000), 50)
    .addHelpText('after', examples('sidekick calls list', 'sidekick calls list --all --limit 10 -o json'))
    .action((options: Calls.CallsListOptions) => run(loadCalls, (m) => m.listCalls(context, options)));
  withList(calls.command('get'))
    .description('one call with everything that happened to it')
    .argument('<id>', 'id of the call')
    .addHelpText(
      'after',
      examples('sidekick calls get 0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11', 'sidekick calls get … -o json'),
    )
    .action((id: string, options: ListOptions) => run(loadCalls, (m) => m.getCall(context, id, options)));
  withData(calls.command('trace'))
    .description('a call as a ladder with times: SIP, flow, queue and offers; also after it has ended')
    .argument('<id>', 'id of the call')
    .option(
      '-o, --output <format>',
      'table, wide, json, yaml, tsv or mermaid; default: a drawing on a terminal, tsv in a pipe',
    )
    .option('--json', 'the same as -o json')
    .addHelpText(
      'after',
      examples('sidekick calls trace 0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11', 'sidekick calls trace … -o mermaid'),
    )
    .action((id: string, options: CallTrace.TraceOptions) =>
      run(loadCallTrace, (m) => m.traceCall(context, id, options)),
    );
  withList(calls.command('explain'))
    .description('why a call went as it went: who was considered at each decision, why not others, and what came of it')
    .argument('<id>', 'id of the call')
    .addHelpText(
      'after',
      examples('sidekick calls explain 0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11', 'sidekick calls explain … -o json'),
    )
    .action((id: string, options: ListOptions) => run(loadCallExplain, (m) => m.explainCall(context, id, options)));
  withYes(withData(calls.command('hangup')))
    .description('end a call; says which, and asks')
    .argument('<id>', 'id of the call')
    .addHelpText('after', examples('sidekick calls hangup 0b2a9bd6-…', 'sidekick calls hangup 0b2a9bd6-… --yes'))
    .action((id: string, options: CallControl.HangupOptions) =>
      run(loadCallControl, (m) => m.hangUpCall(context, id, options)),
    );
  withData(calls.command('transfer'))
    .description('send a call to a queue, an agent or a number outside, and wait for what comes of it')
    .argument('<id>', 'id of the call')
    .option('--queue <name>', 'to this queue; the time waited so far counts')
    .option('--agent <name>', 'to this agent')
    .option('--number <number>', 'to this number, where the tenant and a trunk allow it')
    .addHelpText(
      'after',
      examples('sidekick calls transfer 0b2a9bd6-… --queue sales', 'sidekick calls transfer 0b2a9bd6-… --agent Anna'),
    )
    .action((id: string, options: CallControl.TransferOptions) =>
      run(loadCallControl, (m) => m.transferCall(context, id, options)),
    );
}
