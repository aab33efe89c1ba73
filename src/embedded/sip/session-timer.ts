/** RFC 4028: whoever is the refresher refreshes at half of the interval; the other hangs up shortly before it is over. */
import { listHas, parseSessionExpires, type SessionExpires } from './header-values';
import { SipMessage } from './message';
import type { ServerTransaction } from './types';

export interface SessionTimerActions {
  /** Time to send a re-INVITE or UPDATE. */
  refresh(): void;
  /** No refresh came. */
  expired(): void;
}

export class SessionTimer {
  readonly #actions: SessionTimerActions;
  readonly #early: boolean;
  #timer: NodeJS.Timeout | undefined;
  #seconds = 0;
  #weRefresh = false;

  /** `expired` comes a little before the interval is over (RFC 4028 10), or, with `early` false, when it is. */
  constructor(actions: SessionTimerActions, early = true) {
    this.#actions = actions;
    this.#early = early;
  }

  get seconds(): number {
    return this.#seconds;
  }

  get weRefresh(): boolean {
    return this.#weRefresh;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** (Re)starts with a freshly negotiated interval. */
  start(seconds: number, weRefresh: boolean): void {
    this.stop();
    this.#seconds = seconds;
    this.#weRefresh = weRefresh;
    const wait = weRefresh ? seconds / 2 : seconds - (this.#early ? Math.min(32, seconds / 3) : 0);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (weRefresh) {
        this.#actions.refresh();
      } else {
        this.#actions.expired();
      }
    }, wait * 1000);
  }

  /** After a refused refresh: try again in `ms` (RFC 3261 14.1). */
  retry(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#actions.refresh();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * UAS side of RFC 4028 9: refuses an interval that is too small with 422, else says what the 2xx shall carry.
 * @returns undefined if 422 was sent.
 */
export function negotiateTimer(
  transaction: ServerTransaction,
  minimum: number,
): { readonly agreed: SessionExpires | undefined } | undefined {
  const wanted = parseSessionExpires(transaction.request.get('session-expires'));
  if (wanted !== undefined && wanted.seconds < minimum) {
    transaction.respond(SipMessage.response(422).set('Min-SE', minimum));
    return undefined;
  }
  if (wanted === undefined) {
    return { agreed: undefined };
  }
  const peerCan = listHas(transaction.request.list('supported').join(','), 'timer');
  return { agreed: { seconds: wanted.seconds, refresher: wanted.refresher ?? (peerCan ? 'uac' : 'uas') } };
}

/** Puts the agreed interval into a 2xx that does not name one. */
export function addAgreed(response: SipMessage, agreed: SessionExpires | undefined): void {
  if (agreed !== undefined && !response.has('session-expires')) {
    response.set('Session-Expires', `${agreed.seconds};refresher=${agreed.refresher ?? 'uac'}`);
    if (agreed.refresher === 'uac') {
      response.set('Require', 'timer');
    }
  }
}
