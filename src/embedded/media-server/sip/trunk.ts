/** The SIP profile `drachtio_mrf`: takes endpoints in and calls agents out. */
import { describeError, isSidekickError } from '../../../lib/errors';
import { newId } from '../../../lib/ids';
import { SipStack } from '../../sip/stack';
import type { IncomingSession } from '../../sip/types';
import { parseHostPort, formatHostPort } from '../../sip/uri';
import { UserAgent } from '../../sip/user-agent';
import { parseOriginate } from '../api/originate';
import type { OriginateRequest } from '../api/originate';
import type { Channel } from '../channel/channel';
import { markCreated } from '../channel/progress';
import { PROFILE } from '../switchboard';
import type { Switchboard } from '../switchboard';
import { defaultDialplan } from '../types';
import { watchDialog } from './in-dialog';
import type { InDialogServices } from './in-dialog';
import { InboundLeg, callerOf, inviteVariables } from './inbound-leg';
import { OutboundLeg } from './outbound-leg';

/** Who may use the dialplan: fsmrf's endpoints name themselves so. */
const ENDPOINT = /^drachtio-fsmrf:(.*)$/;
/** As sbc-config names the real server. */
const USER_AGENT = 'Sidekick media';
/** FreeSWITCH's originate takes this long to notice the answer; what is done to the leg meanwhile comes first. */
const ORIGINATE_REPLY_MS = 18;

export class SipTrunk {
  readonly #board: Switchboard;
  readonly #userAgent: UserAgent;
  readonly #services: InDialogServices;
  readonly host: string;
  readonly port: number;

