/**
 * The life of one caller's call. Pure: `step(state, input)` gives the next state and the effects to run, or undefined where
 * the input is not expected (ignored and counted by the session).
 *
 *   arriving ──media-ready──▶ answering ──answered──▶ greeting ──greeting-done──▶ waiting ◀──────────────┐
 *      │                         │                       │                         │ offer-reserved      │ offer-over
 *      │                         │                       │                         ▼                     │ (place kept)
 *      │                         │                       │                      offered ────────────────┤
 *      │                         │                       │                         │ agent-answered      │
 *      │                         │                       │                         ▼                     │
 *      │                         │                       │                     connecting ──bridge-failed┘
 *      │                         │                       │                         │ bridged
 *      │                         │                       │                         ▼
 *      └─────────────────────────┴───────────────────────┴──────────────────▶ ended ◀── connected
 *
 *   arriving    the INVITE is here, the caller's media endpoint is being made; nothing answered yet
 *   answering   200 is being sent to the carrier
 *   greeting    answered; the caller hears the number's greeting
 *   waiting     the caller has a place in the queue and hears music
 *   offered     as waiting, while one agent is being rung
 *   connecting  an agent answered and won the call; the two channels are being joined
 *   connected   both talk
 *   ended       over, with exactly one Termination; nothing leads out of here
 *
 * A caller who leaves is final in every state (RFC 3261 9.2 and 15.1.2): CANCEL before the 200, BYE after it.
 */
import type { Termination, TerminationReason } from './termination';
import { termination } from './termination';

export type CallState =
  | { readonly kind: 'arriving' }
  | { readonly kind: 'answering' }
  | { readonly kind: 'greeting' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'offered'; readonly offerId: string }
  | { readonly kind: 'connecting'; readonly offerId: string }
  | { readonly kind: 'connected'; readonly offerId: string }
  | { readonly kind: 'ended'; readonly termination: Termination };

export type CallInput =
  | { readonly kind: 'media-ready' }
  | { readonly kind: 'media-failed'; readonly refusedOffer: boolean }
  | { readonly kind: 'answered' }
  | { readonly kind: 'answer-failed' }
  | { readonly kind: 'greeting-done' }
  | { readonly kind: 'offer-reserved'; readonly offerId: string }
  | { readonly kind: 'agent-answered'; readonly offerId: string }
  | { readonly kind: 'offer-over'; readonly offerId: string }
  | { readonly kind: 'bridged'; readonly offerId: string }
  | { readonly kind: 'bridge-failed'; readonly offerId: string }
  | { readonly kind: 'agent-left'; readonly offerId: string }
  | { readonly kind: 'caller-left'; readonly cause: 'hung-up' | 'cancelled' | 'no-ack' }
  | { readonly kind: 'media-lost' }
  | { readonly kind: 'store-failed' }
  | { readonly kind: 'end'; readonly reason: 'ended-by-admin' | 'node-stopping' | 'queue-closed' };

export type CallEffect =
  | { readonly kind: 'answer-caller' }
  | { readonly kind: 'play-greeting' }
  /** Music from the queue, and the caller's place in it. */
  | { readonly kind: 'start-waiting' }
  | { readonly kind: 'ring-agent'; readonly offerId: string }
  /** The offer was reserved for a call that is no longer free to take it. */
  | { readonly kind: 'withdraw-offer'; readonly offerId: string; readonly why: 'caller-gone' | 'withdrawn' }
  | { readonly kind: 'bridge'; readonly offerId: string }
  /** Music again, and the place again: the claim had ended the stay in the queue. */
  | { readonly kind: 'resume-waiting' }
  | { readonly kind: 'end-agent-leg'; readonly offerId: string; readonly endedBy: 'caller' | 'agent' | 'system' }
  | { readonly kind: 'hang-up-caller'; readonly sip: number; readonly q850: number }
  /** The claim of the winning offer ends the stay itself; this is for every other way out. */
  | { readonly kind: 'leave-queue'; readonly outcome: 'abandoned' | 'ended' }
  | { readonly kind: 'finish'; readonly termination: Termination };

