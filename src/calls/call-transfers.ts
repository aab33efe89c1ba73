import type { TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import { newId } from '../lib/ids';
import type { CallContext } from './call-context';
import type { CallOffers } from './call-offers';
import type { Destination } from './call-state';
import { describeDestination } from './destinations';
import type { Destinations } from './destinations';
import type { AgentLeg, OutsideTarget, TransferRequest } from './ports';

/** How long a target outside is rung, milliseconds. */
export const OUTSIDE_RING_MS = 30_000;

/** Sends a call on, and holds the legs to those whom it is sent to that are none of our agents. */
export class CallTransfers {
  readonly #context: CallContext;
  readonly #offers: CallOffers;
  readonly #destinations: Destinations;
  readonly #legs = new Map<string, { readonly leg: AgentLeg; readonly timer: TimerHandle }>();
  readonly #onLegOver: () => void;
  #pending: TransferRequest | undefined;

  constructor(context: CallContext, offers: CallOffers, destinations: Destinations, onLegOver: () => void) {
    this.#context = context;
    this.#offers = offers;
    this.#destinations = destinations;
    this.#onLegOver = onLegOver;
  }

  /** Legs outside whose signalling is not over. */
  get open(): number {
    return this.#legs.size;
  }

  request(request: TransferRequest, by: 'agent' | 'system'): void {
    if (this.#pending) {
      request.progress(491);
      return;
    }
    const { target } = request;
    this.#context.event('transfer:requested', { kind: target.kind, by });
    this.#pending = request;
    switch (target.kind) {
      case 'queue': {
        const queue = this.#context.plan.queue(target.queueId);
        this.#go(queue && { kind: 'queue', queueId: queue.queueId }, by);
        return;
      }
      case 'refer': {
        this.#go({ kind: 'outside', legId: newId(), to: target }, by);
        return;
      }
      case 'number': {
        const to = this.#destinations.ofNumber(target.e164);
        if (to.kind === 'outside') {
          this.#go(to, by);
        } else {
          this.progress(403);
        }
        return;
      }
      case 'agent': {
        this.#toAgent(target.agentId, by);
      }
    }
  }

  /** Tells whoever asked; the last one is final. */
  progress(sip: number): void {
    const pending = this.#pending;
    if (!pending) {
      return;
    }
    if (sip >= 200) {
      this.#pending = undefined;
      this.#context.event(sip < 300 ? 'transfer:done' : 'transfer:failed', { sip });
    }
    pending.progress(sip);
  }

  dial(legId: string, to: OutsideTarget): void {
    const { deps, info, input, event, state, plan, handles } = this.#context;
    const media = handles();
    if (!media) {
      input({ kind: 'leg-failed', legId, sip: 500 });
      return;
    }
    const now = state();
    const queue = 'queueId' in now && now.queueId !== undefined ? plan.queue(now.queueId) : undefined;
    event('transfer:dialled', { legId, kind: to.kind });
    const leg = deps.legs.dial(
      {
        legId,
        callId: info.callId,
        to,
        caller: info.caller,
        codec: media.codec,
        mediaServer: media.mediaServer,
        musicUri: queue?.musicUri ?? 'local_stream://moh',
        ringTimeoutMs: OUTSIDE_RING_MS,
      },
      {
        ringing: () => {
          this.progress(180);
        },
        answered: () => {
          this.#stopTimer(legId);
        },
        mediaReady: () => {
          input({ kind: 'leg-answered', legId });
        },
        refused: (outcome, sipStatus, detail) => {
          event('transfer:refused', { legId, outcome, sipStatus, detail });
          input({ kind: 'leg-failed', legId, sip: sipStatus ?? 480 });
        },
        left: () => {
          input({ kind: 'leg-left', legId });
        },
        over: () => {
          this.#stopTimer(legId);
          this.#legs.delete(legId);
          this.#onLegOver();
        },
      },
    );
    const timer = deps.clock.setTimeout(() => {
      input({ kind: 'leg-failed', legId, sip: 408 });
    }, OUTSIDE_RING_MS);
    this.#legs.set(legId, { leg, timer });
  }

  endLeg(legId: string): void {
    this.#stopTimer(legId);
    this.#legs.get(legId)?.leg.drop();
  }

  #stopTimer(legId: string): void {
    this.#legs.get(legId)?.timer.clear();
  }

  #go(to: Destination | undefined, by: 'agent' | 'system'): void {
    if (!to) {
      this.progress(404);
      return;
    }
    this.#context.event('transfer:started', { to: describeDestination(this.#context, to) });
    this.#context.input({ kind: 'transfer', to, by });
  }

  /** The agent is reserved first, so that nobody else rings him; only then does the caller leave the present one. */
  #toAgent(agentId: string, by: 'agent' | 'system'): void {
    const { deps, info, log, fact } = this.#context;
    const offerId = newId();
    this.#offers.expect(offerId);
    deps.store.reserveAgent(info.callId, agentId, offerId).then(
      (offer) => {
        if (!offer) {
          this.progress(486);
          return;
        }
        this.#offers.reserved(offer);
        this.#go({ kind: 'agent', queueId: offer.queueId, offerId }, by);
      },
      (error: unknown) => {
        log.error({ event: 'agent_not_reserved', reason: describeError(error) });
        // Whether the row was written is unknown; the agent must not stay reserved by it.
        fact('close-offer', () => deps.store.closeOffer(offerId, { kind: 'canceled', why: 'withdrawn' }));
        this.progress(500);
      },
    );
  }
}
