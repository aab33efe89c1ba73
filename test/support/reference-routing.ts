/**
 * The rules of who gets which call, written down a second time: slow, with nothing shared with src/routing but the types, and as close
 * to the words of the rules as code can be. Properties compare the two.
 */
import type { Candidate, Membership, QueueRules, SkillNeed, Snapshot, WaitingCall } from '../../src/routing/types';

const queueOf = (s: Snapshot, call: WaitingCall): QueueRules => s.queues.find((q) => q.queueId === call.queueId)!;
const memberOf = (agent: Candidate, queueId: string): Membership | undefined =>
  agent.memberships.find((m) => m.queueId === queueId);

// ---------------------------------------------------------------- 1. which call first

const waited = (s: Snapshot, call: WaitingCall): number => s.now - call.firstQueuedAt;

/** Compares lists of keys one by one; the smaller one is first. */
function byKeys(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) {
      return -1;
    }
    if (a[i]! > b[i]!) {
      return 1;
    }
  }
  return 0;
}

export function callKeys(s: Snapshot, call: WaitingCall): (number | string)[] {
  return [-call.class, -(waited(s, call) + call.headStartMs), call.firstQueuedAt, call.callId];
}

/** Keys of a call for an agent of several queues. */
export function keysForAgent(s: Snapshot, agent: Candidate, call: WaitingCall): (number | string)[] {
  const queue = queueOf(s, call);
  const starves = queue.ageCapMs !== undefined && waited(s, call) > queue.ageCapMs;
  const priority = starves ? 1 : memberOf(agent, queue.queueId)!.priority;
  const weight = starves ? Math.max(...s.queues.map((q) => q.weight)) : queue.weight;
  return [-call.class, priority, -weight, ...callKeys(s, call).slice(1)];
}

// ---------------------------------------------------------------- 2. who may get it

/** What a call asks for at a moment. */
export function needsAt(queue: QueueRules, call: WaitingCall, at: number): SkillNeed[] {
  const all = [...(queue.needs ?? []), ...(call.needs ?? [])];
  return [...new Set(all.map((n) => n.skill))].flatMap((skill) => {
    const asked = Math.max(...all.filter((n) => n.skill === skill).map((n) => n.atLeast));
    const relaxed = (queue.relaxations ?? [])
      .filter((r) => r.skill === skill && at - call.firstQueuedAt >= r.afterMs)
      .map((r) => r.atLeast ?? 0);
    const atLeast = Math.min(asked, ...relaxed);
    return atLeast > 0 ? [{ skill, atLeast }] : [];
  });
}

const has = (agent: Candidate, skill: string): number => agent.skills?.[skill] ?? 0;
const lacks = (agent: Candidate, needs: readonly SkillNeed[]): SkillNeed[] =>
  needs.filter((n) => has(agent, n.skill) < n.atLeast);

function levelOpen(s: Snapshot, queue: QueueRules, call: WaitingCall, level: number): boolean {
  const lowerSignedIn = s.agents.some((a) => {
    const m = memberOf(a, queue.queueId);
    return m !== undefined && m.level < level && m.signedIn !== false && a.workState.kind !== 'signed-out';
  });
  return waited(s, call) >= (queue.levelAfterMs?.[level] ?? 0) || (queue.skipEmptyLevels && !lowerSignedIn);
}

function presenceSays(s: Snapshot, queue: QueueRules, agent: Candidate): 'yes' | 'no' | 'unknown' {
  const p = agent.presence;
  const policy = queue.presence;
  if (p === 'none') {
    return 'yes';
  }
  if (p === 'unknown' || p.availability === 'PresenceUnknown' || s.now - p.readAt > policy.staleAfterMs) {
    return policy.unknown === 'accept' ? 'yes' : 'unknown';
  }
  const accepted = policy.accept.map((a) => a.toLowerCase());
  const availability = p.availability.toLowerCase();
  const echo =
    availability === 'busy' &&
    p.activity === 'InACall' &&
    agent.lastCallEndedAt !== undefined &&
    p.changedAt <= agent.lastCallEndedAt &&
    s.now <= agent.lastCallEndedAt + policy.graceMs;
  const pair = `${availability}/${p.activity.toLowerCase()}`;
  return echo || accepted.includes(availability) || accepted.includes(pair) ? 'yes' : 'no';
}

