/** What all transports have in common: flows that carry messages, and a sink that takes what comes in. */
import { networkInterfaces } from 'node:os';
import { SidekickError, toError } from '../../lib/errors';
import { formatHostPort } from './uri';
import type { ListenOptions, Peer } from './types';

/** A way to one peer: a UDP socket and an address, or one connection. */
export interface Flow {
  readonly remote: Peer;
  /** Our side: the listening address where there is one, as Via and Contact show it. */
  readonly local: Peer;
  /** TCP, TLS and WS: nothing is retransmitted (RFC 3261 17). */
  readonly reliable: boolean;
  readonly open: boolean;
  /** TLS: subject alternative names of the peer's verified certificate. */
  readonly peerNames: readonly string[] | undefined;
  /** Sends whole messages; `failed` is called at most once, later, if that is known not to have worked. */
  send(data: Buffer, failed: (error: Error) => void): void;
}

export type TransportProblem = 'oversized' | 'malformed' | 'slow' | 'backlog' | 'refused';

export interface TransportSink {
  message(data: Buffer, flow: Flow): void;
  /** Something was thrown away or a connection closed for cause. */
  problem(kind: TransportProblem, flow: Flow | undefined): void;
  connections(change: 1 | -1): void;
}

export interface TransportLimits {
  readonly maxMessageBytes: number;
  readonly partialMessageMs: number;
  readonly maxConnections: number;
}

export interface Transport {
  /** Where it listens; undefined for one that only connects. */
  readonly local: Peer | undefined;
  /** A flow to the peer: an open connection to that address, else a new one. Never throws; errors come from `send`. */
  flowTo(peer: Peer): Flow;
  /** The open connection to that peer, if there is one (UDP: always). */
  existing(peer: Peer): Flow | undefined;
  close(): Promise<void>;
}

/** Turns a listen error into one that names the port. */
export function listenError(error: unknown, options: Pick<ListenOptions, 'protocol' | 'host' | 'port'>): Error {
  const cause = toError(error);
  const code = (error as NodeJS.ErrnoException).code;
  const where = `${options.protocol} ${formatHostPort(options.host, options.port)}`;
  if (code === 'EADDRINUSE') {
    return new SidekickError('SK_PORT_TAKEN', `SIP cannot listen on ${where}: the port is taken`, {
      why: 'Another process already listens there.',
      next: `Stop that process or choose another ${options.protocol} port for SIP.`,
      context: { protocol: options.protocol, host: options.host, port: options.port },
      cause,
    });
  }
  return new SidekickError('SK_SETTINGS_INVALID', `SIP cannot listen on ${where}: ${cause.message}`, {
    next: 'Use an address of this machine and a port above 1024.',
    context: { protocol: options.protocol, host: options.host, port: options.port },
    cause,
  });
}

/** The address to show for a wildcard listener: the first address that is not loopback, else loopback. */
export function shownAddress(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') {
    return host;
  }
  for (const list of Object.values(networkInterfaces())) {
    for (const entry of list ?? []) {
      if (!entry.internal && entry.family === (host === '::' ? 'IPv6' : 'IPv4')) {
        return entry.address;
      }
    }
  }
  return host === '::' ? '::1' : '127.0.0.1';
}

/** IPv4 addresses that a dual-stack socket shows as IPv6 get their own form back. */
export function plainAddress(address: string | undefined): string {
  return address?.startsWith('::ffff:') === true ? address.slice(7) : (address ?? '');
}
