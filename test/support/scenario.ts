import { newId } from '../../src/lib/ids';
import type { Database } from '../../src/store/pool';
import { store } from '../../src/store';

export interface Scenario {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly trunks: { readonly carrier: string; readonly teams: string; readonly pbx: string };
  readonly queueId: string;
  /** Agents by name. */
  readonly agents: Readonly<Record<string, string>>;
}

export interface ScenarioOptions {
  /** Agents with a Teams endpoint, signed in, members of the queue in this order. */
  readonly agents?: readonly string[];
  /** Columns of the queue. */
  readonly queue?: Readonly<Record<string, unknown>>;
}

async function idOf(db: Database, text: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await db.query<{ id: string }>(text, values);
  return rows[0]!.id;
}

/** Rows for store tests, written by hand so that they do not depend on the configuration documents. */
export async function makeScenario(db: Database, options: ScenarioOptions = {}): Promise<Scenario> {
  const tag = newId().slice(0, 8);
  const tenantId = await idOf(
    db,
    `insert into tenants (name, country, time_zone) values ($1, 'DE', 'Europe/Berlin') returning id`,
    [`t-${tag}`],
  );
  const trunk = (kind: string, settings: object): Promise<string> =>
    idOf(db, 'insert into trunks (tenant_id, name, kind, settings) values ($1, $2, $3, $4) returning id', [
      tenantId,
      `${kind}-${tag}`,
      kind,
      JSON.stringify(settings),
    ]);
  const trunks = {
    carrier: await trunk('carrier', { sources: ['127.0.0.0/8'] }),
    teams: await trunk('teams', { sbcName: 'sbc.example.com' }),
    pbx: await trunk('pbx', { host: '127.0.0.1' }),
  };
  const columns = Object.entries(options.queue ?? {});
  const queueId = await idOf(
    db,
    `insert into queues (tenant_id, name${columns.map(([name]) => `, ${name}`).join('')})
     values ($1, 'support'${columns.map((_, i) => `, $${i + 2}`).join('')}) returning id`,
    [tenantId, ...columns.map(([, value]) => value)],
  );
  const agents: Record<string, string> = {};
  for (const [index, name] of (options.agents ?? []).entries()) {
    agents[name] = await addAgent(db, { tenantId, trunkId: trunks.teams, queueId, name, position: index + 1 });
  }
  const { nodeId } = await store.registerNode(db, { name: 'test' });
  return { tenantId, nodeId, trunks, queueId, agents };
}

export async function addAgent(
  db: Database,
  input: { tenantId: string; trunkId: string; queueId: string; name: string; position: number; level?: number },
): Promise<string> {
  const id = await idOf(
    db,
    'insert into agents (tenant_id, name, display_name, signed_in_by_default) values ($1, $2, $2, true) returning id',
    [input.tenantId, input.name],
  );
  await db.query(
    `insert into agent_endpoints (agent_id, tenant_id, kind, trunk_id, number, entra_user_id)
     values ($1, $2, 'teams', $3, $4, gen_random_uuid())`,
    [id, input.tenantId, input.trunkId, `+4930${String(1_000_000 + Math.floor(Math.random() * 8_999_999))}`],
  );
  await db.query(
    'insert into queue_members (queue_id, agent_id, tenant_id, level, position) values ($1, $2, $3, $4, $5)',
    [input.queueId, id, input.tenantId, input.level ?? 1, input.position],
  );
  return id;
}

/** A call that was answered and waits. */
export async function waitingCall(db: Database, scenario: Scenario): Promise<string> {
  const callId = await arrivedCall(db, scenario);
  await store.markCallAnswered(db, callId);
  await store.enqueue(db, { callId, queueId: scenario.queueId });
  return callId;
}

export async function arrivedCall(db: Database, scenario: Scenario): Promise<string> {
  const callId = newId();
  await store.insertCall(db, {
    id: callId,
    tenantId: scenario.tenantId,
    nodeId: scenario.nodeId,
    trunkId: scenario.trunks.carrier,
    callerNumber: '+4930555',
    dialledNumber: '+49301000100',
    sipCallId: `${callId}@carrier`,
  });
  return callId;
}

/** Reserves an agent for a call, without a decision. */
export async function reserve(
  db: Database,
  scenario: Scenario,
  callId: string,
  agentId: string,
): Promise<string | undefined> {
  const offers = await store.withQueueLock(db, scenario.queueId, (tx) =>
    store.insertOffers(tx, [{ callId, queueId: scenario.queueId, agentId }]),
  );
  return offers[0]?.offerId;
}
