import { mutantsOf, type Rule } from '../rule';

const agent = mutantsOf('src/agents/agent-state.ts', 'test/property/agent-state.test.ts');
const end = mutantsOf('src/store/sql/end-offer.ts', 'test/store/offers.test.ts');

export const AFTER_THE_CALL: readonly Rule[] = [
  {
    rule: 'wrap-up lasts',
    says: "Wrap-up lasts `wrapUpSeconds` of the queue, from the end of the agent's leg.",
    mutants: [
      end(
        'c.ended_at + q.wrap_up_seconds * interval',
        'c.answered_at + q.wrap_up_seconds * interval',
        'wrap-up lasts from its end: a fact, and a free agent after it',
      ),
      end(
        "q.after_call <> 'manual-ready' and q.wrap_up_seconds > 0 as wrap_up",
        'false as wrap_up',
        'wrap-up lasts from its end: a fact, and a free agent after it',
      ),
      agent(
        "{ kind: 'wrap-up', until: at + after.ms }",
        "{ kind: 'wrap-up', until: at }",
        'wrap-up lasts what the queue says, from the end of the call',
      ),
    ],
  },
  {
    rule: 'ends or extends',
    says: 'The agent ends it (`agents ready`, panel, API) or extends it, up to ten minutes in all.',
    mutants: [
      agent(
        'state.lastCallEndedAt + input.limitMs',
        'Infinity',
        'ends or extends wrap-up within the limit, and not after it is over',
      ),
      agent('work.until <= input.at ||', '', 'ends or extends wrap-up within the limit, and not after it is over'),
      agent(
        "return work.kind === 'wrap-up' ? nowReady(state, input.at) : undefined;",
        'return undefined;',
        'ends or extends wrap-up within the limit, and not after it is over',
      ),
      mutantsOf('src/store/sql/agents.ts', 'test/store/offers.test.ts')(
        "least(s.until + ${interval('$2::float8')}, ${limit})",
        "s.until + ${interval('$2::float8')}",
        'ends or extends wrap-up: never beyond the limit',
      ),
    ],
  },
  {
    rule: 'manual-ready',
    says: 'With `afterCall: manual-ready` the agent takes one call and then says when the next may come.',
    mutants: [
      agent(
        "if (after.kind === 'manual-ready') {",
        'if (false) {',
        'manual-ready: takes one call and then says when the next may come, where the queue wants it so',
      ),
      end(
        "l.state = 'ready' and q.after_call = 'manual-ready' as manual",
        'false as manual',
        'manual-ready: one call, then the agent says when the next may come',
      ),
    ],
  },
  {
    rule: 'wrap-up of each agent',
    says: 'It is of each agent, in all queues, and a call that goes on to another queue leaves it as it is.',
    mutants: [
      mutantsOf('src/routing/eligibility.ts', 'test/unit/routing/complaints.test.ts')(
        "state.kind === 'wrap-up' && state.until > now",
        'false',
        'the wrap-up of each agent counts in every queue, whichever queue it came from',
      ),
    ],
  },
  {
    rule: 'holds after the call',
    says: 'Whoever pauses or signs out while talking is paused or signed out afterwards.',
    mutants: [
      agent(
        "if (state.work.kind !== 'ready') {\n    return { state: next, effects: [] };\n  }\n  const rested",
        'const rested',
        'what is said during the talk holds after the call',
      ),
      end(
        "when r.wrap_up then 'wrap-up' else s.state end",
        "when r.wrap_up then 'wrap-up' else 'ready' end",
        'what an agent says during it holds after the call: no sign-out is undone',
      ),
    ],
  },
  {
    rule: 'paused by a supervisor',
    says: 'What a supervisor forces holds until a supervisor ends it, over sign-out and sign-in.',
    mutants: [
      agent(
        'return resting && !forced ? nowReady(state, input.at) : undefined;',
        'return resting ? nowReady(state, input.at) : undefined;',
        'paused by a supervisor, the agent cannot end it, nor by signing out and in; a supervisor can',
      ),
      agent(
        "return forced ? moved(state, { kind: 'paused', reason: forced.reason }) : nowReady(state, input.at);",
        'return nowReady(state, input.at);',
        'paused by a supervisor, the agent cannot end it, nor by signing out and in; a supervisor can',
      ),
    ],
  },
];
