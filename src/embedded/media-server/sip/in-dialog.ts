/** What both kinds of SIP leg do once there is a dialog: re-INVITE with hold, INFO keys, the peer's BYE. */
import { describeError } from '../../../lib/errors';
import type { IncomingRequest, Session, SessionEnd } from '../../sip/types';
import type { Channel } from '../channel/channel';
import type { ChannelControl } from '../channel/channel-control';
import { causeOfReason } from '../channel/causes';

export interface InDialogServices {
  readonly control: ChannelControl;
  /** How long FreeSWITCH holds back the answer when hold goes on or off. */
  readonly holdDelayMs: number;
}

/** Headers that FreeSWITCH puts on what it sends with an SDP. */
export const SDP_HEADERS: Readonly<Record<string, string>> = {
  Accept: 'application/sdp',
  'Allow-Events': 'talk, hold, conference, refer',
  'Content-Disposition': 'session',
};

/** @param confirmed false while the end of the session is told in another way: a refusal, which knows its status */
export function watchDialog(
  channel: Channel,
  session: Session,
  services: InDialogServices,
  confirmed: () => boolean = () => true,
): void {
  let busy = false;
  let delay: NodeJS.Timeout | undefined;
  session.onReinvite((request) => {
    if (request.message.body === '') {
      const sdp =
        request.message.method === 'INVITE' ? { headers: SDP_HEADERS, body: channel.negotiation.localSdp } : {};
      request.respond(200, undefined, sdp);
      return;
    }
    if (busy || channel.ended) {
      request.respond(491);
      return;
    }
    busy = true;
    renegotiate(channel, request, services, (wait, respond) => {
      const finish = (): void => {
        busy = false;
        respond();
      };
      if (wait === 0) {
        finish();
      } else {
        delay = setTimeout(finish, wait);
      }
    });
  });
  session.onRequest((request) => {
    answerRequest(channel, request);
  });
  session.onEnd((end) => {
    clearTimeout(delay);
    if (confirmed()) {
      channel.hangup(causeOfEnd(end));
    }
  });
}

function renegotiate(
  channel: Channel,
  request: IncomingRequest,
  services: InDialogServices,
  later: (waitMs: number, respond: () => void) => void,
): void {
  const before = channel.negotiation.current?.held ?? false;
  let answer: string;
  try {
    answer = channel.negotiation.answer(request.message.body);
  } catch (error) {
    const why = describeError(error).replaceAll('"', "'").slice(0, 200);
    later(0, () => {
      request.respond(488, undefined, { headers: { Warning: `304 embedded "${why}"` } });
    });
    return;
  }
  const media = channel.negotiation.current;
  if (media !== undefined) {
    channel.readMediaTimeout();
    channel.media.apply(media);
    services.control.setHeld(channel, media.held, media.heldByDirection);
  }
  later(before === media?.held ? 0 : services.holdDelayMs, () => {
    request.respond(200, undefined, { headers: SDP_HEADERS, body: answer });
  });
}

function answerRequest(channel: Channel, request: IncomingRequest): void {
  const { message } = request;
  if (message.method === 'INFO') {
    const digit =
      /^Signal\s*=\s*([0-9*#A-D])/im.exec(message.body)?.[1] ?? /^\s*([0-9*#A-D])\s*$/i.exec(message.body)?.[1];
    const ms = Number(/^Duration\s*=\s*(\d+)/im.exec(message.body)?.[1] ?? 250);
    if (digit !== undefined && /dtmf/i.test(message.get('content-type') ?? '')) {
      channel.receiveKey(digit.toUpperCase(), ms * 8, 'ENDPOINT');
    }
  }
  request.respond(message.method === 'REFER' ? 603 : 200);
}

function causeOfEnd(end: SessionEnd): string {
  switch (end.by) {
    case 'timeout':
      return 'RECOVERY_ON_TIMER_EXPIRE';
    case 'transport':
      return 'NORMAL_TEMPORARY_FAILURE';
    default:
      return causeOfReason(end.reason) ?? 'NORMAL_CLEARING';
  }
}
