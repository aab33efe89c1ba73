import { newId } from '../lib/ids';
import type { Action, ExitReason } from '../flows/flow';
import type { ExitAction } from '../routing/types';
import type { CallContext } from './call-context';
import type { Destination, ExitDestination } from './call-state';
import type { QueuePlan } from './ports';
import type { TerminationReason } from './termination';

/** Exits of one call before it is taken for going round in circles. A stay in between, however short, is one. */
const MAX_EXITS = 20;

const REASONS: Record<ExitReason | 'key', TerminationReason> = {
  closed: 'queue-closed',
  paused: 'queue-paused',
  full: 'queue-full',
  noAgents: 'no-agents',
  noPresence: 'no-agents',
  maxWait: 'wait-too-long',
  estimatedWait: 'wait-too-long',
  key: 'left-by-key',
};

/** Turns what configuration names (queues, flows, prompts, numbers) into places that a call can go to now. */
export class Destinations {
  readonly #context: CallContext;
  #exits = 0;

  constructor(context: CallContext) {
    this.#context = context;
  }

  /** Where an action of a queue leads. What is not there any more ends the call, loudly. */
  ofAction(action: Action | ExitAction, reason: ExitReason | 'key', from: string): ExitDestination {
    if ('callback' in action) {
      return this.ofCallback(action.callback, reason !== 'key', this.#declined(reason, from));
    }
    if (++this.#exits > MAX_EXITS) {
      return this.#failed('exits lead round in circles');
    }
    const { plan } = this.#context;
    if ('queueId' in action) {
      return plan.queue(action.queueId)
        ? { kind: 'queue', queueId: action.queueId }
        : this.#failed(`there is no queue "${action.queue}"`);
    }
    if ('queues' in action) {
      return this.#firstQueue(action.queues, from);
    }
    if ('flow' in action) {
      return plan.flow(action.flow)
        ? { kind: 'flow', flow: action.flow }
        : this.#failed(`there is no flow "${action.flow}"`);
    }
    if ('announce' in action) {
      const uri = plan.promptUri(action.announce);
      return uri === undefined
        ? this.#failed(`there is no prompt "${action.announce}"`)
        : { kind: 'announce', uri, reason: REASONS[reason] };
    }
    if ('number' in action) {
      return this.ofNumber(action.number);
    }
    if ('voicemail' in action) {
      return this.ofVoicemail(action.voicemail, REASONS[reason]);
    }
    return { kind: 'hang-up', reason: REASONS[reason] };
  }

  /** Where messages are left for a queue; `reason`: how the call ends if none is. */
  ofVoicemail(name: string, reason: TerminationReason): ExitDestination {
    const queue = this.#context.plan.queueNamed(name);
    return queue?.voicemail
      ? {
          kind: 'voicemail',
          queueId: queue.queueId,
          voicemailId: newId(),
          thanksUri: queue.voicemail.thanksUri,
          reason,
        }
      : this.#failed(queue ? `queue "${name}" keeps no messages` : `there is no queue "${name}"`);
  }

  /** A number outside, where a trunk of the tenant may call it. */
  ofNumber(e164: string): ExitDestination {
    const { plan, info } = this.#context;
    const trunkId = plan.trunkTo(e164, info.route.trunkId);
    return trunkId === undefined
      ? this.#failed('the number outside is not allowed, or no trunk leads there')
      : { kind: 'outside', legId: newId(), to: { kind: 'number', trunkId, e164 } };
  }

  /** Who does not want to be called back, or cannot be, keeps his place; where he has none and can get none, the call ends. */
  #declined(reason: ExitReason | 'key', from: string): ExitDestination {
    return reason === 'closed' || reason === 'full'
      ? { kind: 'hang-up', reason: REASONS[reason] }
      : { kind: 'again', queueId: from };
  }

  /** A callback by the queue of this name; straight to `declined` where the caller cannot be called. */
  ofCallback(name: string, ask: boolean, declined: ExitDestination): ExitDestination {
    const { plan, info, event } = this.#context;
    const queue = plan.queueNamed(name);
    const rules = queue && plan.callback(queue.queueId);
    if (!queue || !rules) {
      return this.#failed(queue ? `queue "${name}" calls nobody back` : `there is no queue "${name}"`);
    }
    const { number } = info.caller;
    if (number === undefined || !/^\+[1-9]\d{5,14}$/.test(number)) {
      event('callback:not-possible', { why: 'the caller shows no number' });
      return declined;
    }
    if (plan.trunkTo(number, info.route.trunkId) === undefined) {
      event('callback:not-possible', { why: 'the number may not be called, or no trunk leads there' });
      return declined;
    }
    return {
      kind: 'callback',
      queueId: queue.queueId,
      number,
      askUri: ask ? rules.askUri : undefined,
      key: rules.key,
      confirmUri: rules.confirmUri,
      declined,
    };
  }

  ofQueueNamed(name: string): ExitDestination {
    const queue = this.#context.plan.queueNamed(name);
    return queue ? { kind: 'queue', queueId: queue.queueId } : this.#failed(`there is no queue "${name}"`);
  }

  /** The first that would not send the call away at once; if all would, the first, whose own exit then decides. */
  #firstQueue(names: readonly string[], from: string): ExitDestination {
    const { plan } = this.#context;
    const queues = names.flatMap((name) => plan.queueNamed(name) ?? []).filter((queue) => queue.queueId !== from);
    const queue = queues.find((q) => this.#takesCalls(q)) ?? queues[0];
    return queue ? { kind: 'queue', queueId: queue.queueId } : this.#failed('none of the queues it leads to is there');
  }

  #takesCalls(queue: QueuePlan): boolean {
    const sendsAway =
      closedNow(this.#context, queue) !== undefined || (queue.paused && queue.exits.paused !== undefined);
    return !sendsAway;
  }

  #failed(why: string): ExitDestination {
    this.#context.log.error({ event: 'call_destination_failed', reason: why });
    this.#context.event('call:exit-failed', { why });
    return { kind: 'hang-up', reason: 'exit-failed' };
  }
}

/** Why the queue takes nobody now; undefined: it does. */
export function closedNow(context: Pick<CallContext, 'plan' | 'deps'>, queue: QueuePlan): string | undefined {
  if (queue.hours === undefined) {
    return undefined;
  }
  const { open, reason } = context.plan.isOpen(queue.hours, context.deps.clock.now());
  return open ? undefined : reason;
}

/** For the story of a call; a number outside is shortened. */
export function describeDestination({ plan }: Pick<CallContext, 'plan'>, to: Destination): string {
  switch (to.kind) {
    case 'queue': {
      return `queue ${plan.queue(to.queueId)?.name ?? to.queueId}`;
    }
    case 'agent': {
      return 'an agent';
    }
    case 'flow': {
      return `flow ${to.flow}`;
    }
    case 'announce': {
      return 'an announcement';
    }
    case 'voicemail': {
      return `voicemail of ${plan.queue(to.queueId)?.name ?? to.queueId}`;
    }
    case 'callback': {
      return `callback of ${plan.queue(to.queueId)?.name ?? to.queueId}`;
    }
    case 'again': {
      return 'the place in the queue';
    }
    case 'outside': {
      return to.to.kind === 'number' ? 'a number outside' : 'a target of the agent';
    }
    case 'hang-up': {
      return `hang-up (${to.reason})`;
    }
  }
}
