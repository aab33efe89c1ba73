/**
 * What the life of a call needs from outside. signaling/ and media/ implement the legs, store/ the facts, dispatch/ the match;
 * tests put scripted ones in.
 */
import type { Announcements, Standing } from '../flows/announcements';
import type { Action, CallTraits, ExitReason, Flow, QueueExits, VoicemailRules } from '../flows/flow';
import type { ExitAction } from '../routing/types';
import type { StayOutcome } from './call-state';
import type { OfferClosing, OfferOutcome } from './offer-state';
import type { Termination } from './termination';

/** Channel and dialog handles that a successor node needs to take a leg over; stored before the leg is used. */
export interface CallerHandles {
  readonly mediaServer: string;
  readonly mediaChannel: string;
  readonly mediaDialog: string;
  readonly carrierDialog: string;
  /** SDP that the carrier gets in the 200. */
  readonly sdpToCarrier: string;
  readonly sdpFromCarrier: string;
  readonly codec: Codec;
}

export type Codec = 'PCMA' | 'PCMU';

export type CallerCause = 'hung-up' | 'cancelled' | 'no-ack';

/** The caller's side: the carrier's dialog and the media endpoint behind it. Methods may be called in any order and late. */
export interface CallerLeg {
  /** Calls back at most once, whenever the caller is gone. May fire before anything else. */
  onLeft(handler: (cause: CallerCause) => void): void;
  /** The caller's media channel is gone though the caller is not. */
  onMediaLost(handler: () => void): void;
  /** Makes the media endpoint from the carrier's offer. @throws SK_MEDIA_OFFER_REFUSED, SK_MEDIA_FAILED */
  prepare(): Promise<CallerHandles>;
  /** Sends the 200. @throws SK_LEG_GONE when the caller cancelled first, SK_INTERNAL when the 200 could not be sent. */
  answer(): Promise<void>;
  /**
   * Plays to the end, instead of what plays now; resolves also when it was stopped, when the channel goes away and when the file
   * cannot be played (which is logged): only then to false.
   */
  play(uri: string): Promise<boolean>;
  /** Starts endless music instead of what plays now; the same music goes on. Returns at once. */
  startMusic(uri: string): void;
  /** Plays a prompt and takes one key, which ends the prompt; `timeoutMs` runs after it. Undefined: none came, or it was stopped. */
  askForKey(uri: string, timeoutMs: number): Promise<string | undefined>;
  /**
   * Records what the caller says, instead of what plays, until the key, the silence or the length; `stopSound` breaks it off.
   * Undefined: nothing was recorded. @throws SK_MEDIA_FAILED
   */
  record(request: RecordRequest): Promise<RecordedSound | undefined>;
  /** Ends what plays. */
  stopSound(): void;
  /**
   * Runs this when the caller's sound is not being renegotiated (hold, end of a hold), and keeps renegotiations back meanwhile.
   * FreeSWITCH sleeps 250 ms at the end of a hold; channels that are joined within stay silent to each other.
   */
  steady<T>(work: () => Promise<T>): Promise<T>;
  /** The caller is being joined with somebody, or taken off: what played before plays no more. */
  soundGone(): void;
  /** Every key that the caller presses, in every state. */
  onKey(handler: (key: string) => void): void;
  /** Before the 200: a final response with `sip`; after it: BYE with the Q.850 cause. Never throws. */
  hangUp(sip: number, q850: number): void;
  /** Ends and forgets everything without signalling that could fail the caller of it. Idempotent. */
  close(): void;
}

export interface RecordRequest {
  /** Name of the file in the media server's folder of recordings. */
  readonly file: string;
  readonly maxSeconds: number;
  readonly silenceSeconds: number;
  readonly endKey: string;
}

export interface RecordedSound {
  readonly lengthMs: number;
  /** The end of it is `silenceSeconds` of silence. */
  readonly endedBySilence: boolean;
}

/** What is to be heard in a recording. */
export interface HeardSound {
  readonly lengthMs: number;
  /** How much of it is sound. */
  readonly soundMs: number;
  /** End of the last sound. */
  readonly lastSoundMs: number;
}

/** Who is rung, and how: read from configuration at the moment of the offer. */
export interface AgentTarget {
  readonly agentId: string;
  readonly agentName: string;
  readonly endpoint:
    | { readonly kind: 'teams'; readonly trunk: string; readonly trunkId: string; readonly number: string }
    | { readonly kind: 'pbx'; readonly trunk: string; readonly trunkId: string; readonly user: string }
    | { readonly kind: 'web' };
  readonly ringTimeoutMs: number;
}

