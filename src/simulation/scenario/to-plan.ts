/** From a scenario file, and the configuration that it may name, to plans that can be run. */
import type { Document } from '../../config/documents/schema';
import { SidekickError } from '../../lib/errors';
import type { QueueRules } from '../../routing/types';
import type { Distribution } from '../distributions';
import { queueRulesOf } from '../rules';
import type { Arrivals, Plan, PlannedAgent, PlannedQueue, Traffic } from '../plan';
import type { Scenario, ScenarioDistribution, ScenarioQueue, ScenarioStaff } from './schema';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * The plan of a scenario, and one for each of its variants.
 * @throws SK_CONFIG_INVALID when traffic or staff name a queue that is nowhere
 */
export function plansOf(
  scenario: Scenario,
  configuration?: Document,
): { readonly base: Plan; readonly variants: readonly Plan[] } {
  const queues = merged(configuration?.queues ?? [], scenario.queues);
  const staff = [...membersAsStaff(configuration, queues), ...scenario.staff];
  return {
    base: toPlan(scenario, scenario.name, queues, staff),
    variants: scenario.variants.map((variant) =>
      toPlan(scenario, variant.name, merged(queues, variant.queues), merged(staff, variant.staff)),
    ),
  };
}

/** The plan of the same traffic on another configuration. */
export function planOn(scenario: Scenario, name: string, configuration: Document): Plan {
  const queues = merged(configuration.queues, []);
  return toPlan(scenario, name, queues, [...membersAsStaff(configuration, queues), ...scenario.staff]);
}

/** Entries of the second list replace those of the first of the same name, and are added where there is none. */
function merged<T extends { readonly name: string }>(first: readonly T[], second: readonly T[]): T[] {
  const byName = new Map(first.map((entry) => [entry.name, entry]));
  for (const entry of second) {
    byName.set(entry.name, entry);
  }
  return [...byName.values()];
}

function membersAsStaff(configuration: Document | undefined, queues: readonly ScenarioQueue[]): ScenarioStaff[] {
  return (configuration?.agents ?? []).flatMap((agent) => {
    const serves = queues.flatMap((queue) =>
      queue.members
        .filter((member) => member.agent === agent.name)
        .map(({ level, priority, weight }) => ({ queue: queue.name, level, priority, weight })),
    );
    return serves.length === 0
      ? []
      : [{ name: agent.name, count: 1, queues: serves, skills: agent.skills, shifts: [] }];
  });
}

function toPlan(
  scenario: Scenario,
  name: string,
  queues: readonly ScenarioQueue[],
  staff: readonly ScenarioStaff[],
): Plan {
  const known = new Set(queues.map((queue) => queue.name));
  for (const used of [...scenario.traffic, ...staff.flatMap((group) => group.queues)]) {
    if (!known.has(used.queue)) {
      throw new SidekickError('SK_CONFIG_INVALID', `there is no queue "${used.queue}" to simulate`, {
        why: `"${name}" has ${known.size === 0 ? 'no queues' : [...known].join(', ')}`,
        next: 'name the queue under queues of the simulation, or in the configuration',
      });
    }
  }
  const lengthMs = scenario.hours * HOUR_MS;
  return {
    name,
    queues: queues.map(plannedQueue),
    staff: staff.flatMap((group) => plannedAgents(group, scenario, lengthMs)),
    traffic: scenario.traffic.map((traffic) => plannedTraffic(traffic, queues)),
    lengthMs,
    warmUpMs: scenario.warmUpMinutes * 60_000,
  };
}

function plannedQueue(queue: ScenarioQueue): PlannedQueue {
  return {
    rules: simulatedRules(queue),
    wrapUpMs: queue.wrapUpSeconds * 1000,
    ringTimeoutMs: queue.ringTimeoutSeconds * 1000,
    serviceLevelMs: queue.serviceLevelSeconds * 1000,
    retryMs: queue.retryAfterSeconds.noAnswer * 1000,
  };
}

