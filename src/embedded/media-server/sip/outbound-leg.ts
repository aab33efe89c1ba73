/** A leg that we call: FreeSWITCH as UAC toward drachtio (wire reference 8.1.2, 8.9). */
import { describeError } from '../../../lib/errors';
import { SipRejected } from '../../sip/user-agent';
import type { UserAgent } from '../../sip/user-agent';
import type { SipMessage } from '../../sip/message';
import type { OutgoingSession } from '../../sip/types';
import { formatHostPort } from '../../sip/uri';
import type { Channel, SipLeg } from '../channel/channel';
import { causeOfStatus, reasonOf } from '../channel/causes';
import { markAnswered, markEarly, markRinging } from '../channel/progress';
import { isTrue } from '../channel/variables';
import { SDP_HEADERS, watchDialog } from './in-dialog';
import type { InDialogServices } from './in-dialog';

export interface OutboundOptions {
  /** Request URI. */
  readonly uri: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly host: string;
  readonly port: number;
  /** Reports what went wrong with an answer. */
  readonly problem: (what: string) => void;
}

export class OutboundLeg implements SipLeg {
  readonly callId: string;
  readonly #session: OutgoingSession;
  readonly #channel: Channel;
  readonly #options: OutboundOptions;
  #confirmed = false;

  /** Sends the INVITE. Throws SK_USAGE if the URI does not say where to. */
  constructor(userAgent: UserAgent, channel: Channel, services: InDialogServices, options: OutboundOptions) {
    this.#channel = channel;
    this.#options = options;
    const here = formatHostPort(options.host, options.port);
    const caller = `<sip:${options.callerNumber}@${here}>`;
    const name = options.callerName === '' ? '' : `"${options.callerName.replace(/["\\\r\n]/g, '')}" `;
    const callId = channel.ownVariable('sip_invite_call_id');
    this.#session = userAgent.invite(options.uri, {
      from: `${name}${caller}`,
      contact: `<sip:mod_sofia@${here}>`,
      sdp: channel.negotiation.localSdp,
      ...(callId === undefined ? {} : { callId }),
      headers: {
        ...SDP_HEADERS,
        'X-FS-Support': 'update_display,send_info',
        Supported: 'path, replaces',
        'Remote-Party-ID': `${name}${caller};party=calling;screen=yes;privacy=off`,
        ...customHeaders(channel),
      },
    });
    this.callId = this.#session.callId;
    channel.sip = this;
    this.#session.onProgress((response) => {
      this.#progress(response);
    });
    watchDialog(channel, this.#session, services, () => this.#confirmed);
    this.#session.answered.then(
      (response) => {
        this.#answered(response);
      },
      (error: unknown) => {
        channel.hangup(error instanceof SipRejected ? causeOfStatus(error.status) : 'NORMAL_TEMPORARY_FAILURE');
      },
    );
  }

  answer(): void {
    // The other side answers this leg.
  }

  preAnswer(): void {
    // The same.
  }

  end(cause: string): void {
    const options = { headers: { Reason: reasonOf(cause) } };
    if (this.#session.state === 'early') {
      this.#session.cancel(options);
    } else {
      void this.#session.bye(options);
    }
  }

  #progress(response: SipMessage): void {
    if (this.#channel.ended || response.status <= 100) {
      return;
    }
    if (response.body === '' || isTrue(this.#channel.ownVariable('ignore_early_media'))) {
      markRinging(this.#channel);
      return;
    }
    if (this.#take(response)) {
      markEarly(this.#channel);
    }
  }

  #answered(response: SipMessage): void {
    this.#confirmed = true;
    if (this.#channel.ended) {
      return;
    }
    const early = this.#channel.negotiation.current !== undefined;
    if ((response.body !== '' || !early) && !this.#take(response)) {
      this.#channel.hangup('INCOMPATIBLE_DESTINATION');
      return;
    }
    markAnswered(this.#channel);
  }

  #take(response: SipMessage): boolean {
    try {
      this.#channel.media.apply(this.#channel.negotiation.takeAnswer(response.body));
      return true;
    } catch (error) {
      this.#options.problem(describeError(error));
      return false;
    }
  }
}

/** `sip_h_X-…` variables become headers. */
function customHeaders(channel: Channel): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of channel.allVariables()) {
    const [, header] = /^sip_h_([A-Za-z0-9-]+)$/.exec(name) ?? [];
    if (header !== undefined && !/[\r\n]/.test(value)) {
      headers[header] = value;
    }
  }
  return headers;
}
