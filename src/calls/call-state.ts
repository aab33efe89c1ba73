/**
 * The life of one caller's call. Pure: `step(state, input)` gives the next state and the effects to run, or undefined where
 * the input is not expected (ignored and counted by the session).
 *
 *   arriving ──media-ready──▶ answering ──answered──▶ flow ──flow-done──▶ [a destination]
 *
 *   A destination is where a flow, an exit of a queue, a key or a transfer leads:
 *
 *     queue ────────▶ waiting ◀─────────────────── offer-over, bridge-failed ──────────────────┐
 *                      │  offer-reserved: one more agent rings (any number at once)            │
 *                      │  exit, key, transfer ──▶ [a destination], offers withdrawn            │
 *                      └──agent-answered (the others: completed elsewhere)──▶ connecting ──────┤
 *     agent ────────▶ direct ──agent-answered──▶ connecting ──bridged──▶ connected             │
 *                      └──offer-over──▶ waiting                            │ transfer, lost    │
 *                                                                          ▼                   │
 *                                          moving ──offer-over──▶ [a destination]              │
 *     outside ──────▶ dialling ──leg-answered──▶ joining ──bridged──▶ outside                  │
 *                      └──leg-failed──▶ connecting (the agent is still there) or waiting ──────┘
 *     flow ─────────▶ flow
 *     announce ─────▶ closing ──announced──▶ ended
 *     voicemail ────▶ mailbox ──mailbox-open──▶ recording ──message-over──▶ closing (thanks) or ended
 *     callback ─────▶ asking ──callback-chosen──▶ booking ──callback-booked──▶ closing (confirmation) or ended
 *                      └──declined──▶ [the destination for that], mostly his place in the queue
 *     hang-up ──────▶ ended          every state ──caller-left, end, media-lost──▶ ended
 *
 *   arriving    the INVITE is here, the caller's media endpoint is being made; nothing answered yet
 *   answering   200 is being sent to the carrier
 *   flow        answered; the caller hears the number's greeting or a flow, and may press keys
 *   waiting     the caller has a place in the queue and hears music; agents may be rung. `pending`: sent on as soon as the
 *               agents who ring now have not answered (`letRingFinish`), or the one who just answered did not get the call
 *   direct      transferred to one agent, who is rung; the place in the queue comes back if that comes to nothing
 *   connecting  an agent answered and won the call; the two channels are being joined
 *   connected   both talk
 *   moving      transferred, or the agent's leg failed (back to the queue); it is ending, the caller hears music
 *   dialling    a number outside, or a target that the agent's platform named, is rung; the caller hears music
 *   joining     it answered; the two channels are being joined
 *   outside     the caller talks to it
 *   closing     the caller hears a last announcement
 *   mailbox     the caller hears the greeting and the tone of a queue that keeps messages
 *   recording   the caller speaks after the tone; who hangs up then has left a message, if it is one
 *   asking      the caller is asked whether he wants to be called back
 *   booking     he does, and that is being stored; a call of its own waits for him from then on (callback-state.ts)
 *   ended       over, with exactly one Termination; nothing leads out of here
 *
 * A caller who leaves is final in every state (RFC 3261 9.2 and 15.1.2): CANCEL before the 200, BYE after it. In every state after
 * the 200 the caller hears something: the flow, music, the announcement, or a person; while he leaves a message, that he is listened to
 * (comfort noise).
 */
import type { OutsideTarget } from './ports';
import { ended, Q850, stepEnd } from './call-end';
import { stepAsking } from './call-asking';
import { enter, transferred, waitingIn, withdraw } from './call-enter';
import { stepMailbox } from './call-mailbox';
import { stepDialling, stepOutside } from './call-outside';
import type { Termination, TerminationReason } from './termination';

/** Where a call goes on to, with everything resolved that needs configuration or the store. */
export type Destination =
  | { readonly kind: 'queue'; readonly queueId: string }
  /** The agent is reserved by this offer already. `queueId`: where the caller waits if that comes to nothing. */
  | { readonly kind: 'agent'; readonly queueId: string; readonly offerId: string }
  | { readonly kind: 'flow'; readonly flow: string }
  | { readonly kind: 'announce'; readonly uri: string; readonly reason: TerminationReason }
  | { readonly kind: 'outside'; readonly legId: string; readonly to: OutsideTarget }
  | MailboxDestination
  | CallbackDestination
  /** Back to the place in the queue, whatever its door says: the caller was offered something and declined. */
  | { readonly kind: 'again'; readonly queueId: string }
  | { readonly kind: 'hang-up'; readonly reason: TerminationReason };

