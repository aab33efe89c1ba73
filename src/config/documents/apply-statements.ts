/**
 * The statements by which a document becomes rows: one for each table, over all its rows at once. Rows that are as they
 * should be are not touched, so that the number of changed rows is the size of the change. $1 is the list as JSON.
 */

const QUEUE_COLUMNS = [
  'strategy',
  'ring_timeout_seconds',
  'wrap_up_seconds',
  'presence_accept',
  'stale_after_seconds',
  'presence_unknown',
  'presence_grace_seconds',
  'misses_before_not_ready',
  'no_answer_retry_seconds',
  'declined_retry_seconds',
  'busy_retry_seconds',
  'unreachable_retry_seconds',
  'failed_retry_seconds',
  'max_wait_seconds',
  'priority_seconds',
  'levels',
  'level_after_seconds',
  'skip_empty_levels',
  'max_parallel',
  'step_agents',
  'step_seconds',
  'priority_class',
  'weight',
  'age_cap_seconds',
  'needs',
  'relaxations',
  'prefer_last_agent',
  'spare_scarce_agents',
  'resume_within_seconds',
  'after_call',
  'confirm',
  'suspicious_answer',
  'suspicious_answer_ms',
  'max_waiting',
  'let_ring_finish',
  'no_agents_after_seconds',
  'estimated_wait_over_seconds',
  'service_level_seconds',
  'exits',
  'voicemail',
  'callback',
  'announcements',
] as const;

const QUEUE_TYPES: Readonly<Record<string, string>> = {
  strategy: 'text',
  presence_accept: 'text[]',
  presence_unknown: 'text',
  levels: 'text',
  level_after_seconds: 'jsonb',
  skip_empty_levels: 'boolean',
  needs: 'jsonb',
  relaxations: 'jsonb',
  prefer_last_agent: 'jsonb',
  spare_scarce_agents: 'boolean',
  after_call: 'text',
  confirm: 'text',
  suspicious_answer: 'text',
  let_ring_finish: 'boolean',
  exits: 'jsonb',
  voicemail: 'jsonb',
  callback: 'jsonb',
  announcements: 'jsonb',
};

/** `do update set …` for those columns, only where one of them differs. */
function unlessEqual(table: string, columns: readonly string[]): string {
  const sets = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  const left = columns.map((column) => `${table}.${column}`).join(', ');
  const right = columns.map((column) => `excluded.${column}`).join(', ');
  return `do update set ${sets} where row(${left}) is distinct from row(${right})`;
}

const rows = (columns: string): string => `jsonb_to_recordset($1::jsonb) as d(${columns})`;

export const APPLY_TENANTS = `
insert into tenants (name, country, time_zone, allow_numbers, removed_at) select name, country, time_zone, allow_numbers, null
from ${rows('name text, country text, time_zone text, allow_numbers text[]')}
on conflict (name) ${unlessEqual('tenants', ['country', 'time_zone', 'allow_numbers', 'removed_at'])}`;

export const APPLY_TRUNKS = `
insert into trunks (tenant_id, name, kind, enabled, settings)
select tn.id, d.name, d.kind, d.enabled, d.settings
from ${rows('tenant text, name text, kind text, enabled boolean, settings jsonb')} left join tenants tn on tn.name = d.tenant
on conflict (name) where removed_at is null ${unlessEqual('trunks', ['tenant_id', 'kind', 'enabled', 'settings'])}`;

export const APPLY_PROMPTS = `
insert into prompts (tenant_id, name, kind, source)
select tn.id, d.name, d.kind, d.source from ${rows('tenant text, name text, kind text, source text')} join tenants tn on tn.name = d.tenant
on conflict (tenant_id, name) ${unlessEqual('prompts', ['kind', 'source'])}`;

export const APPLY_HOURS = `
insert into hours (tenant_id, name, time_zone, weekly, holidays)
select tn.id, d.name, d.time_zone, d.weekly, d.holidays
from ${rows('tenant text, name text, time_zone text, weekly jsonb, holidays jsonb')} join tenants tn on tn.name = d.tenant
on conflict (tenant_id, name) ${unlessEqual('hours', ['time_zone', 'weekly', 'holidays'])}`;

export const APPLY_SKILLS = `
insert into skills (tenant_id, name, description)
select tn.id, d.name, d.description from ${rows('tenant text, name text, description text')} join tenants tn on tn.name = d.tenant
on conflict (tenant_id, name) ${unlessEqual('skills', ['description'])}`;

export const APPLY_FLOWS = `
insert into flows (tenant_id, name, steps)
select tn.id, d.name, d.steps from ${rows('tenant text, name text, steps jsonb')} join tenants tn on tn.name = d.tenant
on conflict (tenant_id, name) ${unlessEqual('flows', ['steps'])}`;