/** The first reason that says no, in the order of the rules. */
export function reasonAgainst(s: Snapshot, call: WaitingCall, agent: Candidate): string | undefined {
  const queue = queueOf(s, call);
  const m = memberOf(agent, queue.queueId);
  const work = agent.workState;
  const rests = 'until' in work ? work.until === undefined || work.until > s.now : true;
  const ever = lacks(agent, needsAt(queue, call, Infinity));
  const noes: [string, () => boolean][] = [
    ['not-a-member', () => m === undefined],
    ['signed-out', () => work.kind === 'signed-out' || m!.signedIn === false],
    ['paused', () => work.kind === 'paused' || m!.pauseReason !== undefined],
    ['not-ready', () => work.kind === 'not-ready' && rests],
    ['wrap-up', () => work.kind === 'wrap-up' && rests],
    ['reserved', () => agent.openOffer?.connected === false],
    ['in-call', () => agent.openOffer?.connected === true],
    ['at-capacity', () => agent.capacity !== undefined && agent.capacity.used >= agent.capacity.limit],
    ['endpoint-down', () => !agent.endpoint.up],
    ['presence', () => presenceSays(s, queue, agent) === 'no'],
    ['presence-unknown', () => presenceSays(s, queue, agent) === 'unknown'],
    ['level-not-reached', () => !levelOpen(s, queue, call, m!.level)],
    ['skill', () => ever.length > 0],
    ['skill-not-relaxed-yet', () => lacks(agent, needsAt(queue, call, s.now)).length > 0],
    ['excluded-for-this-call', () => (call.excluded ?? []).some((e) => e.agentId === agent.agentId && e.until > s.now)],
    ['outside-working-hours', () => agent.workingHours?.inside === false],
  ];
  return noes.find(([, says]) => says())?.[0];
}

// ---------------------------------------------------------------- 3. which agent

function readyAt(agent: Candidate): number {
  const until = 'until' in agent.workState ? agent.workState.until : undefined;
  return Math.max(agent.readySince, until ?? 0);
}

/** The draw of `weighted-random` is given, since what is random about it is its hash. */
export type Draw = (agent: Candidate, member: Membership) => number;

/** Keys by which the call's queue prefers an agent. `wanted`: calls that want an agent. */
export function agentKeys(
  s: Snapshot,
  call: WaitingCall,
  agent: Candidate,
  wanted: readonly WaitingCall[],
  draw: Draw,
): (number | string)[] {
  const queue = queueOf(s, call);
  const m = memberOf(agent, queue.queueId)!;
  const tried = call.tried ?? [];
  const lastPosition = s.agents
    .filter((a) => a.agentId === tried.at(-1))
    .map((a) => memberOf(a, queue.queueId)?.position)[0];
  const below =
    lastPosition === undefined ||
    m.position > lastPosition ||
    (m.position === lastPosition && !tried.includes(agent.agentId));
  const surplus = needsAt(queue, call, s.now).reduce((sum, n) => sum + has(agent, n.skill) - n.atLeast, 0);
  const signedIn = agent.signedInMsToday ?? 0;
  const strategy: Record<QueueRules['strategy'], number[]> = {
    'longest-idle': [readyAt(agent)],
    'ring-all': [readyAt(agent)],
    'ring-progressively': [readyAt(agent)],
    'round-robin': [m.lastOfferedAt ?? 0],
    'top-down': [below ? 0 : 1, m.position],
    'fewest-calls': [m.handledToday ?? 0],
    'least-occupied': [signedIn === 0 ? 0 : Math.min(1, (agent.handlingMsToday ?? 0) / signedIn)],
    'skill-best': [-surplus],
    'skill-tightest': [surplus],
    'weighted-random': [draw(agent, m)],
  };
  const level = queue.levels === 'strict' ? [m.level] : [];
  const scarcity = queue.spareScarceAgents
    ? [wanted.filter((other) => reasonAgainst(s, other, agent) === undefined).length]
    : [];
  const neverByPosition = queue.strategy === 'round-robin' && m.lastOfferedAt === undefined ? [m.position] : [];
  return [
    ...preferenceKeys(s, call, agent),
    ...level,
    ...strategy[queue.strategy],
    ...scarcity,
    ...(neverByPosition.length > 0 ? [...neverByPosition, readyAt(agent)] : [readyAt(agent), m.position]),
    agent.name,
  ];
}

const spokeLast = (s: Snapshot, call: WaitingCall): string | undefined => {
  const rule = queueOf(s, call).preferLastAgent;
  return rule && call.lastAgent && s.now - call.lastAgent.endedAt <= rule.withinMs ? call.lastAgent.agentId : undefined;
};

/** Those whom the flow named first, in its order; then the one who spoke with the caller last; then all others. */
function preferenceKeys(s: Snapshot, call: WaitingCall, agent: Candidate): number[] {
  const named = (call.preferAgents ?? []).indexOf(agent.name);
  return [named < 0 ? Infinity : named, spokeLast(s, call) === agent.agentId ? 0 : 1];
}

