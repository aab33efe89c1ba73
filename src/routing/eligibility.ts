import { effectiveNeeds, skillRefusal } from './skills';
import { levelRefusal, type Levels } from './levels';
import { presenceRefusal } from './presence-policy';
import type { Candidate, Membership, QueueRules, Refusal, WaitingCall } from './types';

/**
 * The part of eligibility that is about the agent in the queue, the same for all its calls: everything before the level, in the
 * order of the rules. The first no wins.
 */
export function memberRefusal(
  agent: Candidate,
  member: Membership,
  queue: QueueRules,
  now: number,
): Refusal | undefined {
  return signInRefusal(agent, member) ?? ownRefusal(agent, now) ?? presenceRefusal(agent, queue.presence, now);
}

/** Why an agent can be refused in all queues alike. */
export const OWN_REASONS = ['in-call', 'reserved', 'wrap-up', 'not-ready', 'at-capacity', 'endpoint-down'] as const;
type OwnRefusal = Extract<Refusal, { reason: (typeof OWN_REASONS)[number] }>;

/** What of it is the same in every queue: between sign-in and pause, which may be of one queue alone, and presence. */
export function ownRefusal(agent: Candidate, now: number): OwnRefusal | undefined {
  return (
    workStateRefusal(agent, now) ??
    openOfferRefusal(agent) ??
    capacityRefusal(agent) ??
    (agent.endpoint.up ? undefined : { reason: 'endpoint-down', trunk: agent.endpoint.trunk })
  );
}

/** Why this agent may not get this call, or undefined if he may (routing rules, section 2, in the order given there). */
export function refusalOf(
  call: WaitingCall,
  agent: Candidate,
  queue: QueueRules,
  levels: Levels,
  now: number,
): Refusal | undefined {
  const member = agent.memberships.find((m) => m.queueId === queue.queueId);
  if (!member) {
    return { reason: 'not-a-member' };
  }
  return (
    memberRefusal(agent, member, queue, now) ??
    levelRefusal(member.level, levels, queue, call, now) ??
    skillRefusal(agent, effectiveNeeds(call, queue, now), queue, call) ??
    exclusionRefusal(call, agent, now) ??
    hoursRefusal(agent)
  );
}

/** Signed out of all or of this queue, paused in all or in this queue. */
export function signInRefusal(agent: Candidate, member: Membership): Refusal | undefined {
  if (agent.workState.kind === 'signed-out') {
    return { reason: 'signed-out' };
  }
  if (member.signedIn === false) {
    return { reason: 'signed-out', here: true };
  }
  if (agent.workState.kind === 'paused') {
    return { reason: 'paused', detail: agent.workState.reason };
  }
  return member.pauseReason === undefined ? undefined : { reason: 'paused', detail: member.pauseReason, here: true };
}

function workStateRefusal(agent: Candidate, now: number): OwnRefusal | undefined {
  const state = agent.workState;
  if (state.kind === 'not-ready') {
    if (state.until === undefined) {
      return { reason: 'not-ready', detail: state.reason };
    }
    return state.until > now ? { reason: 'not-ready', detail: state.reason, changesAt: state.until } : undefined;
  }
  return state.kind === 'wrap-up' && state.until > now ? { reason: 'wrap-up', changesAt: state.until } : undefined;
}

function openOfferRefusal(agent: Candidate): OwnRefusal | undefined {
  const open = agent.openOffer;
  if (!open) {
    return undefined;
  }
  return open.connected
    ? { reason: 'in-call', callId: open.callId }
    : { reason: 'reserved', callId: open.callId, offerId: open.offerId };
}

function capacityRefusal(agent: Candidate): OwnRefusal | undefined {
  const load = agent.capacity;
  return load && load.used >= load.limit ? { reason: 'at-capacity', used: load.used, limit: load.limit } : undefined;
}

export function exclusionRefusal(call: WaitingCall, agent: Candidate, now: number): Refusal | undefined {
  let until = now;
  for (const excluded of call.excluded ?? []) {
    if (excluded.agentId === agent.agentId && excluded.until > until) {
      until = excluded.until;
    }
  }
  return until > now ? { reason: 'excluded-for-this-call', changesAt: until } : undefined;
}

export function hoursRefusal(agent: Candidate): Refusal | undefined {
  const hours = agent.workingHours;
  if (!hours || hours.inside) {
    return undefined;
  }
  return { reason: 'outside-working-hours', ...(hours.changesAt === undefined ? {} : { changesAt: hours.changesAt }) };
}
