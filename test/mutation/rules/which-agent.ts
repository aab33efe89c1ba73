import { mutantsOf, type Rule } from '../rule';

const TESTS = 'test/unit/routing/strategies.test.ts';
const MODIFIERS = 'test/unit/routing/modifiers.test.ts';
const strategy = (name: string) => mutantsOf(`src/routing/strategies/${name}.ts`, TESTS);
const common = strategy('strategy');
const rings = mutantsOf('src/routing/rings.ts', TESTS);
const snapshot = mutantsOf('src/store/sql/snapshot.ts', 'test/store/scope-and-places.test.ts');
const preferences = mutantsOf('src/routing/preferences.ts', MODIFIERS);
const prepare = mutantsOf('src/routing/prepare.ts', MODIFIERS);

export const WHICH_AGENT: readonly Rule[] = [
  {
    rule: 'ties',
    says: 'equals go on to whom has been ready longest, then\nposition, then name.',
    mutants: [
      common(
        'return a.readyAt - b.readyAt || a.member',
        'return a.member',
        'fewest-calls: ties go on to longest ready, then position, then name',
      ),
      common(
        'a.member.position - b.member.position || compareNames(a, b)',
        'compareNames(a, b)',
        'longest-idle: ties go on to longest ready, then position, then name',
      ),
      common('compareText(a.agent.name, b.agent.name) ||', '', 'ties end at the name, whatever the id'),
      common(
        'compareText(a.agent.name, b.agent.name) || compareText(a.agent.agentId, b.agent.agentId)',
        '0',
        'ties go on to longest ready, then position, then name',
      ),
    ],
  },
  {
    rule: 'let pass',
    says: 'An offer that an agent let pass counts as the moment from which he is ready.',
    mutants: [
      mutantsOf('src/agents/agent-state.ts', 'test/property/agent-state.test.ts')(
        'missedInRow, readySince: Math.max(state.readySince, at) }',
        'missedInRow }',
        'an offer that was let pass moves "ready since", for whatever reason',
      ),
      mutantsOf('src/store/sql/end-offer.ts', 'test/store/offers.test.ts')(
        'ready_since = greatest(s.ready_since, r.ended_at),',
        'ready_since = s.ready_since,',
        'let pass, it moves "ready since"',
      ),
    ],
  },
  {
    rule: 'longest-idle',
    says: 'who has been ready longest   ',
    mutants: [
      strategy('longest-idle')(
        'key: readyAt',
        'key: (agent) => -readyAt(agent)',
        'longest-idle asks first who has been ready longest',
      ),
      mutantsOf('src/routing/strategies/strategy.ts', 'test/unit/routing/decide.test.ts')(
        'Math.max(agent.readySince, state.until ?? 0)',
        'agent.readySince',
        'longest-idle counts an agent ready from the end of a wrap-up that has run out',
      ),
    ],
  },
  {
    rule: 'round-robin',
    says: 'whose last offer of this queue is longest ago; who never had one comes before, by position',
    mutants: [
      strategy('round-robin')(
        'member.lastOfferedAt ?? NEVER',
        '-(member.lastOfferedAt ?? NEVER)',
        'round-robin asks first whose last offer in this queue is longest ago',
      ),
      strategy('round-robin')(
        'const NEVER = 0',
        'const NEVER = Infinity',
        'round-robin asks first whose last offer in this queue is longest ago',
      ),
      strategy('round-robin')(
        'a.member.position - b.member.position || a.readyAt',
        'a.readyAt',
        'round-robin who never had an offer comes by position, however long others are ready',
      ),
      mutantsOf('src/store/sql/insert-offers.ts', 'test/store/offers.test.ts')(
        'where m.queue_id = r.queue_id and m.agent_id = r.agent_id',
        'where m.agent_id = r.agent_id',
        'round-robin: what is remembered is of the agent in this queue',
      ),
    ],
  },
  {
    rule: 'top-down',
    says: 'the lowest position; the next attempt for the same call goes on below, then starts over',
    mutants: [
      strategy('top-down')(
        'key: (_agent, member) => member.position',
        'key: () => 0',
        'top-down starts at the top for every new call',
      ),
      strategy('top-down')(
        'member.position > lastPosition ||',
        'member.position >= lastPosition ||',
        'top-down goes on below the last one tried for the same call, then starts over',
      ),
      strategy('top-down')(
        'member.position > lastPosition || (',
        'member.position > lastPosition && (',
        'top-down goes on below the last one tried for the same call, then starts over',
      ),
      strategy('top-down')(
        '(member.position === lastPosition && !tried.has(agent.agentId))',
        'false',
        'top-down of two at the same position the one who was not tried is next',
      ),
      strategy('top-down')(
        'sorted[to]?.level === sorted[from]?.level',
        'true',
        'top-down keeps to the level: a lower one is asked again before a higher one',
      ),
      mutantsOf('src/routing/preferences.ts', TESTS)(
        "rules.strategy === 'top-down' && call.tried",
        "rules.strategy !== 'top-down' && call.tried",
        'top-down goes on below the last one tried for the same call, then starts over',
      ),
    ],
  },
  {
    rule: 'fewest-calls',
    says: 'who handled the fewest calls of this queue today; who comes late starts at the mean of the others, a break resets nothing',
    mutants: [
      strategy('fewest-calls')(
        'member.handledToday ?? 0',
        '-(member.handledToday ?? 0)',
        'fewest-calls asks first who handled the fewest calls of the queue today',
      ),
      strategy('fewest-calls')(
        'Math.floor(mean) - handledToday',
        'Math.floor(mean)',
        'fewest-calls starts a member who comes late at the mean of the others',
      ),
      strategy('fewest-calls')(
        'sum + count, 0) / others.length',
        'sum + count, 0)',
        'fewest-calls starts a member who comes late at the mean of the others',
      ),
      snapshot(
        'then m.calls_today + m.base_calls else 0 end',
        'then m.calls_today else 0 end',
        'fewest-calls: counted by the day, a break resets nothing, and who comes late starts at the mean',
      ),
      snapshot(
        'case when m.day = asked.today then m.calls_today',
        'case when true then m.calls_today',
        'fewest-calls: counted by the day, a break resets nothing, and who comes late starts at the mean',
      ),
    ],
  },
  {
    rule: 'least-occupied',
    says: "whose share of today's signed-in time went into calls least",
    mutants: [
      strategy('least-occupied')(
        'handlingMsToday / signedInMsToday',
        'handlingMsToday',
        'least-occupied asks first whose share of handling in the time signed in is smallest',
      ),
      strategy('least-occupied')(
        'Math.min(1, handlingMsToday / signedInMsToday)',
        '-handlingMsToday / signedInMsToday',
        'least-occupied asks first whose share of handling in the time signed in is smallest',
      ),
      snapshot(
        'case when s.day = asked.today then s.handling_ms else 0 end',
        's.handling_ms',
        'least-occupied: counts the time signed in and at work, wrap-up included, of this day alone',
      ),
      snapshot(
        'greatest(s.signed_in_at, asked.midnight)',
        'asked.midnight',
        'least-occupied: counts the time signed in and at work, wrap-up included, of this day alone',
      ),
    ],
  },
  {
    rule: 'skill-best',
    says: 'who knows most beyond what the call asks for, summed over its needs',
    mutants: [
      strategy('skill-best')(
        '-surplus(agent, needs)',
        'surplus(agent, needs)',
        'skill-best asks first who knows most beyond the needs, summed up',
      ),
      mutantsOf('src/routing/skills.ts', TESTS)(
        'sum += (agent',
        'sum = (agent',
        'skill-best asks first who knows most beyond the needs, summed up',
      ),
    ],
  },
  {
    rule: 'skill-tightest',
    says: 'who knows least beyond it, so that experts stay free',
    mutants: [
      strategy('skill-tightest')(
        '=> surplus(agent, needs)',
        '=> -surplus(agent, needs)',
        'skill-tightest asks first who knows least beyond them, which keeps experts free',
      ),
    ],
  },
  {
    rule: 'weighted-random',
    says: "a draw in which each member's chance is in proportion to his `weight`; the seed is stored with the decision",
    mutants: [
      strategy('weighted-random')(
        ' / (member.weight ?? 1)',
        '',
        'weighted-random draws each in proportion to the weight',
      ),
      strategy('weighted-random')(
        'uniform(seed, agent.agentId)',
        'uniform(1, agent.agentId)',
        'weighted-random draws each in proportion to the weight',
      ),
      strategy('weighted-random')(
        'uniform(seed, agent.agentId)',
        'Math.random()',
        'weighted-random draws from the seed of the snapshot alone',
      ),
      mutantsOf('src/store/sql/snapshot-rows.ts', 'test/store/apply-document.test.ts')(
        '...(weight === 1 ? {} : { weight }),',
        '',
        'weighted-random: members have the weight that the document gives them',
      ),
    ],
  },
  {
    rule: 'ring-all',
    says: 'the first `maxParallel` by longest idle ring at once; the first who answers has the call',
    mutants: [
      strategy('ring-all')(
        "rings: 'all'",
        "rings: 'progressively'",
        'ring-all rings the first maxParallel by longest idle at once',
      ),
      strategy('ring-all')(
        'key: readyAt',
        'key: (agent) => -readyAt(agent)',
        'ring-all rings the first maxParallel by longest idle at once',
      ),
      rings(
        'Math.max(1, queue.maxParallel)',
        'Infinity',
        'ring-all rings the first maxParallel by longest idle at once',
      ),
      rings('Math.max(1, queue.maxParallel)', '1', 'ring-all rings the first maxParallel by longest idle at once'),
      mutantsOf('src/routing/decide.ts', TESTS)(
        'seeker.seats = seatsOf(seeker.call, seeker.profile.view.rules, now) - ring;',
        'seeker.seats = seatsOf(seeker.call, seeker.profile.view.rules, now);',
        'ring-all and ring-progressively adds who becomes free while others ring, up to maxParallel',
      ),
      mutantsOf('src/store/sql/offers.ts', 'test/store/offers.test.ts')(
        "c.connected_offer_id is null\n    and not exists (select from offers x where x.call_id = c.id and x.state = 'connected')",
        'true',
        'ring-all: exactly one winner however many agents answer at once',
      ),
      mutantsOf('src/calls/call-state.ts', 'test/property/call-machines.test.ts')(
        "                'elsewhere',",
        "                'withdrawn',",
        'ring-all: one agent wins, the others who ring are told that the call was completed elsewhere, in the same step',
      ),
    ],
  },
  {
    rule: 'ring-progressively',
    says: '`stepAgents` more every `stepSeconds`, up to `maxParallel`; earlier ones keep ringing.',
    mutants: [
      strategy('ring-progressively')(
        "rings: 'progressively'",
        "rings: 'all'",
        'ring-progressively starts with stepAgents, and adds as many each stepSeconds while the earlier ones keep ringing',
      ),
      rings(
        'queue.stepAgents * (1 + steps)',
        'queue.stepAgents',
        'ring-progressively starts with stepAgents, and adds as many each stepSeconds while the earlier ones keep ringing',
      ),
      rings(
        'queue.stepAgents * (1 + steps)',
        '1 + steps',
        'ring-progressively: two join in each step where stepAgents is two',
      ),
      rings(
        'Math.floor(Math.max(0, now - call.firstOfferedAt) / queue.stepMs)',
        'Math.ceil(Math.max(0, now - call.firstOfferedAt) / queue.stepMs)',
        'ring-progressively starts with stepAgents, and adds as many each stepSeconds while the earlier ones keep ringing',
      ),
      rings(
        'Math.min(queue.maxParallel, queue.stepAgents',
        'Math.min(Infinity, queue.stepAgents',
        'ring-progressively starts with stepAgents, and adds as many each stepSeconds while the earlier ones keep ringing',
      ),
      rings(
        'queue.stepMs) + 1) * queue.stepMs',
        'queue.stepMs) + 2) * queue.stepMs',
        'ring-progressively says when the next step is due',
      ),
    ],
  },
  {
    rule: 'everybody gets one before anybody gets a second',
    says: 'With the last two everybody who waits gets one agent before anybody gets a second.',
    mutants: [
      mutantsOf('src/routing/decide.ts', TESTS)(
        'starving, weight, seats: 1 }',
        'starving, weight, seats: seatsOf(call, rules, now) }',
        'serves as many callers at once as agents are free: everybody gets one before anybody gets a second',
      ),
    ],
  },
  {
    rule: 'preferLastAgent',
    says: '`preferLastAgent: {withinDays: 7, waitSeconds: 20}` asks the agent first who spoke with the caller within a week,',
    mutants: [
      preferences(
        'now - lastAgent.endedAt <= rule.withinMs',
        'now - lastAgent.endedAt < rule.withinMs',
        'preferLastAgent asks the one first who spoke with this caller within the days given',
      ),
      preferences(
        'if (last !== undefined) {\n    add(',
        'if (last === undefined) {\n    add(',
        'preferLastAgent asks the one first who spoke with this caller within the days given',
      ),
      preferences(
        'call.firstQueuedAt + waitMs',
        'call.firstQueuedAt',
        'preferLastAgent waits for that one while busy with us, for the seconds given and no longer',
      ),
      preferences(
        'call.firstQueuedAt + waitMs',
        'Infinity',
        'preferLastAgent waits for that one while busy with us, for the seconds given and no longer',
      ),
      preferences(
        'BUSY_WITH_US.has(refusal.reason)',
        'true',
        'preferLastAgent waits for nobody who is signed out, paused or away',
      ),
      preferences(
        'busy && !refusedForTheCall(agent, member.level)',
        'busy',
        'preferLastAgent waits for nobody who could not take the call afterwards',
      ),
    ],
  },
  {
    rule: 'preferAgents',
    says: '`preferAgents` of a flow names agents who are asked\nfirst.',
    mutants: [
      preferences(
        'add(profile.mentioned.get(nameKey(name)));',
        '',
        'preferAgents asks those first whom the flow names, in its order, whatever level and strategy say',
      ),
      preferences(
        'for (const name of names) {',
        'for (const name of [...names].reverse()) {',
        'preferAgents asks those first whom the flow names, in its order, whatever level and strategy say',
      ),
      preferences(
        '!entries.includes(entry) && !excluded.has(entry.agent.agentId)',
        '!entries.includes(entry)',
        'preferAgents makes nobody eligible who is not',
      ),
    ],
  },
  {
    rule: 'spareScarceAgents',
    says: '`spareScarceAgents: true` takes, among agents who are equal by the strategy, the one whom fewest other waiting calls could use.',
    mutants: [
      prepare(
        'entry.scarcity = usable.get(entry.agent.agentId) ?? 0;',
        'entry.scarcity = 0;',
        'spareScarceAgents takes among equals the one whom fewest other waiting calls could use',
      ),
      prepare(
        'entry.scarcity = usable.get(entry.agent.agentId) ?? 0;',
        'entry.scarcity = -(usable.get(entry.agent.agentId) ?? 0);',
        'spareScarceAgents takes among equals the one whom fewest other waiting calls could use',
      ),
      prepare(
        'if (profile.view.rules.spareScarceAgents) {',
        'if (true) {',
        'spareScarceAgents is of the queue that says so',
      ),
      mutantsOf('src/routing/strategies/strategy.ts', MODIFIERS)(
        'a.key - b.key || a.scarcity - b.scarcity ||',
        'a.scarcity - b.scarcity || a.key - b.key ||',
        'spareScarceAgents counts among equals only: who handled fewer calls goes first all the same',
      ),
      prepare('add(agentId, -1);', '', 'spareScarceAgents does not count calls that may not have the agent'),
    ],
  },
  {
    rule: 'unknown-strategy',
    says: 'A strategy of another name is refused when the configuration is applied, and never replaced by one that is known.',
    mutants: [
      mutantsOf('src/config/documents/queue-schema.ts', 'test/unit/config/mistaken-files.test.ts')(
        'z.enum(STRATEGIES)',
        'z.string()',
        'unknown-strategy.yaml is told with its line and a sentence',
      ),
    ],
  },
  {
    rule: 'stable matching',
    says: 'How calls and agents are paired when queues share agents: [decisions/stable-matching.md](decisions/stable-matching.md).',
    mutants: [
      mutantsOf('src/routing/match-calls.ts', 'test/unit/routing/several-queues.test.ts')(
        'asking.push(holder.round);',
        '',
        'stable matching sends a call on to its next choice when its first one has a better call',
      ),
      mutantsOf('src/routing/match-calls.ts', 'test/unit/routing/several-queues.test.ts')(
        'return compareForAgent(a, ofA, b, ofB) < 0;',
        'return compareForAgent(a, ofA, b, ofB) > 0;',
        'stable matching sends a call on to its next choice when its first one has a better call',
      ),
    ],
  },
];
