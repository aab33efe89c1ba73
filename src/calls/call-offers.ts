import type { CallContext, CallSessionDeps } from './call-context';
import type { CallInput } from './call-state';
import { OfferSession } from './offer-session';
import type { CancelWhy, EndedBy, OfferClosing } from './offer-state';
import type { CallerHandles, CallerIdentity, ForecastOffer, ReservedOffer, TransferRequest } from './ports';

/** What becomes of offers, as the machine of the call is told. */
type OfferNews = Extract<CallInput, { kind: 'agent-answering' | 'agent-answered' | 'agent-left' | 'offer-over' }>;

/** What offers need of the call that they are for; a callback is one as well. */
export interface OffersContext extends Pick<CallContext, 'log' | 'event' | 'fact'> {
  readonly deps: Omit<CallSessionDeps, 'onUnexpected' | 'callbacks' | 'callersWait'> & {
    readonly onUnexpected: (machine: 'offer', state: string, input: string) => void;
  };
  readonly info: { readonly callId: string; readonly caller: CallerIdentity };
  readonly plan: Pick<CallContext['plan'], 'queue'>;
  readonly state: () => { readonly kind: string; readonly queueId?: string | undefined };
  readonly handles: () => Pick<CallerHandles, 'mediaServer' | 'codec'> | undefined;
  readonly input: (input: OfferNews) => void;
}

/**
 * How long a caller whom the agent has left hears of it later, at most, milliseconds: the next call of that agent goes first, and
 * nobody notices so little.
 */
const AGENT_FIRST_MS = 12;
/** Once the agent's row is closed, his next INVITE needs no longer than this to be on its way, milliseconds. */
const NEXT_INVITE_MS = 2;

/** The agents who are rung for one call, or talk to its caller: any number of offers at once. */
export class CallOffers {
  readonly #context: OffersContext;
  readonly #sessions = new Map<string, OfferSession>();
  readonly #reserved = new Map<string, ReservedOffer>();
  readonly #seen = new Set<string>();
  readonly #onTransfer: (request: TransferRequest, offerId: string) => void;
  readonly #onPlaceInDoubt: () => void;
  readonly #onClosed: () => void;
  /** By offer: what waits for its row to be closed. */
  readonly #afterwards = new Map<string, () => void>();
  #closing = 0;

  constructor(
    context: OffersContext,
    hooks: {
      /** The agent's platform asks for a transfer. */
      readonly onTransfer: (request: TransferRequest, offerId: string) => void;
      /** An agent may have won the call for a moment, which ended the stay in the queue, and has lost it again. */
      readonly onPlaceInDoubt: () => void;
      /** The row of an offer is closed. */
      readonly onClosed: () => void;
    },
  ) {
    this.#context = context;
    this.#onTransfer = hooks.onTransfer;
    this.#onPlaceInDoubt = hooks.onPlaceInDoubt;
    this.#onClosed = hooks.onClosed;
  }

  /** Offers whose row may still be open, and what waits for that; for drains and leak checks. */
  get open(): number {
    return this.#sessions.size + this.#closing + this.#afterwards.size;
  }

  /** False: this call knows of it already. An offer that the call reserved for itself must be `expect`ed before. */
  reserve(offer: ReservedOffer): boolean {
    if (this.#seen.has(offer.offerId)) {
      return false;
    }
    this.#seen.add(offer.offerId);
    this.#reserved.set(offer.offerId, offer);
    return true;
  }

  /** Makes sure that nobody else hands this offer in: its reservation was asked for by the call itself. */
  expect(offerId: string): void {
    this.#seen.add(offerId);
  }

  /** The reservation that was `expect`ed is here; it is rung when the machine says so. */
  reserved(offer: ReservedOffer): void {
    this.#reserved.set(offer.offerId, offer);
  }

  /** An offer for this call is being written down. */
  prepare({ offerId, queueId, trunk }: ForecastOffer): void {
    const { deps, handles, plan, state } = this.#context;
    const media = handles();
    const queue = plan.queue(queueId);
    if (media && queue && state().kind === 'waiting') {
      const { mediaServer, codec } = media;
      const { musicUri, ringTimeoutMs } = queue;
      deps.legs.prepare?.({ offerId, trunk, mediaServer, codec, musicUri, queueRingTimeoutMs: ringTimeoutMs });
    }
  }

  ring(offerId: string): void {
    const offer = this.#reserved.get(offerId);
    const handles = this.#context.handles();
    this.#reserved.delete(offerId);
    if (!offer || !handles) {
      this.#closeWithoutLeg(offerId, { kind: 'canceled', why: 'withdrawn' }, offer);
      return;
    }
    const { agentName } = offer.target;
    this.#context.event('call:offered', { offerId, agent: agentName, presence: offer.presence });
    this.#start(offer, handles);
  }

