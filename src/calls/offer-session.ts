import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { ENDING_WAIT_MS, initialOfferState, stepOffer } from './offer-state';
import type { OfferClosing, OfferEffect, OfferInput, OfferState } from './offer-state';
import { persist } from './persist';
import type { AgentLeg, AgentLegRequest, AgentLegs, CallStore, TransferRequest } from './ports';

export interface OfferSessionDeps {
  readonly store: CallStore;
  readonly legs: AgentLegs;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OfferOwner {
  /** The agent's 200 is here; whether the call is his is being decided. */
  onAgentAnswering(): void;
  onAgentAnswered(): void;
  onAgentLeft(): void;
  /** The row is closed, the agent is free or in wrap-up. Called exactly once. */
  onOfferClosed(closing: OfferClosing): void;
  onTransferRequested(request: TransferRequest): void;
  onEvent(kind: string, data?: Readonly<Record<string, unknown>>): void;
  onUnexpected(machine: 'offer', state: string, input: string): void;
}

/** Runs the offer machine: commits each step, then carries out its effects in order. */
export class OfferSession {
  readonly request: AgentLegRequest;
  #state: OfferState = initialOfferState;
  #leg: AgentLeg | undefined;
  #agentDialog = '';
  #ringingAt: number | undefined;
  #ringMs: number | undefined;
  #claimed = false;
  #timer: TimerHandle | undefined;
  readonly #deps: OfferSessionDeps;
  readonly #owner: OfferOwner;

  constructor(deps: OfferSessionDeps, owner: OfferOwner, request: AgentLegRequest) {
    this.#deps = deps;
    this.#owner = owner;
    this.request = request;
  }

  /** How long the agent was rung, milliseconds; undefined if it never came to that. */
  get ringMs(): number | undefined {
    return this.#ringMs;
  }

  /** The database was asked whether the call is this agent's: it may have said yes, whatever came of it here. */
  get claimed(): boolean {
    return this.#claimed;
  }

  input(input: OfferInput): void {
    const wasRinging = this.#state.kind === 'ringing';
    const step = stepOffer(this.#state, input);
    if (!step) {
      this.#owner.onUnexpected('offer', this.#state.kind, input.kind);
      return;
    }
    this.#state = step.state;
    if (wasRinging && step.state.kind !== 'ringing' && this.#ringingAt !== undefined) {
      this.#ringMs = this.#deps.clock.now() - this.#ringingAt;
    }
    for (const effect of step.effects) {
      this.#run(effect);
    }
  }

  #run(effect: OfferEffect): void {
    switch (effect.kind) {
      case 'invite-agent': {
        this.#invite();
        return;
      }
      case 'start-ring-timer': {
        this.#startTimer(this.request.target.ringTimeoutMs, { kind: 'ring-timeout' });
        return;
      }
      case 'start-ending-timer': {
        this.#startTimer(ENDING_WAIT_MS, { kind: 'ending-timeout' });
        return;
      }
      case 'stop-ring-timer': {
        this.#timer?.clear();
        return;
      }
      case 'note-ringing': {
        this.#ringingAt = this.#deps.clock.now();
        this.#owner.onEvent('offer:ringing', { offerId: this.request.offerId });
        return;
      }
      case 'claim': {
        this.#owner.onAgentAnswering();
        this.#claim();
        return;
      }
      case 'tell-call': {
        if (effect.what === 'agent-answered') {
          this.#owner.onAgentAnswered();
        } else {
          this.#owner.onAgentLeft();
        }
        return;
      }
      case 'drop-leg': {
        if (this.#leg) {
          this.#leg.drop();
        } else {
          // Taken back before anything was sent: there is nobody to wait for.
          this.input({ kind: 'over' });
        }
        return;
      }
      case 'close-offer': {
        this.#close(effect.closing);
      }
    }
  }

  #startTimer(ms: number, input: OfferInput): void {
    this.#timer?.clear();
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.input(input);
    }, ms);
  }

  /** The row says that the agent is being rung before the first packet goes out; taken back meanwhile, nothing is sent. */
  #invite(): void {
    this.#deps.store.markRinging(this.request.offerId, this.request.mediaServer).then(
      (go) => {
        if (!go) {
          this.input({ kind: 'withdraw', why: 'withdrawn' });
        } else if (this.#state.kind === 'inviting') {
          this.#startLeg();
        }
      },
      (error: unknown) => {
        this.#deps.log.error({
          event: 'offer_ringing_not_stored',
          offerId: this.request.offerId,
          reason: describeError(error),
        });
        this.input({ kind: 'refused', outcome: 'failed' });
      },
    );
  }

  #startLeg(): void {
    this.#leg = this.#deps.legs.start(this.request, {
      ringing: () => {
        this.input({ kind: 'ringing' });
      },
      answered: ({ agentDialog }) => {
        this.#owner.onEvent('offer:answered', { offerId: this.request.offerId });
        this.#agentDialog = agentDialog;
        this.input({ kind: 'answered' });
      },
      mediaReady: () => {
        this.input({ kind: 'media-ready' });
      },
      refused: (outcome, sipStatus, detail) => {
        this.#owner.onEvent('offer:refused', { offerId: this.request.offerId, outcome, sipStatus, detail });
        this.input({ kind: 'refused', outcome, ...(sipStatus === undefined ? {} : { sipStatus }) });
      },
      left: () => {
        this.input({ kind: 'agent-left' });
      },
      transferRequested: (request) => {
        this.#owner.onTransferRequested(request);
      },
      over: () => {
        this.input({ kind: 'over' });
      },
    });
  }

  /** The database decides who won. A store that cannot answer loses the offer, never the caller. */
  #claim(): void {
    this.#claimed = true;
    this.#deps.store.claim(this.request.offerId, this.#agentDialog).then(
      (won) => {
        this.input({ kind: 'claimed', won });
      },
      (error: unknown) => {
        this.#deps.log.error({
          event: 'offer_claim_failed',
          offerId: this.request.offerId,
          reason: describeError(error),
        });
        this.input({ kind: 'refused', outcome: 'failed' });
      },
    );
  }

  /** The agent stays reserved until the row is closed, so it is tried until it is. */
  #close(closing: OfferClosing): void {
    this.#timer?.clear();
    const { store, clock, log } = this.#deps;
    void persist('close-offer', () => store.closeOffer(this.request.offerId, closing), clock, log).then(() => {
      this.#owner.onOfferClosed(closing);
    });
  }
}
