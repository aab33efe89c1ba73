import { SidekickError } from '../../lib/errors';
import { newId } from '../../lib/ids';
import { SipStack, type StackCounters } from '../sip/stack';
import type { Peer, SipTimers, TlsIdentity } from '../sip/types';
import { formatHostPort } from '../sip/uri';
import { UserAgent } from '../sip/user-agent';
import type { G711Name } from '../rtp/g711';
import { PhoneCall } from '../phone/phone-call';
import type { Sound } from '../phone/speaker';
import { CarrierCall, type CallPlan } from './carrier-call';
import { identityHeaders, type CallerIdentity } from './identity';

export interface CarrierOptions {
  /** Loopback or another local address; RTP uses it too. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** For TLS: the carrier's identity, and the authority of its peers. */
  readonly tls?: TlsIdentity;
  readonly portRange?: readonly [number, number];
  readonly timers?: Partial<SipTimers>;
}

export interface CarrierCallOptions extends CallerIdentity, CallPlan {
  /** The dialled number, as the carrier would write it: `+49301000100`, `030…`, `100`. */
  readonly to: string;
  /** Where Sidekick listens. */
  readonly target: Peer;
  /** In order of preference. Default PCMA, PCMU. */
  readonly codecs?: readonly G711Name[];
  /** The caller's voice; several frequencies sound together, an empty list is silence. Default 700 Hz. */
  readonly toneHz?: number | readonly number[];
  /** Sends no RTP at all: a caller behind a broken NAT. */
  readonly mute?: boolean;
  /** Tones to listen for. Default those of the demo agents, 1,100 … 1,900 Hz, and of the mailbox. */
  readonly listenFor?: readonly number[];
  /** RTP/SAVP with one SDES key. Default plain RTP. */
  readonly srtp?: boolean;
  /** INVITE without SDP. */
  readonly delayedOffer?: boolean;
  /** Seconds (RFC 4028). */
  readonly sessionExpires?: number;
  /** More headers, or others in place of ours. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly sipCallId?: string;
}

export const DEFAULT_CALLER_TONE_HZ = 700;
export const DEFAULT_LISTEN_FOR: readonly number[] = [480, 1100, 1300, 1500, 1700, 1900];

/**
 * A simulated carrier: callers with sound and ears, all on one SIP socket. Made for hundreds of calls at once in one process:
 * tones are computed once, all calls share one clock.
 */
export class Carrier {
  readonly #options: CarrierOptions;
  readonly #stack: SipStack;
  readonly #ua: UserAgent;
  readonly #calls = new Set<CarrierCall>();
  #closed = false;

  private constructor(stack: SipStack, options: CarrierOptions) {
    this.#options = options;
    this.#stack = stack;
    this.#ua = new UserAgent(stack, { userAgent: 'Sidekick simulated carrier' });
  }

  /** @throws SidekickError SK_PORT_TAKEN */
  static async start(options: CarrierOptions): Promise<Carrier> {
    const { protocol, host, port, tls, timers } = options;
    const stack = await SipStack.start({
      listen: [{ protocol, host, port, ...(tls === undefined ? {} : { tls }) }],
      ...(tls === undefined ? {} : { tlsClient: tls }),
      ...(timers === undefined ? {} : { timers }),
    });

    return new Carrier(stack, options);
  }

  get port(): number {
    return this.#stack.listening[0]?.port ?? 0;
  }

  /** Calls in progress, for leak checks. */
  get live(): number {
    return this.#calls.size;
  }

  get counters(): StackCounters {
    return this.#stack.counters;
  }

  /**
   * Places a call; the returned call goes on by itself as its plan says.
   * @throws SidekickError SK_USAGE for a number or a plan that makes no sense, SK_MEDIA_FAILED, SK_STOPPING
   */
  async call(options: CarrierCallOptions): Promise<CarrierCall> {
    if (this.#closed) {
      throw new SidekickError('SK_STOPPING', 'The simulated carrier is closed');
    }
    if (!/^[+*#]?[0-9A-Za-z*#.-]{1,64}$/.test(options.to)) {
      throw new SidekickError('SK_USAGE', `Not a number that can be dialled: ${JSON.stringify(options.to)}`, {
        next: 'Use a number like +49301000100.',
      });
    }
    const phone = await PhoneCall.dial(this.#ua, this.#dialOptions(options));
    const call = new CarrierCall(phone, options, () => this.#calls.delete(call));
    this.#calls.add(call);
    if (this.#closed) {
      call.close();
    }

    return call;
  }

  /** Ends all calls without a word and closes the socket. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    for (const call of [...this.#calls]) {
      call.close();
    }
    this.#ua.close();
    await this.#stack.close();
  }

  #dialOptions(options: CarrierCallOptions): Parameters<typeof PhoneCall.dial>[1] {
    const { host } = this.#options;
    const { target, to, codecs, srtp, delayedOffer, sessionExpires } = options;
    const transport = target.protocol === 'udp' ? '' : `;transport=${target.protocol}`;
    const uri = `sip:${to}@${formatHostPort(target.address, target.port)}${transport}`;
    const own = formatHostPort(host, this.port);
    const { from, headers } = identityHeaders(options, own);

    return {
      host,
      ...(this.#options.portRange === undefined ? {} : { portRange: this.#options.portRange }),
      target,
      uri,
      to: `<sip:${to}@${formatHostPort(target.address, target.port)}>`,
      from,
      headers: { ...headers, ...options.headers },
      callId: options.sipCallId ?? `${newId()}@${host}`,
      ...(codecs === undefined ? {} : { codecs }),
      ...(srtp === undefined ? {} : { srtp }),
      ...(delayedOffer === undefined ? {} : { delayedOffer }),
      ...(sessionExpires === undefined ? {} : { sessionExpires }),
      listenFor: options.listenFor ?? DEFAULT_LISTEN_FOR,
      sound: soundOf(options),
    };
  }
}

/** Starts a simulated carrier. @throws SidekickError SK_PORT_TAKEN */
export function startCarrier(options: CarrierOptions): Promise<Carrier> {
  return Carrier.start(options);
}

function soundOf({ mute, toneHz }: CarrierCallOptions): Sound {
  if (mute === true) {
    return { kind: 'nothing' };
  }
  const hz = toneHz === undefined ? [DEFAULT_CALLER_TONE_HZ] : typeof toneHz === 'number' ? [toneHz] : toneHz;

  return hz.length === 0 ? { kind: 'silence' } : { kind: 'tone', hz };
}
