/** Reads lists of the configuration from rows: all of them or some, all of their entries or some. */
import type { Queryable } from '../../store/types';
import { canonical, EMPTY, LISTS, withoutKeysOf, type List } from './canonical';
import type { Document } from './schema';

/** How an entry is found; without a tenant it is one that is known by its name alone. */
export interface EntryName {
  readonly tenant: string | undefined;
  readonly name: string;
}

/** Entries by list. */
export type EntryNames = ReadonlyMap<List, readonly EntryName[]>;

const OWNED = 'join tenants tn on tn.id = x.tenant_id';

interface ListSql {
  readonly item: string;
  readonly from: string;
  readonly where?: string;
  /** What an entry is called; of those that are unique everywhere, alone. */
  readonly name: string;
  readonly unique?: true;
}

const QUEUE = `
  jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'name', x.name, 'strategy', x.strategy,
    'levels', x.levels, 'levelAfterSeconds', x.level_after_seconds, 'skipEmptyLevels', x.skip_empty_levels,
    'maxParallel', x.max_parallel, 'stepAgents', x.step_agents, 'stepSeconds', x.step_seconds,
    'ringTimeoutSeconds', x.ring_timeout_seconds, 'afterCall', x.after_call, 'wrapUpSeconds', x.wrap_up_seconds, 'confirm', x.confirm,
    'suspiciousAnswer', x.suspicious_answer, 'suspiciousAnswerMs', x.suspicious_answer_ms,
    'presence', jsonb_build_object('accept', x.presence_accept, 'staleAfterSeconds', x.stale_after_seconds,
      'unknown', x.presence_unknown, 'graceSeconds', x.presence_grace_seconds),
    'missesBeforeNotReady', x.misses_before_not_ready,
    'retryAfterSeconds', jsonb_build_object('noAnswer', x.no_answer_retry_seconds, 'declined', x.declined_retry_seconds,
      'busy', x.busy_retry_seconds, 'unreachable', x.unreachable_retry_seconds, 'failed', x.failed_retry_seconds))
  || jsonb_build_object('priorityClass', x.priority_class, 'prioritySeconds', x.priority_seconds, 'weight', x.weight,
    'ageCapSeconds', x.age_cap_seconds, 'needs', x.needs, 'relaxations', x.relaxations, 'preferLastAgent', x.prefer_last_agent,
    'spareScarceAgents', x.spare_scarce_agents, 'resumeWithinSeconds', x.resume_within_seconds, 'hours', h.name,
    'maxWaiting', x.max_waiting, 'maxWaitSeconds', x.max_wait_seconds, 'letRingFinish', x.let_ring_finish,
    'noAgentsAfterSeconds', x.no_agents_after_seconds, 'estimatedWaitOverSeconds', x.estimated_wait_over_seconds,
    'serviceLevelSeconds', x.service_level_seconds, 'exits', x.exits, 'voicemail', x.voicemail, 'callback', x.callback,
    'announcements', x.announcements,
    'music', p.name,
    'members', coalesce(m.members, '[]')))`;

