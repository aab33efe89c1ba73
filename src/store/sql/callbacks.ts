/** Calls without a caller: booked by one, adopted by whichever node runs, ended as every call. */
import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { CallbackRow } from '../callback-types';
import { sqlState } from '../pool';
import { endConnection, endOffer } from './end-offer';
import { interval, ms, orUndefined } from './fragments';
import { enqueue } from './queue-visits';

const ADOPT_AT_ONCE = 100;

const BOOK = `
with node as (
  select id from nodes where id = $4 and stopped_at is null for share
), booked as (
  insert into calls (id, tenant_id, node_id, trunk_id, caller_number, caller_name, dialled_number, sip_call_id, callback_of)
  select $1, c.tenant_id, node.id, c.trunk_id, $5, c.caller_name, c.dialled_number, 'callback-' || $1::uuid, c.id
  from calls c cross join node where c.id = $2
  returning id, tenant_id
)
insert into callbacks (call_id, tenant_id, queue_id, number) select id, tenant_id, $3, $5 from booked returning call_id`;

export const bookCallback: Store['bookCallback'] = async (q, { id, callId, queueId, nodeId, number, ...traits }) => {
  const open = async (): Promise<string | undefined> => {
    const { rows } = await q.query<{ id: string }>(
      `select b.call_id as id from callbacks b join calls c on c.id = $1 and c.tenant_id = b.tenant_id
       where b.queue_id = $2 and b.number = $3 and b.ended_at is null`,
      [callId, queueId, number],
      { idempotent: true },
    );
    return rows[0]?.id;
  };
  const known = await open();
  if (known !== undefined) {
    return { callbackId: known, known: true };
  }
  try {
    return await q.transaction(async (tx) => {
      const { rowCount } = await tx.query(BOOK, [id, callId, queueId, nodeId, number]);
      const place = rowCount === 1 ? await enqueue(tx, { callId: id, queueId, ...traits }) : undefined;
      if (!place) {
        throw new SidekickError('SK_STOPPING', 'This node may not take callbacks', {
          why: 'it was given up as lost by the others, or has stopped',
          context: { nodeId, callId },
        });
      }
      return { callbackId: id, known: false };
    });
  } catch (error) {
    // Another call of the same customer asked at the same moment.
    const other = sqlState(error) === '23505' ? await open() : undefined;
    if (other === undefined) {
      throw error;
    }
    return { callbackId: other, known: true };
  }
};

export const adoptCallbacks: Store['adoptCallbacks'] = (q, nodeId) =>
  q.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `with left_alone as materialized (
         select c.id from callbacks b join calls c on c.id = b.call_id join nodes n on n.id = c.node_id
         where b.ended_at is null and c.ended_at is null and n.stopped_at is not null
         order by c.id limit ${ADOPT_AT_ONCE} for update of c skip locked
       )
       update calls c set node_id = $1, media_server = null from left_alone l, nodes n
       where c.id = l.id and n.id = $1 and n.stopped_at is null returning c.id`,
      [nodeId],
    );
    if (rows.length === 0) {
      return [];
    }
    const ids = rows.map((row) => row.id);
    const offers = await tx.query<{ id: string; state: string }>(
      'select id, state from offers where call_id = any($1::uuid[]) and node_id <> $2 and ended_at is null order by agent_id',
      [ids, nodeId],
    );
    for (const offer of offers.rows) {
      if (offer.state === 'connected') {
        await endConnection(tx, offer.id, 'node-lost');
      } else {
        await endOffer(tx, offer.id, { outcome: 'canceled', reason: 'withdrawn' });
      }
    }
    return ids;
  });

type Nullable = { readonly [K in keyof CallbackRow]: CallbackRow[K] | null };

const ROW = `
  select c.id, tn.name as tenant, c.tenant_id as "tenantId", c.node_id as "nodeId", qu.id as "queueId", qu.name as queue, b.number,
    c.caller_name as "callerName", c.dialled_number as "dialledNumber", c.trunk_id as "trunkId", c.callback_of as "callId", c.state,
    exists (select from queue_visits v where v.call_id = c.id and v.ended_at is null) as placed,
    b.tries, ${ms('b.next_try_at')} as "nextTryAt", ${ms('b.reached_at')} as "reachedAt", b.called_in_by as "calledInBy",
    ${ms('b.created_at')} as "createdAt", ${ms('clock_timestamp()')} - ${ms('b.created_at')} as "ageMs",
    ${ms('b.next_try_at')} - ${ms('clock_timestamp()')} as "restMs",
    (select ${ms('min(v.first_queued_at)')} from queue_visits v where v.call_id = c.id) as "firstQueuedAt",
    (select a.name from offers o join agents a on a.id = o.agent_id where o.call_id = c.id and o.ended_at is null
      order by o.state = 'connected' desc, o.reserved_at limit 1) as agent,
    ${ms('c.ended_at')} as "endedAt", c.result, c.reason
  from callbacks b
  join calls c on c.id = b.call_id
  join tenants tn on tn.id = b.tenant_id
  join queues qu on qu.id = b.queue_id`;

function toRow(row: Nullable): CallbackRow {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, orUndefined<unknown>(value)]),
  ) as unknown as CallbackRow;
}

export const openCallbacks: Store['openCallbacks'] = async (q, nodeId) => {
  const { rows } = await q.query<Nullable>(
    `${ROW} where b.ended_at is null and c.node_id = $1 order by c.id`,
    [nodeId],
    {
      name: 'open-callbacks',
      idempotent: true,
    },
  );
  return rows.map(toRow);
};

export const listCallbacks: Store['listCallbacks'] = async (q, { includeEnded, limit }) => {
  const { rows } = await q.query<Nullable>(
    `${ROW} where $1 or b.ended_at is null order by b.created_at desc, c.id limit $2`,
    [includeEnded, limit],
    { idempotent: true },
  );
  return rows.map(toRow);
};

export const findCallback: Store['findCallback'] = async (q, callbackId) => {
  const { rows } = await q.query<Nullable>(`${ROW} where c.id = $1`, [callbackId], { idempotent: true });
  return rows[0] && toRow(rows[0]);
};

export const restCallback: Store['restCallback'] = async (q, callbackId, tries, restMs) => {
  await q.query(
    `update callbacks set tries = $2, next_try_at = clock_timestamp() + ${interval('$3::float8')} where call_id = $1 and ended_at is null`,
    [callbackId, tries, restMs],
    { idempotent: true },
  );
};

export const callbackReached: Store['callbackReached'] = async (q, callbackId, reached) => {
  await q.query(
    `update callbacks set reached_at = case when $2 then clock_timestamp() end where call_id = $1 and ended_at is null`,
    [callbackId, reached],
    { idempotent: true },
  );
};

export const callbackDue: Store['callbackDue'] = async (q, callbackId) => {
  await q.query('update callbacks set next_try_at = null where call_id = $1 and ended_at is null', [callbackId], {
    idempotent: true,
  });
};
