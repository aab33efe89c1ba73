import { store } from '../../store';
import type { NodeReport } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import type { ListView } from '../output/list';
import { isoTime, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface NodesListOptions extends WatchedListOptions {
  readonly all?: boolean;
}

/** Without a heartbeat for so long the others take a node for lost; before that it is late. */
const LATE_MS = 5000;

function stateOf(node: NodeReport, now: number): string {
  if (node.stoppedAt !== undefined) {
    return node.stopReason ?? 'stopped';
  }
  return now - node.heartbeatAt > LATE_MS ? 'late' : 'running';
}

function view(now: number): ListView<NodeReport> {
  return {
    noun: 'nodes',
    columns: [
      { title: 'name', text: (n) => n.name },
      {
        title: 'state',
        text: (n) => stateOf(n, now),
        tone: (n) => (stateOf(n, now) === 'running' ? 'good' : stateOf(n, now) === 'late' ? 'bad' : undefined),
      },
      {
        title: 'heartbeat',
        text: (n) => `${shortDuration(now - n.heartbeatAt)} ago`,
        plain: (n) => isoTime(n.heartbeatAt),
      },
      { title: 'calls', text: (n) => String(n.calls) },
      { title: 'offers', text: (n) => String(n.offers) },
      { title: 'trunks down', text: (n) => n.trunksDown.join(', ') || '-', plain: (n) => n.trunksDown.join(' ') },
      { title: 'version', text: (n) => n.version },
      {
        title: 'up',
        text: (n) => shortDuration((n.stoppedAt ?? now) - n.startedAt),
        plain: (n) => isoTime(n.startedAt),
      },
      { title: 'id', text: (n) => n.id, wide: true },
    ],
    name: (n) => n.name,
    json: (n) => ({
      id: n.id,
      name: n.name,
      version: n.version,
      state: stateOf(n, now),
      startedAt: isoTime(n.startedAt),
      heartbeatAt: isoTime(n.heartbeatAt),
      stoppedAt: isoTime(n.stoppedAt) || null,
      calls: n.calls,
      offers: n.offers,
      trunksDown: n.trunksDown,
    }),
    empty: 'no node runs on this database; `sidekick serve` starts one',
  };
}

export function listNodes(context: Context, options: NodesListOptions): Promise<number> {
  return showList(context, options, view, (db) => store.listNodes(db, options.all === true));
}
