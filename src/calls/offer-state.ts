/**
 * The life of one offer: one agent rung for one call. Pure, as call-state.ts.
 *
 *                                            answered, but not believed: confirming ──key──┐
 *                                               ▲                          │               ▼
 *   reserved ──start──▶ inviting ──ringing──▶ ringing ──answered──▶ answering ──claimed and media ready──▶ up ──finish──┐
 *      │                   │                     │                     │                                  │             │
 *      │ withdraw          ├── refused ──────────┤          no key     │ lost, failed, withdraw           │ withdraw    │
 *      │                   └── ring-timeout, withdraw ─────────────────┴──────────────▶ ending ◀──────────┴─────────────┘
 *      ▼                                                                                   │ over, or the wait for it ran out
 *   ended ◀───────────────────────────────────────────────────────────────────────────────┘
 *
 *   reserved   the row is written: nobody else can offer this agent anything
 *   inviting   the agent's INVITE is on its way
 *   ringing    the agent's platform says it rings (180, any fork)
 *   confirming somebody answered who may be a mailbox: once the media channel is up the agent is asked to press a key; without
 *              it this was no answer, and the caller has lost nothing but time
 *   answering  the agent answered (200); the database decides whether this offer wins the call, the media channel comes up
 *   up         won and audible: the call may be bridged; `connected` once it was
 *   ending     CANCEL or BYE sent; the agent stays reserved until his platform confirmed it, so that a new offer never meets
 *              the old one (at most ENDING_WAIT_MS)
 *   ended      the row is closed; the agent is free or in wrap-up
 *
 * A 200 that crosses our CANCEL (RFC 3261 9.1) is ACKed and hung up by the leg itself; the offer never sees it.
 */
import type { AnswerVerdict } from './answer-policy';

export type OfferOutcome = 'no-answer' | 'declined' | 'busy' | 'unreachable' | 'failed' | 'canceled';
export type CancelWhy = 'elsewhere' | 'caller-gone' | 'withdrawn';
export type EndedBy = 'caller' | 'agent' | 'system';

/** How an offer's row is closed. */
export type OfferClosing =
  | { readonly kind: 'refused'; readonly outcome: Exclude<OfferOutcome, 'canceled'>; readonly sipStatus?: number }
  | { readonly kind: 'canceled'; readonly why: CancelWhy }
  | { readonly kind: 'connection-ended'; readonly endedBy: EndedBy };

export type OfferState =
  | { readonly kind: 'reserved' }
  | { readonly kind: 'inviting' }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'confirming'; readonly asked: boolean }
  | { readonly kind: 'answering'; readonly claimed: boolean; readonly mediaReady: boolean }
  | { readonly kind: 'up'; readonly connected: boolean }
  | { readonly kind: 'ending'; readonly closing: OfferClosing }
  | { readonly kind: 'ended'; readonly closing: OfferClosing };

export type OfferInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'ringing' }
  /** `verdict` absent: believed. */
  | { readonly kind: 'answered'; readonly verdict?: AnswerVerdict }
  /** The agent pressed a key, or none came in time. */
  | { readonly kind: 'key'; readonly pressed: boolean }
  | { readonly kind: 'claimed'; readonly won: boolean }
  | { readonly kind: 'media-ready' }
  | { readonly kind: 'refused'; readonly outcome: Exclude<OfferOutcome, 'canceled'>; readonly sipStatus?: number }
  | { readonly kind: 'ring-timeout' }
  | { readonly kind: 'withdraw'; readonly why: CancelWhy }
  | { readonly kind: 'connected' }
  /** The agent hung up, or his channel was lost. */
  /** `lost`: the leg failed, the agent did not hang up. */
  | { readonly kind: 'agent-left'; readonly lost?: boolean }
  | { readonly kind: 'finish'; readonly endedBy: EndedBy }
  /** Signalling toward the agent is over. */
  | { readonly kind: 'over' }
  | { readonly kind: 'ending-timeout' };

