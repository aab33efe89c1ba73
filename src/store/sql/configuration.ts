import type { Store } from '../api';
import type {
  AgentConfig,
  FlowConfig,
  HoursConfig,
  NumberConfig,
  PromptConfig,
  QueueConfig,
  TenantConfig,
} from '../config-types';
import type * as TrunkCheck from '../trunk-check';
import type { TrunkRecord } from '../trunk-check';
import type { Queryable } from '../types';
import { ENDPOINT_JSON, ms, orUndefined } from './fragments';

export const loadTenants: Store['loadTenants'] = async (q) => {
  const { rows } = await q.query<TenantConfig>(
    `select id, name, country, time_zone as "timeZone", allow_numbers as "allowNumbers"
     from tenants where removed_at is null order by name`,
    [],
    {
      idempotent: true,
    },
  );
  return rows;
};

export const loadTrunks: Store['loadTrunks'] = async (q) => {
  const { rows } = await q.query<TrunkRecord>(
    'select id, name, tenant_id as "tenantId", enabled, kind, settings from trunks where removed_at is null order by name',
    [],
    { idempotent: true },
  );
  // The check takes its time to load: those who ask for trunks pay for it, not every command.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { checkTrunk } = require('../trunk-check') as typeof TrunkCheck;
  return rows.map(checkTrunk);
};

/** What is null in a row and undefined in our types. */
const OPTIONAL = [
  'maxWaitMs',
  'music',
  'ageCapMs',
  'preferLastAgent',
  'hours',
  'maxWaiting',
  'noAgentsAfterMs',
  'estimatedWaitOverMs',
  'announcements',
  'paused',
  'voicemail',
  'callback',
] as const;

type QueueRecord = QueueConfig & { readonly [Key in (typeof OPTIONAL)[number]]: QueueConfig[Key] | null };

const PROMPT_JSON = `case when p.id is not null then json_build_object('name', p.name, 'kind', p.kind, 'source', p.source) end`;

const QUEUE_ROW = `
  select qu.id, qu.tenant_id as "tenantId", qu.name, qu.strategy, qu.ring_timeout_seconds * 1000 as "ringTimeoutMs",
    qu.wrap_up_seconds * 1000 as "wrapUpMs",
    json_build_object('accept', qu.presence_accept, 'staleAfterMs', qu.stale_after_seconds * 1000, 'unknown', qu.presence_unknown,
      'graceMs', qu.presence_grace_seconds * 1000) as presence,
    qu.misses_before_not_ready as "missesBeforeNotReady",
    json_build_object('noAnswer', qu.no_answer_retry_seconds * 1000, 'declined', qu.declined_retry_seconds * 1000,
      'busy', qu.busy_retry_seconds * 1000, 'unreachable', qu.unreachable_retry_seconds * 1000,
      'failed', qu.failed_retry_seconds * 1000) as "retryMs",
    qu.max_wait_seconds * 1000 as "maxWaitMs", ${PROMPT_JSON} as music, qu.priority_seconds * 1000 as "priorityMs",
    qu.levels, (select coalesce(json_object_agg(l.key, l.value::integer * 1000), '{}') from jsonb_each_text(qu.level_after_seconds) l)
      as "levelAfterMs",
    qu.skip_empty_levels as "skipEmptyLevels", qu.max_parallel as "maxParallel", qu.step_agents as "stepAgents",
    qu.step_seconds * 1000 as "stepMs", qu.priority_class as "priorityClass", qu.weight, qu.age_cap_seconds * 1000 as "ageCapMs",
    qu.needs, (select coalesce(json_agg(json_strip_nulls(json_build_object('afterMs', (r ->> 'afterSeconds')::integer * 1000,
      'skill', r ->> 'skill', 'atLeast', (r ->> 'atLeast')::integer))), '[]') from jsonb_array_elements(qu.relaxations) r) as relaxations,
    case when qu.prefer_last_agent is not null then json_build_object('withinDays', (qu.prefer_last_agent ->> 'withinDays')::integer,
      'waitMs', (qu.prefer_last_agent ->> 'waitSeconds')::integer * 1000) end as "preferLastAgent",
    qu.spare_scarce_agents as "spareScarceAgents", qu.resume_within_seconds * 1000 as "resumeWithinMs",
    qu.after_call as "afterCall", qu.confirm, qu.suspicious_answer as "suspiciousAnswer", qu.suspicious_answer_ms as "suspiciousAnswerMs",
    h.name as hours, qu.max_waiting as "maxWaiting", qu.let_ring_finish as "letRingFinish",
    qu.no_agents_after_seconds * 1000 as "noAgentsAfterMs", qu.estimated_wait_over_seconds * 1000 as "estimatedWaitOverMs",
    qu.service_level_seconds * 1000 as "serviceLevelMs", '{"keys": {}}'::jsonb || qu.exits as exits, qu.voicemail, qu.callback,
    qu.announcements,
    case when qu.paused_at is not null then
      json_strip_nulls(json_build_object('at', ${ms('qu.paused_at')}, 'by', qu.paused_by, 'reason', qu.pause_reason)) end as paused
  from queues qu left join prompts p on p.id = qu.music_prompt_id left join hours h on h.id = qu.hours_id
  where qu.removed_at is null`;