export interface AgentLegHandlers {
  ringing(): void;
  answered(dialogs: { readonly agentDialog: string }): void;
  mediaReady(dialogs: { readonly mediaDialog: string }): void;
  refused(outcome: Exclude<OfferOutcome, 'canceled'>, sipStatus: number | undefined, detail: string): void;
  /** The agent's leg is over, after `answered`. `lost`: it failed, and nobody hung up; the caller then keeps his place. */
  left(how?: { readonly lost: boolean }): void;
  /** The agent's platform asks us to transfer the caller (REFER). Optional: a leg whose owner transfers nothing refuses it. */
  transferRequested?(request: TransferRequest): void;
  /** Everything toward the agent is over. Called once; again at once if the leg is dropped after that. */
  over(): void;
}

/** Where a call that talks is sent on to. */
export type TransferTarget =
  /** What an agent's platform asked for; the new INVITE goes out on the same trunk with these headers as they came. */
  | {
      readonly kind: 'refer';
      readonly trunkId: string;
      readonly referTo: string;
      readonly referredBy: string | undefined;
    }
  /** The clock and the data of the call are kept. */
  | { readonly kind: 'queue'; readonly queueId: string }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'number'; readonly e164: string };

/** A transfer that somebody waits for: the agent's platform (NOTIFY), or the person who gave the command. */
export interface TransferRequest {
  readonly target: TransferTarget;
  /**
   * How far it is, as a SIP status: 100 accepted, 180 rings, 2xx done, from 300 on it came to nothing and the caller is back with
   * the agent, or in the queue where the agent has left. The last one is final. Never throws.
   */
  progress(sipStatus: number): void;
}

/** A call leaves the queue without an agent, as a decision found. Acted upon once, and only while the call waits there. */
export interface CallExit {
  readonly callId: string;
  readonly queueId: string;
  readonly reason: ExitReason;
  /** As decided, with the queue that takes the call; or as configured, to be looked through. */
  readonly action: ExitAction | Action;
}

/** Whether an agent's answer is believed, so that a voicemail never swallows a caller. */
export interface AnswerPolicy {
  /** `dtmf`: the agent presses a key before the call is his. */
  readonly confirm: 'none' | 'dtmf';
  /** What a suspicious answer means: a 200 without ringing within `suspiciousAnswerMs` of the INVITE. */
  readonly suspicious: 'accept' | 'confirm' | 'refuse';
  readonly suspiciousAnswerMs: number;
}

/** The agent's side of one offer: FreeSWITCH's originated channel and the dialog with the agent's platform. */
export interface AgentLeg {
  /** CANCEL before the answer, BYE after it; ends in `over`. The platform is told that the call was completed elsewhere. */
  drop(): void;
}

export interface AgentLegRequest {
  /** Also the id of the media channel, so that the channel is known before it exists. */
  readonly offerId: string;
  readonly callId: string;
  readonly target: AgentTarget;
  readonly caller: CallerIdentity;
  readonly queueDisplayName: string;
  readonly codec: Codec;
  readonly mediaServer: string;
  readonly musicUri: string;
  /** As the queue says, which is no less than the agent's own; undefined where no queue does. */
  readonly queueRingTimeoutMs?: number | undefined;
}

/** What is known of an agent's leg before its offer is written down: enough for the media server to begin with its channel. */
export interface LegForecast extends Pick<AgentLegRequest, 'offerId' | 'codec' | 'mediaServer' | 'musicUri'> {
  /** Name of the trunk that the agent is reached over. */
  readonly trunk: string;
  readonly queueRingTimeoutMs: number;
}

export interface CallerIdentity {
  /** E.164 with plus, or undefined when the caller withheld it. */
  readonly number: string | undefined;
  readonly name: string | undefined;
}

/** Whom a call is sent to that is none of our agents. */
export type OutsideTarget =
  | { readonly kind: 'number'; readonly trunkId: string; readonly e164: string }
  | Extract<TransferTarget, { kind: 'refer' }>;

export interface OutsideLegRequest {
  /** Also the id of the media channel. */
  readonly legId: string;
  readonly callId: string;
  readonly to: OutsideTarget;
  readonly caller: CallerIdentity;
  readonly codec: Codec;
  readonly mediaServer: string;
  readonly musicUri: string;
  readonly ringTimeoutMs: number;
}

export interface CallMedia {
  /** Joins two channels. @throws SK_MEDIA_FAILED */
  bridge(mediaServer: string, callerChannel: string, agentChannel: string): Promise<void>;
  /** Takes a channel out of its bridge; both stay. @throws SK_MEDIA_FAILED */
  park(mediaServer: string, channel: string): Promise<void>;
  /**
   * Asks an agent who answered for a key, before the bridge. Resolves to the key, or to undefined where none came in `timeoutMs`
   * or the channel ended. Optional: media that cannot ask takes every answer.
   */
  askForKey?(
    mediaServer: string,
    agentChannel: string,
    promptUri: string,
    timeoutMs: number,
  ): Promise<string | undefined>;
  /** What is in a recording; undefined where this node cannot read the file. Optional: media whose recordings nobody reads. */
  listenTo?(mediaServer: string, file: string): Promise<HeardSound | undefined>;
}

