/**
 * The life of one callback: a call without a caller. It waits in the queue with the clock of the call that it comes from; an agent
 * is found for it as for every call, and only when he has answered is the customer called. Pure, as call-state.ts.
 *
 *   waiting ──offer-reserved: an agent rings (any number at once)
 *      │  ▲
 *      │  ├── agent-left, offer-over: nobody was reached, and it was not the customer's doing
 *      │  └── due ◀────────────────────────────────────┐
 *      └──agent-answered──▶ calling ──leg-failed──▶ resting (or ended, after the last try)
 *                              └──leg-answered──▶ joining ──bridged──▶ connected ──either hangs up──▶ ended
 *
 *   every state ──end──▶ ended: canceled, expired, the customer called in himself, its node stops while both talk
 *   every state but connected ──hand-over──▶ handed-over: another node goes on with it
 *
 *   waiting      it has a place in the queue; agents may be rung
 *   calling      an agent answered and hears music; the customer's phone rings
 *   joining      the customer answered; the two are being joined
 *   connected    both talk
 *   resting      the customer was not reached: the agent's leg ends, and the next try is due later. It has no place meanwhile, and
 *                comes back to the old one
 *   handed-over  this node does no more for it. Its row says what the next node needs
 *   ended        over, with exactly one Termination; nothing leads out of here
 *
 * A customer who was put through and lost his agent by a failure, not by a hang-up, is called again: the place is his.
 */
import type { StayOutcome } from './call-state';
import { termination } from './termination';
import type { Termination, TerminationReason } from './termination';

/** How often the customer has been called in vain, and how often he may be. */
export interface CallbackTries {
  readonly made: number;
  readonly allowed: number;
}

export type CallbackState =
  | {
      readonly kind: 'waiting';
      readonly tries: CallbackTries;
      /** Agents who ring, by their offers. */
      readonly offers: readonly string[];
    }
  | {
      readonly kind: 'calling' | 'joining' | 'connected';
      readonly tries: CallbackTries;
      readonly offerId: string;
      readonly legId: string;
    }
  /** `offerId`: of the agent whose leg is not over yet. */
  | { readonly kind: 'resting'; readonly tries: CallbackTries; readonly offerId: string | undefined }
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'ended'; readonly termination: Termination };

export type CallbackInput =
  | { readonly kind: 'offer-reserved'; readonly offerId: string }
  | { readonly kind: 'agent-answering'; readonly offerId: string }
  /** `legId`: of the customer's leg to be. */
  | { readonly kind: 'agent-answered'; readonly offerId: string; readonly legId: string }
  /** `lost`: the agent's leg failed, nobody hung up. */
  | { readonly kind: 'agent-left'; readonly offerId: string; readonly lost?: boolean }
  | { readonly kind: 'offer-over'; readonly offerId: string }
  | { readonly kind: 'leg-answered'; readonly legId: string }
  | { readonly kind: 'leg-failed'; readonly legId: string }
  /** The customer hung up, or his leg failed. */
  | { readonly kind: 'leg-left'; readonly legId: string }
  | { readonly kind: 'bridged'; readonly channel: string }
  | { readonly kind: 'bridge-failed'; readonly channel: string }
  /** No media server is there for the agent who was reserved. */
  | { readonly kind: 'no-media' }
  /** The next try is due. */
  | { readonly kind: 'due' }
  | { readonly kind: 'hand-over' }
  | { readonly kind: 'end'; readonly reason: CallbackEnd };

/** Ends that come from outside. */
export type CallbackEnd =
  | 'callback-canceled'
  | 'callback-expired'
  | 'callback-called-in'
  | 'callback-not-allowed'
  | 'ended-by-admin'
  | 'node-stopping'
  | 'store-failed';