const toQueue = (row: QueueRecord): QueueConfig => ({
  ...row,
  ...(Object.fromEntries(OPTIONAL.map((key) => [key, orUndefined(row[key])])) as Pick<
    QueueConfig,
    (typeof OPTIONAL)[number]
  >),
});

async function readQueues(q: Queryable, queueId: string | null): Promise<readonly QueueConfig[]> {
  const { rows } = await q.query<QueueRecord>(
    `${QUEUE_ROW} and ($1::uuid is null or qu.id = $1) order by qu.name, qu.id`,
    [queueId],
    {
      idempotent: true,
    },
  );
  return rows.map(toQueue);
}

export const loadQueue: Store['loadQueue'] = async (q, queueId) => (await readQueues(q, queueId))[0];

export const loadQueues: Store['loadQueues'] = (q) => readQueues(q, null);

export const loadFlows: Store['loadFlows'] = async (q) => {
  const { rows } = await q.query<FlowConfig>(
    'select id, tenant_id as "tenantId", name, steps from flows order by name, id',
    [],
    { idempotent: true },
  );
  return rows;
};

export const loadHours: Store['loadHours'] = async (q) => {
  const { rows } = await q.query<HoursConfig>(
    `select h.id, h.tenant_id as "tenantId", h.name, coalesce(h.time_zone, tn.time_zone) as "timeZone", h.weekly, h.holidays
     from hours h join tenants tn on tn.id = h.tenant_id order by h.name, h.id`,
    [],
    { idempotent: true },
  );
  return rows;
};

export const loadPrompts: Store['loadPrompts'] = async (q) => {
  const { rows } = await q.query<PromptConfig & { readonly tenantId: string }>(
    'select tenant_id as "tenantId", name, kind, source from prompts order by name, id',
    [],
    { idempotent: true },
  );
  return rows;
};

export const loadAgent: Store['loadAgent'] = async (q, agentId) => {
  const { rows } = await q.query<Omit<AgentConfig, 'endpoint'> & { readonly endpoint: AgentConfig['endpoint'] | null }>(
    `select a.id, a.tenant_id as "tenantId", a.name, a.display_name as "displayName", ${ENDPOINT_JSON} as endpoint
     from agents a left join agent_endpoints e on e.agent_id = a.id and e.position = 1 left join trunks t on t.id = e.trunk_id
     where a.id = $1 and a.removed_at is null`,
    [agentId],
    { idempotent: true },
  );
  const row = rows[0];
  return row && { ...row, endpoint: row.endpoint ?? undefined };
};

const NUMBER_OPTIONAL = ['queueId', 'queue', 'flowId', 'flow', 'greeting'] as const;

type NumberRecord = NumberConfig & { readonly [Key in (typeof NUMBER_OPTIONAL)[number]]: NumberConfig[Key] | null };

export const findNumber: Store['findNumber'] = async (q, e164) => {
  const { rows } = await q.query<NumberRecord>(
    `select n.e164, n.tenant_id as "tenantId", tn.name as tenant, qu.id as "queueId", qu.name as queue, f.id as "flowId", f.name as flow,
       ${PROMPT_JSON} as greeting
     from numbers n
     join tenants tn on tn.id = n.tenant_id
     left join queues qu on qu.id = n.queue_id and qu.removed_at is null
     left join flows f on f.id = n.flow_id
     left join prompts p on p.id = n.greeting_prompt_id
     where n.e164 = $1 and num_nonnulls(qu.id, f.id) = 1`,
    [e164],
    { name: 'find-number', idempotent: true },
  );
  const row = rows[0];
  return row && { ...row, ...Object.fromEntries(NUMBER_OPTIONAL.map((key) => [key, orUndefined(row[key])])) };
};
