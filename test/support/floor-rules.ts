import type { Queryable } from '../../src/store';

async function count(db: Queryable, text: string): Promise<number> {
  const { rows } = await db.query<{ n: number }>(`select count(*)::int as n from (${text}) x`);
  return rows[0]!.n;
}

/** What must hold at every moment, read from the rows as they stand: how often each rule is broken. */
export async function brokenRules(db: Queryable): Promise<Record<string, number>> {
  return {
    'agents in two offers at once': await count(
      db,
      `select from offers a join offers b on a.agent_id = b.agent_id and a.id < b.id
       where a.reserved_at < coalesce(b.ended_at, 'infinity') and b.reserved_at < coalesce(a.ended_at, 'infinity')`,
    ),
    'calls with two agents at once': await count(
      db,
      `select from offers a join offers b on a.call_id = b.call_id and a.id < b.id
       where a.answered_at < coalesce(b.ended_at, 'infinity') and b.answered_at < coalesce(a.ended_at, 'infinity')`,
    ),
    'calls offered to more agents at once than their queue rings': await count(
      db,
      `select o.call_id from offers o join queues q on q.id = o.queue_id where o.ended_at is null
       group by o.call_id, q.strategy, q.max_parallel
       having count(*) > case when q.strategy in ('ring-all', 'ring-progressively') then q.max_parallel else 1 end`,
    ),
    'connected calls whose offer is not': await count(
      db,
      `select from calls c left join offers o on o.id = c.connected_offer_id where c.state = 'connected' and o.state is distinct from 'connected'`,
    ),
    'waiting calls without a place': await count(
      db,
      `select from calls c where c.state = 'waiting' and not exists (select from queue_visits v where v.call_id = c.id and v.ended_at is null)`,
    ),
    'places of calls that do not wait': await count(
      db,
      `select from queue_visits v join calls c on c.id = v.call_id where v.ended_at is null and c.state <> 'waiting'`,
    ),
    'talks without their fact': await count(
      db,
      `select from offers o left join connections f on f.offer_id = o.id where (o.outcome = 'answered') <> (f.id is not null)`,
    ),
    'counts that the facts do not show': await count(
      db,
      `select from queue_members m where m.calls_today <> (
         select count(*) from offers o where o.queue_id = m.queue_id and o.agent_id = m.agent_id and o.answered_at is not null
           and tenant_day(o.tenant_id, o.answered_at) = m.day)`,
    ),
  };
}

/** Calls that wait although a member of their queue is ready and free, and nothing keeps the two apart. */
export async function waitsBesideFreeAgent(db: Queryable): Promise<number> {
  return await count(
    db,
    `select from queue_visits v join calls c on c.id = v.call_id
     where v.ended_at is null and not exists (select from offers o where o.call_id = v.call_id and o.ended_at is null)
       and exists (
         select from queue_members m join agent_states s on s.agent_id = m.agent_id
         where m.queue_id = v.queue_id and m.signed_in and not m.paused and s.state = 'ready'
           and not exists (select from offers o where o.agent_id = m.agent_id and o.ended_at is null)
           and not exists (select from call_exclusions x where x.call_id = v.call_id and x.agent_id = m.agent_id and x.until > clock_timestamp()))`,
  );
}
