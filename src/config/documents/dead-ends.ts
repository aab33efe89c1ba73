import { unreachableRules } from '../../flows/announcements';
import type { FlowStep } from '../../flows/flow';
import type { Item } from './canonical';
import type { Finding } from './findings';
import { actionsOf } from './names';
import type { Document } from './schema';
import { tenantOf } from './tenant-of';
import type { Path } from './yaml-source';

/**
 * What would work but hardly as meant: flows that end without a destination, steps that nobody reaches, agents whom no call
 * can reach, exits that never happen. All of it is a warning.
 */
export function deadEnds(document: Document): readonly Finding[] {
  const skills = skillsByTenant(document);
  return [
    ...document.flows.flatMap((flow, i) => flowEnds(document, flow, ['flows', i, 'steps'])),
    ...document.queues.flatMap((queue, i) => [
      ...unreachableMembers(queue, skills.get(tenantOf(document, queue)) ?? new Map(), ['queues', i]),
      ...emptyQueue(queue, ['queues', i]),
      ...uselessExits(queue, ['queues', i]),
      ...uselessRelaxations(queue, ['queues', i]),
      ...uselessAnnouncements(queue, ['queues', i, 'announcements']),
    ]),
  ];
}

function flowEnds(document: Document, flow: Item<'flows'>, path: Path): readonly Finding[] {
  const findings: Finding[] = [];
  const ends = checkSteps(document, tenantOf(document, flow) ?? '', flow.steps, path, findings);
  if (!ends) {
    findings.push({
      path: [...path, flow.steps.length - 1],
      what: `flow "${flow.name}" may come to its end here, and the call is ended`,
      hint: 'end it with enqueue, flow, number, voicemail, callback or hangUp',
      warning: true,
    });
  }
  return findings;
}

/** Whether every way through the steps ends in a destination. Steps behind such an end are told. */
function checkSteps(
  document: Document,
  tenant: string,
  steps: readonly FlowStep[],
  path: Path,
  findings: Finding[],
): boolean {
  const endAt = steps.findIndex((step, i) => endsHere(document, tenant, step, [...path, i], findings));
  if (endAt >= 0 && endAt < steps.length - 1) {
    findings.push({
      path: [...path, endAt + 1],
      what: 'this step is never reached',
      hint: 'the step before it always ends the flow',
      warning: true,
    });
  }
  return endAt >= 0;
}

function endsHere(document: Document, tenant: string, step: FlowStep, path: Path, findings: Finding[]): boolean {
  if ('closed' in step) {
    checkSteps(document, tenant, step.closed, [...path, 'closed'], findings);
    return false;
  }
  if ('menu' in step) {
    for (const [key, inner] of Object.entries(step.menu.keys)) {
      checkSteps(document, tenant, inner, [...path, 'menu', 'keys', key], findings);
    }
    checkSteps(document, tenant, step.menu.noInput ?? [], [...path, 'menu', 'noInput'], findings);
    return true;
  }
  // A flow within may come back; one that is given the rest is taken to end.
  return ['enqueue', 'number', 'voicemail', 'callback', 'hangUp', 'flow'].some((end) => end in step);
}

function emptyQueue(queue: Item<'queues'>, path: Path): readonly Finding[] {
  return queue.members.length > 0 || queue.exits.noAgents !== undefined
    ? []
    : [
        {
          path,
          what: `queue "${queue.name}" has no members, and its callers would wait for nobody`,
          hint: 'name members, or where calls go then with exits.noAgents',
          warning: true,
        },
      ];
}

/** What agents know, by name. */
type Skills = ReadonlyMap<string, Readonly<Record<string, number>>>;

function skillsByTenant(document: Document): ReadonlyMap<string | undefined, Skills> {
  const tenants = new Map<string | undefined, Map<string, Readonly<Record<string, number>>>>();
  for (const agent of document.agents) {
    const tenant = tenantOf(document, agent);
    const skills = tenants.get(tenant) ?? new Map<string, Readonly<Record<string, number>>>();
    tenants.set(tenant, skills.set(agent.name, agent.skills));
  }
  return tenants;
}

