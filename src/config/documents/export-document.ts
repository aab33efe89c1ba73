import type { Queryable } from '../../store/types';
import { canonical, EMPTY } from './canonical';
import { documentSchema, type Document } from './schema';

const OWNED = 'join tenants tn on tn.id = x.tenant_id';

/** Every list of a document as rows become it, one statement for all of them, so that they are of one moment. */
const READ = `
select jsonb_build_object(
  'tenants', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'country', country, 'timeZone', time_zone,
      'allowNumbers', allow_numbers)), '[]') from tenants where removed_at is null),
  'trunks', (select coalesce(jsonb_agg(x.settings || jsonb_strip_nulls(jsonb_build_object('name', x.name, 'kind', x.kind,
      'enabled', x.enabled, 'tenant', tn.name))), '[]')
    from trunks x left join tenants tn on tn.id = x.tenant_id where x.removed_at is null),
  'prompts', (select coalesce(jsonb_agg(jsonb_build_object('tenant', tn.name, 'name', x.name, x.kind, x.source)), '[]')
    from prompts x ${OWNED}),
  'hours', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'name', x.name, 'timeZone', x.time_zone,
      'weekly', x.weekly, 'holidays', x.holidays))), '[]') from hours x ${OWNED}),
  'skills', (select coalesce(jsonb_agg(jsonb_build_object('tenant', tn.name, 'name', x.name, 'description', x.description)), '[]')
    from skills x ${OWNED}),
  'flows', (select coalesce(jsonb_agg(jsonb_build_object('tenant', tn.name, 'name', x.name, 'steps', x.steps)), '[]') from flows x ${OWNED}),
  'queues', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'name', x.name, 'strategy', x.strategy,
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
      'serviceLevelSeconds', x.service_level_seconds, 'exits', x.exits, 'music', p.name,
      'members', coalesce(m.members, '[]')))), '[]')
    from queues x ${OWNED} left join hours h on h.id = x.hours_id left join prompts p on p.id = x.music_prompt_id
    left join (
      select m.queue_id, jsonb_agg(jsonb_build_object('agent', a.name, 'level', m.level, 'position', m.position, 'priority', m.priority,
        'weight', m.weight)) as members
      from queue_members m join agents a on a.id = m.agent_id and a.removed_at is null group by m.queue_id) m on m.queue_id = x.id
    where x.removed_at is null),
  'agents', (select coalesce(jsonb_agg(jsonb_build_object('tenant', tn.name, 'name', x.name, 'displayName', x.display_name,
      'signedIn', x.signed_in_by_default, 'endpoints', coalesce(e.endpoints, '[]'), 'skills', coalesce(k.skills, '{}'))), '[]')
    from agents x ${OWNED}
    left join (
      select e.agent_id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', e.kind, 'trunk', t.name, 'number', e.number,
        'entraUserId', e.entra_user_id, 'user', e.sip_user, 'maxRingSeconds', e.max_ring_seconds)) order by e.position) as endpoints
      from agent_endpoints e left join trunks t on t.id = e.trunk_id group by e.agent_id) e on e.agent_id = x.id
    left join (select k.agent_id, jsonb_object_agg(k.skill, k.level) as skills from agent_skills k group by k.agent_id) k
      on k.agent_id = x.id
    where x.removed_at is null),
  'numbers', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('tenant', tn.name, 'number', x.e164, 'queue', q.name,
      'flow', f.name, 'greeting', p.name))), '[]')
    from numbers x ${OWNED} left join queues q on q.id = x.queue_id left join flows f on f.id = x.flow_id
    left join prompts p on p.id = x.greeting_prompt_id)
) as lists`;

/**
 * The whole configuration as the rows say it, in canonical form. The rows are the truth, however they came about: what
 * somebody wrote by hand that no document may say is exported as it stands.
 */
export async function readConfiguration(q: Queryable): Promise<Document> {
  const { rows } = await q.query<{ lists: Omit<Document, 'apiVersion'> }>(READ, [], { idempotent: true });
  const lists = withoutNullKeys(rows[0]?.lists ?? {});
  const document = { ...EMPTY, ...lists };
  const parsed = documentSchema.safeParse(document);
  return canonical(parsed.success ? parsed.data : document);
}

/** Rows say null where a document leaves the key out. */
function withoutNullKeys<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(withoutNullKeys) as T;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNullKeys(inner as unknown)]),
  ) as T;
}
