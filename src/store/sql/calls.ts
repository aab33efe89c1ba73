import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import { sqlState } from '../pool';
import type { CallHandles, CallRow, OfferRef } from '../types';
import { ms, NO_WAIT_FOR_DISK, orUndefined } from './fragments';

export const insertCall: Store['insertCall'] = async (q, call) => {
  const values = [
    call.id,
    call.tenantId,
    call.nodeId,
    call.trunkId ?? null,
    call.callerNumber ?? null,
    call.callerName ?? null,
    call.dialledNumber,
    call.sipCallId,
  ];
  try {
    const { rows } = await q.query<{ createdAt: number }>(
      `insert into calls (id, tenant_id, node_id, trunk_id, caller_number, caller_name, dialled_number, sip_call_id)
       select $1, $2, n.id, $4, $5, $6, $7, $8 from nodes n where n.id = $3 and n.stopped_at is null for share of n
       returning ${ms('created_at')} as "createdAt"`,
      values,
      { name: 'insert-call' },
    );
    const row = rows[0];
    if (!row) {
      throw new SidekickError('SK_STOPPING', 'This node may not take calls', {
        why: 'it was given up as lost by the others, or has stopped',
        next: 'it registers again by itself; if it does not, restart it',
        context: { nodeId: call.nodeId },
      });
    }
    return row;
  } catch (error) {
    if (sqlState(error) === '23505') {
      throw new SidekickError('SK_CONFLICT', 'The call is stored already', {
        context: { callId: call.id },
        cause: error,
      });
    }
    throw error;
  }
};

const HANDLE_COLUMNS = {
  mediaServer: 'media_server',
  callerChannelUuid: 'caller_channel_uuid',
  carrierDialogId: 'carrier_dialog_id',
  mediaDialogId: 'media_dialog_id',
  lastSdpSent: 'last_sdp_sent',
  lastSdpReceived: 'last_sdp_received',
} as const satisfies Record<keyof CallHandles, string>;

/** `, column = $n` for each handle that is given; its values are pushed. */
export function handleAssignments(
  columns: Readonly<Record<string, string>>,
  handles: object,
  values: unknown[],
): string[] {
  const given = handles as Readonly<Record<string, string | null | undefined>>;
  return Object.entries(columns).flatMap(([key, column]) => {
    const value = given[key];
    return value === undefined ? [] : [`${column} = $${values.push(value)}`];
  });
}

/** Name of a prepared statement whose text depends on which handles are given: one name for each choice of them. */
export function statementName(statement: string, columns: Readonly<Record<string, string>>, handles: object): string {
  const given = handles as Readonly<Record<string, unknown>>;
  const places = Object.keys(columns).flatMap((key, place) => (given[key] === undefined ? [] : [place]));
  return `${statement}-${places.join('')}`;
}

export const updateCall: Store['updateCall'] = async (q, callId, handles) => {
  const values: unknown[] = [callId];
  const sets = handleAssignments(HANDLE_COLUMNS, handles, values);
  const live = 'id = $1 and ended_at is null';
  const text =
    sets.length > 0 ? `update calls set ${sets.join(', ')} where ${live}` : `select from calls where ${live}`;
  const { rowCount } = await q.query(text, values, {
    name: statementName('update-call', HANDLE_COLUMNS, handles),
    idempotent: true,
  });
  return rowCount === 1;
};

export const markCallAnswered: Store['markCallAnswered'] = async (q, callId) => {
  const { rowCount } = await q.query(
    `update calls set answered_at = coalesce(answered_at, clock_timestamp()), state = case when state = 'arrived' then 'answered' else state end
     where id = $1 and ended_at is null`,
    [callId],
    { name: 'mark-call-answered', idempotent: true },
  );
  return rowCount === 1;
};

export const endCall: Store['endCall'] = (q, callId, result, reason) =>
  q.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `with ended as (
         update calls set state = 'ended', ended_at = clock_timestamp(), connected_offer_id = null, result = $2, reason = $3
         where id = $1 and ended_at is null returning id, ended_at
       ), left_queue as (
         update queue_visits v set ended_at = greatest(e.ended_at, v.queued_at), outcome = case when $2 = 'abandoned' then 'abandoned' else 'ended' end
         from ended e where v.call_id = e.id and v.ended_at is null
       )
       select id from ended`,
      [callId, result, reason],
      { name: 'end-call' },
    );
    return { ended: rowCount === 1, openOffers: await openOffers(tx, callId) };
  });

