import type { Queryable } from '../../src/store';

export interface FloorOptions {
  readonly agents: number;
  readonly queues: number;
  /** Queues that each agent serves. */
  readonly queuesEach: number;
  /** Columns of all queues. */
  readonly queue?: Readonly<Record<string, unknown>>;
}

export interface Floor {
  readonly tenantId: string;
  readonly queueIds: readonly string[];
  readonly agentIds: readonly string[];
}

/** A tenant, queues, and agents with PBX phones who are ready and serve several queues each, so that the queues share people. */
export async function makeFloor(db: Queryable, options: FloorOptions): Promise<Floor> {
  const one = async (text: string, values: readonly unknown[]): Promise<string> =>
    (await db.query<{ id: string }>(text, values)).rows[0]?.id ?? '';
  const many = async (text: string, values: readonly unknown[]): Promise<string[]> =>
    (await db.query<{ id: string }>(text, values)).rows.map((row) => row.id);
  const tenantId = await one(
    `insert into tenants (name, country, time_zone) values ('floor', 'DE', 'Europe/Berlin') returning id`,
    [],
  );
  const trunkId = await one(
    `insert into trunks (tenant_id, name, kind, settings) values ($1, 'pbx', 'pbx', '{"host": "127.0.0.1"}') returning id`,
    [tenantId],
  );
  const columns = Object.keys(options.queue ?? {});
  const queueIds = await many(
    `insert into queues (tenant_id, name${columns.map((name) => `, ${name}`).join('')})
     select $1, 'queue-' || n${columns.map((_, i) => `, $${i + 3}`).join('')} from generate_series(1, $2::int) n returning id`,
    [tenantId, options.queues, ...Object.values(options.queue ?? {})],
  );
  const agentIds = await many(
    `insert into agents (tenant_id, name, display_name, signed_in_by_default)
     select $1, 'agent-' || n, 'Agent ' || n, true from generate_series(1, $2::int) n returning id`,
    [tenantId, options.agents],
  );
  await db.query(
    `insert into agent_endpoints (agent_id, tenant_id, kind, trunk_id, sip_user)
     select a.id, a.tenant_id, 'pbx', $1, a.name from agents a where a.tenant_id = $2`,
    [trunkId, tenantId],
  );
  await db.query(
    `insert into queue_members (queue_id, agent_id, tenant_id, position)
     select q.id, a.id, $1, a.n
     from unnest($2::uuid[]) with ordinality as a(id, n)
     join unnest($3::uuid[]) with ordinality as q(id, n) on (q.n - 1 - (a.n - 1) * $4 % $5 + $5) % $5 < $4`,
    [tenantId, agentIds, queueIds, options.queuesEach, options.queues],
  );
  await db.query('analyze');
  return { tenantId, queueIds, agentIds };
}
