import type { Candidate, PresencePolicy, PresenceValue, Refusal } from './types';

/** Why the agent's presence keeps the calls of a queue away, or undefined. What we know of our own calls was asked before. */
export function presenceRefusal(agent: Candidate, policy: PresencePolicy, now: number): Refusal | undefined {
  const presence = agent.presence;
  if (presence === 'none') {
    return undefined;
  }
  if (presence === 'unknown' || isUnknown(presence)) {
    return policy.unknown === 'accept' ? undefined : { reason: 'presence-unknown' };
  }
  const ageMs = Math.max(0, now - presence.readAt);
  if (ageMs > policy.staleAfterMs) {
    return policy.unknown === 'accept' ? undefined : { reason: 'presence-unknown', ageMs };
  }
  if (accepts(policy, presence) || isEchoOfOurCall(agent, presence, policy, now)) {
    return undefined;
  }
  return {
    reason: 'presence',
    value: `${presence.availability}/${presence.activity}`,
    source: presence.source,
    ageMs,
  };
}

/** An availability alone stands for all its activities; `Busy/InAMeeting` for just that pair. Case does not matter. */
function accepts(policy: PresencePolicy, presence: PresenceValue): boolean {
  const { availability, activity } = presence;
  return policy.accept.some((entry) => {
    if (entry.length === availability.length) {
      return same(entry, availability);
    }
    return entry.length === availability.length + 1 + activity.length && same(entry, `${availability}/${activity}`);
  });
}

function same(a: string, b: string): boolean {
  return a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());
}

function isUnknown(presence: PresenceValue): boolean {
  return presence.availability === '' || same(presence.availability, 'PresenceUnknown');
}

/** Graph still shows the call that the agent had with us: Busy/InACall since before that call's end, for the length of the grace. */
function isEchoOfOurCall(agent: Candidate, presence: PresenceValue, policy: PresencePolicy, now: number): boolean {
  return (
    agent.lastCallEndedAt !== undefined &&
    same(presence.availability, 'Busy') &&
    same(presence.activity, 'InACall') &&
    presence.changedAt <= agent.lastCallEndedAt &&
    now - agent.lastCallEndedAt <= policy.graceMs
  );
}
