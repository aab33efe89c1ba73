import { STRATEGIES, type Problem, type Snapshot } from './types';

/** What was committed between the reading of the clock and that of the rows looks as if it came from the future. */
const CLOCK_SLACK_MS = 1_000;

/**
 * What cannot be: contradictions and values that no configuration lets through. An empty list for every sound snapshot. `decide` gets
 * along with all of it (it gives nobody two calls, and leaves out calls without a queue); this says that something else went wrong.
 */
export function checkSnapshot(snapshot: Snapshot): Problem[] {
  return [...queueProblems(snapshot), ...callProblems(snapshot), ...agentProblems(snapshot)];
}

function queueProblems({ queues }: Snapshot): Problem[] {
  const problems: Problem[] = [];
  for (const { queueId } of repeated(queues, (queue) => queue.queueId)) {
    problems.push({ kind: 'queue-twice', queueId, detail: 'the queue stands there twice' });
  }
  for (const { queueId, strategy, maxParallel, stepAgents, stepMs } of queues) {
    if (!STRATEGIES.includes(strategy)) {
      problems.push({ kind: 'unknown-strategy', queueId, detail: `there is no strategy ${strategy}` });
    }
    if (!(maxParallel >= 1 && stepAgents >= 1 && stepMs > 0)) {
      problems.push({ kind: 'bad-value', queueId, detail: 'somebody must be able to ring, and a step must take time' });
    }
  }
  return problems;
}

function callProblems({ calls, queues, now }: Snapshot): Problem[] {
  const problems: Problem[] = [];
  const known = new Set(queues.map((queue) => queue.queueId));
  for (const { callId } of repeated(calls, (call) => call.callId)) {
    problems.push({ kind: 'call-twice', callId, detail: 'the call stands there twice' });
  }
  for (const { callId, queueId, class: level, headStartMs, firstQueuedAt, queuedAt } of calls) {
    if (!known.has(queueId)) {
      problems.push({
        kind: 'call-in-no-queue',
        callId,
        queueId,
        detail: 'the call waits in a queue that is not there',
      });
    }
    const sound = Number.isInteger(level) && level >= 0 && level <= 9 && Number.isFinite(headStartMs);
    if (!sound || !(firstQueuedAt <= queuedAt && queuedAt <= now + CLOCK_SLACK_MS)) {
      problems.push({ kind: 'bad-value', callId, detail: 'class, head start or times of the call cannot be' });
    }
  }
  return problems;
}

function agentProblems({ agents, calls, queues }: Snapshot): Problem[] {
  const problems: Problem[] = [];
  const known = new Set(queues.map((queue) => queue.queueId));
  const offers = new Map<string, { readonly callId: string; readonly offerId: string }>();
  for (const { callId, openOffers } of calls) {
    for (const { offerId, agentId } of openOffers ?? []) {
      const other = offers.get(agentId);
      if (other) {
        const detail = `the agent rings for this call and for ${other.callId}`;
        problems.push({ kind: 'agent-in-two-calls', agentId, callId, offerId, detail });
      }
      offers.set(agentId, { callId, offerId });
    }
  }
  for (const { agentId } of repeated(agents, (agent) => agent.agentId)) {
    problems.push({ kind: 'agent-twice', agentId, detail: 'the agent stands there twice' });
  }
  for (const { agentId, memberships, openOffer } of agents) {
    if (!memberships.some((member) => known.has(member.queueId))) {
      problems.push({ kind: 'member-of-no-queue', agentId, detail: 'the agent serves none of the queues' });
    }
    for (const { queueId } of repeated(memberships, (member) => member.queueId)) {
      problems.push({ kind: 'member-twice', agentId, queueId, detail: 'the agent is in the queue twice' });
    }
    if (memberships.some((member) => !(member.level >= 1) || !(member.priority >= 1) || (member.weight ?? 1) <= 0)) {
      problems.push({ kind: 'bad-value', agentId, detail: 'level, priority or weight of a membership cannot be' });
    }
    const rings = offers.get(agentId);
    if (rings && openOffer && openOffer.callId !== rings.callId) {
      const detail = `the agent rings for this call and has one open for ${openOffer.callId}`;
      problems.push({ kind: 'agent-in-two-calls', agentId, callId: rings.callId, offerId: rings.offerId, detail });
    } else if (rings && !openOffer) {
      const detail = 'the call says that the agent rings, the agent does not';
      problems.push({ kind: 'offer-of-no-agent', agentId, ...rings, detail });
    }
  }
  return problems;
}

/** The second and further items of each key. */
function repeated<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    const again = seen.has(key);
    seen.add(key);
    return again;
  });
}
