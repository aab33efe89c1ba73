import type { Candidate, PresencePolicy, PresenceValue, QueueRules, Refusal, WaitingCall } from './types';

/** The part of eligibility that is about the agent alone, the same for every call of the queue. First no wins. */
export function agentRefusal(agent: Candidate, queue: QueueRules, now: number): Refusal | undefined {
  return (
    workStateRefusal(agent, now) ??
    openOfferRefusal(agent) ??
    (agent.endpoint.up ? undefined : { reason: 'endpoint-down', detail: agent.endpoint.trunk }) ??
    presenceRefusal(agent, queue.presence, now)
  );
}

/** Why this agent may not get this call, or undefined if he may (routing rules, section 2, in the order given there). */
export function refusalOf(call: WaitingCall, agent: Candidate, queue: QueueRules, now: number): Refusal | undefined {
  return agentRefusal(agent, queue, now) ?? exclusionRefusal(call, agent, now);
}

function workStateRefusal(agent: Candidate, now: number): Refusal | undefined {
  const state = agent.workState;
  switch (state.kind) {
    case 'ready': {
      return undefined;
    }
    case 'signed-out': {
      return { reason: 'signed-out' };
    }
    case 'paused': {
      return { reason: 'paused', detail: state.reason };
    }
    case 'not-ready': {
      return { reason: 'not-ready', detail: state.reason };
    }
    case 'wrap-up': {
      return state.until > now ? { reason: 'wrap-up', changesAt: state.until } : undefined;
    }
  }
}

function openOfferRefusal(agent: Candidate): Refusal | undefined {
  const open = agent.openOffer;
  if (!open) {
    return undefined;
  }
  return open.connected ? { reason: 'in-call', detail: open.callId } : { reason: 'reserved', detail: open.offerId };
}

function presenceRefusal(agent: Candidate, policy: PresencePolicy, now: number): Refusal | undefined {
  const presence = agent.presence;
  if (presence === 'none') {
    return undefined;
  }
  if (presence === 'unknown' || isUnknown(presence) || now - presence.readAt > policy.staleAfterMs) {
    return policy.unknown === 'accept' ? undefined : { reason: 'presence-unknown' };
  }
  if (policy.accept.some((value) => value.toLowerCase() === presence.availability.toLowerCase())) {
    return undefined;
  }
  if (isEchoOfOurCall(agent, presence, policy, now)) {
    return undefined;
  }
  return {
    reason: 'presence',
    detail: `${presence.availability}/${presence.activity}`,
    source: presence.source,
    ageMs: Math.max(0, now - presence.readAt),
  };
}

function isUnknown(presence: PresenceValue): boolean {
  return presence.availability === '' || presence.availability.toLowerCase() === 'presenceunknown';
}

/** Graph still shows the call that the agent had with us: Busy/InACall since before that call's end, for the length of the grace. */
function isEchoOfOurCall(agent: Candidate, presence: PresenceValue, policy: PresencePolicy, now: number): boolean {
  return (
    agent.lastCallEndedAt !== undefined &&
    presence.availability.toLowerCase() === 'busy' &&
    presence.activity.toLowerCase() === 'inacall' &&
    presence.changedAt <= agent.lastCallEndedAt &&
    now - agent.lastCallEndedAt <= policy.graceMs
  );
}

function exclusionRefusal(call: WaitingCall, agent: Candidate, now: number): Refusal | undefined {
  const until = call.excluded.reduce(
    (latest, e) => (e.agentId === agent.agentId ? Math.max(latest, e.until) : latest),
    0,
  );
  return until > now ? { reason: 'excluded-for-this-call', changesAt: until } : undefined;
}
