import { describeError, isSidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { CallContext, CallSessionDeps, CallSessionInfo } from './call-context';
import { CallCallback } from './call-callback';
import { CallFacts } from './call-facts';
import { CallFlow } from './call-flow';
import { CallOffers } from './call-offers';
import { CallSound } from './call-sound';
import { initialCallState, stepCall } from './call-state';
import type { CallEffect, CallInput, CallState } from './call-state';
import { CallTransfers } from './call-transfers';
import { CallVoicemail } from './call-voicemail';
import { CallWaiting } from './call-waiting';
import { Destinations } from './destinations';
import type { CallerHandles, CallerLeg, CallExit, ForecastOffer, ReservedOffer, TransferRequest } from './ports';
import type { Termination } from './termination';

export type { CallSessionDeps, CallSessionInfo } from './call-context';

export interface SessionHooks {
  /** Answered, and that is stored; or ended. */
  readonly onSetUp: () => void;
  readonly onFinished: (end: Termination) => void;
}

/**
 * One caller's call on this node: runs the call machine's effects on the caller's leg, the agents' legs and the store. What
 * belongs together is in its own part: offers, waiting, flow, transfers, sound.
 */
export class CallSession {
  readonly info: CallSessionInfo;
  readonly #deps: CallSessionDeps;
  readonly #caller: CallerLeg;
  readonly #log: Log;
  readonly #hooks: SessionHooks;
  readonly #facts: CallFacts;
  readonly #sound: CallSound;
  readonly #offers: CallOffers;
  readonly #waiting: CallWaiting;
  readonly #flow: CallFlow;
  readonly #callback: CallCallback;
  readonly #transfers: CallTransfers;
  readonly #voicemail: CallVoicemail;
  readonly #startedAt: number;
  #state: CallState = initialCallState;
  #handles: CallerHandles | undefined;
  #factsDone = false;
  #reported = false;

  constructor(deps: CallSessionDeps, info: CallSessionInfo, caller: CallerLeg, hooks: SessionHooks) {
    this.#deps = deps;
    this.info = info;
    this.#caller = caller;
    this.#hooks = hooks;
    this.#startedAt = deps.clock.now();
    this.#log = deps.log.child({ callId: info.callId });
    this.#facts = new CallFacts(deps.clock, this.#log, (name) => {
      this.#factLost(name);
    });
    const context = this.#context();
    const destinations = new Destinations(context);
    this.#sound = new CallSound(context);
    this.#waiting = new CallWaiting(context, this.#sound, destinations);
    this.#flow = new CallFlow(context, this.#sound, destinations, (traits) => {
      this.#waiting.set(traits);
    });
    this.#voicemail = new CallVoicemail(context, this.#sound);
    this.#callback = new CallCallback(context, this.#sound, () => this.#waiting.traits);
    const done = (): void => {
      this.#maybeFinished();
    };
    this.#offers = new CallOffers(context, {
      onTransfer: (request) => {
        this.transfer(request, 'agent');
      },
      onPlaceInDoubt: () => {
        this.#waiting.takePlace();
      },
      onClosed: done,
    });
    this.#transfers = new CallTransfers(context, this.#offers, destinations, done);
  }

  #context(): CallContext {
    return {
      deps: this.#deps,
      info: this.info,
      plan: this.info.route.plan,
      caller: this.#caller,
      log: this.#log,
      state: () => this.#state,
      handles: () => this.#handles,
      input: (input) => {
        this.input(input);
      },
      event: (kind, data) => {
        this.#event(kind, data);
      },
      fact: (name, write) => {
        this.#facts.add(name, write);
      },
    };
  }

  get state(): CallState {
    return this.#state;
  }

  /** Offers whose row may still be open; for drains and leak checks. */
  get openOffers(): number {
    return this.#offers.open;
  }

  /** The queue in which the caller waits now. */
  get waitingIn(): string | undefined {
    return this.#state.kind === 'waiting' ? this.info.route.plan.queue(this.#state.queueId)?.name : undefined;
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
    this.#event('call:arrived', { number: route.number, ...entryOf(this.info) });
    this.#facts.begin(
      stored.catch((error: unknown) => {
        this.#log.error({ event: 'call_not_stored', reason: describeError(error) });
      }),
    );
    // Only now: a caller who is gone already ends the call at once, and its end must be written after its row.
    this.#caller.onLeft((cause) => {
      this.#voicemail.callerLeft(cause);
    });
    this.#caller.onMediaLost(() => {
      this.input({ kind: 'media-lost' });
    });
    this.#caller.onKey((key) => {
      this.#waiting.key(key);
      this.#voicemail.key(key);
    });
    if (this.state.kind === 'ended') {
      return;
    }
    const refusal = this.#flow.refusal();
    if (refusal !== undefined) {
      this.input({ kind: 'refused', sip: refusal });
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
    if (!this.#offers.reserve(offer)) {
      return false;
    }
    this.input({ kind: 'offer-reserved', offerId: offer.offerId, queueId: offer.queueId });
    return true;
  }

  /** An offer for this call is being written down. */
  prepareOffer(offer: ForecastOffer): void {
    this.#offers.prepare(offer);
  }

  /** A decision found that the call should leave its queue. */
  exit(exit: CallExit): void {
    this.#waiting.exit(exit);
  }

  /** Sends the caller on; `request.progress` hears how that goes. */
  transfer(request: TransferRequest, by: 'agent' | 'system'): void {
    this.#transfers.request(request, by);
  }

  input(input: CallInput): void {
    const step = stepCall(this.#state, input);
    if (!step) {
      // The end of an offer that the call did not wait for any more is told as well.
      if (input.kind !== 'offer-over') {
        this.#deps.onUnexpected('call', this.#state.kind, input.kind);
      }
      return;
    }
    if (this.#state.kind === 'waiting' && step.state.kind !== 'waiting') {
      this.#waiting.pause();
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
      case 'run-flow': {
        this.#flow.run(effect.flow);
        return;
      }
      case 'stop-flow': {
        this.#flow.stop();
        return;
      }
      case 'start-waiting': {
        this.#waiting.start(effect.queueId);
        return;
      }
      case 'resume-waiting': {
        this.#waiting.resume(effect.queueId);
        return;
      }
      case 'park-caller': {
        const queue = effect.queueId === undefined ? undefined : this.info.route.plan.queue(effect.queueId);
        this.#sound.music(queue?.musicUri);
        return;
      }
      case 'bridge': {
        this.#bridge(effect.channel);
        return;
      }
      case 'announce': {
        void this.#sound.play(effect.uri).then(() => {
          this.input({ kind: 'announced' });
        });
        return;
      }
      case 'open-mailbox': {
        this.#voicemail.open(effect.to);
        return;
      }
      case 'record-message': {
        this.#voicemail.record(effect.to);
        return;
      }
      case 'close-mailbox': {
        this.#voicemail.close();
        return;
      }
      case 'ask-callback': {
        this.#callback.ask(effect.to);
        return;
      }
      case 'book-callback': {
        this.#callback.book(effect.to);
        return;
      }
      case 'hang-up-caller': {
        this.#hangUpCaller(effect);
        return;
      }
      case 'leave-queue': {
        const { outcome } = effect;
        this.#facts.add('leave-queue', () => this.#deps.store.leaveQueue(this.info.callId, outcome));
        return;
      }
      case 'finish': {
        this.#finish(effect.termination);
        return;
      }
      default: {
        this.#runOnOthers(effect);
      }
    }
  }

  /** Effects on agents and on others whom the call is sent to. */
  #runOnOthers(
    effect: Extract<
      CallEffect,
      { kind: 'ring-agent' | 'withdraw-offer' | 'end-agent-leg' | 'dial' | 'end-outside-leg' | 'transfer-progress' }
    >,
  ): void {
    switch (effect.kind) {
      case 'ring-agent': {
        this.#offers.ring(effect.offerId);
        return;
      }
      case 'withdraw-offer': {
        this.#offers.withdraw(effect.offerId, effect.why);
        return;
      }
      case 'end-agent-leg': {
        this.#offers.end(effect.offerId, effect.endedBy);
        return;
      }
      case 'dial': {
        this.#transfers.dial(effect.legId, effect.to);
        return;
      }
      case 'end-outside-leg': {
        this.#transfers.endLeg(effect.legId);
        return;
      }
      case 'transfer-progress': {
        this.#transfers.progress(effect.sip);
      }
    }
  }

  #hangUpCaller({ sip, q850, after }: Extract<CallEffect, { kind: 'hang-up-caller' }>): void {
    const hangUp = (): void => {
      this.#caller.hangUp(sip, q850);
    };
    if (after === undefined || !this.#deps.callersWait()) {
      hangUp();
    } else {
      this.#offers.whenClosed(after, hangUp);
    }
  }

  #answer(): void {
    this.#caller.answer().then(
      () => {
        this.#deps.metrics.callStage('answer', this.#deps.clock.now() - this.#startedAt);
        this.#event('call:answered');
        this.#facts.add('mark-answered', async () => {
          await this.#deps.store.markAnswered(this.info.callId);
          this.#hooks.onSetUp();
        });
        const { entry } = this.info.route;
        this.input({ kind: 'answered', ...(entry.kind === 'flow' ? { flow: entry.flow.name } : {}) });
      },
      (error: unknown) => {
        if (!isSidekickError(error, 'SK_LEG_GONE')) {
          this.#log.warn({ event: 'call_answer_failed', reason: describeError(error) });
        }
        this.input({ kind: 'answer-failed' });
      },
    );
  }

  #bridge(channel: string): void {
    const answeredAt = this.#deps.clock.now();
    this.#sound.join(channel).then(
      () => {
        const state = this.#state;
        if (state.kind === 'connecting' && state.offerId === channel) {
          this.#offers.connected(channel);
          this.#event('call:connected', { offerId: channel });
          this.#deps.metrics.callStage('bridge', this.#deps.clock.now() - answeredAt);
          this.#waiting.waited('connected');
          this.input({ kind: 'bridged', channel });
        } else if (state.kind === 'joining' && state.legId === channel) {
          this.#event('transfer:connected', { legId: channel });
          this.#waiting.waited('ended');
          this.input({ kind: 'bridged', channel });
        } else {
          this.#bridgedTooLate(state);
        }
      },
      (error: unknown) => {
        this.#log.error({ event: 'call_bridge_failed', channel, reason: describeError(error) });
        this.input({ kind: 'bridge-failed', channel });
      },
    );
  }

  /** Whoever answered left while the channels were being joined: the join took the caller's music away, so it is started again. */
  #bridgedTooLate(state: CallState): void {
    if ('queueId' in state && !['flow', 'closing', 'mailbox', 'recording'].includes(state.kind)) {
      const queue = state.queueId === undefined ? undefined : this.info.route.plan.queue(state.queueId);
      this.#sound.music(queue?.musicUri);
    }
  }

  #finish(end: Termination): void {
    this.#event('call:ended', { ...end });
    this.#waiting.waited(end.result === 'abandoned' ? 'abandoned' : 'ended');
    this.#log.info({ event: 'call_ended', result: end.result, reason: end.reason });
    this.#hooks.onSetUp();
    this.#caller.close();
    this.#facts.add('end-call', () => this.#deps.store.endCall(this.info.callId, end));
    this.#facts.whenWritten(() => {
      this.#factsDone = true;
      this.#maybeFinished();
    });
  }

  /** A caller who cannot get a place is told so, instead of listening to music for ever. */
  #factLost(name: string): void {
    if (name === 'book-callback') {
      this.input({ kind: 'callback-booked', ok: false });
    }
    if (name === 'enqueue' && this.#state.kind !== 'ended') {
      this.input({ kind: 'store-failed' });
    }
  }

  #event(kind: string, data?: Readonly<Record<string, unknown>>): void {
    this.#deps.store.appendEvent(this.info.callId, kind, data);
  }

  /** Over are the call, its facts and every leg it was given: only then is it forgotten. */
  #maybeFinished(): void {
    const open = this.#offers.open + this.#transfers.open;
    if (this.#state.kind !== 'ended' || !this.#factsDone || open > 0 || this.#reported) {
      return;
    }
    this.#reported = true;
    this.#hooks.onFinished(this.#state.termination);
  }
}

/** What the number leads to, for logs and events. */
export function entryOf({ route }: CallSessionInfo): { readonly queue: string } | { readonly flow: string } {
  return route.entry.kind === 'queue'
    ? { queue: route.plan.queue(route.entry.queueId)?.name ?? route.entry.queueId }
    : { flow: route.entry.flow.name };
}
