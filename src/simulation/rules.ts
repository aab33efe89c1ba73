import type { Document } from '../config/documents/schema';
import type { QueueRules } from '../routing/types';

/**
 * The rules of a queue of a document as routing takes them. Opening hours and pauses are not in it: they are of a moment, and the
 * database says what they are.
 */
export function queueRulesOf(queue: Document['queues'][number]): QueueRules {
  const seconds = (value: number | undefined, key: string): Record<string, number> =>
    value === undefined ? {} : { [key]: value * 1000 };
  return {
    queueId: queue.name,
    name: queue.name,
    strategy: queue.strategy,
    weight: queue.weight,
    levels: queue.levels,
    levelAfterMs: Object.fromEntries(
      Object.entries(queue.levelAfterSeconds).map(([level, after]) => [level, after * 1000]),
    ),
    skipEmptyLevels: queue.skipEmptyLevels,
    needs: queue.needs,
    relaxations: queue.relaxations.map(({ afterSeconds, skill, atLeast }) => ({
      afterMs: afterSeconds * 1000,
      skill,
      ...(atLeast === undefined ? {} : { atLeast }),
    })),
    presence: {
      accept: queue.presence.accept,
      staleAfterMs: queue.presence.staleAfterSeconds * 1000,
      unknown: queue.presence.unknown,
      graceMs: queue.presence.graceSeconds * 1000,
    },
    maxParallel: queue.maxParallel,
    stepAgents: queue.stepAgents,
    stepMs: queue.stepSeconds * 1000,
    spareScarceAgents: queue.spareScarceAgents,
    ...seconds(queue.ageCapSeconds, 'ageCapMs'),
    ...(queue.preferLastAgent === undefined
      ? {}
      : {
          preferLastAgent: {
            withinMs: queue.preferLastAgent.withinDays * 86_400_000,
            waitMs: queue.preferLastAgent.waitSeconds * 1000,
          },
        }),
    exits: queue.exits,
    ...(queue.maxWaiting === undefined ? {} : { maxWaiting: queue.maxWaiting }),
    ...seconds(queue.maxWaitSeconds, 'maxWaitMs'),
    ...(queue.letRingFinish ? { letRingFinish: true } : {}),
    ...seconds(queue.noAgentsAfterSeconds, 'noAgentsAfterMs'),
    ...seconds(queue.estimatedWaitOverSeconds, 'estimatedWaitOverMs'),
  };
}
