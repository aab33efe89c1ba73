import { exclusionRefusal, hoursRefusal, memberRefusal } from './eligibility';
import { levelRefusal } from './levels';
import { nameKey, type Profile } from './profile';
import { skillRefusal } from './skills';
import type { Entry } from './strategies/strategy';
import { goOnBelow } from './strategies/top-down';
import type { Candidate, QueueRules, RefusalReason, Snapshot, WaitingCall } from './types';

/** How one call looks upon the agents of its profile. */
export interface Preference {
  /** Asked before all others: those whom the flow named, then the agent who spoke with the caller last. */
  readonly first: readonly Entry[];
  /** An order of its own in place of the profile's. */
  readonly order?: readonly Entry[];
  /** Agents whom this call may not be offered now. */
  readonly excluded: ReadonlySet<string>;
  /** True: nothing of this applies, the order is the profile's. */
  readonly plain: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();
const PLAIN: Preference = { first: [], excluded: NOBODY, plain: true };

export function preferenceOf(call: WaitingCall, profile: Profile, now: number): Preference {
  const { rules } = profile.view;
  const excluded = excludedAgents(call, now);
  const first = preferred(call, profile, excluded, now);
  const order =
    rules.strategy === 'top-down' && call.tried && call.tried.length > 0 ? belowLast(call, profile) : undefined;
  if (first.length === 0 && !order && excluded.size === 0) {
    return PLAIN;
  }
  return { first, ...(order ? { order } : {}), excluded, plain: false };
}

/** Everybody who may get the call, in the order in which they would be asked. */
export function orderFor(preference: Preference, profile: Profile): Entry[] {
  const first = new Set(preference.first);
  const rest = preference.order ?? profile.ranking().all();
  return [
    ...preference.first,
    ...rest.filter((entry) => !first.has(entry) && !preference.excluded.has(entry.agent.agentId)),
  ];
}

/** Agents whom the call may not be offered now. */
export function excludedAgents(call: WaitingCall, now: number): ReadonlySet<string> {
  if (!call.excluded || call.excluded.length === 0) {
    return NOBODY;
  }
  return new Set(call.excluded.filter((e) => e.until > now).map((e) => e.agentId));
}

function preferred(call: WaitingCall, profile: Profile, excluded: ReadonlySet<string>, now: number): Entry[] {
  const names = call.preferAgents ?? [];
  const last = lastAgentOf(call, profile.view.rules, now);
  if (names.length === 0 && last === undefined) {
    return [];
  }
  const entries: Entry[] = [];
  const add = (entry: Entry | undefined): void => {
    if (entry && !entries.includes(entry) && !excluded.has(entry.agent.agentId)) {
      entries.push(entry);
    }
  };
  for (const name of names) {
    add(profile.mentioned.get(nameKey(name)));
  }
  if (last !== undefined) {
    add(profile.mentioned.get(last));
  }
  return entries;
}

/** The agent who spoke with the caller last, if the queue prefers such agents and it was not too long ago. */
function lastAgentOf(call: WaitingCall, rules: QueueRules, now: number): string | undefined {
  const { lastAgent } = call;
  const rule = rules.preferLastAgent;
  return rule && lastAgent && now - lastAgent.endedAt <= rule.withinMs ? lastAgent.agentId : undefined;
}

function belowLast(call: WaitingCall, profile: Profile): Entry[] {
  const last = call.tried?.at(-1);
  return goOnBelow(profile.ranking().all(), call, last === undefined ? undefined : profile.view.positions().get(last));
}

/** What our own work with an agent ends by itself before long. */
const BUSY_WITH_US: ReadonlySet<RefusalReason> = new Set(['wrap-up', 'reserved', 'in-call', 'at-capacity']);

/**
 * The agent who spoke with the caller last is busy with us, could take the call afterwards, and the call has not waited as long as
 * the queue waits for such an agent: nobody else is asked until then.
 */
export function holdFor(
  call: WaitingCall,
  profile: Profile,
  snapshot: Snapshot,
): { readonly agentId: string; readonly until: number } | undefined {
  const { now } = snapshot;
  const { rules, levels } = profile.view;
  const agentId = lastAgentOf(call, rules, now);
  if (agentId === undefined || !rules.preferLastAgent || !call.lastAgent) {
    return undefined;
  }
  const { waitMs, withinMs } = rules.preferLastAgent;
  const until = Math.min(call.firstQueuedAt + waitMs, call.lastAgent.endedAt + withinMs + 1);
  const agent = until > now ? snapshot.agents.find((a) => a.agentId === agentId) : undefined;
  const member = agent?.memberships.find((m) => m.queueId === rules.queueId);
  if (!agent || !member) {
    return undefined;
  }
  const refusal = memberRefusal(agent, member, rules, now);
  const busy = refusal !== undefined && BUSY_WITH_US.has(refusal.reason);
  return busy && !refusedForTheCall(agent, member.level) ? { agentId, until } : undefined;

  function refusedForTheCall(who: Candidate, level: number): boolean {
    return (
      (levelRefusal(level, levels, rules, call, now) ??
        skillRefusal(who, profile.needs, rules, call) ??
        exclusionRefusal(call, who, now) ??
        hoursRefusal(who)) !== undefined
    );
  }
}
