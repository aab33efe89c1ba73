import type { TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import { newId } from '../lib/ids';
import type { Log } from '../lib/log';
import type { CallSessionDeps } from './call-context';
import { CallFacts } from './call-facts';
import { CallOffers } from './call-offers';
import { DEFAULT_MUSIC } from './call-sound';
import { stepCallback } from './callback-state';
import type { CallbackEffect, CallbackInput, CallbackState } from './callback-state';
import type { AgentLeg, CallbackMedia, CallbackStore, CallPlan, Codec, PendingCallback, ReservedOffer } from './ports';
import type { Termination } from './termination';

export interface CallbackSessionDeps extends Omit<
  CallSessionDeps,
  'media' | 'store' | 'callbacks' | 'callersWait' | 'onUnexpected'
> {
  readonly media: CallbackMedia;
  readonly store: CallSessionDeps['store'] & CallbackStore;
  readonly onUnexpected: (machine: 'callback' | 'offer', state: string, input: string) => void;
}

export interface CallbackHooks {
  /** This node has nothing more to do with it. `end` undefined: another node goes on. Called once. */
  readonly onFinished: (end: Termination | undefined) => void;
}

/** What an agent sees instead of the name of a caller. */
const DISPLAY = 'Callback';
const DEFAULT_RING_MS = 30_000;
const DEFAULT_TRIES = 3;
const DEFAULT_RETRY_MS = 300_000;
/** Without a media server agents are not asked again and again, milliseconds. */
const NO_MEDIA_MS = 5_000;

/**
 * One callback on the node that owns it: runs the machine's effects on the agents' legs, the customer's leg and the store. It holds no
 * media while it waits, so that any node can go on with it.
 */
export class CallbackSession {
  readonly callback: PendingCallback;
  readonly #deps: CallbackSessionDeps;
  readonly #plan: CallPlan;
  readonly #log: Log;
  readonly #hooks: CallbackHooks;
  readonly #facts: CallFacts;
  readonly #offers: CallOffers;
  readonly #legs = new Map<string, { readonly leg: AgentLeg; readonly timer: TimerHandle }>();
  #state: CallbackState;
  /** Where its legs are, from the first agent who is rung until nobody is any more. */
  #mediaServer: string | undefined;
  #writing = 0;
  /** When it has rested. */
  #dueAt: number;
  #reported = false;

  constructor(deps: CallbackSessionDeps, plan: CallPlan, callback: PendingCallback, hooks: CallbackHooks) {
    this.#deps = deps;
    this.#plan = plan;
    this.callback = callback;
    this.#hooks = hooks;
    this.#log = deps.log.child({ callId: callback.id });
    this.#facts = new CallFacts(deps.clock, this.#log, (name) => {
      if (name === 'enqueue') {
        this.input({ kind: 'end', reason: 'store-failed' });
      }
    });
    this.#dueAt = deps.clock.now() + (callback.restMs ?? 0);
    const tries = { made: callback.tries, allowed: this.#rules?.tries ?? DEFAULT_TRIES };
    this.#state =
      callback.nextTryAt === undefined
        ? { kind: 'waiting', tries, offers: [] }
        : { kind: 'resting', tries, offerId: undefined };
    this.#offers = new CallOffers(
      {
        deps,
        info: { callId: callback.id, caller: { number: callback.number, name: this.#display } },
        plan,
        log: this.#log,
        state: () => ({ kind: this.#state.kind, queueId: callback.queueId }),
        handles: () =>
          this.#mediaServer === undefined
            ? undefined
            : { mediaServer: this.#mediaServer, codec: codecFor(callback.number) },
        input: (input) => {
          this.input(input.kind === 'agent-answered' ? { ...input, legId: newId() } : input);
        },
        event: (kind, data) => {
          this.#event(kind, data);
        },
        fact: (name, write) => {
          this.#fact(name, write);
        },
      },
      {
        // The customer cannot be sent on before he is there, and agents' platforms send on whom they talk to.
        onTransfer: (request) => {
          request.progress(603);
        },
        onPlaceInDoubt: () => {
          this.#takePlace();
        },
        onClosed: () => {
          this.#maybeFinished();
        },
      },
    );
  }

  get state(): CallbackState {
    return this.#state;
  }

  /** True while somebody rings or talks for it. */
  get busy(): boolean {
    return this.#offers.open > 0 || this.#legs.size > 0;
  }

  get #rules(): ReturnType<CallPlan['callback']> {
    return this.#plan.callback(this.callback.queueId);
  }

  get #display(): string {
    const { callerName } = this.callback;
    return callerName === undefined ? DISPLAY : `${DISPLAY} ${callerName}`;
  }

  /** `placed`: it has its place already. */
  start(placed: boolean): void {
    if (!placed && this.#state.kind === 'waiting') {
      this.#takePlace();
    }
  }

  /** False: it knows of this offer already. */
  offerReserved(offer: ReservedOffer): boolean {
    if (!this.#offers.reserve(offer)) {
      return false;
    }
    if (this.#trunk() === undefined) {
      this.input({ kind: 'offer-reserved', offerId: offer.offerId });
      this.input({ kind: 'end', reason: 'callback-not-allowed' });
      return true;
    }
    try {
      this.#mediaServer ??= this.#deps.media.pick().name;
    } catch (error) {
      this.#log.warn({ event: 'callback_without_media', reason: describeError(error) });
      this.input({ kind: 'no-media' });
    }
    this.input({ kind: 'offer-reserved', offerId: offer.offerId });
    return true;
  }

  /** As its row says now: what became due, or was decided elsewhere. */
  look(row: PendingCallback): void {
    const expireMs = this.#rules?.expireAfterMs;
    if (row.calledInBy !== undefined) {
      this.input({ kind: 'end', reason: 'callback-called-in' });
    } else if (expireMs !== undefined && row.ageMs > expireMs && !this.busy && this.#isPending) {
      this.input({ kind: 'end', reason: 'callback-expired' });
    } else if (
      this.#state.kind === 'resting' &&
      this.#state.offerId === undefined &&
      this.#deps.clock.now() >= this.#dueAt
    ) {
      this.input({ kind: 'due' });
    }
  }

  /** Its row is over, or another node's. */
  gone(): void {
    if (this.#state.kind !== 'ended' && this.#state.kind !== 'handed-over' && this.#writing === 0) {
      this.input({ kind: 'hand-over' });
    }
  }

  get #isPending(): boolean {
    return this.#state.kind === 'waiting' || this.#state.kind === 'resting';
  }

  input(input: CallbackInput): void {
    const step = stepCallback(this.#state, input);
    if (!step) {
      if (input.kind !== 'offer-over') {
        this.#deps.onUnexpected('callback', this.#state.kind, input.kind);
      }
      return;
    }
    this.#state = step.state;
    for (const effect of step.effects) {
      this.#run(effect);
    }
    if (step.state.kind === 'handed-over') {
      this.#maybeFinished();
    }
  }

  #run(effect: CallbackEffect): void {
    const { store } = this.#deps;
    const { id } = this.callback;
    switch (effect.kind) {
      case 'take-place': {
        this.#takePlace();
        return;
      }
      case 'leave-queue': {
        this.#fact('leave-queue', () => store.leaveQueue(id, effect.outcome));
        return;
      }
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
      case 'play-music': {
        this.#playMusic(effect.offerId);
        return;
      }
      case 'dial': {
        this.#dial(effect.legId);
        return;
      }
      case 'end-customer-leg': {
        this.#legs.get(effect.legId)?.timer.clear();
        this.#legs.get(effect.legId)?.leg.drop();
        return;
      }
      case 'bridge': {
        this.#bridge(effect.offerId, effect.legId);
        return;
      }
      case 'note-reached':
      case 'note-lost': {
        this.#noteReached(effect);
        return;
      }
      case 'rest': {
        const restMs = this.#rest(effect);
        this.#fact('rest-callback', () => store.restCallback(id, effect.triesMade, restMs));
        return;
      }
      case 'finish': {
        this.#finish(effect.termination);
      }
    }
  }

  /** How long it rests, milliseconds. */
  #rest({ why, triesMade }: Extract<CallbackEffect, { kind: 'rest' }>): number {
    const restMs = why === 'no-media' ? NO_MEDIA_MS : (this.#rules?.retryAfterMs ?? DEFAULT_RETRY_MS);
    this.#dueAt = this.#deps.clock.now() + restMs;
    this.#event(`callback:${why}`, { tries: triesMade, nextTryInMs: restMs });
    if (why === 'not-reached') {
      this.#deps.metrics.callbackTried('not-reached');
    }
    return restMs;
  }

  #noteReached(effect: Extract<CallbackEffect, { kind: 'note-reached' | 'note-lost' }>): void {
    const reached = effect.kind === 'note-reached';
    if (effect.kind === 'note-reached') {
      this.#offers.connected(effect.offerId);
      this.#event('call:connected', { offerId: effect.offerId });
      this.#deps.metrics.callbackTried('reached');
    } else {
      this.#event('callback:lost');
    }
    this.#fact('callback-reached', () => this.#deps.store.callbackReached(this.callback.id, reached));
  }

  /** Its place in the queue, by the time that it has waited; one that is there already stays as it is. */
  #takePlace(): void {
    const { store, matcher } = this.#deps;
    const { id, queueId } = this.callback;
    this.#fact('enqueue', async () => {
      if (this.#state.kind !== 'waiting') {
        return;
      }
      await store.callbackDue(id);
      const place = await store.enqueue(id, queueId, {});
      if (place) {
        this.#event('call:waiting', { queue: this.#plan.queue(queueId)?.name, position: place.position });
        matcher.requestMatch(queueId);
      }
    });
  }

  #trunk(): string | undefined {
    return this.#plan.trunkTo(this.callback.number, this.callback.trunkId ?? '');
  }

  #playMusic(offerId: string): void {
    const uri = this.#plan.queue(this.callback.queueId)?.musicUri ?? DEFAULT_MUSIC;
    if (this.#mediaServer !== undefined) {
      this.#deps.media.playTo(this.#mediaServer, offerId, uri).catch((error: unknown) => {
        this.#log.warn({ event: 'callback_music_failed', offerId, reason: describeError(error) });
      });
    }
  }

  #dial(legId: string): void {
    const { clock, legs } = this.#deps;
    const { id, number, dialledNumber, queueId } = this.callback;
    const trunkId = this.#trunk();
    if (trunkId === undefined || this.#mediaServer === undefined) {
      this.input({ kind: 'end', reason: 'callback-not-allowed' });
      return;
    }
    const ringTimeoutMs = this.#rules?.ringMs ?? DEFAULT_RING_MS;
    this.#event('callback:dialled', { legId });
    const leg = legs.dial(
      {
        legId,
        callId: id,
        to: { kind: 'number', trunkId, e164: number },
        // The customer sees the number that he had called.
        caller: { number: dialledNumber, name: undefined },
        codec: codecFor(number),
        mediaServer: this.#mediaServer,
        musicUri: this.#plan.queue(queueId)?.musicUri ?? DEFAULT_MUSIC,
        ringTimeoutMs,
      },
      {
        ringing: () => {
          this.#event('callback:ringing', { legId });
        },
        answered: () => {
          this.#legs.get(legId)?.timer.clear();
          this.#event('callback:answered', { legId });
        },
        mediaReady: () => {
          this.input({ kind: 'leg-answered', legId });
        },
        refused: (outcome, sipStatus, detail) => {
          this.#event('callback:refused', { legId, outcome, sipStatus, detail });
          this.input({ kind: 'leg-failed', legId });
        },
        left: () => {
          this.input({ kind: 'leg-left', legId });
        },
        over: () => {
          this.#legs.get(legId)?.timer.clear();
          this.#legs.delete(legId);
          this.#maybeFinished();
        },
      },
    );
    const timer = clock.setTimeout(() => {
      this.#event('callback:refused', { legId, outcome: 'no-answer' });
      this.input({ kind: 'leg-failed', legId });
    }, ringTimeoutMs);
    this.#legs.set(legId, { leg, timer });
  }

  #bridge(offerId: string, legId: string): void {
    const { media } = this.#deps;
    media.bridge(this.#mediaServer ?? '', legId, offerId).then(
      () => {
        this.input({ kind: 'bridged', channel: legId });
      },
      (error: unknown) => {
        this.#log.error({ event: 'call_bridge_failed', channel: legId, reason: describeError(error) });
        this.input({ kind: 'bridge-failed', channel: legId });
      },
    );
  }

  #finish(end: Termination): void {
    this.#event('call:ended', { ...end });
    this.#log.info({ event: 'callback_ended', result: end.result, reason: end.reason });
    this.#fact('end-call', () => this.#deps.store.endCall(this.callback.id, end));
  }

  #fact(name: string, write: () => Promise<void>): void {
    this.#writing++;
    this.#facts.add(name, write);
    this.#facts.whenWritten(() => {
      this.#writing--;
      this.#maybeFinished();
    });
  }

  #event(kind: string, data?: Readonly<Record<string, unknown>>): void {
    this.#deps.store.appendEvent(this.callback.id, kind, data);
  }

  /** Over are its facts and every leg: only then is it forgotten. Legs that are gone leave the choice of the media server open. */
  #maybeFinished(): void {
    if (this.busy || this.#writing > 0) {
      return;
    }
    if (this.#isPending) {
      this.#mediaServer = undefined;
    }
    if ((this.#state.kind === 'ended' || this.#state.kind === 'handed-over') && !this.#reported) {
      this.#reported = true;
      this.#hooks.onFinished(this.#state.kind === 'ended' ? this.#state.termination : undefined);
    }
  }
}

/** The codec of the customer's country, which the agent's leg then speaks as well: North America and Japan have the other law. */
export function codecFor(e164: string): Codec {
  return /^\+(1|81)/.test(e164) ? 'PCMU' : 'PCMA';
}