const SQL: Readonly<Record<List, ListSql>> = {
  tenants: {
    item: `jsonb_build_object('name', x.name, 'country', x.country, 'timeZone', x.time_zone, 'allowNumbers', x.allow_numbers)`,
    from: 'tenants x',
    where: 'x.removed_at is null',
    name: 'x.name',
    unique: true,
  },
  trunks: {
    item: `x.settings || jsonb_strip_nulls(jsonb_build_object('name', x.name, 'kind', x.kind, 'enabled', x.enabled, 'tenant', tn.name))`,
    from: 'trunks x left join tenants tn on tn.id = x.tenant_id',
    where: 'x.removed_at is null',
    name: 'x.name',
    unique: true,
  },
  prompts: {
    item: `jsonb_build_object('tenant', tn.name, 'name', x.name, x.kind, x.source)`,
    from: `prompts x ${OWNED}`,
    name: 'x.name',
  },
  hours: {
    item: `jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'name', x.name, 'timeZone', x.time_zone, 'weekly', x.weekly,
      'holidays', x.holidays))`,
    from: `hours x ${OWNED}`,
    name: 'x.name',
  },
  skills: {
    item: `jsonb_build_object('tenant', tn.name, 'name', x.name, 'description', x.description)`,
    from: `skills x ${OWNED}`,
    name: 'x.name',
  },
  flows: {
    item: `jsonb_build_object('tenant', tn.name, 'name', x.name, 'steps', x.steps)`,
    from: `flows x ${OWNED}`,
    name: 'x.name',
  },
  queues: {
    item: QUEUE,
    from: `queues x ${OWNED} left join hours h on h.id = x.hours_id left join prompts p on p.id = x.music_prompt_id
      left join lateral (
        select jsonb_agg(jsonb_build_object('agent', a.name, 'level', m.level, 'position', m.position, 'priority', m.priority,
          'weight', m.weight)) as members
        from queue_members m join agents a on a.id = m.agent_id and a.removed_at is null where m.queue_id = x.id) m on true`,
    where: 'x.removed_at is null',
    name: 'x.name',
  },
  agents: {
    item: `jsonb_build_object('tenant', tn.name, 'name', x.name, 'displayName', x.display_name, 'signedIn', x.signed_in_by_default,
      'endpoints', coalesce(e.endpoints, '[]'), 'skills', coalesce(k.skills, '{}'))`,
    from: `agents x ${OWNED}
      left join lateral (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', e.kind, 'trunk', t.name, 'number', e.number,
          'entraUserId', e.entra_user_id, 'user', e.sip_user, 'maxRingSeconds', e.max_ring_seconds)) order by e.position) as endpoints
        from agent_endpoints e left join trunks t on t.id = e.trunk_id where e.agent_id = x.id) e on true
      left join lateral (select jsonb_object_agg(k.skill, k.level) as skills from agent_skills k where k.agent_id = x.id) k on true`,
    where: 'x.removed_at is null',
    name: 'x.name',
  },
  numbers: {
    item: `jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'number', x.e164, 'queue', q.name, 'flow', f.name, 'greeting', p.name))`,
    from: `numbers x ${OWNED} left join queues q on q.id = x.queue_id left join flows f on f.id = x.flow_id
      left join prompts p on p.id = x.greeting_prompt_id`,
    name: 'x.e164',
    unique: true,
  },
};

/** One statement for all of the lists, so that they are of one moment. With `named`, $1 says which entries, by list. */
function statement(lists: readonly List[], named: boolean): string {
  const parts = lists.map((list) => {
    const { item, from, where = 'true', name, unique } = SQL[list];
    const among = unique
      ? `${name} in (select d.name from jsonb_to_recordset($1::jsonb -> '${list}') as d(name text))`
      : `(tn.name, ${name}) in (select d.tenant, d.name from jsonb_to_recordset($1::jsonb -> '${list}') as d(tenant text, name text))`;
    return `'${list}', (select coalesce(jsonb_agg(${item}), '[]') from ${from} where ${where}${named ? ` and ${among}` : ''})`;
  });
  return `select jsonb_build_object(${parts.join(',\n')}) as lists`;
}

/** These lists as rows say them, whatever that is; the others are empty. In no order, and without the defaults of keys that JSON holds. */
export async function readRows(q: Queryable, lists: readonly List[] = LISTS): Promise<Document> {
  const { rows } = await q.query<{ lists: Partial<Document> }>(statement(lists, false), [], { idempotent: true });
  return { ...EMPTY, ...withoutKeysOf(null, rows[0]?.lists ?? {}) };
}

/** Those of the named entries that there are. */
export async function readNamedRows(q: Queryable, names: EntryNames): Promise<Document> {
  if (names.size === 0) {
    return EMPTY;
  }
  const { rows } = await q.query<{ lists: Partial<Document> }>(
    statement([...names.keys()], true),
    [JSON.stringify(Object.fromEntries(names))],
    { idempotent: true },
  );
  return { ...EMPTY, ...withoutKeysOf(null, rows[0]?.lists ?? {}) };
}

/** These lists in the order of their names; the others are empty. Loads nothing that knows every key, for commands that only show. */
export async function readLists(q: Queryable, lists: readonly List[]): Promise<Document> {
  const sorted = canonical(await readRows(q, lists));
  // Skills that only agents name are no list that was read.
  return lists.includes('skills') ? sorted : { ...sorted, skills: [] };
}

/** How many agents have each skill, by tenant and name with a slash between them. */
export async function countAgentsBySkill(q: Queryable): Promise<ReadonlyMap<string, number>> {
  const { rows } = await q.query<{ key: string; agents: number }>(
    `select tn.name || '/' || k.skill as key, count(*)::int as agents
     from agent_skills k join agents a on a.id = k.agent_id and a.removed_at is null join tenants tn on tn.id = k.tenant_id
     group by tn.name, k.skill`,
    [],
    { idempotent: true },
  );
  return new Map(rows.map(({ key, agents }) => [key, agents]));
}
