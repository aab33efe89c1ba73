import type { QueueRules } from '../../src/routing/types';
import type { Distribution } from '../../src/simulation/distributions';
import type { Plan, PlannedAgent, PlannedQueue } from '../../src/simulation/plan';

export function rules(name: string, over: Partial<QueueRules> = {}): QueueRules {
  return {
    queueId: name,
    name,
    strategy: 'longest-idle',
    weight: 0,
    levels: 'strict',
    skipEmptyLevels: true,
    presence: { accept: ['Available'], staleAfterMs: 1e12, unknown: 'accept', graceMs: 0 },
    maxParallel: 5,
    stepAgents: 1,
    stepMs: 5000,
    spareScarceAgents: false,
    ...over,
  };
}

export function plannedQueue(name: string, over: Partial<QueueRules> = {}): PlannedQueue {
  return { rules: rules(name, over), wrapUpMs: 0, ringTimeoutMs: 20_000, serviceLevelMs: 20_000, retryMs: 60_000 };
}

export function agents(count: number, queues: readonly string[], over: Partial<PlannedAgent> = {}): PlannedAgent[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${queues.join('+')} ${i + 1}`,
    memberships: queues.map((queue) => ({ queue, level: 1, position: i + 1, priority: 1 })),
    answer: { kind: 'constant', meanMs: 0 },
    refuse: 0,
    presenceLagMs: 0,
    ...over,
  }));
}

export function poisson(perSecond: number): { kind: 'rates'; intervalMs: number; callsPerInterval: number[] } {
  return { kind: 'rates', intervalMs: 3_600_000, callsPerInterval: [perSecond * 3600] };
}

export const exponential = (seconds: number): Distribution => ({ kind: 'exponential', meanMs: seconds * 1000 });

/** One queue, agents who answer at once, exponential handling. */
export function singleQueue(options: {
  readonly servers: number;
  readonly perSecond: number;
  readonly handlingSeconds: number;
  readonly patienceSeconds?: number;
  readonly hours: number;
}): Plan {
  return {
    name: 'one queue',
    queues: [plannedQueue('q')],
    staff: agents(options.servers, ['q']),
    traffic: [
      {
        queue: 'q',
        arrivals: poisson(options.perSecond),
        patience: options.patienceSeconds === undefined ? { kind: 'never' } : exponential(options.patienceSeconds),
        handling: exponential(options.handlingSeconds),
        class: 0,
        headStartMs: 0,
      },
    ],
    lengthMs: options.hours * 3_600_000,
    warmUpMs: 3_600_000,
  };
}
