import type { AgentLeg, AgentLegHandlers } from '../calls/ports';
import type { OfferOutcome } from '../calls/offer-state';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { MediaServerLink } from '../media/media-server-link';
import { AGENT_ALLOW } from './agent-invite';
import type { AgentInvite } from './agent-invite';
import { mayTryNextProxy, refusalOutcome } from './agent-outcome';
import { endDialog } from './end-dialog';
import { relayReinvites } from './reinvite';
import { isTooLong } from './sdp-limit';
import { isSipError } from './srf';
import type { SipDialog, SipRequest, SipResponse, Srf } from './srf';

export interface AgentLegOptions {
  readonly srf: Srf;
  readonly media: MediaServerLink;
  /** FreeSWITCH channel id of this leg, chosen by us. */
  readonly channel: string;
  readonly originate: string;
  /** Tried in order; the next one only where the one before did not answer at all. */
  readonly invites: readonly AgentInvite[];
  readonly mediaTimeoutMs: number;
  readonly log: Log;
}

/** One INVITE toward one proxy. */
interface Attempt {
  readonly index: number;
  readonly invite: AgentInvite;
  uac?: SipRequest;
  abandoned: boolean;
  cancelSent: boolean;
  sawProvisional: boolean;
}

/** A proxy that sends no provisional response in this time is taken for dead and the next one is tried, milliseconds. */
const PROXY_SILENCE_MS = 4_000;

const COMPLETED_ELSEWHERE = { Reason: 'SIP;cause=200;text="Call completed elsewhere"' };
const NORMAL_CLEARING = { Reason: 'Q.850;cause=16;text="Normal call clearing"' };

/**
 * One agent's leg: FreeSWITCH originates a channel to us, we forward its offer to the agent's platform and its answer back.
 * `drop()` ends it from any stage; `over` is told once, when nothing toward the agent is pending any more.
 */
export class OriginatedLeg implements AgentLeg {
  readonly #o: AgentLegOptions;
  readonly #handlers: AgentLegHandlers;
  readonly #onOver: () => void;
  /** FreeSWITCH's INVITE, once it is here, and whether a final response went back. */
  #mediaInvite: { readonly request: SipRequest; readonly response: SipResponse } | undefined;
  #mediaDialog: SipDialog | undefined;
  #agentDialog: SipDialog | undefined;
  #attempt: Attempt | undefined;
  #silence: NodeJS.Timeout | undefined;
  #refused = false;
  #dropped = false;
  #over = false;

  constructor(options: AgentLegOptions, handlers: AgentLegHandlers, onOver: () => void) {
    this.#o = options;
    this.#handlers = handlers;
    this.#onOver = onOver;
    try {
      options.media.originate(options.originate).then(
        (reply) => {
          this.#originated(reply);
        },
        (error: unknown) => {
          this.#refuse('failed', undefined, describeError(error));
        },
      );
    } catch (error) {
      setImmediate(() => {
        this.#refuse('failed', undefined, describeError(error));
      });
    }
  }

  /** FreeSWITCH's INVITE for this leg arrived. */
  mediaInvite(request: SipRequest, response: SipResponse): void {
    this.#mediaInvite = { request, response };
    request.on('cancel', () => {
      this.#mediaGone('the media server gave up');
    });
    if (this.#dropped || this.#refused) {
      response.send(487);
      return;
    }
    this.#invite(0);
  }

  drop(): void {
    if (this.#over) {
      this.#handlers.over();
      return;
    }
    if (this.#dropped) {
      return;
    }
    this.#dropped = true;
    clearTimeout(this.#silence);
    this.#hangUpAgent();
    this.#endMedia();
  }

  #originated(reply: string): void {
    if (reply.startsWith('+OK')) {
      return;
    }
    if (!this.#mediaInvite) {
      if (this.#dropped) {
        this.#finish();
      } else {
        this.#refuse('failed', undefined, `originate: ${reply}`);
      }
    }
  }

