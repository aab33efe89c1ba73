/** All transports of one stack: opens the listeners, picks a flow for a peer. */
import { SidekickError } from '../../lib/errors';
import type { Flow, Transport, TransportLimits, TransportSink } from './transport';
import { StreamTransport } from './transport-stream';
import { UdpTransport } from './transport-udp';
import { WsTransport } from './transport-ws';
import type { ListenOptions, Peer, Protocol, TlsIdentity } from './types';

export class Transports {
  readonly #limits: TransportLimits;
  readonly #sink: TransportSink;
  readonly #tlsClient: TlsIdentity | undefined;
  readonly #byProtocol = new Map<Protocol, Transport[]>();

  private constructor(limits: TransportLimits, sink: TransportSink, tlsClient: TlsIdentity | undefined) {
    this.#limits = limits;
    this.#sink = sink;
    this.#tlsClient = tlsClient;
  }

  /** Opens every listener, or none. Connections to TCP, TLS and WS peers are possible without a listener. */
  static async open(
    listen: readonly ListenOptions[],
    tlsClient: TlsIdentity | undefined,
    limits: TransportLimits,
    sink: TransportSink,
  ): Promise<Transports> {
    const transports = new Transports(limits, sink, tlsClient);
    try {
      for (const options of listen) {
        transports.#add(options.protocol, await transports.#listen(options));
      }
      for (const protocol of ['tcp', 'tls', 'ws'] as const) {
        if (!transports.#byProtocol.has(protocol)) {
          transports.#add(protocol, await transports.#connectOnly(protocol));
        }
      }
    } catch (error) {
      await transports.close();
      throw error;
    }
    return transports;
  }

  get listening(): Peer[] {
    return [...this.#byProtocol.values()].flat().flatMap((transport) => transport.local ?? []);
  }

  /** The address that Via and Contact show for messages to `peer`; undefined if its transport has no listener. */
  localFor(protocol: Protocol): Peer | undefined {
    return this.#byProtocol.get(protocol)?.[0]?.local;
  }

  /** @throws SidekickError SK_SETTINGS_INVALID if there is no UDP socket and the peer needs one. */
  flowTo(peer: Peer, via?: Peer): Flow {
    const existing = this.existing(peer, via);
    if (existing !== undefined) {
      return existing;
    }
    const transport = this.#pick(peer.protocol, via);
    if (transport === undefined) {
      throw new SidekickError('SK_SETTINGS_INVALID', `No ${peer.protocol} socket for a SIP request`, {
        why: `The SIP stack listens on ${this.listening.map((p) => p.protocol).join(', ')} only.`,
        next: `Add a ${peer.protocol} listener.`,
      });
    }
    return transport.flowTo(peer);
  }

  existing(peer: Peer, via?: Peer): Flow | undefined {
    if (peer.protocol === 'udp') {
      return this.#pick('udp', via)?.existing(peer);
    }
    for (const transport of this.#byProtocol.get(peer.protocol) ?? []) {
      const flow = transport.existing(peer);
      if (flow !== undefined) {
        return flow;
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byProtocol.values()].flat().map((transport) => transport.close()));
  }

  #pick(protocol: Protocol, via: Peer | undefined): Transport | undefined {
    const list = this.#byProtocol.get(protocol);
    return (
      list?.find((t) => via !== undefined && t.local?.port === via.port && t.local.address === via.address) ?? list?.[0]
    );
  }

  #add(protocol: Protocol, transport: Transport): void {
    this.#byProtocol.set(protocol, [...(this.#byProtocol.get(protocol) ?? []), transport]);
  }

  #listen(options: ListenOptions): Promise<Transport> {
    switch (options.protocol) {
      case 'udp':
        return UdpTransport.listen(options, this.#limits, this.#sink);
      case 'ws':
        return WsTransport.open(options, this.#limits, this.#sink);
      case 'tcp':
      case 'tls':
        return this.#stream(options.protocol, options);
    }
  }

  #connectOnly(protocol: 'tcp' | 'tls' | 'ws'): Promise<Transport> {
    return protocol === 'ws' ? WsTransport.open(undefined, this.#limits, this.#sink) : this.#stream(protocol);
  }

  #stream(protocol: 'tcp' | 'tls', listen?: ListenOptions): Promise<Transport> {
    return StreamTransport.open({
      protocol,
      limits: this.#limits,
      sink: this.#sink,
      ...(listen === undefined ? {} : { listen }),
      ...(this.#tlsClient === undefined ? {} : { tlsClient: this.#tlsClient }),
    });
  }
}
