import { EXIT_REASONS } from '../flows/flow';
import { statusOf } from '../routing/queue-status';
import type { ExitRules, QueueStatus, Snapshot } from '../routing/types';
import type { Store } from './api';
import type { Queryable } from './types';

/** Queues that exits lead to are looked at over so many at most; configuration has no loops of them. */
const MAX_QUEUES = 30;

/** Whether a call of the snapshot may have to leave now, so that it counts what the queues are like that it would go to. */
export function mayExit(snapshot: Snapshot): boolean {
  return snapshot.queues.some((queue) => {
    const { exits, maxWaitMs, noAgentsAfterMs, estimatedWaitOverMs } = queue;
    if (!exits || namesIn(queue).length === 0) {
      return false;
    }
    return (
      noAgentsAfterMs !== undefined ||
      estimatedWaitOverMs !== undefined ||
      (maxWaitMs !== undefined &&
        snapshot.calls.some((call) => call.queueId === queue.queueId && call.queuedAt + maxWaitMs <= snapshot.now))
    );
  });
}

/** The snapshot with the queues to which exits of its queues lead, directly or over others. One read for each of them. */
export async function withElsewhere(store: Store, q: Queryable, snapshot: Snapshot): Promise<Snapshot> {
  const known = new Set(snapshot.queues.map((queue) => queue.name));
  const elsewhere: QueueStatus[] = [];
  let wanted = [...new Set(snapshot.queues.flatMap(namesIn))].filter((name) => !known.has(name));
  while (wanted.length > 0 && elsewhere.length < MAX_QUEUES) {
    const found: QueueStatus[] = [];
    for (const queueId of await store.siblingQueues(q, snapshot.queueId, wanted)) {
      const other = await store.snapshotQueue(q, queueId);
      const rules = other?.queues.find((queue) => queue.queueId === queueId);
      if (other && rules) {
        found.push(statusOf(other, rules));
      }
    }
    for (const name of wanted) {
      known.add(name);
    }
    elsewhere.push(...found);
    wanted = [...new Set(found.flatMap(namesIn))].filter((name) => !known.has(name));
  }
  return elsewhere.length === 0 ? snapshot : { ...snapshot, elsewhere: [...(snapshot.elsewhere ?? []), ...elsewhere] };
}

/** Names of queues in the exits of a queue; those behind keys are the caller's own choice. */
function namesIn({ exits }: Pick<ExitRules, 'exits'>): readonly string[] {
  return EXIT_REASONS.flatMap((reason) => {
    const action = exits?.[reason];
    return action && 'queues' in action ? action.queues : [];
  });
}
