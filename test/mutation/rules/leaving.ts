import { mutantsOf, type Rule } from '../rule';

const TESTS = 'test/unit/routing/exits.test.ts';
const overflow = mutantsOf('src/routing/overflow.ts', TESTS);
const exits = mutantsOf('src/routing/exits.ts', TESTS);
const estimate = mutantsOf('src/routing/estimated-wait.ts', TESTS);
const callbacks = 'test/unit/routing/callbacks.test.ts';
const callback = mutantsOf('src/routing/exits.ts', callbacks);
const status = mutantsOf('src/routing/queue-status.ts', TESTS);
const document = mutantsOf('src/config/documents/overflow-loops.ts', 'test/unit/config/mistaken-files.test.ts');

const entry = (reason: string, find: string, replace: string): Rule => {
  const rule = `on entry a call is sent away: ${reason}`;
  return { rule, says: `\`${reason}\``, mutants: [overflow(find, replace, rule)] };
};

export const LEAVING: readonly Rule[] = [
  {
    rule: 'on entry',
    says: 'On entry, in this order: `closed`, `paused`, `full` (`maxWaiting`), `noAgents`, `noPresence`, `estimatedWait`.',
    mutants: [
      mutantsOf('src/flows/flow.ts', TESTS)(
        "['closed', 'paused', 'full',",
        "['paused', 'closed', 'full',",
        'on entry the reasons are asked in the order of the rules',
      ),
      mutantsOf('src/flows/flow.ts', TESTS)(
        "'full', 'noAgents', 'noPresence'",
        "'noPresence', 'noAgents', 'full'",
        'on entry the reasons are asked in the order of the rules',
      ),
      overflow(
        'const action = ON_ENTRY[reason](queue) ? actionFor(queue, reason) : undefined;',
        'const action = actionFor(queue, reason);',
        'on entry a call may enter where nothing holds, and where what holds has no action',
      ),
    ],
  },
  entry('closed', 'queue.hours?.open === false', 'false'),
  entry('paused', 'queue.paused !== undefined', 'false'),
  entry('full', 'queue.waiting >= queue.maxWaiting', 'queue.waiting > queue.maxWaiting'),
  entry('noAgents', 'queue.signedIn === 0', 'false'),
  entry('noPresence', 'queue.present === 0', 'false'),
  entry('estimatedWait', '(estimatedWaitMs(queue, queue.waiting) ?? 0) > queue.estimatedWaitOverMs', 'false'),
  {
    rule: 'full queue ends the call',
    says: 'A reason without an action\nin `exits` does not send anybody away, except that a full queue ends the call.',
    mutants: [
      overflow(
        "reason === 'maxWait' || reason === 'full'",
        "reason === 'maxWait'",
        'a full queue ends the call where nothing else is configured',
      ),
    ],
  },
  {
    rule: 'maxWaitSeconds',
    says: '`maxWait` (to the moment; a ringing agent\ngets extra time only with `letRingFinish`; without an action the call is ended)',
    mutants: [
      exits(
        'longest <= now &&',
        'longest < now &&',
        'maxWaitSeconds is exact: at that moment, from the start of the stay, though somebody rings or is free',
      ),
      exits(
        'call.queuedAt + maxWaitMs',
        'call.firstQueuedAt + maxWaitMs',
        'maxWaitSeconds is exact: at that moment, from the start of the stay, though somebody rings or is free',
      ),
      exits(
        '!(rings && view.rules.letRingFinish === true)',
        '!rings',
        'maxWaitSeconds is exact: at that moment, from the start of the stay, though somebody rings or is free',
      ),
      overflow(
        "reason === 'maxWait' || reason === 'full'",
        "reason === 'full'",
        'maxWaitSeconds ends the call where nothing else is configured',
      ),
      mutantsOf('src/routing/due-times.ts', TESTS)(
        'at(maxWaitAt(call, view));',
        '',
        'maxWaitSeconds is exact: at that moment, from the start of the stay, though somebody rings or is free',
      ),
    ],
  },
  {
    rule: 'letRingFinish',
    says: 'gets extra time only with `letRingFinish`',
    mutants: [
      exits('view.rules.letRingFinish === true', 'false', 'letRingFinish gives a ringing agent extra time'),
      exits(
        '!(rings && view.rules.letRingFinish === true)',
        'view.rules.letRingFinish !== true',
        'letRingFinish gives a ringing agent extra time',
      ),
    ],
  },
  {
    rule: 'noAgentsAfterSeconds',
    says: '`noAgents` for `noAgentsAfterSeconds`',
    mutants: [
      exits('nobody <= now && !rings ?', 'false ?', 'leaves when no agent was there for noAgentsAfterSeconds'),
      exits(
        'Math.max(call.queuedAt, noAgentsSince ?? call.queuedAt) + noAgentsAfterMs',
        'call.queuedAt + noAgentsAfterMs',
        'leaves when no agent was there for noAgentsAfterSeconds',
      ),
      exits(
        'view.levels.lowestSignedIn !== Infinity ||',
        '',
        'leaves when no agent was there for noAgentsAfterSeconds',
      ),
      exits(
        'Math.max(call.queuedAt, noAgentsSince ?? call.queuedAt)',
        '(noAgentsSince ?? call.queuedAt)',
        'noAgentsAfterSeconds counts from when the call came, if it came later',
      ),
      mutantsOf('src/routing/due-times.ts', TESTS)(
        'at(noAgentsAt(call, view));',
        '',
        'leaves when no agent was there for noAgentsAfterSeconds',
      ),
    ],
  },
  {
    rule: 'estimated wait',
    says: 'The **estimated wait** is (calls ahead − free agents + 1) × mean handling time ÷ agents at work',
    mutants: [
      exits(
        'estimate > limit',
        'estimate >= limit',
        'leaves when the estimated wait is over the limit, the last ones first',
      ),
      exits(
        '      ahead++;\n    }\n  }',
        '    }\n  }',
        'leaves when the estimated wait is over the limit, the last ones first',
      ),
      estimate(
        '(ahead - status.free + 1)',
        '(ahead - status.free)',
        'the estimated wait is (calls ahead − free + 1) × mean handling ÷ agents who work',
      ),
      estimate(
        '/ status.working',
        '/ 1',
        'the estimated wait is (calls ahead − free + 1) × mean handling ÷ agents who work',
      ),
      estimate(
        'status.free > ahead',
        'status.free >= ahead',
        'the estimated wait is (calls ahead − free + 1) × mean handling ÷ agents who work',
      ),
      estimate(
        'status.meanHandlingMs === undefined || ',
        '',
        'the estimated wait is not said where it cannot be known',
      ),
      status(
        "refusal.reason === 'wrap-up' ||",
        '',
        'for the estimated wait: counts who is signed in, there, at work and free',
      ),
      status(
        "refusal.reason === 'in-call'",
        'false',
        'for the estimated wait: counts who is signed in, there, at work and free',
      ),
      status(
        'agent.openOffer !== undefined ||',
        '',
        'for the estimated wait: counts who is signed in, there, at work and free',
      ),
    ],
  },
  {
    rule: 'key',
    says: 'and keys.',
    mutants: [
      mutantsOf('src/calls/call-waiting.ts', 'test/unit/calls/session.test.ts')(
        "this.#leave(queue, 'key', action, false);",
        '',
        'a key takes a caller who waits out of the queue, and no other key does',
      ),
    ],
  },
  {
    rule: 'look-ahead',
    says: '`{queues: [a, b]}` takes the first queue for which none of the entry reasons holds.',
    mutants: [
      overflow(
        'if (!isOverflowing(target)) {',
        'if (true) {',
        'look-ahead over overflow queues takes the first that is not itself overflowing',
      ),
      overflow(
        'ENTRY_REASONS.some((reason) => ON_ENTRY[reason](queue))',
        'false',
        'look-ahead over overflow queues takes the first that is not itself overflowing',
      ),
      overflow(
        'const last = targets.at(-1);',
        'const last = targets.at(0);',
        'look-ahead over overflow queues takes what the last one does at its door, where all are',
      ),
      overflow(
        'if (!onward) {',
        'if (true) {',
        'look-ahead over overflow queues takes what the last one does at its door, where all are',
      ),
    ],
  },
  {
    rule: 'callback',
    says: 'A callback leaves by none of these, and is offered to nobody while its queue is closed.',
    mutants: [
      callback(
        'maxWaitMs === undefined || call.callback',
        'maxWaitMs === undefined',
        'a callback leaves by no exit: its longest wait, nobody there, the estimate',
      ),
      callback(
        'call.callback ||\n    noAgentsAfterMs',
        'noAgentsAfterMs',
        'a callback leaves by no exit: its longest wait, nobody there, the estimate',
      ),
      callback(
        '!call.callback && estimate',
        'estimate',
        'a callback leaves by no exit: its longest wait, nobody there, the estimate',
      ),
      callback(
        'call.callback === true && view',
        'view',
        'a callback rests while its queue is closed, callers who wait there do not',
      ),
      mutantsOf('src/routing/decide.ts', callbacks)(
        '!restsWhileClosed(call, view) &&',
        '',
        'a callback rests while its queue is closed, callers who wait there do not',
      ),
      mutantsOf('src/routing/due-times.ts', callbacks)(
        'at(view.rules.hours?.nextChangeAt);',
        '',
        'a callback is looked at again when its queue opens',
      ),
    ],
  },
  {
    rule: 'circle',
    says: 'A circle ends where it began.',
    mutants: [overflow('seen.has(name) ? undefined : statuses(name)', 'statuses(name)', 'never goes in a circle')],
  },
  {
    rule: 'go-round',
    says: 'Overflows that would go round for ever are refused when the configuration is applied.',
    mutants: [
      document('if (back >= 0) {', 'if (false) {', 'overflows-that-go-round.yaml is told with its line and a sentence'),
      document(
        'if (back >= 0) {',
        'if (back > 0) {',
        'overflows-that-go-round.yaml is told with its line and a sentence',
      ),
    ],
  },
];
