import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { AgentInvite } from './agent-invite';
import { endDialog } from './end-dialog';
import { isSipError } from './srf';
import type { SipDialog, SipRequest, SipResponse, Srf } from './srf';
import { isFromNetwork, retryAfter } from './teams/proxy-monitor';

export interface InviteSequenceOptions {
  readonly srf: Srf;
  readonly invites: readonly AgentInvite[];
  readonly log: Log;
  /** The offer goes on to the next hop. */
  readonly onFailover: (reason: FailoverReason) => void;
}

export type FailoverReason = 'silent' | 'unreachable' | 'busy';

export interface InviteSequenceHandlers {
  /** A provisional response other than 100, of any fork. */
  ringing(): void;
  /** The 200, of whichever fork sent it; acknowledged already. */
  answered(dialog: SipDialog, invite: AgentInvite): void;
  /** The final no. `status` undefined: nobody answered at all. */
  refused(status: number | undefined, detail: string): void;
  /** After `cancel()`: nothing is pending any more. */
  over(): void;
}

/** One INVITE toward one next hop. */
interface Attempt {
  readonly index: number;
  readonly invite: AgentInvite;
  uac?: SipRequest;
  abandoned: boolean;
  cancelSent: boolean;
  sawProvisional: boolean;
}

/** A next hop that sent no 18x by now is asked whether it lives, milliseconds. drachtio-server does not show us a 100. */
const SILENCE_MS = 2_000;
/** As long as a next hop that nobody can be asked about may be silent, milliseconds. */
const UNKNOWN_SILENCE_MS = 4_000;

export const COMPLETED_ELSEWHERE = { Reason: 'SIP;cause=200;text="Call completed elsewhere"' };
export const NORMAL_CLEARING = { Reason: 'Q.850;cause=16;text="Normal call clearing"' };

/**
 * Sends an INVITE to one next hop after the other until one answers. The next one is tried only where the one before could not
 * be reached, gave no sign of life, or was busy (503); never after another 4xx, 5xx or 6xx: each retry would be one more missed
 * call at the user. At most one INVITE is waited for at a time; one that was given up is cancelled, and hung up if it answers.
 */
export class InviteSequence {
  readonly #o: InviteSequenceOptions;
  readonly #handlers: InviteSequenceHandlers;
  readonly #offer: string;
  #attempt: Attempt | undefined;
  #silence: NodeJS.Timeout | undefined;
  #cancelled = false;

  constructor(options: InviteSequenceOptions, offer: string, handlers: InviteSequenceHandlers) {
    this.#o = options;
    this.#offer = offer;
    this.#handlers = handlers;
    this.#invite(0);
  }

  /** True while an INVITE waits for its final response. */
  get pending(): boolean {
    return this.#attempt !== undefined;
  }

  /** Gives up: CANCEL with the reason that leaves no missed call at the user. */
  cancel(): void {
    this.#cancelled = true;
    clearTimeout(this.#silence);
    if (this.#attempt) {
      this.#cancel(this.#attempt);
    }
  }

  #invite(index: number): void {
    const invite = this.#o.invites[index];
    if (!invite) {
      setImmediate(() => this.#handlers.refused(undefined, 'no proxy is configured'));
      return;
    }
    const attempt: Attempt = { index, invite, abandoned: false, cancelSent: false, sawProvisional: false };
    this.#attempt = attempt;
    this.#watchForSilence(attempt);
    this.#o.srf.createUAC(
      invite.uri,
      {
        localSdp: this.#offer,
        headers: { ...invite.headers },
        ...(invite.proxy === undefined ? {} : { proxy: invite.proxy }),
        ...(invite.auth === undefined ? {} : { auth: invite.auth }),
      },
      {
        cbRequest: (error, request) => {
          if (!error) {
            attempt.uac = request;
            if (this.#cancelled || attempt.abandoned) {
              this.#cancel(attempt);
            }
          }
        },
        cbProvisional: (response) => {
          this.#provisional(attempt, response);
        },
      },
      (error, dialog) => {
        if (error) {
          this.#failed(attempt, error);
        } else {
          this.#answered(attempt, dialog);
        }
      },
    );
  }

