import type { Clock } from '../lib/clock';
import { describeError, isSidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import { initialCallState, stepCall } from './call-state';
import type { CallEffect, CallInput, CallState } from './call-state';
import { OfferSession } from './offer-session';
import type { OfferClosing } from './offer-state';
import type {
  AgentLegs,
  CallerHandles,
  CallerIdentity,
  CallerLeg,
  CallMedia,
  CallRoute,
  CallStore,
  Matcher,
  ReservedOffer,
} from './ports';
import { persist } from './persist';
import type { Termination } from './termination';

export interface CallSessionDeps {
  readonly store: CallStore;
  readonly legs: AgentLegs;
  readonly media: CallMedia;
  readonly matcher: Matcher;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'callStage' | 'offerEnded' | 'queueWaited'>;
  readonly onUnexpected: (machine: 'call' | 'offer', state: string, input: string) => void;
}

export interface CallSessionInfo {
  readonly callId: string;
  readonly sipCallId: string;
  readonly caller: CallerIdentity;
  readonly route: CallRoute;
}

export interface SessionHooks {
  /** Answered, and that is stored; or ended. */
  readonly onSetUp: () => void;
  readonly onFinished: (end: Termination) => void;
}

/**
 * One caller's call on this node: runs the call machine's effects on the caller's leg, the agents' legs and the store. Facts
 * of a call are written in the order in which they happened.
 */
export class CallSession {
  readonly info: CallSessionInfo;
  readonly #deps: CallSessionDeps;
  readonly #caller: CallerLeg;
  readonly #log: Log;
  readonly #hooks: SessionHooks;
  #state: CallState = initialCallState;
  #handles: CallerHandles | undefined;
  readonly #offers = new Map<string, OfferSession>();
  readonly #reserved = new Map<string, ReservedOffer>();
  readonly #seen = new Set<string>();
  #facts: Promise<void> = Promise.resolve();
  #factsDone = false;
  readonly #startedAt: number;
  #waitingSince: number | undefined;
  #reported = false;

  constructor(deps: CallSessionDeps, info: CallSessionInfo, caller: CallerLeg, hooks: SessionHooks) {
    this.#deps = deps;
    this.info = info;
    this.#caller = caller;
    this.#hooks = hooks;
    this.#startedAt = deps.clock.now();
    this.#log = deps.log.child({ callId: info.callId });
  }

  get state(): CallState {
    return this.#state;
  }

  /** Offers whose row may still be open; for drains and leak checks. */
  get openOffers(): number {
    return this.#offers.size;
  }

  start(): void {
    const { route, caller } = this.info;
    const stored = this.#deps.store.insertCall({
      callId: this.info.callId,
      tenantId: route.tenantId,
      trunkId: route.trunkId,
      callerNumber: caller.number,
      callerName: caller.name,
      dialledNumber: route.number,
      sipCallId: this.info.sipCallId,
    });
    this.#event('call:arrived', { number: route.number, queue: route.queueName });
    this.#facts = stored.catch((error: unknown) => {
      this.#log.error({ event: 'call_not_stored', reason: describeError(error) });
    });
    // Only now: a caller who is gone already ends the call at once, and its end must be written after its row.
    this.#caller.onLeft((cause) => {
      this.input({ kind: 'caller-left', cause });
    });
    this.#caller.onMediaLost(() => {
      this.input({ kind: 'media-lost' });
    });
    if (this.state.kind === 'ended') {
      return;
    }
    this.#prepare(stored).catch((error: unknown) => {
      const refusedOffer = isSidekickError(error, 'SK_MEDIA_OFFER_REFUSED');
      this.#log.warn({ event: 'call_media_failed', reason: describeError(error) });
      this.#event('call:media-failed', { reason: describeError(error) });
      this.input({ kind: 'media-failed', refusedOffer });
    });
  }

  /** The row of the call and the handles of its media stand before the caller is answered: a successor can find them. */
  async #prepare(stored: Promise<void>): Promise<void> {
    const [handles] = await Promise.all([this.#caller.prepare(), stored]);
    this.#handles = handles;
    if (this.#state.kind === 'ended') {
      return;
    }
    await this.#deps.store.saveCallerHandles(this.info.callId, handles);
    this.input({ kind: 'media-ready' });
  }

  /** An offer was reserved for this call by a match, here or on another node. False: this call knows of it already. */
  offerReserved(offer: ReservedOffer): boolean {
    if (this.#seen.has(offer.offerId)) {
      return false;
    }
    this.#seen.add(offer.offerId);
    this.#reserved.set(offer.offerId, offer);
    this.input({ kind: 'offer-reserved', offerId: offer.offerId });
    return true;
  }

  input(input: CallInput): void {
    const step = stepCall(this.#state, input);
    if (!step) {
      this.#deps.onUnexpected('call', this.#state.kind, input.kind);
      return;
    }
    this.#state = step.state;
    for (const effect of step.effects) {
      this.#run(effect);
    }
  }

  #run(effect: CallEffect): void {
    switch (effect.kind) {
      case 'answer-caller': {
        this.#answer();
        return;
      }
      case 'play-greeting': {
        this.#greet();
        return;
      }
      case 'start-waiting': {
        this.#waitingSince = this.#deps.clock.now();
        this.#caller.startMusic(this.info.route.musicUri);
        this.#enqueue();
        return;
      }
      case 'resume-waiting': {
        this.#caller.startMusic(this.info.route.musicUri);
        this.#enqueue();
        return;
      }
      case 'ring-agent': {
        this.#ring(effect.offerId);
        return;
      }
      case 'withdraw-offer': {
        this.#withdraw(effect.offerId, effect.why);
        return;
      }
      case 'bridge': {
        this.#bridge(effect.offerId);
        return;
      }
      case 'end-agent-leg': {
        this.#offers.get(effect.offerId)?.input({ kind: 'finish', endedBy: effect.endedBy });
        return;
      }
      case 'hang-up-caller': {
        this.#caller.hangUp(effect.sip, effect.q850);
        return;
      }
      case 'leave-queue': {
        this.#fact('leave-queue', () => this.#deps.store.leaveQueue(this.info.callId, effect.outcome));
        return;
      }
      case 'finish': {
        this.#finish(effect.termination);
      }
    }
  }

  #answer(): void {
    this.#caller.answer().then(
      () => {
        this.#deps.metrics.callStage('answer', this.#deps.clock.now() - this.#startedAt);
        this.#event('call:answered');
        this.#fact('mark-answered', async () => {
          await this.#deps.store.markAnswered(this.info.callId);
          this.#hooks.onSetUp();
        });
        this.input({ kind: 'answered' });
      },
      (error: unknown) => {
        if (!isSidekickError(error, 'SK_LEG_GONE')) {
          this.#log.warn({ event: 'call_answer_failed', reason: describeError(error) });
        }
        this.input({ kind: 'answer-failed' });
      },
    );
  }

  #greet(): void {
    const { greetingUri } = this.info.route;
    if (greetingUri === undefined) {
      this.input({ kind: 'greeting-done' });
      return;
    }
    this.#event('call:greeting');
    void this.#caller.play(greetingUri).then(() => {
      if (this.#state.kind === 'greeting') {
        this.input({ kind: 'greeting-done' });
      }
    });
  }

  #enqueue(): void {
    const { callId, route } = this.info;
    this.#fact('enqueue', async () => {
      const place = await this.#deps.store.enqueue(callId, route.queueId);
      if (place) {
        this.#event('call:waiting', { queue: route.queueName, position: place.position });
        this.#deps.matcher.requestMatch(route.queueId);
      }
    });
  }

  #ring(offerId: string): void {
    const offer = this.#reserved.get(offerId);
    this.#reserved.delete(offerId);
    if (!offer || !this.#handles) {
      this.#closeWithoutLeg(offerId, { kind: 'canceled', why: 'withdrawn' }, offer?.target.agentId);
      return;
    }
    this.#event('call:offered', { offerId, agent: offer.target.agentName, presence: offer.presence });
    this.#startOffer(offer, this.#handles);
  }

  #startOffer(offer: ReservedOffer, handles: CallerHandles): void {
    const { offerId } = offer;
    const session = new OfferSession(
      { store: this.#deps.store, legs: this.#deps.legs, clock: this.#deps.clock, log: this.#log },
      {
        onAgentAnswered: () => {
          this.input({ kind: 'agent-answered', offerId });
        },
        onAgentLeft: () => {
          this.input({ kind: 'agent-left', offerId });
        },
        onOfferClosed: (closing) => {
          this.#offerClosed(offerId, closing, offer.target.agentId);
        },
        onEvent: (kind, data) => {
          this.#event(kind, data);
        },
        onUnexpected: this.#deps.onUnexpected,
      },
      {
        offerId,
        callId: this.info.callId,
        target: offer.target,
        caller: this.info.caller,
        queueDisplayName: this.info.route.queueDisplayName,
        codec: handles.codec,
        mediaServer: handles.mediaServer,
        musicUri: this.info.route.musicUri,
      },
    );
    this.#offers.set(offerId, session);
    session.input({ kind: 'start' });
  }

  #withdraw(offerId: string, why: 'caller-gone' | 'withdrawn'): void {
    const session = this.#offers.get(offerId);
    if (session) {
      session.input({ kind: 'withdraw', why });
      return;
    }
    const agentId = this.#reserved.get(offerId)?.target.agentId;
    this.#reserved.delete(offerId);
    this.#closeWithoutLeg(offerId, { kind: 'canceled', why }, agentId);
  }

  /** An offer that never got a leg: only its row has to be closed, so that the agent is free. Closing twice is harmless. */
  #closeWithoutLeg(offerId: string, closing: OfferClosing, agentId: string | undefined): void {
    this.#fact('close-offer', async () => {
      await this.#deps.store.closeOffer(offerId, closing);
      this.#offerClosed(offerId, closing, agentId);
    });
  }

  #offerClosed(offerId: string, closing: OfferClosing, agentId: string | undefined): void {
    this.#deps.metrics.offerEnded(
      closing.kind === 'refused' ? closing.outcome : closing.kind === 'canceled' ? 'canceled' : 'answered',
      this.#offers.get(offerId)?.ringMs,
    );
    this.#offers.delete(offerId);
    this.#event('offer:closed', { offerId, ...closing });
    if ('offerId' in this.#state && this.#state.offerId === offerId) {
      this.input({ kind: 'offer-over', offerId });
    }
    this.#deps.matcher.requestMatch(this.info.route.queueId);
    if (agentId !== undefined) {
      this.#deps.matcher.agentChanged([agentId]);
    }
    this.#maybeFinished();
  }

  #bridge(offerId: string): void {
    const handles = this.#handles;
    if (!handles) {
      this.input({ kind: 'bridge-failed', offerId });
      return;
    }
    const answeredAt = this.#deps.clock.now();
    this.#deps.media.bridge(handles.mediaServer, handles.mediaChannel, offerId).then(
      () => {
        if (this.#state.kind !== 'connecting' || this.#state.offerId !== offerId) {
          this.#bridgedTooLate();
          return;
        }
        this.#offers.get(offerId)?.input({ kind: 'connected' });
        this.#event('call:connected', { offerId });
        this.#deps.metrics.callStage('bridge', this.#deps.clock.now() - answeredAt);
        this.#waited('connected');
        this.input({ kind: 'bridged', offerId });
      },
      (error: unknown) => {
        this.#log.error({ event: 'call_bridge_failed', offerId, reason: describeError(error) });
        this.input({ kind: 'bridge-failed', offerId });
      },
    );
  }

  /** Counts the wait once, by what ended it. */
  #waited(outcome: 'connected' | 'abandoned' | 'ended'): void {
    if (this.#waitingSince !== undefined) {
      const { metrics, clock } = this.#deps;
      metrics.queueWaited(this.info.route.queueName, outcome, clock.now() - this.#waitingSince);
      this.#waitingSince = undefined;
    }
  }

  /** The agent left while the channels were being joined: the join took the caller's music away, so it is started again. */
  #bridgedTooLate(): void {
    if (this.#state.kind === 'waiting' || this.#state.kind === 'offered') {
      this.#caller.startMusic(this.info.route.musicUri);
    }
  }

  #finish(end: Termination): void {
    this.#event('call:ended', { ...end });
    this.#waited(end.result === 'abandoned' ? 'abandoned' : 'ended');
    this.#log.info({ event: 'call_ended', result: end.result, reason: end.reason });
    this.#hooks.onSetUp();
    this.#caller.close();
    this.#fact('end-call', () => this.#deps.store.endCall(this.info.callId, end));
    void this.#facts.then(() => {
      this.#factsDone = true;
      this.#maybeFinished();
    });
  }

  /** A caller who cannot get a place is told so, instead of listening to music for ever. */
  #factLost(name: string): void {
    if (name === 'enqueue' && this.#state.kind !== 'ended') {
      this.input({ kind: 'store-failed' });
    }
  }

  #event(kind: string, data?: Readonly<Record<string, unknown>>): void {
    this.#deps.store.appendEvent(this.info.callId, kind, data);
  }

  /** Queues a write behind the earlier ones. */
  #fact(name: string, write: () => Promise<void>): void {
    this.#facts = this.#facts.then(async () => {
      if (!(await persist(name, write, this.#deps.clock, this.#log))) {
        this.#factLost(name);
      }
    });
  }

  /** Over are the call, its facts and every offer it was given: only then is it forgotten. */
  #maybeFinished(): void {
    if (this.#state.kind !== 'ended' || !this.#factsDone || this.#offers.size > 0 || this.#reported) {
      return;
    }
    this.#reported = true;
    this.#hooks.onFinished(this.#state.termination);
  }
}