/** The messages of a queue. */
export interface MailboxDestination {
  readonly kind: 'voicemail';
  /** The queue that keeps the message. */
  readonly queueId: string;
  readonly voicemailId: string;
  readonly thanksUri: string | undefined;
  /** Why the call came here: how it ends if no message is left. */
  readonly reason: TerminationReason;
}

/** The caller may be called back by a queue. */
export interface CallbackDestination {
  readonly kind: 'callback';
  readonly queueId: string;
  readonly number: string;
  /** Undefined: he asked for it himself. */
  readonly askUri: string | undefined;
  readonly key: string;
  readonly confirmUri: string | undefined;
  /** Where he goes who does not want it. */
  readonly declined: ExitDestination;
}

/** Where an exit or a flow leads: agents are reserved for transfers only. */
export type ExitDestination = Exclude<Destination, { kind: 'agent' }>;

/** How a stay in the queue ends that no agent ended. */
export type StayOutcome = 'abandoned' | 'timed-out' | 'overflowed' | 'moved' | 'ended';

export interface WaitingState {
  readonly kind: 'waiting';
  readonly queueId: string;
  /** Agents who ring, by their offers. */
  readonly offers: readonly string[];
  /** Its agent answered; whether the call is his is being decided. */
  readonly answering?: string;
  readonly pending?: { readonly to: ExitDestination; readonly outcome: StayOutcome };
}

/** A target outside is being reached; `agent`: the offer of the agent who transferred and has not left yet. */
export interface DiallingState {
  readonly kind: 'dialling' | 'joining';
  readonly legId: string;
  readonly queueId: string | undefined;
  readonly agent: string | undefined;
}

export type CallState =
  | { readonly kind: 'arriving' }
  | { readonly kind: 'answering' }
  /** `flow`: its name; undefined: the greeting before a queue. `queueId`: the last queue that the call waited in. */
  | { readonly kind: 'flow'; readonly flow: string | undefined; readonly queueId: string | undefined }
  | WaitingState
  | { readonly kind: 'direct'; readonly queueId: string; readonly offerId: string }
  | { readonly kind: 'connecting'; readonly queueId: string; readonly offerId: string }
  | { readonly kind: 'connected'; readonly queueId: string; readonly offerId: string }
  | { readonly kind: 'moving'; readonly queueId: string; readonly offerId: string; readonly to: Destination }
  | DiallingState
  | { readonly kind: 'outside'; readonly legId: string; readonly queueId: string | undefined }
  | { readonly kind: 'closing'; readonly reason: TerminationReason; readonly queueId: string | undefined }
  | { readonly kind: 'mailbox' | 'recording'; readonly to: MailboxDestination; readonly queueId: string | undefined }
  | { readonly kind: 'asking' | 'booking'; readonly to: CallbackDestination; readonly queueId: string | undefined }
  | { readonly kind: 'ended'; readonly termination: Termination };

export type LiveCallState = Exclude<CallState, { kind: 'ended' }>;

