import { mutantsOf, type Rule } from '../rule';

const PROPERTY = 'test/property/routing.test.ts';
const due = mutantsOf('src/routing/due-times.ts', 'test/unit/routing/decide.test.ts');
const DUE = 'due time: the first moment at which something changes though nothing happens';
const explain = mutantsOf('src/routing/explain.ts', PROPERTY);

export const EXPLAINING: readonly Rule[] = [
  {
    rule: 'same',
    says: 'The same look always gives the same decision; every tie ends in a fixed order.',
    mutants: [
      mutantsOf('src/routing/prepare.ts', PROPERTY)(
        '.sort((a, b) => compareCalls(a, b, now))',
        '',
        'is decided the same whatever the order of rows',
      ),
      mutantsOf('src/routing/strategies/weighted-random.ts', PROPERTY)(
        'uniform(seed, agent.agentId)',
        'Math.random()',
        'is decided the same again, also from its JSON',
      ),
    ],
  },
  {
    rule: 'explain',
    says: '`sidekick calls explain ID` tells the story of one call',
    mutants: [
      explain(
        "refusals.push({ agentId, refusal: { reason: 'reserved', callId: other } });",
        '',
        'explains every no with the first reason of the rules, and it is true',
      ),
      explain(
        "if (refusal && refusal.reason !== 'not-a-member') {",
        "if (refusal && refusal.reason === 'not-a-member') {",
        'explains every no with the first reason of the rules, and it is true',
      ),
      mutantsOf('src/routing/decide.ts', PROPERTY)(
        "refused = withCount(refused, 'excluded-for-this-call', usable + outOfHours);",
        '',
        'counts in the summary of a call what explain lists',
      ),
    ],
  },
  {
    rule: 'ends',
    says: '| reason                   | ends when ',
    mutants: [
      mutantsOf('src/routing/levels.ts', PROPERTY)(
        'level, changesAt: opensAt }',
        'level, changesAt: opensAt + 1 }',
        'names the moment at which a no ends, and then it has ended',
      ),
    ],
  },
  {
    rule: 'due time',
    says: 'A decision names the moment at which it has to be looked at again.',
    mutants: [
      due('at(holds.get(call.callId)?.until);', '', DUE),
      due('at(profile.hoursChangeAt);', '', DUE),
      due('      at(until);\n', '', DUE),
      due('at(view.nextChangeAt);', '', DUE),
      due('at(next === undefined ? undefined : call.firstQueuedAt + next);', '', DUE),
      due('time < due', 'time > due', DUE),
    ],
  },
  {
    rule: 'replay',
    says: "`sidekick replay` asks today's rules, or those of another configuration, about decisions that were recorded.",
    mutants: [
      mutantsOf('src/simulation/replay.ts', 'test/cli/explain-why-replay.test.ts')(
        'if (sameSet(before, after)) {',
        'if (true) {',
        'replay finds no difference under the same rules, and tells each one under other rules',
      ),
    ],
  },
];
