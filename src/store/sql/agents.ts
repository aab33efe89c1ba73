import { SidekickError } from '../../lib/errors';
import type { PresenceValue } from '../../routing/types';
import type { Store } from '../api';
import type { AgentEndpoint, AgentRow, AgentStateChange, AgentStateKind, OfferRef, Queryable } from '../types';
import { ENDPOINT_JSON, ms, notify, orUndefined, PRESENCE_JSON, UUID, WOKEN } from './fragments';

interface Transition {
  readonly to: AgentStateKind;
  readonly reason?: string;
  readonly from: readonly AgentStateKind[];
  readonly by: string;
}

/** Moves an agent to another state if he is in one of those named; another state is left as it is and returned. */
async function transition(
  q: Queryable,
  agentId: string,
  { to, reason, from, by }: Transition,
): Promise<AgentStateChange> {
  const { rows } = await q.query<{ changed: boolean; state: AgentStateKind; reason: string | null }>(
    `with old as (
       select s.agent_id, s.state, s.reason from agent_states s join agents a on a.id = s.agent_id and a.removed_at is null
       where s.agent_id = $1 for update of s
     ), new as (
       update agent_states s set state = $2, reason = $3, until = null, changed_at = clock_timestamp(), changed_by = $5,
         ready_since = case when $2 = 'ready' then clock_timestamp() else s.ready_since end,
         missed_in_row = case when $2 = 'ready' then 0 else s.missed_in_row end
       from old where s.agent_id = old.agent_id and old.state = any($4) and (old.state, old.reason) is distinct from ($2, $3::text)
       returning s.agent_id, s.state, s.reason
     )
     select new.agent_id is not null as changed, coalesce(new.state, old.state) as state,
       case when new.agent_id is null then old.reason else new.reason end as reason,
       (select ${notify('agent', 'new.agent_id')} from new)
     from old left join new on true`,
    [agentId, to, reason ?? null, from, by],
  );
  const row = rows[0];
  if (!row) {
    throw new SidekickError('SK_NOT_FOUND', 'There is no such agent', { context: { agentId } });
  }
  return { changed: row.changed, state: row.state, reason: orUndefined(row.reason) };
}

export const signIn: Store['signIn'] = (q, agentId, by) =>
  transition(q, agentId, { to: 'ready', from: ['signed-out'], by });

export const signOut: Store['signOut'] = (q, agentId, by) =>
  transition(q, agentId, { to: 'signed-out', from: ['ready', 'paused', 'not-ready', 'wrap-up'], by });

export const pause: Store['pause'] = (q, agentId, reason, by) =>
  transition(q, agentId, { to: 'paused', reason, from: ['ready', 'paused', 'not-ready', 'wrap-up'], by });

export const ready: Store['ready'] = (q, agentId, by) =>
  transition(q, agentId, { to: 'ready', from: ['paused', 'not-ready', 'wrap-up'], by });

export const endWrapUp: Store['endWrapUp'] = (q, agentId, by) =>
  transition(q, agentId, { to: 'ready', from: ['wrap-up'], by });

export const expireDueStates: Store['expireDueStates'] = async (q) => {
  // The state is noted as ended when it was due, which is when the snapshot began to count the agent as ready.
  const { rows } = await q.query<{ id: string }>(
    `with due as (
       select agent_id from agent_states s where ${WOKEN('s')} order by agent_id for update skip locked
     )
     update agent_states s set state = 'ready', reason = null, ready_since = greatest(s.ready_since, s.until),
       changed_at = s.until, until = null, changed_by = 'system'
     from due where s.agent_id = due.agent_id
     returning s.agent_id as id, ${notify('agent', 's.agent_id')}`,
    [],
    { name: 'expire-due-states' },
  );
  return rows.map((row) => row.id);
};

interface AgentRecord {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly displayName: string;
  readonly endpoint: AgentEndpoint | null;
  readonly queues: readonly string[];
  readonly state: AgentStateKind;
  readonly reason: string | null;
  readonly until: number | null;
  readonly readySince: number;
  readonly changedAt: number;
  readonly missedInRow: number;
  readonly lastCallEndedAt: number | null;
  readonly presence: PresenceValue | 'none' | 'unknown';
  readonly offer: (OfferRef & { readonly callId: string; readonly since: number }) | null;
}

const AGENT_ROW = `
  select a.id, tn.name as tenant, a.name, a.display_name as "displayName", ${ENDPOINT_JSON} as endpoint,
    array(select qu.name from queue_members m join queues qu on qu.id = m.queue_id and qu.removed_at is null
      where m.agent_id = a.id order by qu.name) as queues,
    s.state, s.reason, ${ms('s.until')} as until, ${ms('s.ready_since')} as "readySince", ${ms('s.changed_at')} as "changedAt",
    s.missed_in_row as "missedInRow", ${ms('s.last_call_ended_at')} as "lastCallEndedAt", ${PRESENCE_JSON} as presence,
    case when o.id is not null then json_build_object('offerId', o.id, 'agentId', a.id, 'state', o.state, 'callId', o.call_id,
      'since', ${ms('coalesce(o.answered_at, o.ringing_at, o.reserved_at)')}) end as offer
  from agents a
  join tenants tn on tn.id = a.tenant_id
  join agent_states s on s.agent_id = a.id
  left join agent_endpoints e on e.agent_id = a.id and e.position = 1
  left join trunks t on t.id = e.trunk_id
  left join presence p on p.agent_id = a.id
  left join offers o on o.agent_id = a.id and o.ended_at is null
  where a.removed_at is null`;

function toAgent(row: AgentRecord): AgentRow {
  return {
    ...row,
    endpoint: orUndefined(row.endpoint),
    reason: orUndefined(row.reason),
    until: orUndefined(row.until),
    lastCallEndedAt: orUndefined(row.lastCallEndedAt),
    offer: orUndefined(row.offer),
  };
}

export const listAgents: Store['listAgents'] = async (q) => {
  const { rows } = await q.query<AgentRecord>(`${AGENT_ROW} order by tn.name, a.name`, [], { idempotent: true });
  return rows.map(toAgent);
};

export const agentByName: Store['agentByName'] = async (q, name, tenant) => {
  const column = UUID.test(name) ? 'a.id = $1::uuid' : 'a.name = $1';
  const { rows } = await q.query<AgentRecord>(
    `${AGENT_ROW} and ${column} and ($2::text is null or tn.name = $2) order by tn.name`,
    [name, tenant ?? null],
    { idempotent: true },
  );
  if (rows.length > 1) {
    throw new SidekickError('SK_CONFLICT', `There is more than one agent named ${name}`, {
      why: `tenants ${rows.map((row) => row.tenant).join(', ')} have one each`,
      next: 'name the tenant as well',
    });
  }
  return rows[0] && toAgent(rows[0]);
};
