/**
 * What an agent does, over all queues. Each statement is a transition of src/agents/agent-state.ts; the row is the lock, so that
 * an offer that is being made or ended at the same moment comes before or after it. Changes tell the other nodes.
 */
import { WRAP_UP_LIMIT_MS } from '../../agents/agent-state';
import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { AgentStateChange, AgentStateKind, Queryable } from '../types';
import { hint, interval, notify, orUndefined, WOKEN } from './fragments';

interface Transition {
  readonly to: AgentStateKind;
  readonly reason?: string;
  readonly from: readonly AgentStateKind[];
  readonly by: string;
}

interface ChangeRow {
  readonly changed: boolean;
  readonly state: AgentStateKind;
  readonly reason: string | null;
  readonly forcedBy: string | null;
}

const OLD = `old as (
  select s.* from agent_states s join agents a on a.id = s.agent_id and a.removed_at is null
  where s.agent_id = $1 for update of s
)`;

const CHANGE = `
select new.agent_id is not null as changed, coalesce(new.state, old.state) as state,
  case when new.agent_id is null then old.reason else new.reason end as reason,
  case when new.agent_id is null then old.forced_by else new.forced_by end as "forcedBy",
  (select ${notify('agent', 'new.agent_id')} from new)
from old left join new on true`;

/**
 * Moves an agent to another state if he is in one of those named; another state is left as it is and returned. A supervisor's
 * pause can only be left by signing out, and comes back when signing in.
 */
const OWN = `
with ${OLD}, new as (
  update agent_states s set until = null, changed_at = clock_timestamp(), changed_by = $5,
    state = case when old.forced_by is not null and $2 = 'ready' then 'paused' else $2 end,
    reason = case when old.forced_by is not null and $2 = 'ready' then old.forced_reason else $3::text end,
    ready_since = case when $2 = 'ready' and old.forced_by is null then clock_timestamp() else s.ready_since end,
    missed_in_row = case when $2 = 'ready' and old.forced_by is null then 0 else s.missed_in_row end
  from old where s.agent_id = old.agent_id and old.state = any($4) and (old.state, old.reason) is distinct from ($2, $3::text)
    and (old.forced_by is null or 'signed-out' in ($2, old.state))
  returning s.*
)${CHANGE}`;

const changeOf = (row: ChangeRow | undefined, agentId: string): AgentStateChange => {
  if (!row) {
    throw new SidekickError('SK_NOT_FOUND', 'There is no such agent', { context: { agentId } });
  }
  return {
    changed: row.changed,
    state: row.state,
    reason: orUndefined(row.reason),
    forcedBy: orUndefined(row.forcedBy),
  };
};

async function transition(
  q: Queryable,
  agentId: string,
  { to, reason, from, by }: Transition,
): Promise<AgentStateChange> {
  const { rows } = await q.query<ChangeRow>(OWN, [agentId, to, reason ?? null, from, by]);
  return changeOf(rows[0], agentId);
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

/** $2 state, $3 reason, $4 by. A pause of somebody who is signed out is kept for the next sign-in. */
const FORCE = `
with ${OLD}, new as (
  update agent_states s set until = case when old.state = 'signed-out' and $2 = 'paused' then s.until end,
    state = case when old.state = 'signed-out' and $2 = 'paused' then s.state else $2 end,
    reason = case when old.state = 'signed-out' and $2 = 'paused' then s.reason else $3::text end,
    forced_by = case when $2 = 'paused' then $4::text end, forced_reason = case when $2 = 'paused' then $3::text end,
    ready_since = case when $2 = 'ready' then clock_timestamp() else s.ready_since end,
    missed_in_row = case when $2 = 'ready' then 0 else s.missed_in_row end,
    changed_at = clock_timestamp(), changed_by = $4
  from old where s.agent_id = old.agent_id
    and (old.state, old.reason, old.forced_by, old.forced_reason) is distinct from
      ($2, $3::text, case when $2 = 'paused' then $4::text end, case when $2 = 'paused' then $3::text end)
  returning s.*
)${CHANGE}`;

export const forceState: Store['forceState'] = async (q, agentId, to, by) => {
  const { rows } = await q.query<ChangeRow>(FORCE, [agentId, to.kind, to.kind === 'paused' ? to.reason : null, by]);
  return changeOf(rows[0], agentId);
};

export const extendWrapUp: Store['extendWrapUp'] = async (q, agentId, byMs, by) => {
  const limit = `s.last_call_ended_at + ${interval('$4::float8')}`;
  const { rows } = await q.query<ChangeRow>(
    `with ${OLD}, new as (
       update agent_states s set until = least(s.until + ${interval('$2::float8')}, ${limit}), changed_by = $3
       from old where s.agent_id = old.agent_id and old.state = 'wrap-up' and old.until > clock_timestamp() and s.until < ${limit}
       returning s.*
     )${CHANGE}`,
    [agentId, byMs, by, WRAP_UP_LIMIT_MS],
  );
  return changeOf(rows[0], agentId);
};

export const expireDueStates: Store['expireDueStates'] = async (q) => {
  // The state is noted as ended when it was due, which is when the snapshot began to count the agent as ready.
  const { rows } = await q.query<{ id: string }>(
    `with due as (
       select agent_id from agent_states s where ${WOKEN('s')} order by agent_id for update skip locked
     )
     update agent_states s set state = 'ready', reason = null, ready_since = greatest(s.ready_since, s.until),
       changed_at = s.until, until = null, changed_by = 'system'
     from due where s.agent_id = due.agent_id
     returning s.agent_id as id, ${hint('agent', 's.agent_id')}`,
    [],
    { name: 'expire-due-states' },
  );
  return rows.map((row) => row.id);
};