  /**
   * A next hop that says nothing may still be looking for the user, and its 100 is not shown to us. So it is asked first; only
   * one that does not answer that either is left behind, because a second INVITE would ring the user twice.
   */
  #watchForSilence(attempt: Attempt): void {
    clearTimeout(this.#silence);
    const { peer } = attempt.invite;
    const last = attempt.index + 1 >= this.#o.invites.length;
    if (!peer && last) {
      return;
    }
    this.#silence = setTimeout(
      () => {
        if (!peer) {
          this.#leave(attempt);
          return;
        }
        void peer.alive().then((alive) => {
          if (!alive && this.#isCurrent(attempt) && !attempt.sawProvisional) {
            this.#leave(attempt);
          }
        });
      },
      peer ? SILENCE_MS : UNKNOWN_SILENCE_MS,
    );
  }

  #isCurrent(attempt: Attempt): boolean {
    return attempt === this.#attempt && !this.#cancelled;
  }

  /** Leaves a silent next hop behind. A CANCEL waits for a provisional response, so it is not waited for. */
  #leave(attempt: Attempt): void {
    attempt.abandoned = true;
    attempt.invite.peer?.silent();
    this.#o.log.warn({ event: 'agent_proxy_silent', proxy: attempt.invite.proxy });
    this.#cancel(attempt);
    this.#next(attempt, 'silent', undefined, 'no answer from any proxy');
  }

  #next(attempt: Attempt, reason: FailoverReason, status: number | undefined, detail: string): void {
    if (attempt.index + 1 < this.#o.invites.length) {
      this.#o.onFailover(reason);
      this.#invite(attempt.index + 1);
      return;
    }
    this.#attempt = undefined;
    this.#handlers.refused(status, detail);
  }

  #provisional(attempt: Attempt, response: SipResponse): void {
    attempt.sawProvisional = true;
    attempt.invite.peer?.answered(response.status, undefined);
    if (attempt !== this.#attempt) {
      return;
    }
    clearTimeout(this.#silence);
    if (!this.#cancelled && response.status !== 100) {
      this.#handlers.ringing();
    }
  }

  #failed(attempt: Attempt, error: unknown): void {
    const status = isSipError(error) ? error.status : undefined;
    const reason = this.#learn(attempt, error, status);
    if (attempt !== this.#attempt) {
      return;
    }
    clearTimeout(this.#silence);
    if (this.#cancelled) {
      this.#attempt = undefined;
      this.#handlers.over();
      return;
    }
    if (reason !== undefined && !attempt.sawProvisional) {
      this.#o.log.warn({ event: 'agent_proxy_skipped', proxy: attempt.invite.proxy, status, reason });
      this.#next(attempt, reason, status, describeError(error));
      return;
    }
    this.#attempt = undefined;
    this.#handlers.refused(status, describeError(error));
  }

  /** Tells the peer's watcher what happened. Gives why the next hop may be tried, undefined where it may not. */
  #learn(attempt: Attempt, error: unknown, status: number | undefined): FailoverReason | undefined {
    const { peer } = attempt.invite;
    const response = isSipError(error) ? error.res : undefined;
    if (status === undefined) {
      return undefined;
    }
    if (response && isFromNetwork(response)) {
      peer?.answered(status, retryAfter(response));
      return status === 503 ? 'busy' : undefined;
    }
    if (status === 408) {
      peer?.silent();
      return 'silent';
    }
    if (status === 503) {
      peer?.unreachable(describeError(error));
      return 'unreachable';
    }
    return undefined;
  }

  #answered(attempt: Attempt, dialog: SipDialog): void {
    if (attempt !== this.#attempt) {
      // Given up for silence, and it answered after all: nobody waits for it any more.
      endDialog(this.#o.srf, dialog, NORMAL_CLEARING, (error) => {
        this.#o.log.debug({ event: 'agent_late_answer', reason: error ? describeError(error) : undefined });
      });
      return;
    }
    clearTimeout(this.#silence);
    this.#attempt = undefined;
    attempt.invite.peer?.answered(200, undefined);
    this.#handlers.answered(dialog, attempt.invite);
  }

  #cancel(attempt: Attempt): void {
    if (!attempt.uac || attempt.cancelSent) {
      return;
    }
    attempt.cancelSent = true;
    attempt.uac.cancel({ headers: COMPLETED_ELSEWHERE }, (error) => {
      if (error) {
        // The final response overtook it; what it brings is dealt with when it arrives.
        this.#o.log.debug({ event: 'agent_cancel_late', reason: describeError(error) });
      }
    });
  }
}
