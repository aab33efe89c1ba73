/** What operators do to an agent's work state: everywhere, or in one queue. */
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { AgentRow, AgentStateChange, Database, MemberStateChange } from '../../store';
import { confirm } from '../confirm';
import type { CommonOptions, Context } from '../context';
import { byWhom, withDatabase } from '../database';
import { findAgent, notFound } from '../find';
import { line } from '../io';
import { shownState } from './agent-text';

export interface ChangeOptions extends CommonOptions {
  readonly tenant?: string;
  readonly queue?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

export interface ExtendOptions extends ChangeOptions {
  /** Milliseconds. */
  readonly by: number;
}

export type AgentVerb = 'ready' | 'pause' | 'sign-in' | 'sign-out';
export type ForcedVerb = 'ready' | 'paused' | 'signed-out';

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT, SK_NOT_CONFIRMED */
export async function changeAgent(
  context: Context,
  verb: AgentVerb,
  name: string,
  options: ChangeOptions,
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const agent = await findAgent(db, name, options.tenant);
    if (verb === 'sign-out') {
      await confirmDuringCall(context, agent, 'sign out', options);
    }
    if (options.queue !== undefined) {
      return changeInQueue(context, db, verb, agent, options.queue, options.reason ?? 'paused');
    }
    const change = await apply(db, verb, agent, options);
    const state = shownState(change.state, change.reason, change.forcedBy);
    if (!change.changed && !reached(verb, change.state)) {
      throw new SidekickError('SK_CONFLICT', `${agent.name} cannot be made ${verb} now`, {
        why: `${agent.name} is ${state}`,
        next: whatNext(agent, change),
      });
    }
    line(context.io.stdout, change.changed ? `${agent.name} is ${state}` : `${agent.name} is ${state} already`);
    return 0;
  });
}

/** A supervisor's word, which the agent cannot take back. @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function forceAgent(
  context: Context,
  name: string,
  to: ForcedVerb,
  options: ChangeOptions,
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const agent = await findAgent(db, name, options.tenant);
    if (to === 'signed-out') {
      await confirmDuringCall(context, agent, 'sign out', options);
    }
    const forced = to === 'paused' ? { kind: to, reason: options.reason ?? 'by supervisor' } : { kind: to };
    const change = await store.forceState(db, agent.id, forced, byWhom());
    const state = shownState(change.state, change.reason, change.forcedBy);
    line(context.io.stdout, `${agent.name} is ${state}${change.changed ? '' : ' already'}`);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT when the agent is not in wrap-up */
export async function endWrapUp(context: Context, name: string, options: ChangeOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const agent = await findAgent(db, name, options.tenant);
    wrapUpOnly(agent, await store.endWrapUp(db, agent.id, byWhom()));
    line(context.io.stdout, `${agent.name} is ready`);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT when the agent is not in wrap-up, or it is as long as it may be */
export async function extendWrapUp(context: Context, name: string, options: ExtendOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const agent = await findAgent(db, name, options.tenant);
    wrapUpOnly(agent, await store.extendWrapUp(db, agent.id, options.by, byWhom()));
    const { until } = await findAgent(db, agent.id, options.tenant);
    line(context.io.stdout, `${agent.name} is in wrap-up until ${new Date(until ?? Date.now()).toISOString()}`);
    return 0;
  });
}

function wrapUpOnly(agent: AgentRow, change: AgentStateChange): void {
  if (!change.changed) {
    const inIt = change.state === 'wrap-up';
    throw new SidekickError('SK_CONFLICT', `the wrap-up of ${agent.name} cannot be changed now`, {
      why: inIt
        ? 'it may not last longer than ten minutes'
        : `${agent.name} is ${shownState(change.state, change.reason)}`,
      next: inIt
        ? `pause the agent instead: \`sidekick agents pause ${agent.name}\``
        : 'look at `sidekick agents list`',
    });
  }
}

async function confirmDuringCall(
  context: Context,
  agent: AgentRow,
  what: string,
  options: ChangeOptions,
): Promise<void> {
  if (agent.offer !== undefined) {
    await confirm(context, {
      action: `${what} ${agent.name}`,
      touches: [`${agent.name} is in 1 call: ${agent.offer.callId} (${agent.offer.state}); the call goes on`],
      yes: options.yes,
    });
  }
}

async function changeInQueue(
  context: Context,
  db: Database,
  verb: AgentVerb,
  agent: AgentRow,
  queue: string,
  reason: string,
): Promise<number> {
  const membership = agent.memberships.find((m) => m.queue === queue);
  if (membership === undefined) {
    throw notFound(`queue of ${agent.name} named`, queue, agent.queues, { list: `sidekick agents show ${agent.name}` });
  }
  const member = { agentId: agent.id, queueId: membership.queueId, by: byWhom() };
  const change = await inQueue(db, verb, member, reason);
  const state =
    change.pauseReason === undefined
      ? change.signedIn
        ? 'signed in'
        : 'signed out'
      : `paused${change.pauseReason === 'paused' ? '' : ` (${change.pauseReason})`}`;
  line(context.io.stdout, `${agent.name} is ${state} in ${queue}${change.changed ? '' : ' already'}`);
  return 0;
}

function inQueue(
  db: Database,
  verb: AgentVerb,
  member: Parameters<typeof store.signInQueue>[1],
  reason: string,
): Promise<MemberStateChange> {
  switch (verb) {
    case 'ready': {
      return store.resumeInQueue(db, member);
    }
    case 'pause': {
      return store.pauseInQueue(db, member, reason);
    }
    case 'sign-in': {
      return store.signInQueue(db, member);
    }
    case 'sign-out': {
      return store.signOutQueue(db, member);
    }
  }
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

function whatNext(agent: AgentRow, change: AgentStateChange): string {
  if (change.state === 'signed-out') {
    return `run \`sidekick agents sign-in ${agent.name}\` first`;
  }
  return change.forcedBy === undefined
    ? 'look at `sidekick agents list`'
    : `a supervisor's pause ends with \`sidekick agents force ${agent.name} ready\``;
}
