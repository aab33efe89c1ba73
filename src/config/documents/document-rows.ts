import { allSkills } from './canonical';
import { tenantOf } from './tenant-of';
import type { Document } from './schema';

/** A document as rows, each list in the shape that one statement of the apply takes as JSON. */
export interface DocumentRows {
  readonly tenants: readonly object[];
  readonly trunks: readonly object[];
  readonly prompts: readonly object[];
  readonly hours: readonly object[];
  readonly skills: readonly object[];
  readonly flows: readonly object[];
  readonly queues: readonly object[];
  readonly agents: readonly object[];
  readonly endpoints: readonly object[];
  readonly agentSkills: readonly object[];
  readonly members: readonly object[];
  readonly numbers: readonly object[];
}

export function documentRows(document: Document): DocumentRows {
  const tenant = (item: { readonly tenant?: string | undefined }): string => tenantOf(document, item) ?? '';
  return {
    tenants: document.tenants.map(({ name, country, timeZone, allowNumbers }) => ({
      name,
      country,
      time_zone: timeZone,
      allow_numbers: allowNumbers,
    })),
    trunks: document.trunks.map(({ name, tenant: owner, enabled, kind, ...settings }) => ({
      name,
      tenant: owner ?? null,
      enabled,
      kind,
      settings,
    })),
    prompts: document.prompts.map((prompt) => ({ tenant: tenant(prompt), name: prompt.name, ...promptSource(prompt) })),
    hours: document.hours.map((hours) => ({
      tenant: tenant(hours),
      name: hours.name,
      time_zone: hours.timeZone ?? null,
      weekly: hours.weekly,
      holidays: hours.holidays,
    })),
    skills: allSkills(document).map((skill) => ({
      tenant: tenant(skill),
      name: skill.name,
      description: skill.description,
    })),
    flows: document.flows.map((flow) => ({ tenant: tenant(flow), name: flow.name, steps: flow.steps })),
    queues: document.queues.map((queue) => ({ tenant: tenant(queue), ...queueColumns(queue) })),
    agents: document.agents.map((agent) => ({
      tenant: tenant(agent),
      name: agent.name,
      display_name: agent.displayName ?? agent.name,
      signed_in_by_default: agent.signedIn,
    })),
    endpoints: document.agents.flatMap((agent) =>
      agent.endpoints.map((endpoint, i) => ({
        tenant: tenant(agent),
        agent: agent.name,
        position: i + 1,
        kind: endpoint.kind,
        trunk: 'trunk' in endpoint ? endpoint.trunk : null,
        number: endpoint.kind === 'teams' ? endpoint.number : null,
        entra_user_id: endpoint.entraUserId ?? null,
        sip_user: endpoint.kind === 'pbx' ? endpoint.user : null,
        max_ring_seconds: endpoint.maxRingSeconds ?? null,
      })),
    ),
    agentSkills: document.agents.flatMap((agent) =>
      Object.entries(agent.skills).map(([skill, level]) => ({
        tenant: tenant(agent),
        agent: agent.name,
        skill,
        level,
      })),
    ),
    members: document.queues.flatMap((queue) =>
      queue.members.map((member, i) => ({
        tenant: tenant(queue),
        queue: queue.name,
        agent: member.agent,
        level: member.level,
        position: member.position ?? i + 1,
        priority: member.priority,
        weight: member.weight,
      })),
    ),
    numbers: document.numbers.map((number) => ({
      tenant: tenant(number),
      e164: number.number,
      queue: number.queue ?? null,
      flow: number.flow ?? null,
      greeting: number.greeting ?? null,
    })),
  };
}

function promptSource(prompt: Document['prompts'][number]): { readonly kind: string; readonly source: string } {
  if (prompt.file !== undefined) {
    return { kind: 'file', source: prompt.file };
  }
  return prompt.tone !== undefined
    ? { kind: 'tone', source: prompt.tone }
    : { kind: 'stream', source: prompt.stream ?? '' };
}

function queueColumns(queue: Document['queues'][number]): object {
  return {
    name: queue.name,
    strategy: queue.strategy,
    ring_timeout_seconds: queue.ringTimeoutSeconds,
    wrap_up_seconds: queue.wrapUpSeconds,
    presence_accept: queue.presence.accept,
    stale_after_seconds: queue.presence.staleAfterSeconds,
    presence_unknown: queue.presence.unknown,
    presence_grace_seconds: queue.presence.graceSeconds,
    misses_before_not_ready: queue.missesBeforeNotReady,
    no_answer_retry_seconds: queue.retryAfterSeconds.noAnswer,
    declined_retry_seconds: queue.retryAfterSeconds.declined,
    busy_retry_seconds: queue.retryAfterSeconds.busy,
    unreachable_retry_seconds: queue.retryAfterSeconds.unreachable,
    failed_retry_seconds: queue.retryAfterSeconds.failed,
    max_wait_seconds: queue.maxWaitSeconds ?? null,
    levels: queue.levels,
    level_after_seconds: queue.levelAfterSeconds,
    skip_empty_levels: queue.skipEmptyLevels,
    max_parallel: queue.maxParallel,
    step_agents: queue.stepAgents,
    step_seconds: queue.stepSeconds,
    priority_class: queue.priorityClass,
    weight: queue.weight,
    age_cap_seconds: queue.ageCapSeconds ?? null,
    needs: queue.needs,
    relaxations: queue.relaxations,
    prefer_last_agent: queue.preferLastAgent ?? null,
    spare_scarce_agents: queue.spareScarceAgents,
    resume_within_seconds: queue.resumeWithinSeconds,
    after_call: queue.afterCall,
    confirm: queue.confirm,
    suspicious_answer: queue.suspiciousAnswer,
    suspicious_answer_ms: queue.suspiciousAnswerMs,
    max_waiting: queue.maxWaiting ?? null,
    let_ring_finish: queue.letRingFinish,
    no_agents_after_seconds: queue.noAgentsAfterSeconds ?? null,
    estimated_wait_over_seconds: queue.estimatedWaitOverSeconds ?? null,
    service_level_seconds: queue.serviceLevelSeconds,
    exits: queue.exits,
    voicemail: queue.voicemail ?? null,
    callback: queue.callback ?? null,
    announcements: queue.announcements ?? null,
    hours: queue.hours ?? null,
    music: queue.music ?? null,
    priority_seconds: queue.prioritySeconds,
  };
}