/** Presence is part of how agents behave here, and a queue without exits asks for fewer decisions. */
function simulatedRules(queue: ScenarioQueue): QueueRules {
  const { exits, ...rules } = queueRulesOf({
    ...queue,
    preferLastAgent: undefined,
    noAgentsAfterSeconds: undefined,
    estimatedWaitOverSeconds: undefined,
  });
  const hasExits =
    queue.maxWaitSeconds !== undefined ||
    Object.entries(queue.exits).some(([reason, action]) => reason !== 'keys' && action !== undefined);
  return {
    ...rules,
    presence: { accept: ['Available'], staleAfterMs: Infinity, unknown: 'accept', graceMs: 0 },
    ...(hasExits && exits ? { exits } : {}),
  };
}

function plannedAgents(group: ScenarioStaff, scenario: Scenario, lengthMs: number): PlannedAgent[] {
  const { agents } = scenario;
  const shifts = group.shifts.length === 0 ? undefined : everyDay(group.shifts, lengthMs);
  return Array.from({ length: group.count }, (_, i) => ({
    name: group.count === 1 ? group.name : `${group.name} ${i + 1}`,
    memberships: group.queues.map((serves) => ({ ...serves, position: i + 1 })),
    skills: group.skills,
    ...(shifts ? { shifts } : {}),
    answer: durations(agents.answer),
    refuse: agents.refuse,
    ...(agents.otherWork
      ? {
          otherWork: {
            everyMs: { kind: 'exponential', meanMs: HOUR_MS / agents.otherWork.perHour } as const,
            lastsMs: durations(agents.otherWork.lasts),
          },
        }
      : {}),
    presenceLagMs: agents.presenceLagSeconds * 1000,
  }));
}

function everyDay(shifts: readonly string[], lengthMs: number): { fromMs: number; toMs: number }[] {
  const spans = shifts.map((shift) => {
    const [from, to] = shift.split('-').map(timeOfDay) as [number, number];
    return { from, to: to > from ? to : to + DAY_MS };
  });
  const days = Array.from({ length: Math.ceil(lengthMs / DAY_MS) }, (_, day) => day * DAY_MS);
  return days
    .flatMap((day) => spans.map(({ from, to }) => ({ fromMs: day + from, toMs: day + to })))
    .sort((a, b) => a.fromMs - b.fromMs);
}

function timeOfDay(text: string): number {
  const [hours, minutes] = text.split(':').map(Number) as [number, number];
  return (hours * 60 + minutes) * 60_000;
}

function plannedTraffic(traffic: Scenario['traffic'][number], queues: readonly ScenarioQueue[]): Traffic {
  const queue = queues.find((q) => q.name === traffic.queue);
  return {
    queue: traffic.queue,
    arrivals: arrivalsOf(traffic),
    patience: durations(traffic.patience),
    handling: durations(traffic.handling),
    class: traffic.class ?? queue?.priorityClass ?? 0,
    headStartMs: (queue?.prioritySeconds ?? 0) * 1000,
    ...(traffic.needs.length > 0 ? { needs: traffic.needs } : {}),
  };
}

function arrivalsOf({ perHour, byInterval, atSeconds }: Scenario['traffic'][number]): Arrivals {
  if (atSeconds) {
    return { kind: 'recorded', atMs: atSeconds.map((at) => at * 1000).sort((a, b) => a - b) };
  }
  return byInterval
    ? { kind: 'rates', intervalMs: byInterval.minutes * 60_000, callsPerInterval: byInterval.calls }
    : { kind: 'rates', intervalMs: HOUR_MS, callsPerInterval: [perHour ?? 0] };
}

function durations(given: ScenarioDistribution): Distribution {
  const meanMs = (given.meanSeconds ?? 0) * 1000;
  if (given.recordedSeconds) {
    return { kind: 'recorded', valuesMs: given.recordedSeconds.map((value) => value * 1000) };
  }
  switch (given.distribution) {
    case 'constant':
    case 'exponential': {
      return { kind: given.distribution, meanMs };
    }
    case 'lognormal': {
      return { kind: 'lognormal', meanMs, cv: given.cv };
    }
    case 'erlang': {
      return { kind: 'erlang', meanMs, phases: given.phases };
    }
    case 'uniform': {
      return { kind: 'uniform', fromMs: (given.fromSeconds ?? 0) * 1000, toMs: (given.toSeconds ?? 0) * 1000 };
    }
    case 'never': {
      return { kind: 'never' };
    }
  }
}