/** What a callback needs of media besides: it has no caller who brought a server with him. */
export interface CallbackMedia extends CallMedia {
  /** A server for its legs. @throws SK_MEDIA_FAILED when none is up. */
  pick(): { readonly name: string };
  /** Endless music on a channel of nobody else, until it is bridged. @throws SK_MEDIA_FAILED */
  playTo(mediaServer: string, channel: string, uri: string): Promise<void>;
}

/** How a queue calls back, ready to be used. */
export interface CallbackPlan {
  readonly askUri: string | undefined;
  readonly key: string;
  readonly confirmUri: string | undefined;
  readonly tries: number;
  readonly retryAfterMs: number;
  readonly ringMs: number;
  readonly expireAfterMs: number;
}

/** A caller wants to be called back. */
export interface CallbackRequest {
  readonly callId: string;
  readonly queueId: string;
  /** E.164. */
  readonly number: string;
  readonly traits: CallTraits;
}

/** Those who are to be called back. */
export interface Callbacks {
  /** Resolves when that is stored, or was before: a queue calls a number back once. */
  book(request: CallbackRequest): Promise<void>;
}

/** A callback that this node owns, as its row says. */
export interface PendingCallback {
  /** Also the id of its call. */
  readonly id: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly number: string;
  readonly callerName: string | undefined;
  readonly dialledNumber: string;
  readonly trunkId: string | undefined;
  readonly tries: number;
  readonly nextTryAt: number | undefined;
  readonly restMs: number | undefined;
  readonly calledInBy: string | undefined;
  readonly ageMs: number;
  /** It has its place in the queue. */
  readonly placed: boolean;
}

export interface CallbackStore {
  bookCallback(id: string, request: CallbackRequest): Promise<{ readonly callbackId: string; readonly known: boolean }>;
  adoptCallbacks(): Promise<readonly string[]>;
  openCallbacks(): Promise<readonly PendingCallback[]>;
  restCallback(callbackId: string, tries: number, restMs: number): Promise<void>;
  callbackDue(callbackId: string): Promise<void>;
  callbackReached(callbackId: string, reached: boolean): Promise<void>;
}

export interface AgentLegs {
  /** Longest time that this agent may be rung, milliseconds; undefined: as long as the queue says. */
  ringLimitMs?(target: AgentTarget): number | undefined;
  /** An offer is about to be written down. Nobody is called; `start` for the same offer goes on with what was begun. */
  prepare?(forecast: LegForecast): void;
  /** The offer came to nothing before `start`. */
  forget?(offerId: string): void;
  start(request: AgentLegRequest, handlers: AgentLegHandlers): AgentLeg;
  /** Calls somebody who is none of our agents. Fails, as `refused`, where the trunk cannot. */
  dial(request: OutsideLegRequest, handlers: AgentLegHandlers): AgentLeg;
}

/** A reserved offer as dispatch hands it to the node that owns the call. A call may be given several, one for each agent who rings. */
export interface ReservedOffer {
  readonly offerId: string;
  readonly callId: string;
  readonly queueId: string;
  readonly target: AgentTarget;
  /** Availability that the choice was made on, or undefined where the endpoint has none. */
  readonly presence: string | undefined;
  /** Undefined: every answer is believed. */
  readonly answer?: AnswerPolicy;
}

/** An offer that is about to be written down. */
export interface ForecastOffer {
  readonly offerId: string;
  readonly callId: string;
  readonly queueId: string;
  /** Name of the trunk that the agent is reached over. */
  readonly trunk: string;
}

/** Hears of offers for calls of this node while they are written down, so that what takes time can begin. */
export interface OfferForecast {
  prepare(offer: ForecastOffer): void;
  /** It was not written down, or that is not known. */
  forget(offerId: string): void;
}