export type CallInput =
  /** The flow says no before anything was answered. */
  | { readonly kind: 'refused'; readonly sip: number }
  | { readonly kind: 'media-ready' }
  | { readonly kind: 'media-failed'; readonly refusedOffer: boolean }
  /** `flow`: what the number begins with; without it, a greeting at most. */
  | { readonly kind: 'answered'; readonly flow?: string }
  | { readonly kind: 'answer-failed' }
  | { readonly kind: 'flow-done'; readonly to: ExitDestination }
  | { readonly kind: 'offer-reserved'; readonly offerId: string; readonly queueId: string }
  /** The agent's 200 is here, and the database is being asked whether the call is his. */
  | { readonly kind: 'agent-answering'; readonly offerId: string }
  | { readonly kind: 'agent-answered'; readonly offerId: string }
  | { readonly kind: 'offer-over'; readonly offerId: string }
  | { readonly kind: 'bridged'; readonly channel: string }
  | { readonly kind: 'bridge-failed'; readonly channel: string }
  /** `lost`: the agent's leg failed, nobody hung up. */
  | { readonly kind: 'agent-left'; readonly offerId: string; readonly lost?: boolean }
  /** Of the queue that the call waits in, or by a key; ignored once it waits there no more. */
  | {
      readonly kind: 'exit';
      readonly queueId: string;
      readonly to: ExitDestination;
      readonly outcome: StayOutcome;
      readonly letRingFinish: boolean;
    }
  /** Asked for by the agent whom the call talks to, or by somebody else. */
  | { readonly kind: 'transfer'; readonly to: Destination; readonly by: 'agent' | 'system' }
  | { readonly kind: 'leg-answered'; readonly legId: string }
  | { readonly kind: 'leg-failed'; readonly legId: string; readonly sip: number }
  | { readonly kind: 'leg-left'; readonly legId: string }
  | { readonly kind: 'announced' }
  /** The tone was played: the caller speaks now. */
  | { readonly kind: 'mailbox-open' }
  /** `failed`: nothing could be recorded. */
  | { readonly kind: 'message-over'; readonly message: 'kept' | 'discarded' | 'failed' }
  /** `message`: he was leaving one, and it is kept. */
  | { readonly kind: 'caller-left'; readonly cause: 'hung-up' | 'cancelled' | 'no-ack'; readonly message?: boolean }
  | { readonly kind: 'callback-chosen'; readonly accepted: boolean }
  /** `ok` false: it could not be stored. */
  | { readonly kind: 'callback-booked'; readonly ok: boolean }
  | { readonly kind: 'media-lost' }
  | { readonly kind: 'store-failed' }
  | { readonly kind: 'end'; readonly reason: 'ended-by-admin' | 'node-stopping' | 'queue-closed' };

export type CallEffect =
  | { readonly kind: 'answer-caller' }
  /** By name; undefined: what the number begins with, its greeting first. */
  | { readonly kind: 'run-flow'; readonly flow: string | undefined }
  | { readonly kind: 'stop-flow' }
  /** Music of the queue, and the caller's place in it, which begins here or goes on. */
  | { readonly kind: 'start-waiting'; readonly queueId: string }
  /** As `start-waiting`, after a connection that came to nothing: the claim had ended the stay. */
  | { readonly kind: 'resume-waiting'; readonly queueId: string }
  /** Takes the caller off whoever he talks to, and lets him hear music. */
  | { readonly kind: 'park-caller'; readonly queueId: string | undefined }
  | { readonly kind: 'ring-agent'; readonly offerId: string }
  | {
      readonly kind: 'withdraw-offer';
      readonly offerId: string;
      readonly why: 'elsewhere' | 'caller-gone' | 'withdrawn';
    }
  /** Joins the caller with the channel of an agent (the id of the offer) or of a leg outside. */
  | { readonly kind: 'bridge'; readonly channel: string }
  | { readonly kind: 'end-agent-leg'; readonly offerId: string; readonly endedBy: 'caller' | 'agent' | 'system' }
  | { readonly kind: 'dial'; readonly legId: string; readonly to: OutsideTarget }
  | { readonly kind: 'end-outside-leg'; readonly legId: string }
  | { readonly kind: 'announce'; readonly uri: string }
  /** Greeting and tone; ends in `mailbox-open`. */
  | { readonly kind: 'open-mailbox'; readonly to: MailboxDestination }
  /** Ends in `message-over`. */
  | { readonly kind: 'record-message'; readonly to: MailboxDestination }
  /** The call ends otherwise; a message that was begun is kept if it is one. */
  | { readonly kind: 'close-mailbox' }
  /** Ends in `callback-chosen`. */
  | { readonly kind: 'ask-callback'; readonly to: CallbackDestination }
  /** Ends in `callback-booked`. */
  | { readonly kind: 'book-callback'; readonly to: CallbackDestination }
  /** Tells whoever asked for the transfer. */
  | { readonly kind: 'transfer-progress'; readonly sip: number }
  /** `after`: an offer whose agent somebody else may wait for; he goes first, for a moment. */
  | { readonly kind: 'hang-up-caller'; readonly sip: number; readonly q850: number; readonly after?: string }
  /** The claim of the winning offer ends the stay itself; this is for every other way out. */
  | { readonly kind: 'leave-queue'; readonly outcome: StayOutcome }
  | { readonly kind: 'finish'; readonly termination: Termination };