export const APPLY_QUEUES = `
insert into queues (tenant_id, name, music_prompt_id, hours_id, ${QUEUE_COLUMNS.join(', ')})
select tn.id, d.name, p.id, h.id, ${QUEUE_COLUMNS.map((column) => `d.${column}`).join(', ')}
from ${rows(`tenant text, name text, music text, hours text, ${QUEUE_COLUMNS.map((column) => `${column} ${QUEUE_TYPES[column] ?? 'integer'}`).join(', ')}`)}
join tenants tn on tn.name = d.tenant left join prompts p on p.tenant_id = tn.id and p.name = d.music
left join hours h on h.tenant_id = tn.id and h.name = d.hours
on conflict (tenant_id, name) where removed_at is null ${unlessEqual('queues', ['music_prompt_id', 'hours_id', ...QUEUE_COLUMNS])}`;

export const APPLY_AGENTS = `
insert into agents (tenant_id, name, display_name, signed_in_by_default)
select tn.id, d.name, d.display_name, d.signed_in_by_default
from ${rows('tenant text, name text, display_name text, signed_in_by_default boolean')} join tenants tn on tn.name = d.tenant
on conflict (tenant_id, name) where removed_at is null ${unlessEqual('agents', ['display_name', 'signed_in_by_default'])}`;

const ENDPOINTS = `
wanted as (
  select a.id as agent_id, a.tenant_id, d.position, d.kind, t.id as trunk_id, d.number, d.entra_user_id, d.sip_user, d.max_ring_seconds
  from ${rows(
    'tenant text, agent text, position integer, kind text, trunk text, number text, entra_user_id uuid, sip_user text, max_ring_seconds integer',
  )}
  join tenants tn on tn.name = d.tenant
  join agents a on a.tenant_id = tn.id and a.name = d.agent and a.removed_at is null
  left join trunks t on t.name = d.trunk and t.removed_at is null
)`;

const ENDPOINT_COLUMNS =
  'agent_id, tenant_id, position, kind, trunk_id, number, entra_user_id, sip_user, max_ring_seconds';

/** First what is no longer wanted goes, so that two agents may exchange their numbers. A presence goes with its user. */
export const CLEAR_ENDPOINTS = `
with ${ENDPOINTS}, gone as (
  delete from agent_endpoints e where e.agent_id in (select agent_id from wanted)
    and row(e.agent_id, e.position, e.kind, e.trunk_id, e.number, e.entra_user_id, e.sip_user, e.max_ring_seconds)::text not in (
      select row(w.agent_id, w.position, w.kind, w.trunk_id, w.number, w.entra_user_id, w.sip_user, w.max_ring_seconds)::text from wanted w)
  returning e.agent_id, e.entra_user_id
), stale as (
  delete from presence p using gone where p.agent_id = gone.agent_id and gone.entra_user_id is not null
    and not exists (select from wanted w where w.agent_id = gone.agent_id and w.entra_user_id = gone.entra_user_id)
)
select from gone`;

export const APPLY_ENDPOINTS = `
with ${ENDPOINTS}
insert into agent_endpoints (${ENDPOINT_COLUMNS}) select ${ENDPOINT_COLUMNS} from wanted on conflict (agent_id, position) do nothing`;

const AGENT_SKILLS = `
wanted as (
  select a.id as agent_id, a.tenant_id, d.skill, d.level
  from ${rows('tenant text, agent text, skill text, level smallint')}
  join tenants tn on tn.name = d.tenant
  join agents a on a.tenant_id = tn.id and a.name = d.agent and a.removed_at is null
)`;

/** $2: the agents of the document, as JSON. What they know is exactly what it says. */
export const CLEAR_AGENT_SKILLS = `
with ${AGENT_SKILLS}
delete from agent_skills k using agents a
join tenants tn on tn.id = a.tenant_id
join jsonb_to_recordset($2::jsonb) as given(tenant text, name text) on given.tenant = tn.name and given.name = a.name
where k.agent_id = a.id and a.removed_at is null
  and (k.agent_id, k.skill) not in (select w.agent_id, w.skill from wanted w)`;

export const APPLY_AGENT_SKILLS = `
with ${AGENT_SKILLS}
insert into agent_skills (agent_id, tenant_id, skill, level) select agent_id, tenant_id, skill, level from wanted
on conflict (agent_id, skill) ${unlessEqual('agent_skills', ['level'])}`;

const MEMBERS = `
wanted as (
  select qu.id as queue_id, a.id as agent_id, tn.id as tenant_id, d.level, d.position, d.priority, d.weight
  from ${rows('tenant text, queue text, agent text, level integer, position integer, priority integer, weight integer')}
  join tenants tn on tn.name = d.tenant
  join queues qu on qu.tenant_id = tn.id and qu.name = d.queue and qu.removed_at is null
  join agents a on a.tenant_id = tn.id and a.name = d.agent and a.removed_at is null
)`;

