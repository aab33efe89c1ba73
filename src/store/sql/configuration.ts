import { z } from 'zod';
import { carrierSettings, pbxSettings, teamsSettings, webSettings } from '../../config/documents/trunk-settings';
import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { AgentConfig, NumberConfig, PromptConfig, QueueConfig, TenantConfig, TrunkConfig } from '../config-types';
import type { Queryable } from '../types';
import { ENDPOINT_JSON, orUndefined } from './fragments';

export const loadTenants: Store['loadTenants'] = async (q) => {
  const { rows } = await q.query<TenantConfig>(
    'select id, name, country, time_zone as "timeZone" from tenants order by name',
    [],
    {
      idempotent: true,
    },
  );
  return rows;
};

interface TrunkRecord {
  readonly id: string;
  readonly name: string;
  readonly tenantId: string | null;
  readonly enabled: boolean;
  readonly kind: TrunkConfig['kind'];
  readonly settings: unknown;
}

export const loadTrunks: Store['loadTrunks'] = async (q) => {
  const { rows } = await q.query<TrunkRecord>(
    'select id, name, tenant_id as "tenantId", enabled, kind, settings from trunks where removed_at is null order by name',
    [],
    { idempotent: true },
  );
  return rows.map(toTrunk);
};

const SCHEMAS = { carrier: carrierSettings, teams: teamsSettings, pbx: pbxSettings, web: webSettings };

/** Settings may have been edited by hand in SQL, so they are checked again. */
function toTrunk(row: TrunkRecord): TrunkConfig {
  const parsed = SCHEMAS[row.kind].safeParse(row.settings);
  if (!parsed.success) {
    throw new SidekickError('SK_CONFIG_INVALID', `The settings of trunk ${row.name} are not valid`, {
      why: z.prettifyError(parsed.error).replaceAll('\n', ' '),
      next: 'apply a corrected document, or correct trunks.settings in the database',
      context: { trunk: row.name },
    });
  }
  return { ...row, tenantId: orUndefined(row.tenantId), settings: parsed.data } as TrunkConfig;
}

type QueueRecord = Omit<QueueConfig, 'maxWaitMs' | 'music'> & {
  readonly maxWaitMs: number | null;
  readonly music: PromptConfig | null;
};

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
    qu.max_wait_seconds * 1000 as "maxWaitMs", ${PROMPT_JSON} as music, qu.priority_seconds * 1000 as "priorityMs"
  from queues qu left join prompts p on p.id = qu.music_prompt_id
  where qu.removed_at is null`;

const toQueue = (row: QueueRecord): QueueConfig => ({
  ...row,
  maxWaitMs: orUndefined(row.maxWaitMs),
  music: orUndefined(row.music),
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

export const findNumber: Store['findNumber'] = async (q, e164) => {
  const { rows } = await q.query<Omit<NumberConfig, 'greeting'> & { readonly greeting: PromptConfig | null }>(
    `select n.e164, n.tenant_id as "tenantId", tn.name as tenant, n.queue_id as "queueId", qu.name as queue, ${PROMPT_JSON} as greeting
     from numbers n
     join tenants tn on tn.id = n.tenant_id
     join queues qu on qu.id = n.queue_id and qu.removed_at is null
     left join prompts p on p.id = n.greeting_prompt_id
     where n.e164 = $1`,
    [e164],
    { name: 'find-number', idempotent: true },
  );
  const row = rows[0];
  return row && { ...row, greeting: row.greeting ?? undefined };
};