/** Facts and reservations. Every method retries what can be retried inside; a rejection means the store is not usable now. */
export interface CallStore {
  insertCall(call: NewCall): Promise<void>;
  saveCallerHandles(callId: string, handles: CallerHandles): Promise<void>;
  markAnswered(callId: string): Promise<void>;
  /** undefined: the call is over. */
  enqueue(callId: string, queueId: string, traits: CallTraits): Promise<{ readonly position: number } | undefined>;
  /** As `enqueue`, unless the queue sends the call away at its door; then nothing is written. */
  enter(callId: string, queueId: string, traits: CallTraits): Promise<Entered | undefined>;
  /** Where the call stands in the queue now; undefined: it has no place there. `estimate`: the wait is wanted as well. */
  standing(callId: string, queueId: string, estimate: boolean): Promise<Standing | undefined>;
  leaveQueue(callId: string, outcome: StayOutcome): Promise<void>;
  /** Reserves one agent for a call that waits in no queue. Undefined: the agent is not there, not free, or the call is over. */
  reserveAgent(callId: string, agentId: string, offerId: string): Promise<ReservedOffer | undefined>;
  /** The INVITE goes out now. False: the offer was taken back meanwhile; nothing may be sent. */
  markRinging(offerId: string, mediaServer: string): Promise<boolean>;
  /** True for exactly one offer of a call, and only while the call lives. */
  claim(offerId: string, agentDialog: string): Promise<boolean>;
  closeOffer(offerId: string, closing: OfferClosing): Promise<void>;
  endCall(callId: string, termination: Termination): Promise<void>;
  /** A caller is about to leave a message. */
  beginVoicemail(voicemail: NewVoicemail): Promise<void>;
  /** The message is over: kept, or thrown away. `lengthMs` undefined: not known. */
  endVoicemail(
    voicemailId: string,
    end: { readonly lengthMs: number | undefined; readonly kept: boolean },
  ): Promise<void>;
  appendEvent(callId: string, kind: string, data?: Readonly<Record<string, unknown>>): void;
}

/** A place in a queue, or why there is none and where the call goes instead. */
export type Entered =
  { readonly position: number } | { readonly sentOn: { readonly reason: ExitReason; readonly action: ExitAction } };

export interface NewCall {
  readonly callId: string;
  readonly tenantId: string;
  readonly trunkId: string;
  readonly callerNumber: string | undefined;
  readonly callerName: string | undefined;
  readonly dialledNumber: string;
  readonly sipCallId: string;
}

export interface NewVoicemail {
  readonly voicemailId: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly callId: string;
  readonly callerNumber: string | undefined;
  readonly callerName: string | undefined;
  readonly mediaServer: string;
  readonly file: string;
  /** The recording is over after so long at the latest, milliseconds. */
  readonly maxMs: number;
  readonly keepDays: number;
}

/** What a number leads to. */
export interface CallRoute {
  readonly tenantId: string;
  readonly trunkId: string;
  readonly number: string;
  /** Played before anything else. */
  readonly greetingUri: string | undefined;
  readonly entry: { readonly kind: 'queue'; readonly queueId: string } | { readonly kind: 'flow'; readonly flow: Flow };
  readonly plan: CallPlan;
}

/** Configuration of the call's tenant at the moment of asking: what is changed while a call lives counts at once. */
export interface CallPlan {
  queue(queueId: string): QueuePlan | undefined;
  queueNamed(name: string): QueuePlan | undefined;
  flow(name: string): Flow | undefined;
  /** Hours that are not configured count as open: nobody is sent away by a mistake. */
  isOpen(hours: string, at: number): { readonly open: boolean; readonly reason: string };
  /** What the media server is told to play. */
  promptUri(name: string): string | undefined;
  /** The trunk over which a number outside may be called; undefined: it may not. */
  trunkTo(e164: string, arrivedOn: string): string | undefined;
  /** Undefined: the queue calls nobody back. */
  callback(queueId: string): CallbackPlan | undefined;
}

export interface QueuePlan {
  readonly queueId: string;
  readonly name: string;
  readonly displayName: string;
  readonly musicUri: string;
  readonly ringTimeoutMs: number;
  readonly maxWaitMs: number | undefined;
  readonly letRingFinish: boolean;
  /** Undefined: always open. */
  readonly hours: string | undefined;
  readonly paused: boolean;
  /** Whether something besides the hours can send a call away at the door. */
  readonly checksEntry: boolean;
  readonly exits: QueueExits;
  /** What callers are told while they wait; undefined: nothing. */
  readonly announcements: Announcements | undefined;
  /** Undefined: the queue keeps no messages. */
  readonly voicemail?: VoicemailPlan | undefined;
}

export interface VoicemailPlan extends Omit<VoicemailRules, 'greeting' | 'thanks'> {
  /** Name of the queue. */
  readonly queue: string;
  readonly greetingUri: string | undefined;
  readonly thanksUri: string | undefined;
}

export interface Matcher {
  /** Something changed that may let a waiting call of this queue meet an agent. Returns at once. */
  requestMatch(queueId: string): void;
  /** These agents may be able to take calls of any of their queues now. Returns at once. */
  agentChanged(agentIds: readonly string[]): void;
}
