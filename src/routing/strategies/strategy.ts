import type { Candidate, Membership, SkillNeed } from '../types';

/** An agent who may get a call, with all that a strategy compares. */
export interface Entry {
  readonly agent: Candidate;
  readonly member: Membership;
  /** Place of the agent in the snapshot. */
  readonly index: number;
  /** Level of the member; 0 for everybody where open levels compete as one. */
  readonly level: number;
  readonly readyAt: number;
  /** What the strategy goes by, smaller is first. */
  readonly key: number;
  /** How many other waiting calls could use the agent; 0 for everybody where that does not count. */
  scarcity: number;
}

/** What a key may depend on besides the agent. */
export interface KeyContext {
  readonly seed: number;
  /** What the call asks for now. */
  readonly needs: readonly SkillNeed[];
}

export interface Strategy {
  /** What the strategy goes by, smaller is first. */
  readonly key: (agent: Candidate, member: Membership, context: KeyContext) => number;
  /** Total order: level, key, and the ties down to the agent's id. */
  readonly compare: (a: Entry, b: Entry) => number;
  /** Whether several agents ring for one call. */
  readonly rings?: 'all' | 'progressively';
}

/** An agent whose wrap-up or delay has run out became ready at its end, whatever was noted before. */
export function readyAt(agent: Candidate): number {
  const state = agent.workState;
  if (state.kind === 'wrap-up' || (state.kind === 'not-ready' && state.until !== undefined)) {
    return Math.max(agent.readySince, state.until ?? 0);
  }
  return agent.readySince;
}

/** Level, then what the strategy goes by, then who is needed least elsewhere; then longest ready, position, name, id. */
export function compareByKey(a: Entry, b: Entry): number {
  return a.level - b.level || a.key - b.key || a.scarcity - b.scarcity || compareTies(a, b);
}

/** Where every tie ends: longest ready, then position, then name, then id. */
export function compareTies(a: Entry, b: Entry): number {
  return a.readyAt - b.readyAt || a.member.position - b.member.position || compareNames(a, b);
}

export function compareNames(a: Entry, b: Entry): number {
  return compareText(a.agent.name, b.agent.name) || compareText(a.agent.agentId, b.agent.agentId);
}

/** By code units, so that every machine sorts alike. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
