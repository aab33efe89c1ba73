import { mutantsOf, type Rule } from '../rule';

const order = mutantsOf('src/routing/order-calls.ts', 'test/unit/routing/order-of-calls.test.ts');
const agent = mutantsOf('src/routing/order-calls.ts', 'test/unit/routing/several-queues.test.ts');
const visits = mutantsOf('src/store/sql/queue-visits.ts', 'test/store/scope-and-places.test.ts');

export const WHICH_CALL_FIRST: readonly Rule[] = [
  {
    rule: 'class',
    says: 'The higher **class** (0–9, `priorityClass` of the queue or `set: {class}` of a flow): strictly first.',
    mutants: [
      order(
        'b.class - a.class ||',
        'a.class - b.class ||',
        'class: the higher one is strictly first, however long others have waited',
      ),
      order('b.class - a.class ||', '', 'class: the higher one is strictly first, however long others have waited'),
    ],
  },
  {
    rule: 'score',
    says: 'The higher **score**: time waited plus head start (`prioritySeconds` of the queue, `headStartSeconds` of a flow).',
    mutants: [
      order(
        'callScore(b, now) - callScore(a, now) ||',
        '',
        'score: time waited plus head start, the higher one is first',
      ),
      order(
        'now - call.firstQueuedAt + call.headStartMs',
        'now - call.firstQueuedAt',
        'score: time waited plus head start, the higher one is first',
      ),
      order(
        'now - call.firstQueuedAt + call.headStartMs',
        'call.headStartMs',
        'score: time waited plus head start, the higher one is first',
      ),
      order(
        'now - call.firstQueuedAt + call.headStartMs',
        'now - call.queuedAt + call.headStartMs',
        'score: it counts from the first moment of waiting, not from the stay in this queue',
      ),
      order(
        'now - call.firstQueuedAt + call.headStartMs',
        'now - call.firstQueuedAt - call.headStartMs',
        'score: time waited plus head start, the higher one is first',
      ),
    ],
  },
  {
    rule: 'came first',
    says: 'Who came first; then the id.',
    mutants: [
      order(
        'a.firstQueuedAt - b.firstQueuedAt ||',
        'b.firstQueuedAt - a.firstQueuedAt ||',
        'equal scores: who came first, then the id',
      ),
      order('a.callId < b.callId ? -1', 'a.callId > b.callId ? -1', 'equal scores: who came first, then the id'),
      order(
        '(a.callId < b.callId ? -1 : a.callId > b.callId ? 1 : 0)',
        '0',
        'equal scores: who came first, then the id',
      ),
    ],
  },
  {
    rule: 'clock',
    says: 'The time waited counts from the first moment in a queue.',
    mutants: [
      visits(
        'least(moment.now, (select min(first_queued_at) from queue_visits where call_id in (live.id, live.callback_of)),',
        'least(moment.now,',
        'moving a call never sets the clock back',
      ),
    ],
  },
  {
    rule: 'resumeWithinSeconds',
    says: 'nor does hanging up and calling again within `resumeWithinSeconds`.',
    mutants: [
      visits(
        '(select first_queued_at from resumed), (select first_queued_at from awaited)),',
        '(select first_queued_at from awaited)),',
        'resumeWithinSeconds: a caller who drops and calls back in time keeps the place, once, and nobody else does',
      ),
      visits(
        'c.caller_number = live.caller_number and c.id <> live.id\n    and c.ended_at',
        'c.id <> live.id\n    and c.ended_at',
        'resumeWithinSeconds: a caller who drops and calls back in time keeps the place, once, and nobody else does',
      ),
      visits(
        "and v.ended_at > moment.now - interval '1 second' * target.resume_within_seconds\n",
        '\n',
        'resumeWithinSeconds: a place is not kept where the queue does not say so, except for a caller whose node died',
      ),
    ],
  },
  {
    rule: 'class over several queues',
    says: 'An agent of several queues takes the higher class,',
    mutants: [
      agent('b.call.class - a.call.class ||', '', 'class over several queues: the higher one first'),
      agent(
        'b.call.class - a.call.class ||',
        'a.call.class - b.call.class ||',
        'class over several queues: the higher one first',
      ),
    ],
  },
  {
    rule: 'membership priority',
    says: 'then the queue with the lower `priority` in his membership,',
    mutants: [
      agent(
        '(a.starving ? FIRST_PRIORITY : ofA.priority) - (b.starving ? FIRST_PRIORITY : ofB.priority) ||',
        '',
        'then by membership priority, the lower number first',
      ),
      agent(
        '(a.starving ? FIRST_PRIORITY : ofA.priority) - (b.starving ? FIRST_PRIORITY : ofB.priority) ||',
        '(b.starving ? FIRST_PRIORITY : ofB.priority) - (a.starving ? FIRST_PRIORITY : ofA.priority) ||',
        'then by membership priority, the lower number first',
      ),
    ],
  },
  {
    rule: 'weight of the queue',
    says: 'then the queue with the higher `weight`,',
    mutants: [
      agent('b.weight - a.weight ||', '', 'then by the weight of the queue, the heavier first'),
      agent('b.weight - a.weight ||', 'a.weight - b.weight ||', 'then by the weight of the queue, the heavier first'),
    ],
  },
  {
    rule: 'order of calls',
    says: 'then the order above.',
    mutants: [agent('    a.rank - b.rank\n', '    b.rank - a.rank\n', 'then in the order of calls')],
  },
  {
    rule: 'starving guard',
    says: "A call that has waited longer than its queue's `ageCapSeconds` counts as first priority and top",
    mutants: [
      agent(
        'now - call.firstQueuedAt > queue.ageCapMs',
        'false',
        'starving guard lets a call that waited longer than ageCapSeconds count as first priority and top weight',
      ),
      agent(
        'now - call.firstQueuedAt > queue.ageCapMs',
        'now - call.firstQueuedAt >= queue.ageCapMs',
        'starving guard does nothing before',
      ),
      agent(
        'now - call.firstQueuedAt > queue.ageCapMs',
        'now - call.queuedAt > queue.ageCapMs',
        'starving guard counts from the first moment of waiting',
      ),
      agent(
        'queue.ageCapMs !== undefined &&',
        'queue.ageCapMs === undefined ||',
        'starving guard does nothing where no ageCapSeconds is set',
      ),
      agent(
        '(a.starving ? FIRST_PRIORITY : ofA.priority)',
        'ofA.priority',
        'starving guard lets a call that waited longer than ageCapSeconds count as first priority and top weight',
      ),
      agent(
        '(b.starving ? FIRST_PRIORITY : ofB.priority)',
        'ofB.priority',
        'starving guard lets a call that waited longer than ageCapSeconds count as first priority and top weight',
      ),
      mutantsOf('src/routing/decide.ts', 'test/unit/routing/several-queues.test.ts')(
        'const weight = starving ? topWeight : rules.weight;',
        'const weight = rules.weight;',
        'starving guard lets a call that waited longer than ageCapSeconds count as first priority and top weight',
      ),
      mutantsOf('src/routing/order-calls.ts', 'test/property/routing-histories.test.ts')(
        '(b.starving ? FIRST_PRIORITY : ofB.priority)',
        'ofB.priority',
        'starving guard: past ageCapSeconds a call waits for the calls ahead of it and one more talk, however many preferred calls keep coming',
      ),
    ],
  },
];
