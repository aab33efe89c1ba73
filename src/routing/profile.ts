import { hoursRefusal } from './eligibility';
import { levelRefusal } from './levels';
import type { QueueView, ReasonCounts } from './queue-view';
import { Ranking } from './ranking';
import { effectiveNeeds, skillRefusal } from './skills';
import { strategies } from './strategies';
import { readyAt, type Entry } from './strategies/strategy';
import type { SkillNeed, Snapshot, WaitingCall } from './types';

/** What is the same for all calls of a queue that ask for the same and have waited equally many stages. */
export interface Profile {
  readonly view: QueueView;
  readonly needs: readonly SkillNeed[];
  /** Everybody who may get such a call, exclusions apart. */
  readonly entries: readonly Entry[];
  /** Those of them whom some call mentions, by id and by name. */
  readonly mentioned: ReadonlyMap<string, Entry>;
  /** How many may not, by reason, exclusions apart. */
  readonly refused: ReasonCounts;
  /** Agents whom only their working hours keep away. */
  readonly outOfHours: ReadonlySet<string>;
  /** When the first of them begins to work; Infinity: not known. */
  readonly hoursChangeAt: number;
  /** Whether somebody waits for a later stage. */
  readonly stagesAhead: boolean;
  /** The entries in the order of the strategy. */
  ranking(): Ranking<Entry>;
  /** First place of the ranking to which no call of the profile, starving or not, has come yet. See `match-calls.ts`. */
  readonly frontier: { starving: number; other: number };
}

/** Agents whom calls mention, by id (excluded, spoke last) or by name (preferred): whoever looks for one need not search. */
export interface Mentioned {
  readonly ids: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

export function mentionedBy(calls: readonly WaitingCall[]): Mentioned {
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const { excluded, lastAgent, preferAgents } of calls) {
    if (excluded) {
      for (const { agentId } of excluded) {
        ids.add(agentId);
      }
    }
    if (lastAgent) {
      ids.add(lastAgent.agentId);
    }
    if (preferAgents) {
      for (const name of preferAgents) {
        names.add(name);
      }
    }
  }
  return { ids, names };
}

/** Key of `Profile.mentioned` for an agent's name, so that a name is not taken for an id. */
export function nameKey(name: string): string {
  return `name ${name}`;
}

export function profileOf(view: QueueView, call: WaitingCall, snapshot: Snapshot, { ids, names }: Mentioned): Profile {
  const { rules } = view;
  const { now, seed } = snapshot;
  const strategy = strategies[rules.strategy];
  const needs = effectiveNeeds(call, rules, now);
  const context = { seed, needs };
  const entries: Entry[] = [];
  const mentioned = new Map<string, Entry>();
  const refused: ReasonCounts = { ...view.refused };
  const outOfHours = new Set<string>();
  let hoursChangeAt = Infinity;
  const noLevels = view.stages.length === 0;
  for (const { agent, member, index } of view.free) {
    const refusal =
      (noLevels ? undefined : levelRefusal(member.level, view.levels, rules, call, now)) ??
      (needs.length === 0 ? undefined : skillRefusal(agent, needs, rules, call)) ??
      hoursRefusal(agent);
    if (!refusal) {
      const level = rules.levels === 'strict' ? member.level : 0;
      const key = strategy.key(agent, member, context);
      const entry = { agent, member, index, level, readyAt: readyAt(agent), key, scarcity: 0 };
      entries.push(entry);
      if (ids.size > 0 && ids.has(agent.agentId)) {
        mentioned.set(agent.agentId, entry);
      }
      if (names.size > 0 && names.has(agent.name)) {
        mentioned.set(nameKey(agent.name), entry);
      }
      continue;
    }
    refused[refusal.reason] = (refused[refusal.reason] ?? 0) + 1;
    if (refusal.reason === 'outside-working-hours') {
      outOfHours.add(agent.agentId);
      hoursChangeAt = Math.min(hoursChangeAt, refusal.changesAt ?? Infinity);
    }
  }
  let ranking: Ranking<Entry> | undefined;
  return {
    view,
    needs,
    entries,
    mentioned,
    refused,
    outOfHours,
    hoursChangeAt,
    stagesAhead: refused['level-not-reached'] !== undefined || refused['skill-not-relaxed-yet'] !== undefined,
    ranking: () => (ranking ??= new Ranking([...entries], strategy.compare)),
    frontier: { starving: 0, other: 0 },
  };
}