/** Waits for the agent who spoke with the caller last, who is busy with us and could take the call otherwise. */
export function isHeld(s: Snapshot, call: WaitingCall): boolean {
  const queue = queueOf(s, call);
  const agent = s.agents.find((a) => a.agentId === spokeLast(s, call));
  if (!agent || waited(s, call) >= queue.preferLastAgent!.waitMs) {
    return false;
  }
  const busy = ['wrap-up', 'reserved', 'in-call', 'at-capacity'].includes(reasonAgainst(s, call, agent) ?? '');
  const free: Candidate = {
    agentId: agent.agentId,
    name: agent.name,
    memberships: agent.memberships,
    workState: { kind: 'ready' },
    readySince: agent.readySince,
    endpoint: { ...agent.endpoint, up: true },
    presence: 'none',
    ...(agent.skills ? { skills: agent.skills } : {}),
    ...(agent.workingHours ? { workingHours: agent.workingHours } : {}),
  };
  return (
    busy && reasonAgainst({ ...s, agents: s.agents.map((a) => (a === agent ? free : a)) }, call, free) === undefined
  );
}

// ---------------------------------------------------------------- the decision

const rings = (queue: QueueRules): boolean => queue.strategy.startsWith('ring-');

export function seats(s: Snapshot, call: WaitingCall): number {
  const queue = queueOf(s, call);
  if (!rings(queue)) {
    return 1;
  }
  if (queue.strategy === 'ring-all') {
    return queue.maxParallel;
  }
  const ringingFor = s.now - (call.firstOfferedAt ?? s.now);
  return Math.min(queue.maxParallel, queue.stepAgents * (1 + Math.floor(ringingFor / queue.stepMs)));
}

/** Calls that stay and want an agent, or more of them. */
export function wantingCalls(s: Snapshot, gone: ReadonlySet<string>): WaitingCall[] {
  return s.calls.filter((c) => !gone.has(c.callId) && (!c.openOffers || c.openOffers.length < seats(s, c)));
}

/**
 * Who is given to whom: textbook deferred acceptance. As long as a call with a seat free has somebody whom it has not asked, it asks
 * the best of them; an agent keeps the better call.
 */
export function referenceMatch(s: Snapshot, gone: ReadonlySet<string>, draw: Draw): Map<string, string[]> {
  const wanted = wantingCalls(s, gone);
  const asking = wanted.filter((c) => !isHeld(s, c) || c.openOffers);
  const lists = new Map(
    asking.map((c) => [
      c.callId,
      s.agents
        .filter((a) => reasonAgainst(s, c, a) === undefined)
        .map((agent) => ({ agent, keys: agentKeys(s, c, agent, wanted, draw) }))
        .sort((a, b) => byKeys(a.keys, b.keys))
        .map(({ agent }) => agent),
    ]),
  );
  const keeps = new Map<string, WaitingCall>();
  const round = (calls: readonly WaitingCall[], seatsFor: (c: WaitingCall) => number, fixed: ReadonlySet<string>) => {
    const asked = new Map(calls.map((c) => [c.callId, 0]));
    const mine = (c: WaitingCall) => [...keeps].filter(([id, call]) => call === c && !fixed.has(id)).length;
    for (;;) {
      const call = calls.find((c) => mine(c) < seatsFor(c) && asked.get(c.callId)! < lists.get(c.callId)!.length);
      if (!call) {
        return;
      }
      const agent = lists.get(call.callId)![asked.get(call.callId)!]!;
      asked.set(call.callId, asked.get(call.callId)! + 1);
      const other = keeps.get(agent.agentId);
      if (
        !fixed.has(agent.agentId) &&
        (!other || byKeys(keysForAgent(s, agent, call), keysForAgent(s, agent, other)) < 0)
      ) {
        keeps.set(agent.agentId, call);
      }
    }
  };
  round(
    asking.filter((c) => !c.openOffers),
    () => 1,
    new Set(),
  );
  const first = new Map(keeps);
  const already = (c: WaitingCall) => (c.openOffers?.length ?? 0) + [...first.values()].filter((x) => x === c).length;
  round(
    asking.filter((c) => rings(queueOf(s, c))),
    (c) => seats(s, c) - already(c),
    new Set(first.keys()),
  );
  return new Map(
    asking.map((c) => [
      c.callId,
      lists
        .get(c.callId)!
        .map((a) => a.agentId)
        .filter((id) => keeps.get(id) === c),
    ]),
  );
}