export type CallbackEffect =
  /** Gives it its place in the queue, or keeps it. */
  | { readonly kind: 'take-place' }
  | { readonly kind: 'leave-queue'; readonly outcome: StayOutcome }
  | { readonly kind: 'ring-agent'; readonly offerId: string }
  | { readonly kind: 'withdraw-offer'; readonly offerId: string; readonly why: 'elsewhere' | 'withdrawn' }
  | { readonly kind: 'end-agent-leg'; readonly offerId: string; readonly endedBy: 'caller' | 'agent' | 'system' }
  /** The agent waits for the customer to answer. */
  | { readonly kind: 'play-music'; readonly offerId: string }
  | { readonly kind: 'dial'; readonly legId: string }
  | { readonly kind: 'end-customer-leg'; readonly legId: string }
  | { readonly kind: 'bridge'; readonly offerId: string; readonly legId: string }
  /** They talk: whatever comes now, the customer was reached. */
  | { readonly kind: 'note-reached'; readonly offerId: string }
  /** He is to be called again: what was noted does not hold. */
  | { readonly kind: 'note-lost' }
  /** Until the next try, or until media may be there again. */
  | { readonly kind: 'rest'; readonly triesMade: number; readonly why: 'not-reached' | 'no-media' }
  | { readonly kind: 'finish'; readonly termination: Termination };

export interface CallbackStep {
  readonly state: CallbackState;
  readonly effects: readonly CallbackEffect[];
}

/** Next state and effects, or undefined where `input` is not expected in `state`. */
export function stepCallback(state: CallbackState, input: CallbackInput): CallbackStep | undefined {
  return stepLive(state, input) ?? lateOffer(state, input);
}

/** An agent who was reserved for a callback that cannot take him must be free again. */
function lateOffer(state: CallbackState, input: CallbackInput): CallbackStep | undefined {
  return input.kind === 'offer-reserved' && !(state.kind === 'waiting' && state.offers.includes(input.offerId))
    ? { state, effects: [{ kind: 'withdraw-offer', offerId: input.offerId, why: 'withdrawn' }] }
    : undefined;
}

function stepLive(state: CallbackState, input: CallbackInput): CallbackStep | undefined {
  if (state.kind === 'ended' || state.kind === 'handed-over') {
    return undefined;
  }
  if (input.kind === 'end') {
    return ended(input.reason, release(state));
  }
  if (input.kind === 'hand-over') {
    return state.kind === 'connected'
      ? ended('node-stopping', release(state))
      : { state: { kind: 'handed-over' }, effects: release(state).filter(({ kind }) => kind !== 'leave-queue') };
  }
  switch (state.kind) {
    case 'waiting': {
      return stepWaiting(state, input);
    }
    case 'resting': {
      return stepResting(state, input);
    }
    case 'calling':
    case 'joining':
    case 'connected': {
      return stepBusy(state, input);
    }
  }
}

type In<K extends CallbackState['kind']> = Extract<CallbackState, { kind: K }>;
type Busy = In<'calling' | 'joining' | 'connected'>;

function stepWaiting(state: In<'waiting'>, input: CallbackInput): CallbackStep | undefined {
  const { offers, tries } = state;
  switch (input.kind) {
    case 'offer-reserved': {
      return offers.includes(input.offerId)
        ? undefined
        : {
            state: { ...state, offers: [...offers, input.offerId] },
            effects: [{ kind: 'ring-agent', offerId: input.offerId }],
          };
    }
    case 'agent-answering': {
      return offers.includes(input.offerId) ? { state, effects: [] } : undefined;
    }
    case 'agent-answered': {
      const { offerId, legId } = input;
      const others = offers.filter((id) => id !== offerId);
      return offers.includes(offerId)
        ? {
            state: { kind: 'calling', tries, offerId, legId },
            effects: [
              ...others.map((id): CallbackEffect => ({ kind: 'withdraw-offer', offerId: id, why: 'elsewhere' })),
              { kind: 'play-music', offerId },
              { kind: 'dial', legId },
            ],
          }
        : undefined;
    }
    case 'no-media': {
      return {
        state: { kind: 'resting', tries, offerId: undefined },
        effects: [...release(state), { kind: 'rest', triesMade: tries.made, why: 'no-media' }],
      };
    }
    case 'offer-over': {
      return offers.includes(input.offerId)
        ? { state: { ...state, offers: offers.filter((id) => id !== input.offerId) }, effects: [] }
        : undefined;
    }
    default: {
      return undefined;
    }
  }
}