export interface CallStep {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

/** Q.850 causes that we put into a Reason toward carriers; Teams' own causes are never passed on. */
const Q850 = { normal: 16, temporaryFailure: 41, incompatible: 88 } as const;

export const initialCallState: CallState = { kind: 'arriving' };

/** Next state and effects, or undefined where `input` is not expected in `state`. */
export function stepCall(state: CallState, input: CallInput): CallStep | undefined {
  if (state.kind === 'ended') {
    return input.kind === 'offer-reserved'
      ? { state, effects: [{ kind: 'withdraw-offer', offerId: input.offerId, why: 'caller-gone' }] }
      : undefined;
  }
  return stepEnd(state, input) ?? stepProgress(state, input);
}

function stepProgress(state: Exclude<CallState, { kind: 'ended' }>, input: CallInput): CallStep | undefined {
  switch (state.kind) {
    case 'arriving': {
      return input.kind === 'media-ready'
        ? { state: { kind: 'answering' }, effects: [{ kind: 'answer-caller' }] }
        : undefined;
    }
    case 'answering': {
      return input.kind === 'answered'
        ? { state: { kind: 'greeting' }, effects: [{ kind: 'play-greeting' }] }
        : undefined;
    }
    case 'greeting': {
      return input.kind === 'greeting-done'
        ? { state: { kind: 'waiting' }, effects: [{ kind: 'start-waiting' }] }
        : undefined;
    }
    case 'waiting': {
      return input.kind === 'offer-reserved'
        ? {
            state: { kind: 'offered', offerId: input.offerId },
            effects: [{ kind: 'ring-agent', offerId: input.offerId }],
          }
        : undefined;
    }
    case 'offered':
    case 'connecting':
    case 'connected': {
      return stepWithOffer(state, input);
    }
  }
}

function stepWithOffer(
  state: Extract<CallState, { kind: 'offered' | 'connecting' | 'connected' }>,
  input: CallInput,
): CallStep | undefined {
  if (!('offerId' in input)) {
    return undefined;
  }
  const { offerId } = input;
  if (offerId !== state.offerId) {
    return input.kind === 'offer-reserved'
      ? { state, effects: [{ kind: 'withdraw-offer', offerId, why: 'withdrawn' }] }
      : undefined;
  }
  switch (input.kind) {
    case 'agent-answered': {
      return state.kind === 'offered'
        ? { state: { kind: 'connecting', offerId }, effects: [{ kind: 'bridge', offerId }] }
        : undefined;
    }
    case 'offer-over': {
      return state.kind === 'connected'
        ? undefined
        : { state: { kind: 'waiting' }, effects: state.kind === 'connecting' ? [{ kind: 'resume-waiting' }] : [] };
    }
    case 'bridged': {
      return state.kind === 'connecting' ? { state: { kind: 'connected', offerId }, effects: [] } : undefined;
    }
    case 'bridge-failed': {
      return state.kind === 'connecting'
        ? {
            state: { kind: 'waiting' },
            effects: [{ kind: 'end-agent-leg', offerId, endedBy: 'system' }, { kind: 'resume-waiting' }],
          }
        : undefined;
    }
    case 'agent-left': {
      return stepAgentLeft(state);
    }
    default: {
      return undefined;
    }
  }
}

/** The agent's leg is gone: the end of a conversation, or, before the two were joined, back to the place in the queue. */
function stepAgentLeft(state: Extract<CallState, { kind: 'offered' | 'connecting' | 'connected' }>): CallStep {
  const { offerId } = state;
  if (state.kind === 'connected') {
    return {
      ...ended('agent-hung-up', [
        { kind: 'hang-up-caller', sip: 200, q850: Q850.normal },
        { kind: 'end-agent-leg', offerId, endedBy: 'agent' },
      ]),
    };
  }
  return {
    state: { kind: 'waiting' },
    effects: [{ kind: 'end-agent-leg', offerId, endedBy: 'agent' }, { kind: 'resume-waiting' }],
  };
}

type Live = Exclude<CallState, { kind: 'ended' }>;

/** Inputs that end the call whatever its state. */
function stepEnd(state: Live, input: CallInput): CallStep | undefined {
  switch (input.kind) {
    case 'caller-left': {
      return ended(
        input.cause === 'no-ack' ? 'no-ack' : leaveReason(state, input.cause),
        releaseAgent(state, 'caller'),
      );
    }
    case 'media-failed': {
      return state.kind === 'arriving'
        ? ended(input.refusedOffer ? 'offer-refused-by-media' : 'media-failed', [
            {
              kind: 'hang-up-caller',
              sip: input.refusedOffer ? 488 : 503,
              q850: input.refusedOffer ? Q850.incompatible : Q850.temporaryFailure,
            },
          ])
        : undefined;
    }
    case 'answer-failed': {
      return state.kind === 'answering'
        ? ended('media-failed', [{ kind: 'hang-up-caller', sip: 500, q850: Q850.temporaryFailure }])
        : undefined;
    }
    case 'media-lost': {
      return endedBySystem(state, 'media-lost');
    }
    case 'store-failed': {
      return endedBySystem(state, 'store-failed');
    }
    case 'end': {
      return endedBySystem(state, input.reason);
    }
    default: {
      return undefined;
    }
  }
}

function endedBySystem(state: Live, reason: TerminationReason): CallStep {
  const failure = termination(reason).result !== 'success';
  return ended(reason, [
    { kind: 'hang-up-caller', sip: failure ? 503 : 480, q850: failure ? Q850.temporaryFailure : Q850.normal },
    ...releaseAgent(state, 'system'),
  ]);
}

function leaveReason(state: Live, cause: 'hung-up' | 'cancelled'): TerminationReason {
  switch (state.kind) {
    case 'arriving': {
      return 'caller-gave-up-before-answer';
    }
    case 'answering': {
      // A BYE that overtakes the confirmation of our 200.
      return cause === 'hung-up' ? 'caller-gave-up-in-greeting' : 'caller-gave-up-before-answer';
    }
    case 'greeting': {
      return 'caller-gave-up-in-greeting';
    }
    case 'waiting': {
      return 'caller-gave-up-waiting';
    }
    case 'offered':
    case 'connecting': {
      return 'caller-gave-up-ringing';
    }
    case 'connected': {
      return 'caller-hung-up';
    }
  }
}

function releaseAgent(state: Live, by: 'caller' | 'system'): CallEffect[] {
  switch (state.kind) {
    case 'offered':
    case 'connecting': {
      return [
        { kind: 'withdraw-offer', offerId: state.offerId, why: by === 'caller' ? 'caller-gone' : 'withdrawn' },
        { kind: 'leave-queue', outcome: by === 'caller' ? 'abandoned' : 'ended' },
      ];
    }
    case 'waiting': {
      return [{ kind: 'leave-queue', outcome: by === 'caller' ? 'abandoned' : 'ended' }];
    }
    case 'connected': {
      return [{ kind: 'end-agent-leg', offerId: state.offerId, endedBy: by }];
    }
    default: {
      return [];
    }
  }
}

function ended(reason: TerminationReason, effects: readonly CallEffect[]): CallStep {
  const end = termination(reason);
  return { state: { kind: 'ended', termination: end }, effects: [...effects, { kind: 'finish', termination: end }] };
}
