/** Which agents are due to be read, and in which requests. Pure: times come in, nothing is kept here. */
import { MAX_IDS_PER_READ } from './ports';
import type { AgentToPoll } from './ports';

/** Between two reads of an agent, milliseconds. */
export interface PollIntervals {
  /** Signed in, but no call waits. */
  readonly idleMs: number;
  /** Could be offered a call now. */
  readonly waitingMs: number;
  /** Signed out or paused. */
  readonly awayMs: number;
}

/**
 * The agents to read now. `lastReadAt` holds when each was last asked for. A quarter of the shorter interval is forgiven, so
 * that a timer that fires a little early does not put a read off by a whole round.
 */
export function dueAgents(
  agents: readonly AgentToPoll[],
  lastReadAt: ReadonlyMap<string, number>,
  now: number,
  intervals: PollIntervals,
): AgentToPoll[] {
  const slack = Math.min(intervals.idleMs, intervals.waitingMs) / 4;
  return agents.filter((agent) => {
    const last = lastReadAt.get(agent.agentId);
    return last === undefined || now - last >= intervalOf(agent, intervals) - slack;
  });
}

/** A value must not grow old for a queue of the agent before it is read again. */
function intervalOf(agent: AgentToPoll, { idleMs, waitingMs, awayMs }: PollIntervals): number {
  switch (agent.need) {
    case 'now': {
      return waitingMs;
    }
    case 'soon': {
      const fresh = agent.staleAfterMs === undefined ? idleMs : Math.max(waitingMs, agent.staleAfterMs / 2);
      return Math.min(idleMs, fresh);
    }
    case 'away': {
      return Math.max(awayMs, idleMs);
    }
  }
}

/** Requests of at most `size` users; two agents that share one Entra user are in the same request once. */
export function batches(agents: readonly AgentToPoll[], size = MAX_IDS_PER_READ): AgentToPoll[][] {
  const byUser = new Map<string, AgentToPoll[]>();
  for (const agent of agents) {
    const key = agent.entraUserId.toLowerCase();
    byUser.set(key, [...(byUser.get(key) ?? []), agent]);
  }
  const users = [...byUser.values()];
  const result: AgentToPoll[][] = [];
  for (let at = 0; at < users.length; at += size) {
    result.push(users.slice(at, at + size).flat());
  }
  return result;
}

/** Wait before attempt number `failures + 1`: 1 s, doubled each time, at most `capMs`. */
export function backoffMs(failures: number, capMs: number): number {
  return Math.min(capMs, 1000 * 2 ** Math.min(30, Math.max(0, failures - 1)));
}