export type OfferEffect =
  | { readonly kind: 'invite-agent' }
  | { readonly kind: 'start-ring-timer' }
  | { readonly kind: 'stop-ring-timer' }
  | { readonly kind: 'note-ringing' }
  /** Longest time that an answer may stay unconfirmed, media channel included. */
  | { readonly kind: 'start-confirm-timer' }
  | { readonly kind: 'stop-confirm-timer' }
  | { readonly kind: 'ask-for-key' }
  | { readonly kind: 'claim' }
  | { readonly kind: 'tell-call'; readonly what: 'agent-answered' | 'agent-left' | 'agent-lost' }
  /** CANCEL before the answer, BYE after it. */
  | { readonly kind: 'drop-leg' }
  | { readonly kind: 'start-ending-timer' }
  | { readonly kind: 'close-offer'; readonly closing: OfferClosing };

export interface OfferStep {
  readonly state: OfferState;
  readonly effects: readonly OfferEffect[];
}

/** How long an agent stays reserved while his platform owes us the end of the old INVITE, milliseconds. */
export const ENDING_WAIT_MS = 1_000;

/** The agent has this long to press a key once asked, and the media channel half of it to come up, milliseconds. */
export const CONFIRM_KEY_MS = 8_000;
export const CONFIRM_WAIT_MS = 12_000;

export const initialOfferState: OfferState = { kind: 'reserved' };

/** Next state and effects, or undefined where `input` is not expected in `state`. */
export function stepOffer(state: OfferState, input: OfferInput): OfferStep | undefined {
  switch (state.kind) {
    case 'reserved': {
      return stepReserved(input);
    }
    case 'inviting':
    case 'ringing': {
      return stepRinging(state, input);
    }
    case 'confirming': {
      return stepConfirming(state, input);
    }
    case 'answering': {
      return stepAnswering(state, input);
    }
    case 'up': {
      return stepUp(state, input);
    }
    case 'ending': {
      return input.kind === 'over' || input.kind === 'ending-timeout' || input.kind === 'refused'
        ? closed(state.closing)
        : undefined;
    }
    case 'ended': {
      return undefined;
    }
  }
}

function stepReserved(input: OfferInput): OfferStep | undefined {
  if (input.kind === 'start') {
    return { state: { kind: 'inviting' }, effects: [{ kind: 'start-ring-timer' }, { kind: 'invite-agent' }] };
  }
  return input.kind === 'withdraw' ? closed({ kind: 'canceled', why: input.why }) : undefined;
}

function stepRinging(
  state: Extract<OfferState, { kind: 'inviting' | 'ringing' }>,
  input: OfferInput,
): OfferStep | undefined {
  switch (input.kind) {
    case 'ringing': {
      return state.kind === 'inviting'
        ? { state: { kind: 'ringing' }, effects: [{ kind: 'note-ringing' }] }
        : undefined;
    }
    case 'answered': {
      return stepAnswered(input.verdict ?? 'believe');
    }
    case 'refused': {
      return closed(refusedClosing(input), [{ kind: 'stop-ring-timer' }]);
    }
    case 'agent-left':
    case 'over': {
      return closed({ kind: 'refused', outcome: 'failed' }, [{ kind: 'stop-ring-timer' }]);
    }
    case 'ring-timeout': {
      return ending({ kind: 'refused', outcome: 'no-answer' });
    }
    case 'withdraw': {
      return ending({ kind: 'canceled', why: input.why }, [{ kind: 'stop-ring-timer' }]);
    }
    default: {
      return undefined;
    }
  }
}

function stepAnswered(verdict: AnswerVerdict): OfferStep {
  switch (verdict) {
    case 'believe': {
      return {
        state: { kind: 'answering', claimed: false, mediaReady: false },
        effects: [{ kind: 'stop-ring-timer' }, { kind: 'claim' }],
      };
    }
    case 'confirm': {
      return {
        state: { kind: 'confirming', asked: false },
        effects: [{ kind: 'stop-ring-timer' }, { kind: 'start-confirm-timer' }],
      };
    }
    case 'refuse': {
      return ending(NO_ANSWER, [{ kind: 'stop-ring-timer' }]);
    }
  }
}

const NO_ANSWER: OfferClosing = { kind: 'refused', outcome: 'no-answer' };

