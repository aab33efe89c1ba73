import { isStarving, compareCalls } from './order-calls';
import { excludedAgents } from './preferences';
import { mentionedBy, type Profile } from './profile';
import { profileFor, viewQueues, type QueueView } from './queue-view';
import type { Snapshot, WaitingCall } from './types';

/** A waiting call with what its queue makes of it. */
export interface Prepared {
  readonly call: WaitingCall;
  readonly view: QueueView;
  readonly profile: Profile;
  /** Place in the order of all calls. */
  readonly rank: number;
  readonly starving: boolean;
}

/** Calls in order, and their queues, ready to be matched. Calls of queues that the snapshot does not have are left out. */
export function prepare(snapshot: Snapshot): { readonly views: Map<string, QueueView>; readonly calls: Prepared[] } {
  const { now } = snapshot;
  const views = viewQueues(snapshot);
  const mentioned = mentionedBy(snapshot.calls);
  const sorted = [...snapshot.calls].sort((a, b) => compareCalls(a, b, now));
  const calls: Prepared[] = [];
  for (const call of sorted) {
    const view = views.get(call.queueId);
    if (view) {
      const profile = profileFor(view, call, snapshot, mentioned);
      calls.push({ call, view, profile, rank: calls.length, starving: isStarving(call, view.rules, now) });
    }
  }
  return { views, calls };
}

/**
 * For queues that spare scarce agents: how many waiting calls could use each agent. It counts among equals of the strategy only.
 * @param waiting calls that want an agent
 */
export function countScarcity(waiting: readonly Prepared[], now: number): void {
  if (!waiting.some(({ view }) => view.rules.spareScarceAgents)) {
    return;
  }
  const profiles = new Map<Profile, number>();
  for (const { profile } of waiting) {
    profiles.set(profile, (profiles.get(profile) ?? 0) + 1);
  }
  const usable = new Map<string, number>();
  const add = (agentId: string, calls: number): void => {
    usable.set(agentId, (usable.get(agentId) ?? 0) + calls);
  };
  for (const [profile, calls] of profiles) {
    for (const { agent } of profile.entries) {
      add(agent.agentId, calls);
    }
  }
  for (const { call, profile } of waiting) {
    for (const agentId of excludedAgents(call, now)) {
      if (profile.mentioned.has(agentId)) {
        add(agentId, -1);
      }
    }
  }
  for (const profile of profiles.keys()) {
    if (profile.view.rules.spareScarceAgents) {
      for (const entry of profile.entries) {
        entry.scarcity = usable.get(entry.agent.agentId) ?? 0;
      }
    }
  }
}
