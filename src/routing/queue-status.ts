import { memberRefusal } from './eligibility';
import { isSignedIn } from './levels';
import { presenceRefusal } from './presence-policy';
import type { QueueRules, QueueStatus, Snapshot } from './types';

/** A queue of the snapshot's scope as a call sees it that may be sent there. */
export function statusOf(snapshot: Snapshot, rules: QueueRules): QueueStatus {
  const { now } = snapshot;
  let signedIn = 0;
  let present = 0;
  let working = 0;
  let free = 0;
  for (const agent of snapshot.agents) {
    const member = agent.memberships.find((m) => m.queueId === rules.queueId);
    if (!member || !isSignedIn(agent, member)) {
      continue;
    }
    signedIn++;
    // Who is in one of our calls cannot be Available; he counts as there.
    if (agent.openOffer !== undefined || presenceRefusal(agent, rules.presence, now) === undefined) {
      present++;
    }
    const refusal = memberRefusal(agent, member, rules, now);
    if (!refusal) {
      free++;
    }
    if (!refusal || refusal.reason === 'wrap-up' || refusal.reason === 'reserved' || refusal.reason === 'in-call') {
      working++;
    }
  }
  const waiting = snapshot.calls.filter((call) => call.queueId === rules.queueId).length;
  return { ...rules, waiting, signedIn, present, working, free };
}

/** Every queue that the snapshot knows, by name. Queues of the scope are counted when they are asked for. */
export function statusByName(snapshot: Snapshot): (name: string) => QueueStatus | undefined {
  const known = new Map<string, QueueStatus>();
  for (const status of snapshot.elsewhere ?? []) {
    known.set(status.name, status);
  }
  return (name) => {
    const status = known.get(name);
    if (status) {
      return status;
    }
    const rules = snapshot.queues.find((queue) => queue.name === name);
    if (!rules) {
      return undefined;
    }
    const counted = statusOf(snapshot, rules);
    known.set(name, counted);
    return counted;
  };
}