export const openOffers: Store['openOffers'] = async (q, callId) => {
  const { rows } = await q.query<OfferRef>(
    `select id as "offerId", agent_id as "agentId", state from offers where call_id = $1 and ended_at is null order by reserved_at, id`,
    [callId],
    { name: 'open-offers', idempotent: true },
  );
  return rows;
};

const CALL_ROW = `
  select c.id, tn.name as tenant, c.tenant_id as "tenantId", c.node_id as "nodeId", t.name as trunk, c.caller_number as "callerNumber",
    c.caller_name as "callerName", c.dialled_number as "dialledNumber", c.sip_call_id as "sipCallId", c.state,
    c.media_server as "mediaServer", c.caller_channel_uuid as "callerChannelUuid", c.carrier_dialog_id as "carrierDialogId",
    c.media_dialog_id as "mediaDialogId", ${ms('c.created_at')} as "createdAt", ${ms('c.answered_at')} as "answeredAt",
    ${ms('c.queued_at')} as "queuedAt", ${ms('c.connected_at')} as "connectedAt", ${ms('c.ended_at')} as "endedAt",
    c.result, c.reason, v.name as queue, o.name as agent
  from calls c
  join tenants tn on tn.id = c.tenant_id
  left join trunks t on t.id = c.trunk_id
  left join lateral (
    select q.name from queue_visits v join queues q on q.id = v.queue_id where v.call_id = c.id order by v.queued_at desc limit 1
  ) v on true
  left join lateral (
    select a.name from offers o join agents a on a.id = o.agent_id where o.call_id = c.id and o.ended_at is null
    order by o.state = 'connected' desc, o.reserved_at limit 1
  ) o on true`;

type NullableCall = { readonly [K in keyof CallRow]: CallRow[K] | null };

function toCall(row: NullableCall): CallRow {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, orUndefined<unknown>(value)]),
  ) as unknown as CallRow;
}

export const findCall: Store['findCall'] = async (q, callId) => {
  const { rows } = await q.query<NullableCall>(`${CALL_ROW} where c.id = $1`, [callId], { idempotent: true });
  return rows[0] ? toCall(rows[0]) : undefined;
};

export const findCallBySipCallId: Store['findCallBySipCallId'] = async (q, sipCallId) => {
  const { rows } = await q.query<NullableCall>(
    `${CALL_ROW} where c.sip_call_id = $1 order by c.ended_at is null desc, c.created_at desc limit 1`,
    [sipCallId],
    { idempotent: true },
  );
  return rows[0] ? toCall(rows[0]) : undefined;
};

export const listCalls: Store['listCalls'] = async (q, filter = {}) => {
  const { rows } = await q.query<NullableCall>(
    `${CALL_ROW} where ($1 or c.ended_at is null) and ($2::uuid is null or c.node_id = $2) order by c.created_at desc, c.id limit $3`,
    [filter.includeEnded ?? false, filter.nodeId ?? null, filter.limit ?? 1000],
    { idempotent: true },
  );
  return rows.map(toCall);
};

const APPEND_EVENTS = `
insert into call_events (tenant_id, call_id, at, kind, data)
select c.tenant_id, c.id, coalesce(to_timestamp(e.at / 1000), clock_timestamp()), e.kind, e.data::jsonb
from unnest($1::uuid[], $2::float8[], $3::text[], $4::text[]) with ordinality as e(call_id, at, kind, data, n)
join calls c on c.id = e.call_id order by e.n`;

export const appendCallEvents: Store['appendCallEvents'] = async (q, events) => {
  if (events.length === 0) {
    return 0;
  }
  const values = [
    events.map((e) => e.callId),
    events.map((e) => e.at ?? null),
    events.map((e) => e.kind),
    events.map((e) => JSON.stringify(e.data ?? {})),
  ];
  const { rowCount } = await q.transaction(
    (tx) => tx.query(APPEND_EVENTS, values, { name: 'append-call-events', last: true }),
    { opening: NO_WAIT_FOR_DISK },
  );
  return rowCount;
};

export const callEvents: Store['callEvents'] = async (q, callId) => {
  const { rows } = await q.query<{ at: number; kind: string; data: Record<string, unknown> }>(
    `select ${ms('at')} as at, kind, data from call_events where call_id = $1 order by at, id`,
    [callId],
    { idempotent: true },
  );
  return rows;
};
