import type { Store } from '../api';
import type { TrunkStatusRow } from '../types';
import { interval, ms, notify } from './fragments';
import { endConnection, endOffer } from './end-offer';

export const registerNode: Store['registerNode'] = async (q, node) => {
  const { rows } = await q.query<{ id: string }>('insert into nodes (name, version) values ($1, $2) returning id', [
    node.name,
    node.version ?? '',
  ]);
  return { nodeId: rows[0]?.id ?? '' };
};

export const heartbeat: Store['heartbeat'] = async (q, nodeId) => {
  const { rowCount } = await q.query(
    'update nodes set heartbeat_at = clock_timestamp() where id = $1 and stopped_at is null',
    [nodeId],
    { name: 'heartbeat', idempotent: true },
  );
  return rowCount === 1;
};

export const stopNode: Store['stopNode'] = async (q, nodeId) => {
  await q.query(
    `with ended as (
       update nodes set stopped_at = clock_timestamp(), stop_reason = 'stopped' where id = $1 and stopped_at is null
     ), leases_gone as (delete from leases where node_id = $1),
     orders_over as (
       update call_commands k set done_at = greatest(clock_timestamp(), k.created_at), outcome = 'the node that carried the call has stopped'
       from calls c where c.id = k.call_id and c.node_id = $1 and k.done_at is null
     )
     delete from trunk_status where node_id = $1`,
    [nodeId],
    { idempotent: true },
  );
};

export const deadNodes: Store['deadNodes'] = async (q, olderThanMs) => {
  const { rows } = await q.query<{ id: string; name: string; startedAt: number; heartbeatAt: number }>(
    `select id, name, ${ms('started_at')} as "startedAt", ${ms('heartbeat_at')} as "heartbeatAt"
     from nodes where stopped_at is null and heartbeat_at < clock_timestamp() - ${interval('$1::float8')} order by heartbeat_at, id`,
    [olderThanMs],
    { idempotent: true },
  );
  return rows;
};

/** A callback whose customer has not been reached yet lives on without its node: another one goes on with it. */
const ADOPTABLE = `(c.callback_of is not null and exists (
  select from callbacks b where b.call_id = c.id and b.ended_at is null and b.reached_at is null))`;

/**
 * Rows are locked in the order in which everybody else does, calls, stays, agents, offers, and no stronger than by an update, which
 * lets foreign keys through: otherwise each match that wants one of these callers or agents meets this in a deadlock, and all who
 * wait for that match's queue stand still for the second after which Postgres sees it. Offers are looked for once the stays have
 * ended, since a match may add one until then.
 */
export const releaseDeadNode: Store['releaseDeadNode'] = (q, nodeId, olderThanMs) =>
  q.transaction(async (tx) => {
    const declared = await tx.query(
      `update nodes set stopped_at = clock_timestamp(), stop_reason = 'lost'
       where id = $1 and stopped_at is null and heartbeat_at < clock_timestamp() - ${interval('$2::float8')}`,
      [nodeId, olderThanMs],
    );
    if (declared.rowCount === 0) {
      return undefined;
    }
    await tx.query('delete from trunk_status where node_id = $1', [nodeId]);
    await tx.query('delete from leases where node_id = $1', [nodeId]);
    await tx.query('select from calls where node_id = $1 and ended_at is null order by id for no key update', [nodeId]);
    await tx.query(
      `select from queue_visits v join calls c on c.id = v.call_id
       where c.node_id = $1 and v.ended_at is null order by v.call_id for no key update of v`,
      [nodeId],
    );
    const visits = await tx.query(
      `update queue_visits v set ended_at = clock_timestamp(), outcome = 'node-lost'
       from calls c where c.id = v.call_id and c.node_id = $1 and v.ended_at is null and not ${ADOPTABLE} returning ${notify('queue', 'v.queue_id')}`,
      [nodeId],
    );
    await tx.query(
      `select from agent_states s where s.agent_id in (select o.agent_id from offers o where o.node_id = $1 and o.ended_at is null)
       order by s.agent_id for no key update`,
      [nodeId],
    );
    const open = await tx.query<{ id: string; state: string }>(
      'select id, state from offers where node_id = $1 and ended_at is null order by agent_id',
      [nodeId],
    );
    // Sent one after the other without waiting for answers: until all of them are over, matches wait for these agents.
    await Promise.all(
      open.rows.map(async ({ id, state }) => {
        if (state === 'connected') {
          await endConnection(tx, id, 'node-lost');
        } else {
          await endOffer(tx, id, { outcome: 'canceled', reason: 'withdrawn' });
        }
      }),
    );
    const calls = await tx.query(
      `update calls c set state = 'ended', ended_at = clock_timestamp(), connected_offer_id = null, result = 'indeterminate', reason = 'node-lost'
       where c.node_id = $1 and c.ended_at is null and not ${ADOPTABLE}`,
      [nodeId],
    );
    // Whoever gave an order waits for what came of it.
    await tx.query(
      `update call_commands k set done_at = greatest(clock_timestamp(), k.created_at), outcome = 'the node that carried the call is lost'
       from calls c where c.id = k.call_id and c.node_id = $1 and k.done_at is null`,
      [nodeId],
    );
    return { calls: calls.rowCount, offers: open.rowCount, visits: visits.rowCount };
  });

export const reportTrunk: Store['reportTrunk'] = async (q, { nodeId, trunkId, up, detail, proxies }) => {
  const { rows } = await q.query<{ changed: boolean }>(
    `with old as (select up from trunk_status where trunk_id = $1 and node_id = $2),
     stored as (
       insert into trunk_status as s (trunk_id, node_id, up, detail, proxies)
       select t.id, n.id, $3, $4, $5::jsonb from trunks t, nodes n where t.id = $1 and n.id = $2 and n.stopped_at is null
       on conflict (trunk_id, node_id) do update set up = excluded.up, detail = excluded.detail, proxies = excluded.proxies,
         checked_at = excluded.checked_at,
         changed_at = case when s.up = excluded.up then s.changed_at else excluded.changed_at end
       returning up
     ), verdict as (select coalesce((select up from old), true) <> (select up from stored) as changed)
     select changed, case when changed then ${notify('trunk', '$1::uuid')} end from verdict`,
    [trunkId, nodeId, up, detail ?? '', JSON.stringify(proxies ?? [])],
    { idempotent: true },
  );
  return rows[0]?.changed ?? false;
};

export const trunkStatus: Store['trunkStatus'] = async (q) => {
  const { rows } = await q.query<TrunkStatusRow>(
    `select s.trunk_id as "trunkId", t.name as trunk, t.kind, s.node_id as "nodeId", n.name as node, s.up, s.detail, s.proxies,
       ${ms('s.changed_at')} as "changedAt", ${ms('s.checked_at')} as "checkedAt"
     from trunk_status s join trunks t on t.id = s.trunk_id join nodes n on n.id = s.node_id
     where n.stopped_at is null and t.removed_at is null order by t.name, n.started_at`,
  );
  return rows;
};

export const holdLease: Store['holdLease'] = async (q, name, nodeId, forMs) => {
  const { rowCount } = await q.query(
    `insert into leases as l (name, node_id, until)
     select $1, id, clock_timestamp() + ${interval('$3::float8')} from nodes where id = $2 and stopped_at is null
     on conflict (name) do update set node_id = excluded.node_id, until = excluded.until
       where l.node_id = excluded.node_id or l.until <= clock_timestamp()`,
    [name, nodeId, forMs],
    { idempotent: true },
  );
  return rowCount === 1;
};
