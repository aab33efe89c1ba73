import { OWN_REASONS, ownRefusal, signInRefusal } from './eligibility';
import { isSignedIn, type Levels } from './levels';
import { presenceRefusal } from './presence-policy';
import { profileOf, type Mentioned, type Profile } from './profile';
import type {
  Candidate,
  Membership,
  QueueRules,
  Refusal,
  RefusalReason,
  SkillNeed,
  Snapshot,
  WaitingCall,
} from './types';

export type ReasonCounts = Partial<Record<RefusalReason, number>>;

/** A member to whom nothing but the call itself can still say no. */
export interface FreeMember {
  readonly agent: Candidate;
  readonly member: Membership;
  /** Place of the agent in the snapshot. */
  readonly index: number;
}

/** What is the same for all calls of a queue, found once. */
export interface QueueView {
  readonly rules: QueueRules;
  readonly free: FreeMember[];
  /** How many members are refused whatever the call, by reason. */
  readonly refused: ReasonCounts;
  /** Those of them who are refused in all their queues, in the order of `OWN_REASONS`. */
  readonly own: Uint32Array;
  /** Agents of whom only the presence is not known. */
  readonly unknownPresence: string[];
  /** When the first of these refusals ends by itself; Infinity: none does. */
  nextChangeAt: number;
  readonly levels: Levels & { lowestSignedIn: number };
  /** Waits after which a level opens or a need relaxes, ascending, milliseconds. */
  readonly stages: readonly number[];
  readonly profiles: Map<string, Profile>;
  /** Position of every member by agent id. */
  readonly positions: () => ReadonlyMap<string, number>;
}

export function viewQueues(snapshot: Snapshot): Map<string, QueueView> {
  const views = new Map<string, QueueView>();
  for (const rules of snapshot.queues) {
    let positions: ReadonlyMap<string, number> | undefined;
    views.set(rules.queueId, {
      rules,
      free: [],
      refused: {},
      own: new Uint32Array(OWN_REASONS.length),
      unknownPresence: [],
      nextChangeAt: Infinity,
      levels: { lowestSignedIn: Infinity },
      stages: stagesOf(rules),
      profiles: new Map(),
      positions: () => (positions ??= positionsIn(snapshot, rules.queueId)),
    });
  }
  const { agents, now } = snapshot;
  for (let index = 0; index < agents.length; index++) {
    const agent = agents[index] as Candidate;
    const own = ownRefusal(agent, now);
    // Most agents are busy, and so in each of their queues: counted by number, since there may be ten thousands of them.
    const reason = own ? OWN_REASONS.indexOf(own.reason) : -1;
    for (const member of agent.memberships) {
      const view = views.get(member.queueId);
      if (!view) {
        continue;
      }
      if (member.level < view.levels.lowestSignedIn && isSignedIn(agent, member)) {
        view.levels.lowestSignedIn = member.level;
      }
      const signedOut = signInRefusal(agent, member);
      if (own && !signedOut) {
        view.own[reason] = (view.own[reason] ?? 0) + 1;
        noteChange(view, own);
        continue;
      }
      const refusal = signedOut ?? presenceRefusal(agent, view.rules.presence, now);
      if (refusal) {
        count(view, agent, refusal);
      } else {
        view.free.push({ agent, member, index });
      }
    }
  }
  for (const { own, refused } of views.values()) {
    for (const [i, reason] of OWN_REASONS.entries()) {
      const times = own[i] ?? 0;
      if (times > 0) {
        refused[reason] = times;
      }
    }
  }
  return views;
}

function count(view: QueueView, agent: Candidate, refusal: Refusal): void {
  view.refused[refusal.reason] = (view.refused[refusal.reason] ?? 0) + 1;
  if (refusal.reason === 'presence-unknown') {
    view.unknownPresence.push(agent.agentId);
  } else {
    noteChange(view, refusal);
  }
}

function noteChange(view: QueueView, refusal: Refusal): void {
  if ('changesAt' in refusal && refusal.changesAt !== undefined && refusal.changesAt < view.nextChangeAt) {
    view.nextChangeAt = refusal.changesAt;
  }
}

function positionsIn(snapshot: Snapshot, queueId: string): Map<string, number> {
  const positions = new Map<string, number>();
  for (const { agentId, memberships } of snapshot.agents) {
    const member = memberships.find((m) => m.queueId === queueId);
    if (member) {
      positions.set(agentId, member.position);
    }
  }
  return positions;
}

function stagesOf(rules: QueueRules): number[] {
  const waits = [...Object.values(rules.levelAfterMs ?? {}), ...(rules.relaxations ?? []).map((step) => step.afterMs)];
  return [...new Set(waits)].sort((a, b) => a - b);
}

const NO_NEEDS: readonly SkillNeed[] = [];

/** The profile of a call: shared by all calls of the queue that ask for the same and have waited as many stages. */
export function profileFor(view: QueueView, call: WaitingCall, snapshot: Snapshot, mentioned: Mentioned): Profile {
  const waited = snapshot.now - call.firstQueuedAt;
  let stage = 0;
  while (stage < view.stages.length && (view.stages[stage] as number) <= waited) {
    stage++;
  }
  let key = String(stage);
  for (const { skill, atLeast } of call.needs ?? NO_NEEDS) {
    key += `\n${atLeast} ${skill}`;
  }
  let profile = view.profiles.get(key);
  if (!profile) {
    profile = profileOf(view, call, snapshot, mentioned);
    view.profiles.set(key, profile);
  }
  return profile;
}