/** $2: the queues of the document, as JSON. Their lists of members are whole: who is not in them is no member. */
export const CLEAR_MEMBERS = `
with ${MEMBERS}
delete from queue_members m using queues qu
join tenants tn on tn.id = qu.tenant_id
join jsonb_to_recordset($2::jsonb) as given(tenant text, name text) on given.tenant = tn.name and given.name = qu.name
where m.queue_id = qu.id and qu.removed_at is null
  and (m.queue_id, m.agent_id) not in (select w.queue_id, w.agent_id from wanted w)`;

export const APPLY_MEMBERS = `
with ${MEMBERS}
insert into queue_members (queue_id, agent_id, tenant_id, level, position, priority, weight)
select queue_id, agent_id, tenant_id, level, position, priority, weight from wanted
on conflict (queue_id, agent_id) ${unlessEqual('queue_members', ['level', 'position', 'priority', 'weight'])}`;

export const APPLY_NUMBERS = `
insert into numbers (e164, tenant_id, queue_id, flow_id, greeting_prompt_id)
select d.e164, tn.id, qu.id, f.id, p.id
from ${rows('tenant text, e164 text, queue text, flow text, greeting text')}
join tenants tn on tn.name = d.tenant
left join queues qu on qu.tenant_id = tn.id and qu.name = d.queue and qu.removed_at is null
left join flows f on f.tenant_id = tn.id and f.name = d.flow
left join prompts p on p.tenant_id = tn.id and p.name = d.greeting
on conflict (e164) ${unlessEqual('numbers', ['tenant_id', 'queue_id', 'flow_id', 'greeting_prompt_id'])}`;

/** `not in` and not `not exists`: Postgres then looks the names up in a hash, however wrong its guess of their number is. */
const unnamed = (alias: string): string =>
  `(${alias}.tenant_id, ${alias}.name) not in (
     select tn.id, d.name from ${rows('tenant text, name text')} join tenants tn on tn.name = d.tenant)`;

/** What a prune would take from under running calls: the reasons to refuse it. $1 queues, $2 agents, as JSON. */
export const BUSY_QUEUES = `
select qu.name, count(*)::int as waiting from queues qu join queue_visits v on v.queue_id = qu.id and v.ended_at is null
where qu.removed_at is null and ${unnamed('qu')} group by qu.name order by qu.name`;

export const BUSY_AGENTS = `
select a.name from agents a join offers o on o.agent_id = a.id and o.ended_at is null
where a.removed_at is null and ${unnamed('a')} order by a.name`;

export const PRUNE_NUMBERS = `delete from numbers n where n.e164 not in (select d.e164 from ${rows('e164 text')})`;

export const PRUNE_QUEUES = `
with gone as (
  update queues qu set removed_at = clock_timestamp(), music_prompt_id = null, hours_id = null, exits = '{}', voicemail = null, announcements = null
  where qu.removed_at is null and ${unnamed('qu')} returning qu.id
), members as (delete from queue_members m using gone where m.queue_id = gone.id)
select from gone`;

export const PRUNE_AGENTS = `
with gone as (
  update agents a set removed_at = clock_timestamp() where a.removed_at is null and ${unnamed('a')} returning a.id
), members as (delete from queue_members m using gone where m.agent_id = gone.id
), endpoints as (delete from agent_endpoints e using gone where e.agent_id = gone.id
), skills as (delete from agent_skills k using gone where k.agent_id = gone.id
), presences as (delete from presence p using gone where p.agent_id = gone.id
), states as (
  update agent_states s set state = 'signed-out', reason = null, until = null, changed_at = clock_timestamp(), changed_by = 'configuration'
  from gone where s.agent_id = gone.id and s.state <> 'signed-out'
)
select from gone`;

export const PRUNE_PROMPTS = `delete from prompts p where ${unnamed('p')}`;

export const PRUNE_HOURS = `delete from hours h where ${unnamed('h')}`;

export const PRUNE_SKILLS = `delete from skills k where ${unnamed('k')}`;

export const PRUNE_FLOWS = `delete from flows f where ${unnamed('f')}`;

/** The rows stay, since past calls refer to them. */
export const PRUNE_TENANTS = `
update tenants t set removed_at = clock_timestamp()
where t.removed_at is null and not exists (select from ${rows('name text')} where d.name = t.name)`;

export const PRUNE_TRUNKS = `
update trunks t set removed_at = clock_timestamp()
where t.removed_at is null and not exists (select from ${rows('name text')} where d.name = t.name)`;
