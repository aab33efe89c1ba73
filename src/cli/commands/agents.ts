import { didYouMean } from '../../config/documents/did-you-mean';
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { AgentRow, AgentStateChange, Database } from '../../store';
import type { CommonOptions, Context, WatchedListOptions } from '../context';
import { byWhom, withDatabase } from '../database';
import { line } from '../io';
import type { ListView } from '../output/list';
import { isoTime, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface ChangeOptions extends CommonOptions {
  readonly tenant?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

export type AgentVerb = 'ready' | 'pause' | 'sign-in' | 'sign-out';

function view(now: number): ListView<AgentRow> {
  return {
    noun: 'agents',
    columns: [
      { title: 'name', text: (a) => a.name },
      { title: 'state', text: stateOf },
      { title: 'for', text: (a) => shortDuration(now - a.changedAt), plain: (a) => isoTime(a.changedAt) },
      { title: 'call', text: (a) => (a.offer === undefined ? '' : a.offer.state) },
      { title: 'presence', text: (a) => presenceText(a, now), plain: (a) => presenceName(a) },
      { title: 'queues', text: (a) => a.queues.join(', ') },
      { title: 'endpoint', text: endpointText },
    ],
    name: (a) => a.name,
    json: agentJson,
    empty: 'no agents; `sidekick config apply -f FILE` makes some',
  };
}

export function listAgents(context: Context, options: WatchedListOptions): Promise<number> {
  return showList(context, options, view, (db) => store.listAgents(db));
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function changeAgent(
  context: Context,
  verb: AgentVerb,
  name: string,
  options: ChangeOptions,
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const agent = await findAgent(db, name, options.tenant);
    if (verb === 'sign-out' && agent.offer !== undefined && options.yes !== true) {
      throw new SidekickError('SK_CONFLICT', `${agent.name} is in a call`, {
        why: `the call ${agent.offer.callId} is ${agent.offer.state} at this agent`,
        next: 'add --yes to sign the agent out; the call goes on',
      });
    }
    const change = await apply(db, verb, agent, options);
    const state = shownState(change.state, change.reason);
    if (!change.changed && !reached(verb, change.state)) {
      throw new SidekickError('SK_CONFLICT', `${agent.name} cannot be made ${verb} now`, {
        why: `${agent.name} is ${state}`,
        next:
          change.state === 'signed-out'
            ? `run \`sidekick agents sign-in ${agent.name}\` first`
            : 'look at `sidekick agents list`',
      });
    }
    line(context.io.stdout, change.changed ? `${agent.name} is ${state}` : `${agent.name} is ${state} already`);
    return 0;
  });
}

function apply(db: Database, verb: AgentVerb, agent: AgentRow, options: ChangeOptions): Promise<AgentStateChange> {
  const by = byWhom();
  switch (verb) {
    case 'ready': {
      return store.ready(db, agent.id, by);
    }
    case 'pause': {
      return store.pause(db, agent.id, options.reason ?? 'paused', by);
    }
    case 'sign-in': {
      return store.signIn(db, agent.id, by);
    }
    case 'sign-out': {
      return store.signOut(db, agent.id, by);
    }
  }
}

function reached(verb: AgentVerb, state: AgentStateChange['state']): boolean {
  switch (verb) {
    case 'ready': {
      return state === 'ready';
    }
    case 'pause': {
      return state === 'paused';
    }
    case 'sign-in': {
      return state !== 'signed-out';
    }
    case 'sign-out': {
      return state === 'signed-out';
    }
  }
}

async function findAgent(db: Database, name: string, tenant: string | undefined): Promise<AgentRow> {
  const agent = await store.agentByName(db, name, tenant);
  if (agent !== undefined) {
    return agent;
  }
  const names = (await store.listAgents(db)).map((a) => a.name);
  const meant = didYouMean(name, names);
  throw new SidekickError('SK_NOT_FOUND', `there is no agent ${name}`, {
    ...(tenant === undefined ? {} : { why: `none in the tenant ${tenant}` }),
    next: meant === undefined ? '`sidekick agents list` shows the names' : `did you mean ${meant}?`,
  });
}

function stateOf(agent: AgentRow): string {
  return shownState(agent.state, agent.reason);
}

function shownState(state: string, reason: string | undefined): string {
  return reason === undefined || reason === state ? state : `${state} (${reason})`;
}

function presenceName({ presence }: AgentRow): string {
  return typeof presence === 'string' ? presence : presence.availability;
}

function presenceText(agent: AgentRow, now: number): string {
  const { presence } = agent;
  if (typeof presence === 'string') {
    return presence === 'none' ? '-' : presence;
  }
  const activity = presence.activity === presence.availability ? '' : `, ${presence.activity}`;
  return `${presence.availability}${activity} (${shortDuration(now - presence.readAt)} old)`;
}

function endpointText({ endpoint }: AgentRow): string {
  switch (endpoint?.kind) {
    case undefined: {
      return 'none';
    }
    case 'teams': {
      return `teams ${endpoint.number}`;
    }
    case 'pbx': {
      return `pbx ${endpoint.trunk}/${endpoint.user}`;
    }
    case 'web': {
      return 'web';
    }
  }
}

function agentJson(agent: AgentRow): unknown {
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
    missedInRow: agent.missedInRow,
    queues: agent.queues,
    endpoint: agent.endpoint ?? null,
    presence: typeof presence === 'string' ? presence : { ...presence, readAt: isoTime(presence.readAt) },
    call:
      agent.offer === undefined
        ? null
        : { callId: agent.offer.callId, state: agent.offer.state, since: isoTime(agent.offer.since) },
  };
}
