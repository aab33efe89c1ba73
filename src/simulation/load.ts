import { meanOf } from './distributions';
import type { Plan } from './plan';

/** Mean work that callers bring in an hour, in agents (erlangs), of a constant rate. For plans and reports. */
export function offeredLoad(plan: Plan): number {
  return plan.traffic.reduce((sum, { arrivals, handling, queue }) => {
    const wrapUpMs = plan.queues.find(({ rules }) => rules.name === queue)?.wrapUpMs ?? 0;
    const calls =
      arrivals.kind === 'recorded'
        ? arrivals.atMs.length / plan.lengthMs
        : arrivals.callsPerInterval.reduce((a, b) => a + b, 0) /
          (arrivals.callsPerInterval.length * arrivals.intervalMs);
    return sum + calls * (meanOf(handling) + wrapUpMs);
  }, 0);
}
