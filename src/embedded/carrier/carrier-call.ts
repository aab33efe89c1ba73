import { describeError } from '../../lib/errors';
import type { Emitter } from '../../lib/emitter';
import type { PhoneCall, PhoneCallEnd, PhoneEvents } from '../phone/phone-call';
import type { PhoneReport } from '../phone/phone-media';
import type { RequestOptions } from '../sip/types';

/** What the caller does by himself. Times are milliseconds; where not said otherwise they count from the answer. */
export interface CallPlan {
  /** Hangs up this many seconds after the answer. Without it the call lasts until somebody ends it. */
  readonly seconds?: number;
  /** Gives up this long after the INVITE if there was no answer. */
  readonly cancelAfterMs?: number;
  /** Keys to press, and when. */
  readonly dtmf?: string | readonly { readonly digits: string; readonly afterMs: number }[];
  readonly holdAfterMs?: number;
  readonly holdForMs?: number;
}

export interface CarrierReport extends PhoneReport {
  readonly sipCallId: string;
  /** Final status of the INVITE; 0 = none yet. */
  readonly status: number;
  readonly startedAt: number;
  readonly ringingAt: number | undefined;
  readonly answeredAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly end: PhoneCallEnd | undefined;
  /** Steps of the plan that failed, with the reason. */
  readonly failures: readonly string[];
}

/** One caller. */
export class CarrierCall {
  readonly phone: PhoneCall;
  readonly answered: Promise<void>;
  readonly ended: Promise<PhoneCallEnd>;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #failures: string[] = [];
  #end: PhoneCallEnd | undefined;

  constructor(phone: PhoneCall, plan: CallPlan, forget: () => void) {
    this.phone = phone;
    this.answered = phone.answered;
    this.ended = phone.ended;
    phone.events.once('answered', () => {
      this.#follow(plan);
    });
    if (plan.cancelAfterMs !== undefined) {
      this.#after(plan.cancelAfterMs, () => {
        this.cancel();
      });
    }
    phone.events.once('ended', (end) => {
      this.#end = end;
      this.#clear();
      forget();
    });
  }

  get events(): Emitter<PhoneEvents> {
    return this.phone.events;
  }

  get sipCallId(): string {
    return this.phone.session.callId;
  }

  get state(): 'early' | 'confirmed' | 'ended' {
    return this.phone.state;
  }

  /** Before the answer; afterwards it does nothing. */
  cancel(options?: RequestOptions): void {
    this.phone.cancel(options);
  }

  /** BYE, or CANCEL before the answer. Idempotent. */
  async hangUp(options?: RequestOptions): Promise<void> {
    await this.phone.hangUp(options);
  }

  hold(): Promise<void> {
    return this.phone.hold('sendonly');
  }

  unhold(): Promise<void> {
    return this.phone.unhold();
  }

  /** Returns how many of the characters are keys. */
  sendDtmf(digits: string): number {
    return this.phone.press(digits);
  }

  /** Changes the caller's voice. */
  say(toneHz: readonly number[]): void {
    this.phone.media.play(toneHz.length === 0 ? { kind: 'silence' } : { kind: 'tone', hz: toneHz });
  }

  /** How long a tone was heard so far, milliseconds. */
  heardMs(hz: number): number {
    return this.phone.media.heardMs(hz);
  }

  report(): CarrierReport {
    const { startedAt, ringingAt, answeredAt, endedAt, status } = this.phone;

    return {
      ...this.phone.report(),
      sipCallId: this.sipCallId,
      status,
      startedAt,
      ringingAt,
      answeredAt,
      endedAt,
      end: this.#end,
      failures: [...this.#failures],
    };
  }

  /** Ends without a word to the peer: a caller whose network is gone. Idempotent. */
  close(): void {
    this.#clear();
    this.phone.close();
  }

  #follow(plan: CallPlan): void {
    if (plan.seconds !== undefined) {
      this.#after(plan.seconds * 1000, () => {
        this.#try('hang up', this.hangUp());
      });
    }
    const keys = typeof plan.dtmf === 'string' ? [{ digits: plan.dtmf, afterMs: 0 }] : (plan.dtmf ?? []);
    for (const { digits, afterMs } of keys) {
      this.#after(afterMs, () => this.sendDtmf(digits));
    }
    if (plan.holdAfterMs !== undefined) {
      this.#after(plan.holdAfterMs, () => {
        this.#try('hold', this.hold());
      });
      if (plan.holdForMs !== undefined) {
        this.#after(plan.holdAfterMs + plan.holdForMs, () => {
          this.#try('unhold', this.unhold());
        });
      }
    }
  }

  #try(what: string, step: Promise<void>): void {
    step.catch((error: unknown) => {
      this.#failures.push(`${what}: ${describeError(error)}`);
    });
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.state !== 'ended') {
        act();
      }
    }, ms);
    this.#timers.add(timer);
  }

  #clear(): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    this.#timers.clear();
  }
}