  withdraw(offerId: string, why: CancelWhy): void {
    const session = this.#sessions.get(offerId);
    if (session) {
      session.input({ kind: 'withdraw', why });
      return;
    }
    const offer = this.#reserved.get(offerId);
    this.#reserved.delete(offerId);
    this.#closeWithoutLeg(offerId, { kind: 'canceled', why }, offer);
  }

  /** The caller and this agent were joined. */
  connected(offerId: string): void {
    this.#sessions.get(offerId)?.input({ kind: 'connected' });
  }

  /** Ends the agent's leg; `offer-over` follows, at once where there is no leg any more. */
  end(offerId: string, endedBy: EndedBy): void {
    const session = this.#sessions.get(offerId);
    if (session) {
      session.input({ kind: 'finish', endedBy });
    } else {
      this.#context.input({ kind: 'offer-over', offerId });
    }
  }

  /** Once the row of the offer is closed, but soon in any case. */
  whenClosed(offerId: string, run: () => void): void {
    if (!this.#sessions.has(offerId)) {
      run();
      return;
    }
    const { clock } = this.#context.deps;
    const runNow = (): void => {
      this.#afterwards.delete(offerId);
      run();
      this.#onClosed();
    };
    const latest = clock.setTimeout(runNow, AGENT_FIRST_MS);
    this.#afterwards.set(offerId, () => {
      latest.clear();
      clock.setTimeout(runNow, NEXT_INVITE_MS);
    });
  }

  #start(offer: ReservedOffer, handles: Pick<CallerHandles, 'mediaServer' | 'codec'>): void {
    const { deps, info, plan, log, input } = this.#context;
    const { offerId } = offer;
    const queue = plan.queue(offer.queueId);
    const session = new OfferSession(
      { store: deps.store, legs: deps.legs, media: deps.media, clock: deps.clock, log },
      {
        onAgentAnswering: () => {
          input({ kind: 'agent-answering', offerId });
        },
        onAgentAnswered: () => {
          input({ kind: 'agent-answered', offerId });
        },
        onAgentLeft: (lost) => {
          if (lost) {
            this.#context.event('agent:lost', { offerId });
          }
          input({ kind: 'agent-left', offerId, lost });
        },
        onOfferClosed: (closing) => {
          this.#closed(offer, closing);
        },
        onTransferRequested: (request) => {
          this.#onTransfer(request, offerId);
        },
        onEvent: (kind, data) => {
          this.#context.event(kind, data);
        },
        onUnexpected: deps.onUnexpected,
      },
      {
        offerId,
        callId: info.callId,
        target: offer.target,
        caller: info.caller,
        queueDisplayName: queue?.displayName ?? '',
        codec: handles.codec,
        mediaServer: handles.mediaServer,
        musicUri: queue?.musicUri ?? '',
        queueRingTimeoutMs: queue?.ringTimeoutMs,
      },
      offer.answer,
    );
    this.#sessions.set(offerId, session);
    session.input({ kind: 'start' });
  }

  /** An offer that never got a leg: only its row has to be closed, so that the agent is free. Closing twice is harmless. */
  #closeWithoutLeg(offerId: string, closing: OfferClosing, offer: ReservedOffer | undefined): void {
    this.#closing++;
    this.#context.deps.legs.forget?.(offerId);
    this.#context.fact('close-offer', async () => {
      await this.#context.deps.store.closeOffer(offerId, closing);
      this.#closing--;
      this.#over(offerId, closing, offer, undefined);
    });
  }

  #closed(offer: ReservedOffer, closing: OfferClosing): void {
    const session = this.#sessions.get(offer.offerId);
    this.#sessions.delete(offer.offerId);
    this.#over(offer.offerId, closing, offer, session);
  }

  #over(
    offerId: string,
    closing: OfferClosing,
    offer: ReservedOffer | undefined,
    session: OfferSession | undefined,
  ): void {
    const { deps, event, input, state } = this.#context;
    deps.metrics.offerEnded(
      closing.kind === 'refused' ? closing.outcome : closing.kind === 'canceled' ? 'canceled' : 'answered',
      session?.ringMs,
    );
    event('offer:closed', { offerId, ...closing });
    input({ kind: 'offer-over', offerId });
    const now = state();
    if (session?.claimed && now.kind === 'waiting') {
      this.#onPlaceInDoubt();
    }
    const queues = new Set([offer?.queueId, 'queueId' in now ? now.queueId : undefined]);
    for (const queueId of queues) {
      if (queueId !== undefined) {
        deps.matcher.requestMatch(queueId);
      }
    }
    if (offer) {
      deps.matcher.agentChanged([offer.target.agentId]);
    }
    this.#afterwards.get(offerId)?.();
    this.#onClosed();
  }
}
