import { store } from '../../store';
import type { PresenceScopeRow } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import type { ListView } from '../output/list';
import { isoTime, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

function view(now: number): ListView<PresenceScopeRow> {
  const ago = (at: number | undefined): string => (at === undefined ? '-' : `${shortDuration(now - at)} ago`);
  return {
    noun: 'registrations',
    columns: [
      { title: 'tenant', text: (r) => r.scope },
      { title: 'agents', text: (r) => String(r.agents) },
      { title: 'read', text: (r) => ago(r.readAt), plain: (r) => isoTime(r.readAt) },
      { title: 'lag', text: (r) => (r.lagMs === undefined ? '-' : `${(r.lagMs / 1000).toFixed(1)} s`) },
      { title: 'requests/min', text: (r) => String(r.requestsPerMinute) },
      { title: 'notifications', text: (r) => r.push },
      { title: 'shown busy', text: (r) => String(r.written) },
      { title: 'error', text: (r) => r.error ?? r.pushDetail ?? '' },
      { title: 'node', text: (r) => r.node ?? '', wide: true },
      { title: 'updated', text: (r) => ago(r.updatedAt), plain: (r) => isoTime(r.updatedAt), wide: true },
    ],
    name: (r) => r.scope,
    json: (r) => ({
      tenant: r.scope,
      agents: r.agents,
      readAt: isoTime(r.readAt) || null,
      lagMs: r.lagMs ?? null,
      lagAt: isoTime(r.lagAt) || null,
      requestsPerMinute: r.requestsPerMinute,
      pausedUntil: isoTime(r.pausedUntil) || null,
      notifications: r.push,
      notificationsDetail: r.pushDetail ?? null,
      notifiedAt: isoTime(r.notifiedAt) || null,
      shownBusy: r.written,
      error: r.error ?? null,
      node: r.node ?? null,
      updatedAt: isoTime(r.updatedAt) || null,
    }),
    empty: 'no node reads presence, or none has yet',
  };
}

/** How reading presence goes, by app registration; `*` is the one of the settings. */
export async function presenceStatus(context: Context, options: WatchedListOptions): Promise<number> {
  return showList(context, options, view, (db) => store.presenceScopes(db));
}
