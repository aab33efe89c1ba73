/** A leg that was called: the SIP side of fsmrf's endpoints (wire reference 4.2). */
import type { IncomingSession } from '../../sip/types';
import type { SipMessage } from '../../sip/message';
import { parseNameAddr, parseUri } from '../../sip/uri';
import type { CallerProfile, Channel, SipLeg } from '../channel/channel';
import { reasonOf, statusOfCause } from '../channel/causes';
import { markAnswered, markEarly } from '../channel/progress';
import { SDP_HEADERS } from './in-dialog';

export class InboundLeg implements SipLeg {
  readonly callId: string;
  readonly #session: IncomingSession;
  readonly #channel: Channel;
  #answered = false;

  constructor(session: IncomingSession, channel: Channel) {
    this.callId = session.callId;
    this.#session = session;
    this.#channel = channel;
    session.onCancel(() => {
      channel.hangup('ORIGINATOR_CANCEL');
    });
  }

  preAnswer(): void {
    if (!this.#answered && this.#session.state === 'early') {
      this.#applyMedia();
      void this.#session.progress(183, { headers: SDP_HEADERS, body: this.#channel.negotiation.localSdp });
      markEarly(this.#channel);
    }
  }

  answer(): void {
    if (this.#answered || this.#session.state !== 'early') {
      return;
    }
    this.#answered = true;
    this.#applyMedia();
    this.#session.accept(this.#channel.negotiation.localSdp, { headers: SDP_HEADERS }).catch(() => {
      this.#channel.hangup('RECOVERY_ON_TIMER_EXPIRE');
    });
    markAnswered(this.#channel);
  }

  /** INVITE without SDP: 200 with our offer, and the answer comes in the ACK. */
  async answerWithOffer(): Promise<void> {
    this.#answered = true;
    const ack = await this.#session.accept(this.#channel.negotiation.localSdp, { headers: SDP_HEADERS });
    this.#channel.negotiation.takeAnswer(ack.body);
    this.#applyMedia();
    markAnswered(this.#channel);
  }

  end(cause: string): void {
    const options = { headers: { Reason: reasonOf(cause) } };
    if (this.#session.state === 'early') {
      this.#session.reject(statusOfCause(cause), undefined, options);
    } else {
      void this.#session.bye(options);
    }
  }

  #applyMedia(): void {
    const media = this.#channel.negotiation.current;
    if (media !== undefined) {
      this.#channel.media.apply(media);
    }
  }
}

/** Variables that FreeSWITCH makes of an INVITE. */
export function inviteVariables(session: IncomingSession): Map<string, string> {
  const { invite, source } = session;
  const from = nameAddr(invite, 'from');
  const to = nameAddr(invite, 'to');
  const target = parseUri(invite.uri);
  const variables = new Map<string, string>([
    ['sip_call_id', invite.callId],
    ['sip_user_agent', invite.get('user-agent') ?? ''],
    ['sip_network_ip', source.address],
    ['sip_network_port', String(source.port)],
    ['sip_received_ip', source.address],
    ['sip_received_port', String(source.port)],
    ['sip_via_protocol', source.protocol],
    ['sip_from_user', from.user],
    ['sip_from_host', from.host],
    ['sip_from_uri', from.uri],
    ['sip_from_tag', invite.fromTag ?? ''],
    ['sip_to_user', to.user],
    ['sip_to_host', to.host],
    ['sip_to_uri', to.uri],
    ['sip_req_user', target?.user ?? ''],
    ['sip_req_host', target?.host ?? ''],
    ['sip_req_uri', invite.uri.replace(/^sips?:/, '')],
    ['sip_full_from', invite.get('from') ?? ''],
    ['sip_full_to', invite.get('to') ?? ''],
    ['sip_cseq', String(invite.cseq.number)],
    ['destination_number', target?.user ?? ''],
  ]);
  for (const header of invite.headers) {
    if (/^x-/i.test(header.name)) {
      variables.set(`sip_h_${header.name}`, header.value);
    }
  }
  for (const [name, value] of variables) {
    if (value === '') {
      variables.delete(name);
    }
  }
  return variables;
}

export function callerOf(session: IncomingSession): CallerProfile {
  const from = nameAddr(session.invite, 'from');
  return {
    name: from.display,
    number: from.user,
    networkAddress: session.source.address,
    destination: parseUri(session.invite.uri)?.user ?? '',
  };
}

function nameAddr(invite: SipMessage, header: string): { user: string; host: string; uri: string; display: string } {
  const parsed = parseNameAddr(invite.get(header) ?? '');
  const uri = parsed === undefined ? undefined : parseUri(parsed.uri);
  return {
    user: uri?.user ?? '',
    host: uri?.host ?? '',
    uri: (parsed?.uri ?? '').replace(/^sips?:/, ''),
    display: parsed?.name ?? '',
  };
}