export interface CallStep {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

export const initialCallState: CallState = { kind: 'arriving' };

/** Next state and effects, or undefined where `input` is not expected in `state`. */
export function stepCall(state: CallState, input: CallInput): CallStep | undefined {
  if (state.kind === 'ended') {
    return lateStep(state, input, 'caller-gone');
  }
  return stepEnd(state, input) ?? stepProgress(state, input) ?? lateStep(state, input, 'withdrawn');
}

/** What reserved somebody for a call that cannot take it must free him again. */
function lateStep(state: CallState, input: CallInput, why: 'caller-gone' | 'withdrawn'): CallStep | undefined {
  if (input.kind === 'offer-reserved') {
    return { state, effects: [{ kind: 'withdraw-offer', offerId: input.offerId, why }] };
  }
  if (input.kind === 'transfer') {
    const { to } = input;
    const free: CallEffect[] = to.kind === 'agent' ? [{ kind: 'withdraw-offer', offerId: to.offerId, why }] : [];
    return { state, effects: [...free, { kind: 'transfer-progress', sip: state.kind === 'ended' ? 481 : 491 }] };
  }
  return undefined;
}

function stepProgress(state: LiveCallState, input: CallInput): CallStep | undefined {
  switch (state.kind) {
    case 'arriving': {
      return input.kind === 'media-ready'
        ? { state: { kind: 'answering' }, effects: [{ kind: 'answer-caller' }] }
        : undefined;
    }
    case 'answering': {
      return input.kind === 'answered'
        ? {
            state: { kind: 'flow', flow: input.flow, queueId: undefined },
            effects: [{ kind: 'run-flow', flow: undefined }],
          }
        : undefined;
    }
    case 'flow': {
      return stepFlowState(state, input);
    }
    case 'waiting': {
      return stepWaiting(state, input);
    }
    case 'direct': {
      return stepDirect(state, input);
    }
    case 'connecting': {
      return stepConnecting(state, input);
    }
    case 'connected': {
      return stepConnected(state, input);
    }
    case 'moving': {
      return input.kind === 'offer-over' && input.offerId === state.offerId
        ? enter(state.to, state.queueId)
        : undefined;
    }
    case 'dialling':
    case 'joining': {
      return stepDialling(state, input);
    }
    case 'outside': {
      return stepOutside(state, input);
    }
    case 'closing': {
      return input.kind === 'announced'
        ? ended(state.reason, [{ kind: 'hang-up-caller', sip: 480, q850: Q850.normal }])
        : undefined;
    }
    case 'mailbox':
    case 'recording': {
      return stepMailbox(state, input);
    }
    case 'asking':
    case 'booking': {
      return stepAsking(state, input);
    }
  }
}

function stepFlowState(state: Extract<CallState, { kind: 'flow' }>, input: CallInput): CallStep | undefined {
  if (input.kind === 'flow-done') {
    return enter(input.to, state.queueId);
  }
  return input.kind === 'transfer'
    ? enter(input.to, state.queueId, [{ kind: 'stop-flow' }, ...transferred(input.to)])
    : undefined;
}

function stepWaiting(state: WaitingState, input: CallInput): CallStep | undefined {
  switch (input.kind) {
    case 'offer-reserved': {
      return state.pending || input.queueId !== state.queueId || state.offers.includes(input.offerId)
        ? undefined
        : {
            state: { ...state, offers: [...state.offers, input.offerId] },
            effects: [{ kind: 'ring-agent', offerId: input.offerId }],
          };
    }
    case 'agent-answering': {
      return state.offers.includes(input.offerId)
        ? { state: { ...state, answering: input.offerId }, effects: [] }
        : undefined;
    }
    case 'agent-answered': {
      const { offerId } = input;
      return state.offers.includes(offerId)
        ? {
            state: { kind: 'connecting', queueId: state.queueId, offerId },
            effects: [
              ...withdraw(
                state.offers.filter((id) => id !== offerId),
                'elsewhere',
              ),
              { kind: 'bridge', channel: offerId },
            ],
          }
        : undefined;
    }
    case 'offer-over': {
      return state.offers.includes(input.offerId) ? offerOver(state, input.offerId) : undefined;
    }
    case 'exit': {
      return input.queueId === state.queueId ? exitQueue(state, input) : undefined;
    }
    case 'transfer': {
      return leave(state, input.to, 'moved', transferred(input.to));
    }
    default: {
      return undefined;
    }
  }
}

function offerOver(state: WaitingState, offerId: string): CallStep {
  const { answering, ...rest } = state;
  const offers = state.offers.filter((id) => id !== offerId);
  const still = answering === undefined || answering === offerId ? undefined : answering;
  if (state.pending && offers.length === 0) {
    return leave({ ...state, offers }, state.pending.to, state.pending.outcome);
  }
  return { state: { ...rest, offers, ...(still === undefined ? {} : { answering: still }) }, effects: [] };
}

/** An agent who has answered is not robbed of the call by a clock; one who only rings is, unless the queue lets him finish. */
function exitQueue(state: WaitingState, input: Extract<CallInput, { kind: 'exit' }>): CallStep | undefined {
  if (state.pending) {
    return undefined;
  }
  const { to, outcome } = input;
  return state.answering !== undefined || (input.letRingFinish && state.offers.length > 0)
    ? { state: { ...state, pending: { to, outcome } }, effects: [] }
    : leave(state, to, outcome);
}

function leave(
  state: WaitingState,
  to: Destination,
  outcome: StayOutcome,
  before: readonly CallEffect[] = [],
): CallStep {
  return enter(to, state.queueId, [
    ...before,
    ...withdraw(state.offers, 'withdrawn'),
    { kind: 'leave-queue', outcome },
  ]);
}

function stepDirect(state: Extract<CallState, { kind: 'direct' }>, input: CallInput): CallStep | undefined {
  const { offerId, queueId } = state;
  if (input.kind === 'transfer') {
    return enter(input.to, queueId, [...withdraw([offerId], 'withdrawn'), ...transferred(input.to)]);
  }
  if (!('offerId' in input) || input.offerId !== offerId) {
    return undefined;
  }
  switch (input.kind) {
    case 'agent-answered': {
      return {
        state: { kind: 'connecting', queueId, offerId },
        effects: [{ kind: 'bridge', channel: offerId }],
      };
    }
    case 'offer-over': {
      return { state: waitingIn(queueId), effects: [{ kind: 'resume-waiting', queueId }] };
    }
    case 'agent-answering': {
      return { state, effects: [] };
    }
    default: {
      return undefined;
    }
  }
}

function stepConnecting(state: Extract<CallState, { kind: 'connecting' }>, input: CallInput): CallStep | undefined {
  const { queueId, offerId } = state;
  const back = (effects: readonly CallEffect[]): CallStep => ({
    state: waitingIn(queueId),
    effects: [...effects, { kind: 'resume-waiting', queueId }],
  });
  switch (input.kind) {
    case 'bridged': {
      return input.channel === offerId ? { state: { kind: 'connected', queueId, offerId }, effects: [] } : undefined;
    }
    case 'bridge-failed': {
      return input.channel === offerId ? back([{ kind: 'end-agent-leg', offerId, endedBy: 'system' }]) : undefined;
    }
    case 'agent-left': {
      return input.offerId === offerId ? back([{ kind: 'end-agent-leg', offerId, endedBy: 'agent' }]) : undefined;
    }
    case 'offer-over': {
      return input.offerId === offerId ? back([]) : undefined;
    }
    default: {
      return undefined;
    }
  }
}

function stepConnected(state: Extract<CallState, { kind: 'connected' }>, input: CallInput): CallStep | undefined {
  const { queueId, offerId } = state;
  if (input.kind === 'agent-left' && input.offerId === offerId) {
    if (input.lost === true) {
      return {
        state: { kind: 'moving', queueId, offerId, to: { kind: 'queue', queueId } },
        effects: [
          { kind: 'park-caller', queueId },
          { kind: 'end-agent-leg', offerId, endedBy: 'system' },
        ],
      };
    }
    // The agent first: somebody may wait for him.
    return ended('agent-hung-up', [
      { kind: 'end-agent-leg', offerId, endedBy: 'agent' },
      { kind: 'hang-up-caller', sip: 200, q850: Q850.normal, after: offerId },
    ]);
  }
  if (input.kind !== 'transfer') {
    return undefined;
  }
  const { to } = input;
  if (to.kind === 'outside') {
    return {
      state: { kind: 'dialling', legId: to.legId, queueId, agent: offerId },
      effects: [
        { kind: 'transfer-progress', sip: 100 },
        { kind: 'park-caller', queueId },
        { kind: 'dial', legId: to.legId, to: to.to },
      ],
    };
  }
  return {
    state: { kind: 'moving', queueId, offerId, to },
    effects: [
      ...transferred(to),
      { kind: 'park-caller', queueId },
      { kind: 'end-agent-leg', offerId, endedBy: input.by },
    ],
  };
}