function stepConfirming(state: Extract<OfferState, { kind: 'confirming' }>, input: OfferInput): OfferStep | undefined {
  switch (input.kind) {
    case 'media-ready': {
      return state.asked
        ? undefined
        : { state: { kind: 'confirming', asked: true }, effects: [{ kind: 'ask-for-key' }] };
    }
    case 'key': {
      if (!input.pressed) {
        return ending(NO_ANSWER, [{ kind: 'stop-confirm-timer' }]);
      }
      // Nobody presses a key on a channel that is not up.
      return state.asked
        ? {
            state: { kind: 'answering', claimed: false, mediaReady: true },
            effects: [{ kind: 'stop-confirm-timer' }, { kind: 'claim' }],
          }
        : undefined;
    }
    case 'refused': {
      return ending(refusedClosing(input), [{ kind: 'stop-confirm-timer' }]);
    }
    case 'withdraw': {
      return ending({ kind: 'canceled', why: input.why }, [{ kind: 'stop-confirm-timer' }]);
    }
    // A mailbox that hangs up on our silence is no more than an agent who did not come.
    case 'agent-left':
    case 'over': {
      return closed(NO_ANSWER, [{ kind: 'stop-confirm-timer' }, { kind: 'drop-leg' }]);
    }
    default: {
      return undefined;
    }
  }
}

function stepAnswering(state: Extract<OfferState, { kind: 'answering' }>, input: OfferInput): OfferStep | undefined {
  switch (input.kind) {
    case 'claimed': {
      return input.won ? maybeUp({ ...state, claimed: true }) : ending({ kind: 'canceled', why: 'elsewhere' });
    }
    case 'media-ready': {
      return maybeUp({ ...state, mediaReady: true });
    }
    case 'refused': {
      return ending(refusedClosing(input));
    }
    case 'withdraw': {
      return ending({ kind: 'canceled', why: input.why });
    }
    case 'agent-left':
    case 'over': {
      return closed({ kind: 'refused', outcome: 'declined' }, [{ kind: 'drop-leg' }]);
    }
    default: {
      return undefined;
    }
  }
}

function maybeUp(state: Extract<OfferState, { kind: 'answering' }>): OfferStep {
  return state.claimed && state.mediaReady
    ? { state: { kind: 'up', connected: false }, effects: [{ kind: 'tell-call', what: 'agent-answered' }] }
    : { state, effects: [] };
}

function stepUp(state: Extract<OfferState, { kind: 'up' }>, input: OfferInput): OfferStep | undefined {
  switch (input.kind) {
    case 'connected': {
      return state.connected ? undefined : { state: { kind: 'up', connected: true }, effects: [] };
    }
    case 'agent-left':
    case 'over': {
      const lost = input.kind === 'agent-left' && input.lost === true;
      return { state, effects: [{ kind: 'tell-call', what: lost ? 'agent-lost' : 'agent-left' }] };
    }
    case 'withdraw': {
      return ending({ kind: 'canceled', why: input.why });
    }
    case 'finish': {
      return ending(finishedClosing(state, input.endedBy));
    }
    default: {
      return undefined;
    }
  }
}

/** Answered but never joined: the agent who left by himself declined; otherwise it was our failure, not his. */
function finishedClosing(state: Extract<OfferState, { kind: 'up' }>, endedBy: EndedBy): OfferClosing {
  if (state.connected) {
    return { kind: 'connection-ended', endedBy };
  }
  return endedBy === 'agent' ? { kind: 'refused', outcome: 'declined' } : { kind: 'refused', outcome: 'failed' };
}

function refusedClosing(input: Extract<OfferInput, { kind: 'refused' }>): OfferClosing {
  return {
    kind: 'refused',
    outcome: input.outcome,
    ...(input.sipStatus === undefined ? {} : { sipStatus: input.sipStatus }),
  };
}

function ending(closing: OfferClosing, before: readonly OfferEffect[] = []): OfferStep {
  return {
    state: { kind: 'ending', closing },
    effects: [...before, { kind: 'start-ending-timer' }, { kind: 'drop-leg' }],
  };
}

function closed(closing: OfferClosing, before: readonly OfferEffect[] = []): OfferStep {
  return { state: { kind: 'ended', closing }, effects: [...before, { kind: 'close-offer', closing }] };
}
