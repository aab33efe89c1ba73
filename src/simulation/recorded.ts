/** A plan of what was recorded: the callers came when they came, and behave as those did. */
import type { Document } from '../config/documents/schema';
import { SidekickError } from '../lib/errors';
import type { RecordedTraffic } from '../store/types';
import type { Distribution } from './distributions';
import type { Plan, PlannedAgent } from './plan';
import { parseScenarioValue } from './scenario/parse';
import { plansOf } from './scenario/to-plan';

type RecordedQueue = RecordedTraffic['queues'][number];

/** With fewer conversations than this, nothing can be said of how long people talk. */
const LEAST_TALKS = 5;

/**
 * @throws SK_CONFLICT when too little was recorded
 */
export function planOfTraffic(name: string, traffic: RecordedTraffic, configuration: Document): Plan {
  const queues = traffic.queues.filter((queue) => queue.arrivedAtMs.length > 0);
  const talks = queues.reduce((sum, queue) => sum + queue.talkedMs.length, 0);
  if (talks < LEAST_TALKS) {
    throw new SidekickError('SK_CONFLICT', 'too little was recorded to be simulated', {
      why: `${talks} conversations; ${LEAST_TALKS} are needed at least`,
      next: 'write a simulation file with rates instead (docs/simulation.md)',
    });
  }
  const { base } = plansOf(
    parseScenarioValue({
      apiVersion: 'sidekick/v1',
      kind: 'simulation',
      name,
      hours: traffic.lengthMs / 3_600_000,
      configuration: 'in force',
      traffic: queues.map((queue) => ({ queue: queue.queue, atSeconds: [0], handling: { meanSeconds: 1 } })),
    }),
    configuration,
  );
  const all = mergedTalks(queues);
  return {
    ...base,
    traffic: queues.map((queue, i) => ({
      ...(base.traffic[i] as Plan['traffic'][number]),
      arrivals: { kind: 'recorded', atMs: queue.arrivedAtMs },
      patience: patienceOf(queue),
      handling: { kind: 'recorded', valuesMs: queue.talkedMs.length >= LEAST_TALKS ? queue.talkedMs : all },
    })),
    staff: staffOf(base.staff, traffic),
  };
}

/**
 * Exponential patience, estimated from callers of whom most did not give up: all time waited divided by how many gave up (the
 * maximum likelihood of a censored sample).
 */
function patienceOf({ waitedMs, abandoned }: RecordedQueue): Distribution {
  return abandoned === 0 ? { kind: 'never' } : { kind: 'exponential', meanMs: Math.max(1, waitedMs / abandoned) };
}

function staffOf(planned: readonly PlannedAgent[], traffic: RecordedTraffic): PlannedAgent[] {
  const shifts = new Map(traffic.agents.map((agent) => [agent.name, agent.shifts]));
  const offers = traffic.queues.reduce((sum, queue) => sum + queue.offers, 0);
  const refused = traffic.queues.reduce((sum, queue) => sum + queue.refusedOffers, 0);
  const answers = traffic.queues.flatMap((queue) => (queue.meanAnswerMs === undefined ? [] : [queue.meanAnswerMs]));
  const answerMs = answers.length === 0 ? 4000 : answers.reduce((sum, value) => sum + value, 0) / answers.length;
  return planned.map((agent) => ({
    ...agent,
    // Whoever is not in the log was not changed in this time: signed out, or new in the configuration and there all the time.
    ...(shifts.has(agent.name) ? { shifts: shifts.get(agent.name) ?? [] } : {}),
    answer: { kind: 'constant', meanMs: answerMs },
    refuse: offers === 0 ? 0 : refused / offers,
  }));
}

function mergedTalks(queues: readonly RecordedQueue[]): number[] {
  return queues.flatMap((queue) => queue.talkedMs);
}
