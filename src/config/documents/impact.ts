import type { Queryable } from '../../store/types';
import { keyOf, type Item, type List } from './canonical';
import type { Document } from './schema';

/** What a change does to something that is running. */
export interface Impact {
  /** Such as `3 calls are waiting in "sales"`. */
  readonly text: string;
  /** True: the change cannot be made before that is over. False: it can, and this is what happens then. */
  readonly blocks: boolean;
}

interface Running {
  readonly queues: readonly {
    readonly tenant: string;
    readonly name: string;
    readonly waiting: number;
    readonly longestMs: number;
  }[];
  readonly agents: readonly { readonly tenant: string; readonly name: string }[];
  readonly trunks: readonly { readonly name: string; readonly calls: number }[];
}

const RUNNING = `
select json_build_object(
  'queues', (select coalesce(json_agg(q), '[]') from (
    select tn.name as tenant, qu.name, count(*)::int as waiting,
      (extract(epoch from clock_timestamp() - min(v.queued_at)) * 1000)::float8 as "longestMs"
    from queue_visits v join queues qu on qu.id = v.queue_id and qu.removed_at is null join tenants tn on tn.id = qu.tenant_id
    where v.ended_at is null group by tn.name, qu.name order by tn.name, qu.name) q),
  'agents', (select coalesce(json_agg(distinct jsonb_build_object('tenant', tn.name, 'name', a.name)), '[]')
    from offers o join agents a on a.id = o.agent_id and a.removed_at is null join tenants tn on tn.id = a.tenant_id where o.ended_at is null),
  'trunks', (select coalesce(json_agg(t), '[]') from (
    select t.name, count(distinct c.id)::int as calls from calls c join trunks t on t.id = c.trunk_id
    where c.ended_at is null group by t.name order by t.name) t)
) as running`;

/** What would become of running calls if `after` replaced `before`; both canonical. Empty: nothing that runs is touched. */
export async function impactOf(q: Queryable, before: Document, after: Document): Promise<readonly Impact[]> {
  const { rows } = await q.query<{ running: Running }>(RUNNING, [], { idempotent: true });
  const running = rows[0]?.running ?? { queues: [], agents: [], trunks: [] };
  const find = <L extends List>(document: Document, list: L): ((key: string) => Item<L> | undefined) => {
    const items: readonly Item<L>[] = document[list];
    const byKey = new Map(items.map((item) => [keyOf(list, item), item]));
    return (key) => byKey.get(key);
  };
  const [queueBefore, queueAfter] = [find(before, 'queues'), find(after, 'queues')];
  const [agentBefore, agentAfter] = [find(before, 'agents'), find(after, 'agents')];
  const [trunkBefore, trunkAfter] = [find(before, 'trunks'), find(after, 'trunks')];
  return [
    ...running.queues.flatMap((queue) => {
      const key = `${queue.tenant}/${queue.name}`;
      return queueImpact(queue, queueBefore(key), queueAfter(key));
    }),
    ...running.agents.flatMap(({ tenant, name }) => {
      const key = `${tenant}/${name}`;
      return agentBefore(key) !== undefined && agentAfter(key) === undefined
        ? [{ text: `agent "${name}" is in a call or being rung`, blocks: true }]
        : [];
    }),
    ...running.trunks.flatMap(({ name, calls }) => {
      const closes = trunkBefore(name)?.enabled === true && trunkAfter(name)?.enabled !== true;
      return closes
        ? [
            {
              text: `${counted(calls)} in progress over trunk "${name}"; they go on, new ones are refused`,
              blocks: false,
            },
          ]
        : [];
    }),
  ];
}

function queueImpact(
  running: Running['queues'][number],
  before: Item<'queues'> | undefined,
  after: Item<'queues'> | undefined,
): Impact[] {
  if (before === undefined) {
    return [];
  }
  const { name, waiting } = running;
  const waits = `${counted(waiting)} waiting in "${name}"`;
  if (after === undefined) {
    return [{ text: waits, blocks: true }];
  }
  const impacts: Impact[] = [];
  if (before.members.length > 0 && after.members.length === 0) {
    impacts.push({ text: `${waits}, which would have no members`, blocks: false });
  }
  const limit = after.maxWaitSeconds;
  if (limit !== undefined && limit < (before.maxWaitSeconds ?? Infinity) && running.longestMs > limit * 1000) {
    impacts.push({
      text: `${waits}, some for longer than the new maxWaitSeconds of ${limit}: they leave at once`,
      blocks: false,
    });
  }
  return impacts;
}

const counted = (calls: number): string => (calls === 1 ? '1 call is' : `${calls} calls are`);
