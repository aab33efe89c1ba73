/** Repeats a 2xx to an INVITE until its ACK comes (RFC 3261 13.3.1.4), on every transport. */
import type { SipMessage } from './message';
import type { ServerTransaction, SipTimers } from './types';

export class AnswerKeeper {
  readonly cseq: number;
  readonly #transaction: ServerTransaction;
  readonly #response: SipMessage;
  readonly #timers: SipTimers;
  #repeat: NodeJS.Timeout | undefined;
  #giveUp: NodeJS.Timeout | undefined;
  /** Resolves when the ACK came or is given up. */
  readonly settled: Promise<void>;
  #resolveSettled: () => void = () => undefined;
  #settle: ((ack: SipMessage | undefined) => void) | undefined;

  constructor(transaction: ServerTransaction, response: SipMessage, timers: SipTimers) {
    this.cseq = transaction.request.cseq.number;
    this.#transaction = transaction;
    this.#response = response;
    this.#timers = timers;
    this.settled = new Promise((resolve) => {
      this.#resolveSettled = resolve;
    });
  }

  get waiting(): boolean {
    return this.#settle !== undefined;
  }

  /** Sends the 2xx; `done` gets the ACK, or undefined after 64·T1 or `close()`. */
  start(done: (ack: SipMessage | undefined) => void): boolean {
    if (!this.#transaction.respond(this.#response)) {
      return false;
    }
    this.#settle = done;
    this.#arm(this.#timers.t1);
    this.#giveUp = setTimeout(() => {
      this.#finish(undefined);
    }, 64 * this.#timers.t1);
    return true;
  }

  acked(ack: SipMessage): void {
    this.#finish(ack);
  }

  close(): void {
    this.#finish(undefined);
  }

  #arm(ms: number): void {
    this.#repeat = setTimeout(() => {
      this.#transaction.respond(this.#response);
      this.#arm(Math.min(ms * 2, this.#timers.t2));
    }, ms);
  }

  #finish(ack: SipMessage | undefined): void {
    clearTimeout(this.#repeat);
    clearTimeout(this.#giveUp);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(ack);
    this.#resolveSettled();
  }
}
