import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { judgeAnswer } from './answer-policy';
import { CONFIRM_KEY_MS, CONFIRM_WAIT_MS, ENDING_WAIT_MS, initialOfferState, stepOffer } from './offer-state';
import type { OfferClosing, OfferEffect, OfferInput, OfferState } from './offer-state';
import { persist } from './persist';
import type {
  AgentLeg,
  AgentLegRequest,
  AgentLegs,
  AnswerPolicy,
  CallMedia,
  CallStore,
  TransferRequest,
} from './ports';

export interface OfferSessionDeps {
  readonly store: CallStore;
  readonly legs: AgentLegs;
  /** Asks agents for a key. Without it, or where it cannot ask, an answer that wants confirming is not believed. */
  readonly media?: Pick<CallMedia, 'askForKey'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OfferOwner {
  /** The agent's 200 is here; whether the call is his is being decided. */
  onAgentAnswering(): void;
  onAgentAnswered(): void;
  onAgentLeft(lost: boolean): void;
  /** The row is closed, the agent is free or in wrap-up. Called exactly once. */
  onOfferClosed(closing: OfferClosing): void;
  onTransferRequested(request: TransferRequest): void;
  onEvent(kind: string, data?: Readonly<Record<string, unknown>>): void;
  onUnexpected(machine: 'offer', state: string, input: string): void;
}

/** What an agent hears who is asked for a key: two short rising tones, again and again until a key or the end of the time. */
const CONFIRM_PROMPT = 'tone_stream://%(150,80,660);%(150,900,880);loops=8';

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
  #invitedAt = 0;
  readonly #answer: AnswerPolicy | undefined;
  readonly #deps: OfferSessionDeps;
  readonly #owner: OfferOwner;

  constructor(deps: OfferSessionDeps, owner: OfferOwner, request: AgentLegRequest, answer?: AnswerPolicy) {
    this.#deps = deps;
    this.#owner = owner;
    this.request = request;
    this.#answer = answer;
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
        this.#startTimer(this.#ringTimeoutMs, { kind: 'ring-timeout' });
        return;
      }
      case 'start-confirm-timer': {
        this.#startTimer(CONFIRM_WAIT_MS, { kind: 'key', pressed: false });
        return;
      }
      case 'ask-for-key': {
        this.#askForKey();
        return;
      }
      case 'start-ending-timer': {
        this.#startTimer(ENDING_WAIT_MS, { kind: 'ending-timeout' });
        return;
      }
      case 'stop-confirm-timer':
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
          this.#owner.onAgentLeft(effect.what === 'agent-lost');
        }
        return;
      }
      case 'drop-leg': {
        if (this.#leg) {
          this.#leg.drop();
        } else {
          // Taken back before anything was sent: there is nobody to wait for.
          this.#deps.legs.forget?.(this.request.offerId);
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

  /** Below the delay after which the agent's platform takes the call away: our CANCEL must come first. */
  get #ringTimeoutMs(): number {
    const { target } = this.request;
    return Math.min(target.ringTimeoutMs, this.#deps.legs.ringLimitMs?.(target) ?? target.ringTimeoutMs);
  }

  #answered(agentDialog: string): void {
    this.#agentDialog = agentDialog;
    const afterMs = this.#deps.clock.now() - this.#invitedAt;
    const rang = this.#ringingAt !== undefined;
    const unansweredMs = this.#deps.legs.ringLimitMs?.(this.request.target);
    const verdict = judgeAnswer({ afterMs, rang, unansweredMs }, this.#answer);
    this.#owner.onEvent('offer:answered', {
      offerId: this.request.offerId,
      ...(verdict === 'believe' ? {} : { verdict }),
    });
    this.input({ kind: 'answered', verdict });
  }

  #askForKey(): void {
    const { media, log } = this.#deps;
    const { mediaServer, offerId } = this.request;
    const asked =
      media?.askForKey?.(mediaServer, offerId, CONFIRM_PROMPT, CONFIRM_KEY_MS) ?? Promise.resolve(undefined);
    asked.then(
      (key) => {
        this.#owner.onEvent('offer:confirmed', { offerId, pressed: key !== undefined });
        this.input({ kind: 'key', pressed: key !== undefined });
      },
      (error: unknown) => {
        log.warn({ event: 'offer_key_not_asked', offerId, reason: describeError(error) });
        this.input({ kind: 'key', pressed: false });
      },
    );
  }

  #startLeg(): void {
    this.#invitedAt = this.#deps.clock.now();
    this.#leg = this.#deps.legs.start(this.request, {
      ringing: () => {
        this.input({ kind: 'ringing' });
      },
      answered: ({ agentDialog }) => {
        this.#answered(agentDialog);
      },
      mediaReady: () => {
        this.input({ kind: 'media-ready' });
      },
      refused: (outcome, sipStatus, detail) => {
        this.#owner.onEvent('offer:refused', { offerId: this.request.offerId, outcome, sipStatus, detail });
        this.input({ kind: 'refused', outcome, ...(sipStatus === undefined ? {} : { sipStatus }) });
      },
      left: (how) => {
        this.input({ kind: 'agent-left', lost: how?.lost === true });
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
