import { store } from '../../store';
import type { AgentRow } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { findAgent } from '../find';
import { line } from '../io';
import { printData } from '../output/json';
import type { Column, ListView } from '../output/list';
import { isoTime, outputFormat, printList, shortDuration, tableOf } from '../output/list';
import { colored, showList } from '../output/show-list';
import { endpointText, presenceName, presenceText, shownState } from './agent-text';

export interface AgentsListOptions extends WatchedListOptions {
  readonly queue?: string;
}

export interface AgentShowOptions extends WatchedListOptions {
  readonly tenant?: string;
}

function view(now: number): ListView<AgentRow> {
  return {
    noun: 'agents',
    columns: [
      { title: 'name', text: (a) => a.name },
      {
        title: 'state',
        text: (a) => shownState(a.state, a.reason, a.forcedBy),
        tone: (a) => (a.state === 'ready' ? 'good' : a.state === 'not-ready' ? 'bad' : undefined),
      },
      { title: 'for', text: (a) => shortDuration(now - a.changedAt), plain: (a) => isoTime(a.changedAt) },
      { title: 'call', text: (a) => (a.offer === undefined ? '' : a.offer.state) },
      { title: 'presence', text: (a) => presenceText(a.presence, now), plain: (a) => presenceName(a.presence) },
      { title: 'queues', text: (a) => a.queues.join(', ') },
      { title: 'endpoint', text: (a) => endpointText(a.endpoint) },
      { title: 'missed', text: (a) => String(a.missedInRow), wide: true },
      {
        title: 'last call',
        text: (a) => (a.lastCallEndedAt === undefined ? '-' : `${shortDuration(now - a.lastCallEndedAt)} ago`),
        plain: (a) => isoTime(a.lastCallEndedAt),
        wide: true,
      },
      { title: 'display name', text: (a) => a.displayName, wide: true },
      { title: 'tenant', text: (a) => a.tenant, wide: true },
    ],
    name: (a) => a.name,
    json: agentJson,
    empty: 'no agents; `sidekick config apply -f FILE` makes some',
  };
}

export function listAgents(context: Context, options: AgentsListOptions): Promise<number> {
  return showList(context, options, view, async (db) => {
    const agents = await store.listAgents(db);
    return options.queue === undefined ? agents : agents.filter((a) => a.queues.includes(options.queue ?? ''));
  });
}

/** One agent with what he does in each queue. @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function showAgent(context: Context, name: string, options: AgentShowOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  if (options.watch !== undefined) {
    return showList(context, options, view, async (db) => [await findAgent(db, name, options.tenant)]);
  }
  const agent = await withDatabase(context, options, (db) => findAgent(db, name, options.tenant));
  const now = Date.now();
  if (printData(context.io, format, { agent: agentJson(agent) })) {
    return 0;
  }
  const { io } = context;
  if (format !== 'table' && format !== 'wide') {
    printList(io, view(now), [agent], format);
    return 0;
  }
  const until = agent.until === undefined ? '' : `, until ${isoTime(agent.until)}`;
  line(
    io.stdout,
    `${agent.name} (${agent.displayName}) is ${shownState(agent.state, agent.reason, agent.forcedBy)} for ${shortDuration(now - agent.changedAt)}${until}`,
  );
  line(io.stdout, `   endpoint  ${endpointText(agent.endpoint)}`);
  line(io.stdout, `   presence  ${presenceText(agent.presence, now)}`);
  if (agent.offer !== undefined) {
    line(
      io.stdout,
      `   call      ${agent.offer.callId}, ${agent.offer.state} for ${shortDuration(now - agent.offer.since)}`,
    );
  }
  line(
    io.stdout,
    agent.memberships.length === 0 ? '   in no queue' : tableOf(MEMBERSHIP, agent.memberships, colored(context)),
  );
  return 0;
}

const MEMBERSHIP: readonly Column<AgentRow['memberships'][number]>[] = [
  { title: '  queue', text: (m) => `  ${m.queue}` },
  { title: 'level', text: (m) => String(m.level) },
  { title: 'position', text: (m) => String(m.position) },
  {
    title: 'here',
    text: (m) =>
      m.pauseReason === undefined ? (m.signedIn ? 'signed in' : 'signed out') : `paused (${m.pauseReason})`,
  },
  { title: 'calls today', text: (m) => String(m.callsToday) },
];

function agentJson(agent: AgentRow): Record<string, unknown> {
  const { presence } = agent;
  return {
    name: agent.name,
    displayName: agent.displayName,
    tenant: agent.tenant,
    state: agent.state,
    reason: agent.reason ?? null,
    until: agent.until === undefined ? null : isoTime(agent.until),
    changedAt: isoTime(agent.changedAt),
    readySince: isoTime(agent.readySince),
    forcedBy: agent.forcedBy ?? null,
    missedInRow: agent.missedInRow,
    queues: agent.queues,
    memberships: agent.memberships.map((m) => ({
      queue: m.queue,
      level: m.level,
      position: m.position,
      signedIn: m.signedIn,
      pauseReason: m.pauseReason ?? null,
      callsToday: m.callsToday,
    })),
    endpoint: agent.endpoint ?? null,
    presence: typeof presence === 'string' ? presence : { ...presence, readAt: isoTime(presence.readAt) },
    call:
      agent.offer === undefined
        ? null
        : { callId: agent.offer.callId, state: agent.offer.state, since: isoTime(agent.offer.since) },
  };
}