  private constructor(board: Switchboard, stack: SipStack, host: string, port: number) {
    this.#board = board;
    this.host = host;
    this.port = port;
    this.#userAgent = new UserAgent(stack, {
      contact: `<sip:drachtio@${formatHostPort(host, port)}>`,
      userAgent: USER_AGENT,
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'MESSAGE', 'INFO', 'UPDATE', 'NOTIFY'],
      supported: ['path', 'replaces'],
    });
    this.#services = { control: board.control, holdDelayMs: board.timers.holdDelayMs };
    this.#userAgent.onInvite((session) => {
      void this.#receive(session);
    });
    board.attach(formatHostPort(host, port), (args) => this.originate(args));
  }

  /** Listens on UDP and TCP, on one port. @throws SK_PORT_TAKEN */
  static async open(board: Switchboard): Promise<SipTrunk> {
    const { host, port } = board.options.sip;
    for (let attempt = 0; ; attempt++) {
      const udp = await SipStack.start({ listen: [{ protocol: 'udp', host, port }] });
      const chosen = udp.listening[0]?.port ?? port;
      await udp.close();
      try {
        const stack = await SipStack.start({
          listen: [
            { protocol: 'udp', host, port: chosen },
            { protocol: 'tcp', host, port: chosen },
          ],
          onHandlerError: (error) => {
            board.log('sip_handler_failed', { reason: describeError(error) });
          },
        });
        return new SipTrunk(board, stack, host, chosen);
      } catch (error) {
        if (port !== 0 || attempt >= 20 || !isSidekickError(error, 'SK_PORT_TAKEN')) {
          throw error;
        }
      }
    }
  }

  /** Live SIP dialogs. */
  get sessions(): number {
    return this.#userAgent.sessions;
  }

  async close(): Promise<void> {
    this.#userAgent.close();
    await this.#userAgent.stack.close();
  }

  async #receive(session: IncomingSession): Promise<void> {
    const board = this.#board;
    if (!ENDPOINT.test(session.invite.get('user-agent') ?? '')) {
      board.refused++;
      session.reject(403);
      return;
    }
    if (board.switches.pausedInbound || board.full || board.closing) {
      board.refused++;
      session.reject(503, 'Maximum Calls In Progress', { headers: { 'Retry-After': '5' } });
      return;
    }
    let cancelled = false;
    session.onEnd(() => {
      cancelled = true;
    });
    const caller = callerOf(session);
    const channel = await board.open({
      uuid: newId(),
      name: `sofia/${PROFILE}/${caller.number === '' ? session.source.address : `${caller.number}@${session.source.address}`}`,
      direction: 'inbound',
      caller,
      variables: inviteVariables(session),
      codecs: board.codecs,
    });
    if (channel === undefined) {
      session.reject(503, 'Maximum Calls In Progress', { headers: { 'Retry-After': '5' } });
      return;
    }
    if (cancelled) {
      channel.hangup('ORIGINATOR_CANCEL');
      return;
    }
    this.#begin(session, channel);
  }

  #begin(session: IncomingSession, channel: Channel): void {
    const leg = new InboundLeg(session, channel);
    channel.sip = leg;
    markCreated(channel);
    watchDialog(channel, session, this.#services);
    const actions = this.#board.options.dialplan ?? defaultDialplan(this.#board.timers.mediaTimeoutMs);
    if (session.remoteSdp === undefined) {
      this.#offer(channel);
      leg.answerWithOffer().then(
        () => {
          this.#board.control.runDialplan(channel, actions);
        },
        (error: unknown) => {
          this.#board.log('offer_not_answered', { channel: channel.uuid, reason: describeError(error) });
          channel.hangup('INCOMPATIBLE_DESTINATION');
        },
      );
      return;
    }
    try {
      channel.negotiation.answer(session.remoteSdp);
    } catch (error) {
      this.#board.log('offer_refused', { channel: channel.uuid, reason: describeError(error) });
      channel.hangup('INCOMPATIBLE_DESTINATION');
      return;
    }
    this.#board.control.runDialplan(channel, actions);
  }

  /** INVITE without SDP: our offer is made before the dialplan, so only a global variable can ask for SRTP. */
  #offer(channel: Channel): void {
    const secure = /^(mandatory|true)/.test(this.#board.globals.get('rtp_secure_media_inbound') ?? '');
    channel.negotiation.makeOffer({
      profile: secure ? 'RTP/SAVP' : 'RTP/AVP',
      codecs: this.#board.codecs,
      suppressCn: true,
    });
  }

  /** Runs `originate`; resolves to its reply when the other side has answered or not. */
  async originate(args: string): Promise<string> {
    const board = this.#board;
    const request = parseOriginate(args, board.codecs, (name) => board.extension(name));
    if (typeof request === 'string') {
      return request;
    }
    if (
      request.profile !== PROFILE ||
      parseHostPort(request.uri.replace(/^sip:(?:[^@]*@)?/, '').replace(/;.*$/, '')) === undefined
    ) {
      return '-ERR INVALID_PROFILE\n';
    }
    if (board.switches.pausedOutbound) {
      return '-ERR SWITCH_CONGESTION\n';
    }
    const channel = await board.open({
      uuid: request.uuid,
      name: `sofia/${PROFILE}/${request.uri.replace(/^sip:/, '')}`,
      direction: 'outbound',
      caller: {
        name: request.callerName,
        number: request.callerNumber,
        networkAddress: '',
        destination: request.uri.replace(/^sip:/, '').replace(/@.*$/, ''),
      },
      variables: request.variables,
      codecs: request.codecs,
    });
    return channel === undefined ? '-ERR SWITCH_CONGESTION\n' : this.#call(channel, request);
  }

  #call(channel: Channel, request: OriginateRequest): Promise<string> {
    const board = this.#board;
    channel.negotiation.makeOffer({
      profile: request.secure ? 'RTP/SAVP' : 'RTP/AVP',
      codecs: request.codecs,
      suppressCn: request.suppressCn,
    });
    markCreated(channel);
    try {
      new OutboundLeg(this.#userAgent, channel, this.#services, {
        uri: request.uri,
        callerNumber: request.callerNumber,
        callerName: request.callerName,
        host: this.host,
        port: this.port,
        problem: (what) => {
          board.log('answer_refused', { channel: channel.uuid, reason: what });
        },
      });
    } catch (error) {
      board.log('originate_failed', { channel: channel.uuid, reason: describeError(error) });
      channel.hangup('DESTINATION_OUT_OF_ORDER');
    }
    return new Promise((resolve) => {
      board.api.schedule(channel, request.timeoutMs, () => {
        if (channel.answerState === 'ringing' || (channel.answerState === 'early' && request.ignoreEarlyMedia)) {
          channel.hangup('NO_ANSWER');
        }
      });
      channel.whenUp(() => {
        board.api.schedule(channel, ORIGINATE_REPLY_MS, () => {
          resolve(this.#originated(channel, request));
        });
      });
      channel.whenEnded(() => {
        resolve(`-ERR ${channel.hangupCause ?? 'NORMAL_TEMPORARY_FAILURE'}\n`);
      });
    });
  }

  /** The leg is up: its actions run, unless a bridge was quicker. Then they never do, and the reply says so, as in FreeSWITCH. */
  #originated(channel: Channel, request: OriginateRequest): string {
    if (channel.mode !== 'new' || channel.bridging !== undefined) {
      return '-ERR ORIGINATOR_CANCEL\n';
    }
    channel.emit('CHANNEL_ORIGINATE');
    this.#board.control.runDialplan(channel, request.actions);
    return `+OK ${channel.uuid}\n`;
  }
}