  #invite(index: number): void {
    const invite = this.#o.invites[index];
    const offer = this.#mediaInvite?.request.body;
    if (!invite || !offer) {
      this.#refuse('failed', undefined, offer ? 'no proxy is configured' : 'the media server sent no offer');
      return;
    }
    const attempt: Attempt = { index, invite, abandoned: false, cancelSent: false, sawProvisional: false };
    this.#attempt = attempt;
    this.#watchForSilence(attempt);
    this.#o.srf.createUAC(
      invite.uri,
      {
        localSdp: offer,
        headers: { ...invite.headers },
        ...(invite.proxy === undefined ? {} : { proxy: invite.proxy }),
        ...(invite.auth === undefined ? {} : { auth: invite.auth }),
      },
      {
        cbRequest: (error, request) => {
          if (!error) {
            attempt.uac = request;
            if (this.#dropped || attempt.abandoned) {
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
          this.#inviteFailed(attempt, error);
        } else {
          this.#answered(attempt, dialog);
        }
      },
    );
  }

  /** A CANCEL waits for a provisional response, so a silent proxy is left behind rather than waited for. */
  #watchForSilence(attempt: Attempt): void {
    clearTimeout(this.#silence);
    if (attempt.index + 1 >= this.#o.invites.length) {
      return;
    }
    this.#silence = setTimeout(() => {
      attempt.abandoned = true;
      this.#o.log.warn({ event: 'agent_proxy_silent', proxy: attempt.invite.proxy });
      this.#cancel(attempt);
      this.#invite(attempt.index + 1);
    }, PROXY_SILENCE_MS);
  }

  #provisional(attempt: Attempt, response: SipResponse): void {
    attempt.sawProvisional = true;
    if (attempt !== this.#attempt) {
      return;
    }
    clearTimeout(this.#silence);
    if (this.#dropped || response.status === 100) {
      return;
    }
    // Early media of the agent's side is never passed on: the caller hears the queue's music.
    if (this.#mediaInvite && !this.#mediaInvite.response.finalResponseSent) {
      this.#mediaInvite.response.send(180);
    }
    this.#handlers.ringing();
  }

  #inviteFailed(attempt: Attempt, error: unknown): void {
    if (attempt !== this.#attempt) {
      return;
    }
    clearTimeout(this.#silence);
    this.#attempt = undefined;
    if (this.#dropped) {
      this.#finish();
      return;
    }
    const status = isSipError(error) ? error.status : undefined;
    const next = status !== undefined && mayTryNextProxy(status, attempt.sawProvisional);
    if (next && attempt.index + 1 < this.#o.invites.length && !this.#refused) {
      this.#o.log.warn({ event: 'agent_proxy_skipped', proxy: attempt.invite.proxy, status });
      this.#invite(attempt.index + 1);
      return;
    }
    this.#refuse(status === undefined ? 'failed' : refusalOutcome(status), status, describeError(error));
  }

  #answered(attempt: Attempt, dialog: SipDialog): void {
    if (attempt !== this.#attempt) {
      // A proxy that was given up for silence answered after all: nobody waits for it any more.
      endDialog(this.#o.srf, dialog, NORMAL_CLEARING, (error) => {
        this.#o.log.debug({ event: 'agent_late_answer', reason: error ? describeError(error) : undefined });
      });
      return;
    }
    clearTimeout(this.#silence);
    this.#attempt = undefined;
    this.#agentDialog = dialog;
    if (this.#dropped || this.#refused) {
      // The 200 crossed our CANCEL: acknowledged already, now hung up (RFC 3261 9.1).
      this.#hangUpAgent();
      return;
    }
    dialog.on('destroy', () => {
      this.#agentLeft();
    });
    dialog.on('refer', (_request: SipRequest, response: SipResponse) => {
      response.send(405, { headers: { Allow: AGENT_ALLOW } });
    });
    this.#handlers.answered({ agentDialog: dialog.id });
    if (!dialog.connected) {
      this.#agentLeft();
      return;
    }
    this.#answerMedia(dialog, attempt.invite);
  }

  /** The agent's answer goes to FreeSWITCH as the answer to its own offer: only so does it keep its SRTP key. */
  #answerMedia(agent: SipDialog, invite: AgentInvite): void {
    const media = this.#mediaInvite;
    if (!media) {
      return;
    }
    if (isTooLong(agent.remote.sdp)) {
      this.#mediaGone('the answer of the agent is too long to be passed on');
      return;
    }
    this.#o.srf.createUAS(media.request, media.response, { localSdp: agent.remote.sdp }, (error, dialog) => {
      if (error) {
        this.#mediaGone(describeError(error));
        return;
      }
      this.#mediaDialog = dialog;
      if (this.#dropped || this.#over) {
        this.#endMedia();
        return;
      }
      dialog.on('destroy', () => {
        this.#mediaGone('the media server ended the channel');
      });
      relayReinvites(
        agent,
        {
          renegotiate: (offer) => this.#renegotiate(offer),
          setVariable: (name, value) => this.#o.media.command(`uuid_setvar ${this.#o.channel} ${name} ${value}`),
        },
        {
          mediaTimeoutMs: this.#o.mediaTimeoutMs,
          log: this.#o.log,
          ...(invite.contact === undefined ? {} : { contact: invite.contact }),
        },
      );
      this.#handlers.mediaReady({ mediaDialog: dialog.id });
    });
  }

  #renegotiate(offer: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const dialog = this.#mediaDialog;
      if (!dialog) {
        reject(new Error('the media channel is gone'));
        return;
      }
      dialog.request(
        { method: 'INVITE', headers: { 'Content-Type': 'application/sdp' }, body: offer },
        (error, response) => {
          if (error) {
            reject(error instanceof Error ? error : new Error(describeError(error)));
          } else if (response.status === 200) {
            resolve(response.body);
          } else if (response.status > 200) {
            reject(new Error(`the media server answered ${response.status}`));
          }
        },
      );
    });
  }

  /** BYE of the agent. */
  #agentLeft(): void {
    if (this.#over) {
      return;
    }
    this.#agentDialog = undefined;
    if (!this.#dropped) {
      this.#dropped = true;
      this.#handlers.left();
    }
    this.#endMedia();
    this.#finish();
  }

  /** The channel ended by itself: FreeSWITCH gave up, lost the media or was restarted. */
  #mediaGone(detail: string): void {
    this.#mediaDialog = undefined;
    if (this.#dropped || this.#over || this.#refused) {
      return;
    }
    this.#o.log.warn({ event: 'agent_channel_lost', channel: this.#o.channel, reason: detail });
    this.#dropped = true;
    if (this.#agentDialog) {
      this.#handlers.left();
    } else {
      this.#handlers.refused('failed', undefined, detail);
    }
    this.#hangUpAgent();
  }

  /** The agent's platform, or our own side, said no before an answer. */
  #refuse(outcome: Exclude<OfferOutcome, 'canceled'>, status: number | undefined, detail: string): void {
    if (this.#refused || this.#over) {
      return;
    }
    this.#refused = true;
    if (!this.#dropped) {
      this.#handlers.refused(outcome, status, detail);
    }
    this.#endMedia();
    this.#finish();
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

  #hangUpAgent(): void {
    const dialog = this.#agentDialog;
    if (dialog) {
      this.#agentDialog = undefined;
      endDialog(this.#o.srf, dialog, NORMAL_CLEARING, () => {
        this.#finish();
      });
    } else if (this.#attempt) {
      this.#cancel(this.#attempt);
    } else {
      this.#finish();
    }
  }

  #endMedia(): void {
    this.#o.media.kill(this.#o.channel, this.#mediaDialog ? 'NORMAL_CLEARING' : 'ORIGINATOR_CANCEL');
  }

  #finish(): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#silence);
    this.#onOver();
    this.#handlers.over();
  }
}
