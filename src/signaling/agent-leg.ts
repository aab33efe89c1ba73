import type { AgentLeg, AgentLegHandlers } from '../calls/ports';
import type { OfferOutcome } from '../calls/offer-state';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { MediaServerLink } from '../media/media-server-link';
import { AGENT_ALLOW } from './agent-invite';
import type { AgentInvite } from './agent-invite';
import { takeRefers } from './agent-refer';
import type { ReferPolicy } from './agent-refer';
import { refusalOutcome } from './agent-outcome';
import { endDialog } from './end-dialog';
import { InviteSequence, NORMAL_CLEARING } from './invite-sequence';
import type { FailoverReason } from './invite-sequence';
import { relayReinvites } from './reinvite';
import { isTooLong } from './sdp-limit';
import { isFailure } from './bye-reason';
import type { SipDialog, SipMessage, SipRequest, SipResponse, Srf } from './srf';

export interface AgentLegOptions {
  readonly srf: Srf;
  readonly media: MediaServerLink;
  /** FreeSWITCH channel id of this leg, chosen by us. */
  readonly channel: string;
  /** Sends `originate`, or did; resolves to FreeSWITCH's answer. */
  readonly originate: () => Promise<string>;
  /** Tried in order; the next one only where the one before did not answer at all. */
  readonly invites: readonly AgentInvite[];
  /** Final responses that this trunk reads otherwise than by default. */
  readonly outcomes: Readonly<Record<string, Exclude<OfferOutcome, 'canceled'>>>;
  /** What REFER in the agent's dialog may do; without it REFER is refused. */
  readonly refer?: ReferPolicy | undefined;
  readonly onFailover: (reason: FailoverReason) => void;
  readonly mediaTimeoutMs: number;
  readonly log: Log;
}

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
  #sequence: InviteSequence | undefined;
  #rang = false;
  #refused = false;
  #dropped = false;
  #over = false;

  constructor(options: AgentLegOptions, handlers: AgentLegHandlers, onOver: () => void) {
    this.#o = options;
    this.#handlers = handlers;
    this.#onOver = onOver;
    try {
      options.originate().then(
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
    this.#invite(request.body);
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

  #invite(offer: string): void {
    if (offer === '') {
      this.#refuse('failed', undefined, 'the media server sent no offer');
      return;
    }
    const { srf, invites, log, onFailover, outcomes } = this.#o;
    this.#sequence = new InviteSequence({ srf, invites, log, onFailover }, offer, {
      ringing: () => {
        this.#ringing();
      },
      answered: (dialog, invite) => {
        this.#answered(dialog, invite);
      },
      refused: (status, detail) => {
        const rang = this.#rang;
        const outcome = status === undefined ? 'failed' : refusalOutcome(status, { rang, overrides: outcomes });
        this.#refuse(outcome, status, detail);
      },
      over: () => {
        this.#finish();
      },
    });
  }

  /** Early media of the agent's side is never passed on: the caller hears the queue's music. */
  #ringing(): void {
    if (this.#dropped) {
      return;
    }
    this.#rang = true;
    if (this.#mediaInvite && !this.#mediaInvite.response.finalResponseSent) {
      this.#mediaInvite.response.send(180);
    }
    this.#handlers.ringing();
  }

  #answered(dialog: SipDialog, invite: AgentInvite): void {
    this.#agentDialog = dialog;
    if (this.#dropped || this.#refused) {
      // The 200 crossed our CANCEL: acknowledged already, now hung up (RFC 3261 9.1).
      this.#hangUpAgent();
      return;
    }
    dialog.on('destroy', (message: SipMessage | undefined, reason?: string) => {
      this.#agentLeft(isFailure(message?.get('Reason') ?? reason));
    });
    const takesTransfers = this.#handlers.transferRequested !== undefined;
    takeRefers(dialog, {
      policy: this.#o.refer,
      allow: invite.allow ?? AGENT_ALLOW,
      contact: invite.contact,
      log: this.#o.log,
      requested: takesTransfers ? (request) => this.#handlers.transferRequested?.(request) : undefined,
    });
    this.#handlers.answered({ agentDialog: dialog.id });
    if (!dialog.connected) {
      this.#agentLeft(false);
      return;
    }
    this.#answerMedia(dialog, invite);
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
          allow: invite.allow ?? AGENT_ALLOW,
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
            reject(
              Object.assign(new Error(`the media server answered ${response.status}`), { status: response.status }),
            );
          }
        },
      );
    });
  }

  /** BYE of the agent, or of a platform that lost him. His channel goes after all else: nobody hears it any more. */
  #agentLeft(lost: boolean): void {
    if (this.#over) {
      return;
    }
    this.#agentDialog = undefined;
    if (!this.#dropped) {
      this.#dropped = true;
      this.#handlers.left({ lost });
    }
    if (this.#mediaDialog) {
      this.#o.media.killSoon(this.#o.channel);
    } else {
      this.#endMedia();
    }
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
      this.#handlers.left({ lost: true });
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

  #hangUpAgent(): void {
    const dialog = this.#agentDialog;
    if (dialog) {
      this.#agentDialog = undefined;
      endDialog(this.#o.srf, dialog, NORMAL_CLEARING, () => {
        this.#finish();
      });
    } else if (this.#sequence?.pending === true) {
      this.#sequence.cancel();
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
    this.#onOver();
    this.#handlers.over();
  }
}