function stepResting(state: In<'resting'>, input: CallbackInput): CallbackStep | undefined {
  if (input.kind === 'offer-over') {
    return input.offerId === state.offerId ? { state: { ...state, offerId: undefined }, effects: [] } : undefined;
  }
  return input.kind === 'due' && state.offerId === undefined
    ? { state: { kind: 'waiting', tries: state.tries, offers: [] }, effects: [{ kind: 'take-place' }] }
    : undefined;
}

function stepBusy(state: Busy, input: CallbackInput): CallbackStep | undefined {
  const { tries, offerId, legId } = state;
  switch (input.kind) {
    case 'leg-answered': {
      return input.legId === legId && state.kind === 'calling'
        ? { state: { ...state, kind: 'joining' }, effects: [{ kind: 'bridge', offerId, legId }] }
        : undefined;
    }
    case 'bridged': {
      return input.channel === legId && state.kind === 'joining'
        ? { state: { ...state, kind: 'connected' }, effects: [{ kind: 'note-reached', offerId }] }
        : undefined;
    }
    case 'bridge-failed': {
      return input.channel === legId && state.kind === 'joining'
        ? again(state, [{ kind: 'end-agent-leg', offerId, endedBy: 'system' }])
        : undefined;
    }
    case 'leg-failed':
    case 'leg-left': {
      if (input.legId !== legId) {
        return undefined;
      }
      return state.kind === 'connected'
        ? ended('caller-hung-up', [
            { kind: 'end-customer-leg', legId },
            { kind: 'end-agent-leg', offerId, endedBy: 'caller' },
          ])
        : notReached(state);
    }
    case 'agent-left': {
      if (input.offerId !== offerId) {
        return undefined;
      }
      return state.kind === 'connected' && input.lost !== true
        ? ended('agent-hung-up', [
            { kind: 'end-customer-leg', legId },
            { kind: 'end-agent-leg', offerId, endedBy: 'agent' },
          ])
        : again(state, [{ kind: 'end-agent-leg', offerId, endedBy: input.lost === true ? 'system' : 'agent' }]);
    }
    case 'offer-over': {
      return input.offerId === offerId ? again(state, []) : undefined;
    }
    default: {
      return undefined;
    }
  }

  /** The agent is gone, or the two could not be joined: the place is kept, and the next agent calls again. */
  function again(from: Busy, effects: readonly CallbackEffect[]): CallbackStep {
    return {
      state: { kind: 'waiting', tries, offers: [] },
      effects: [
        { kind: 'end-customer-leg', legId },
        ...effects,
        ...(from.kind === 'connected' ? [{ kind: 'note-lost' } as const] : []),
        { kind: 'take-place' },
      ],
    };
  }
}

function notReached({ tries, offerId, legId }: Busy): CallbackStep {
  const made = tries.made + 1;
  const effects: readonly CallbackEffect[] = [
    { kind: 'end-customer-leg', legId },
    { kind: 'end-agent-leg', offerId, endedBy: 'system' },
  ];
  return made >= tries.allowed
    ? ended('callback-not-reached', [...effects])
    : {
        state: { kind: 'resting', tries: { ...tries, made }, offerId },
        effects: [...effects, { kind: 'rest', triesMade: made, why: 'not-reached' }],
      };
}

/** What is still held for it when it ends here. */
function release(state: Exclude<CallbackState, { kind: 'ended' | 'handed-over' }>): readonly CallbackEffect[] {
  switch (state.kind) {
    case 'waiting': {
      return [
        ...state.offers.map((offerId): CallbackEffect => ({ kind: 'withdraw-offer', offerId, why: 'withdrawn' })),
        { kind: 'leave-queue', outcome: 'ended' },
      ];
    }
    case 'resting': {
      return [];
    }
    case 'calling':
    case 'joining':
    case 'connected': {
      return [
        { kind: 'end-customer-leg', legId: state.legId },
        { kind: 'end-agent-leg', offerId: state.offerId, endedBy: 'system' },
      ];
    }
  }
}

function ended(reason: TerminationReason, effects: readonly CallbackEffect[]): CallbackStep {
  const end = termination(reason);
  return { state: { kind: 'ended', termination: end }, effects: [...effects, { kind: 'finish', termination: end }] };
}
