import { store } from '../../store';
import type { AgentRow, Database, QueueConfig } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import type { ListView } from '../output/list';
import { shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface QueueState {
  readonly name: string;
  readonly tenant: string;
  readonly strategy: string;
  readonly waiting: number;
  readonly longestWaitMs: number;
  readonly members: number;
  readonly signedIn: number;
  /** Ready and not in a call of ours; presence is not counted in. */
  readonly ready: number;
  readonly inCall: number;
}

const VIEW: ListView<QueueState> = {
  noun: 'queues',
  columns: [
    { title: 'name', text: (q) => q.name },
    { title: 'waiting', text: (q) => String(q.waiting) },
    {
      title: 'longest',
      text: (q) => (q.waiting === 0 ? '-' : shortDuration(q.longestWaitMs)),
      plain: (q) => String(Math.round(q.longestWaitMs / 1000)),
    },
    { title: 'ready', text: (q) => String(q.ready) },
    { title: 'in call', text: (q) => String(q.inCall) },
    { title: 'signed in', text: (q) => String(q.signedIn) },
    { title: 'members', text: (q) => String(q.members) },
    { title: 'strategy', text: (q) => q.strategy },
    { title: 'tenant', text: (q) => q.tenant },
  ],
  name: (q) => q.name,
  json: (q) => q,
  empty: 'no queues; `sidekick config apply -f FILE` makes some',
};

export function listQueues(context: Context, options: WatchedListOptions): Promise<number> {
  return showList(context, options, () => VIEW, readQueues);
}

export async function readQueues(db: Database): Promise<QueueState[]> {
  const [queues, agents, tenants] = await Promise.all([
    store.loadQueues(db),
    store.listAgents(db),
    store.loadTenants(db),
  ]);
  const tenantName = new Map(tenants.map((t) => [t.id, t.name]));
  const states: QueueState[] = [];
  for (const queue of queues) {
    states.push(await queueState(db, queue, agents, tenantName.get(queue.tenantId) ?? ''));
  }
  return states;
}

async function queueState(
  db: Database,
  queue: QueueConfig,
  agents: readonly AgentRow[],
  tenant: string,
): Promise<QueueState> {
  const waiting = await store.queuePositions(db, queue.id);
  const members = agents.filter((a) => a.tenant === tenant && a.queues.includes(queue.name));
  return {
    name: queue.name,
    tenant,
    strategy: queue.strategy,
    waiting: waiting.length,
    longestWaitMs: Math.max(0, ...waiting.map((call) => call.waitedMs)),
    members: members.length,
    signedIn: members.filter((a) => a.state !== 'signed-out').length,
    ready: members.filter((a) => a.state === 'ready' && a.offer === undefined).length,
    inCall: members.filter((a) => a.offer !== undefined).length,
  };
}
