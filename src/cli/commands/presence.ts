import { store } from '../../store';
import type { AgentRow } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { findAgent } from '../find';
import { line } from '../io';
import { printData } from '../output/json';
import type { ListView } from '../output/list';
import { isoTime, outputFormat, shortDuration } from '../output/list';
import { showList } from '../output/show-list';
import { presenceName } from './agent-text';

export interface PresenceShowOptions extends WatchedListOptions {
  readonly tenant?: string;
}

type Known = Exclude<AgentRow['presence'], string>;

const known = ({ presence }: AgentRow): Known | undefined => (typeof presence === 'string' ? undefined : presence);

function view(now: number): ListView<AgentRow> {
  const ago = (at: number | undefined): string => (at === undefined ? '-' : `${shortDuration(now - at)} ago`);
  return {
    noun: 'presence',
    columns: [
      { title: 'agent', text: (a) => a.name },
      { title: 'availability', text: (a) => presenceName(a.presence) },
      { title: 'activity', text: (a) => known(a)?.activity ?? '' },
      { title: 'changed', text: (a) => ago(known(a)?.changedAt), plain: (a) => isoTime(known(a)?.changedAt) },
      { title: 'read', text: (a) => ago(known(a)?.readAt), plain: (a) => isoTime(known(a)?.readAt) },
      { title: 'source', text: (a) => known(a)?.source ?? '', wide: true },
      { title: 'tenant', text: (a) => a.tenant, wide: true },
    ],
    name: (a) => a.name,
    json: presenceJson,
    empty: 'no agents',
  };
}

/** Of every agent, or of one. @throws SidekickError SK_NOT_FOUND */
export async function showPresence(
  context: Context,
  name: string | undefined,
  options: PresenceShowOptions,
): Promise<number> {
  if (name === undefined) {
    return showList(context, options, view, async (db) => {
      const agents = await store.listAgents(db);
      return agents.filter((a) => options.tenant === undefined || a.tenant === options.tenant);
    });
  }
  const format = outputFormat(context.io, options);
  if (options.watch !== undefined || !['json', 'yaml', 'table', 'wide'].includes(format)) {
    return showList(context, options, view, async (db) => [await findAgent(db, name, options.tenant)]);
  }
  const agent = await withDatabase(context, options, (db) => findAgent(db, name, options.tenant));
  if (!printData(context.io, format, { presence: presenceJson(agent) })) {
    explain(context, agent, Date.now());
  }
  return 0;
}

function explain({ io }: Context, agent: AgentRow, now: number): void {
  const presence = known(agent);
  if (presence === undefined) {
    const why = agent.presence === 'none' ? 'is not in Teams; presence does not count' : 'was never read';
    line(io.stdout, `${agent.name}: presence ${why}`);
    return;
  }
  line(io.stdout, `${agent.name}: ${presence.availability}, ${presence.activity}`);
  line(io.stdout, `  for ${shortDuration(now - presence.changedAt)}, since ${isoTime(presence.changedAt)}`);
  line(io.stdout, `  read ${shortDuration(now - presence.readAt)} ago by ${presence.source}`);
}

function presenceJson(agent: AgentRow): Record<string, unknown> {
  const presence = known(agent);
  return {
    agent: agent.name,
    tenant: agent.tenant,
    availability: presenceName(agent.presence),
    activity: presence?.activity ?? null,
    changedAt: isoTime(presence?.changedAt) || null,
    readAt: isoTime(presence?.readAt) || null,
    source: presence?.source ?? null,
  };
}
