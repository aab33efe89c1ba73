import { SidekickError } from '../../lib/errors';
import type { PresenceValue } from '../../routing/types';
import type { Store } from '../api';
import type { AgentEndpoint, AgentRow, AgentStateKind, MembershipRow, OfferRef } from '../types';
import { ENDPOINT_JSON, ms, orUndefined, PRESENCE_JSON, UUID } from './fragments';

interface AgentRecord {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly displayName: string;
  readonly endpoint: AgentEndpoint | null;
  readonly queues: readonly string[];
  readonly memberships: readonly (Omit<MembershipRow, 'pauseReason' | 'lastOfferedAt'> & {
    readonly pauseReason: string | null;
    readonly lastOfferedAt: number | null;
  })[];
  readonly forcedBy: string | null;
  readonly signedInAt: number | null;
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
    coalesce((
      select json_agg(json_build_object('queueId', qu.id, 'queue', qu.name, 'level', m.level, 'position', m.position,
        'signedIn', m.signed_in, 'pauseReason', m.pause_reason, 'lastOfferedAt', ${ms('m.last_offered_at')},
        'callsToday', case when m.day = tenant_day(m.tenant_id, statement_timestamp()) then m.calls_today else 0 end) order by qu.name)
      from queue_members m join queues qu on qu.id = m.queue_id and qu.removed_at is null where m.agent_id = a.id), '[]') as memberships,
    s.forced_by as "forcedBy", ${ms('s.signed_in_at')} as "signedInAt",
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
    memberships: row.memberships.map((m) => ({
      ...m,
      pauseReason: orUndefined(m.pauseReason),
      lastOfferedAt: orUndefined(m.lastOfferedAt),
    })),
    forcedBy: orUndefined(row.forcedBy),
    signedInAt: orUndefined(row.signedInAt),
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
