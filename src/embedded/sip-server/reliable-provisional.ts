/** One reliable provisional response (RFC 3262 3): repeated until its PRACK comes or the time is over. */
import type { SipMessage } from '../sip/message';
import type { ServerTransaction, SipTimers } from '../sip/types';

export class ReliableProvisional {
  readonly rseq = 1 + Math.floor(Math.random() * 2 ** 30);
  readonly #transaction: ServerTransaction;
  readonly #response: SipMessage;
  readonly #timers: SipTimers;
  readonly #onTimeout: () => void;
  #repeat: NodeJS.Timeout | undefined;
  #giveUp: NodeJS.Timeout | undefined;

  /** Gives the response its RSeq. `onTimeout`: no PRACK in 64·T1. */
  constructor(transaction: ServerTransaction, response: SipMessage, timers: SipTimers, onTimeout: () => void) {
    this.#transaction = transaction;
    this.#response = response.set('RSeq', this.rseq);
    this.#timers = timers;
    this.#onTimeout = onTimeout;
  }

  start(): boolean {
    if (!this.#transaction.respond(this.#response)) {
      return false;
    }
    this.#arm(this.#timers.t1);
    this.#giveUp = setTimeout(() => {
      this.close();
      this.#onTimeout();
    }, 64 * this.#timers.t1);
    return true;
  }

  /** True, and the end of the repetitions, if a PRACK with this RAck belongs to the response. */
  acknowledged(rack: { readonly rseq: number; readonly cseq: number; readonly method: string }): boolean {
    const { number, method } = this.#transaction.request.cseq;
    if (rack.rseq !== this.rseq || rack.cseq !== number || rack.method !== method) {
      return false;
    }
    this.close();
    return true;
  }

  close(): void {
    clearTimeout(this.#repeat);
    clearTimeout(this.#giveUp);
  }

  #arm(ms: number): void {
    this.#repeat = setTimeout(() => {
      this.#transaction.respond(this.#response);
      this.#arm(ms * 2);
    }, ms);
  }
}