/** Members whose level opens too late, or who lack a skill that is never relaxed in time. */
function unreachableMembers(queue: Item<'queues'>, skills: Skills, path: Path): readonly Finding[] {
  return queue.members.flatMap((member, i) => {
    const reason = tooLate(queue, member.level) ?? lacks(queue, skills.get(member.agent) ?? {});
    return reason === undefined
      ? []
      : [
          {
            path: [...path, 'members', i],
            what: `agent "${member.agent}" gets no call of queue "${queue.name}"`,
            hint: reason,
            warning: true as const,
          },
        ];
  });
}

function tooLate(queue: Item<'queues'>, level: number): string | undefined {
  const opensAt = queue.levelAfterSeconds[String(level)] ?? 0;
  const { maxWaitSeconds } = queue;
  const early = queue.skipEmptyLevels && !queue.members.every((member) => member.level === level);
  return maxWaitSeconds !== undefined && opensAt >= maxWaitSeconds && !(early && level > 1)
    ? `level ${level} opens after ${opensAt} s, when calls have left after maxWaitSeconds of ${maxWaitSeconds}`
    : undefined;
}

function lacks(queue: Item<'queues'>, has: Readonly<Record<string, number>>): string | undefined {
  for (const { skill, atLeast } of queue.needs) {
    const lowest = queue.relaxations
      .filter((step) => step.skill === skill && step.afterSeconds < (queue.maxWaitSeconds ?? Infinity))
      .reduce((low, step) => Math.min(low, step.atLeast ?? 0), atLeast);
    if ((has[skill] ?? 0) < lowest) {
      const have = has[skill] === undefined ? `does not have skill ${skill}` : `has skill ${skill} at ${has[skill]}`;
      return `the agent ${have}; needed are ${lowest} at least`;
    }
  }
  return undefined;
}

/** What must be set so that the exit can happen. */
const HAPPENS = {
  closed: ['hours', 'opening hours with hours'],
  full: ['maxWaiting', 'a limit with maxWaiting'],
  maxWait: ['maxWaitSeconds', 'a limit with maxWaitSeconds'],
  estimatedWait: ['estimatedWaitOverSeconds', 'a limit with estimatedWaitOverSeconds'],
} as const;

function uselessExits(queue: Item<'queues'>, path: Path): readonly Finding[] {
  return actionsOf(queue, path).flatMap(({ reason, path: at }) => {
    const needed = reason in HAPPENS ? HAPPENS[reason as keyof typeof HAPPENS] : undefined;
    return needed === undefined || queue[needed[0]] !== undefined
      ? []
      : [{ path: at, what: 'this exit never happens', hint: `the queue needs ${needed[1]}`, warning: true as const }];
  });
}

function uselessRelaxations(queue: Item<'queues'>, path: Path): readonly Finding[] {
  return queue.relaxations.flatMap(({ skill, atLeast }, i) => {
    const need = queue.needs.find((candidate) => candidate.skill === skill);
    const why =
      need === undefined
        ? `the queue does not need skill ${skill}`
        : (atLeast ?? 0) >= need.atLeast
          ? `the queue needs no more than ${need.atLeast} anyway`
          : undefined;
    return why === undefined
      ? []
      : [{ path: [...path, 'relaxations', i], what: 'this step relaxes nothing', hint: why, warning: true as const }];
  });
}

/** Rules behind others that always hold, and announcements for which nobody waits long enough. */
function uselessAnnouncements({ announcements, maxWaitSeconds }: Item<'queues'>, path: Path): readonly Finding[] {
  if (!announcements) {
    return [];
  }
  const { firstAfterSeconds, rules } = announcements;
  const late =
    maxWaitSeconds !== undefined && firstAfterSeconds >= maxWaitSeconds
      ? [
          {
            path: [...path, 'firstAfterSeconds'],
            what: 'nothing is ever announced',
            hint: `calls have left after maxWaitSeconds of ${maxWaitSeconds}`,
            warning: true as const,
          },
        ]
      : [];
  const hidden = unreachableRules(rules).map((i) => ({
    path: [...path, 'rules', i],
    what: 'this announcement is never made',
    hint: 'wherever it would be, a rule before it holds',
    warning: true as const,
  }));
  return [...late, ...hidden];
}
