import type { Candidate, Membership, QueueRules, Refusal, WaitingCall } from './types';

/** The lowest level of a queue that has a signed-in agent; Infinity where nobody is signed in. */
export interface Levels {
  readonly lowestSignedIn: number;
}

/** Signed in to the agent's work and to this queue; a pause changes nothing about that. */
export function isSignedIn(agent: Candidate, member: Membership): boolean {
  return agent.workState.kind !== 'signed-out' && member.signedIn !== false;
}

export function levelsOf(agents: readonly Candidate[], queueId: string): Levels {
  let lowestSignedIn = Infinity;
  for (const agent of agents) {
    const member = agent.memberships.find((m) => m.queueId === queueId);
    if (member && member.level < lowestSignedIn && isSignedIn(agent, member)) {
      lowestSignedIn = member.level;
    }
  }
  return { lowestSignedIn };
}

/** When a level of the queue opens for a call: at once, when it has waited long enough, or early where nobody is below. */
export function levelOpensAt(level: number, levels: Levels, queue: QueueRules, call: WaitingCall): number {
  if (queue.skipEmptyLevels && levels.lowestSignedIn >= level) {
    return call.firstQueuedAt;
  }
  return call.firstQueuedAt + (queue.levelAfterMs?.[level] ?? 0);
}

export function levelRefusal(
  level: number,
  levels: Levels,
  queue: QueueRules,
  call: WaitingCall,
  now: number,
): Refusal | undefined {
  const opensAt = levelOpensAt(level, levels, queue, call);
  return opensAt > now ? { reason: 'level-not-reached', level, changesAt: opensAt } : undefined;
}
