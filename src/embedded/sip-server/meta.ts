/** The metadata tokens that go with a SIP message in a frame (wire reference 1.3). */
import type { SipMessage } from '../sip/message';
import type { Peer, Protocol } from '../sip/types';

export interface MessageMeta {
  readonly source: 'network' | 'application';
  readonly bytes: number;
  /** Empty for ACK and for echoed responses to other methods than INVITE. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** `HH:MM:SS.uuuuuu`, UTC. */
export function timeOfDay(now: number = performance.timeOrigin + performance.now()): string {
  const micros = Math.floor((now % 1) * 1000);
  return `${new Date(now).toISOString().slice(11, 23)}${String(micros).padStart(3, '0')}`;
}

/** WebSocket is shown as tcp, as the real server does. */
export function shownProtocol(protocol: Protocol): string {
  return protocol === 'ws' ? 'tcp' : protocol;
}

export function metaOf(source: MessageMeta['source'], message: SipMessage, peer: Peer | undefined): MessageMeta {
  return {
    source,
    bytes: Buffer.byteLength(message.head()) + message.bodyBytes.length,
    protocol: peer === undefined ? '' : shownProtocol(peer.protocol),
    address: peer?.address ?? '',
    port: peer?.port ?? 0,
  };
}

/** The six tokens source, bytes, protocol, address, port, time. */
export function metaTokens(meta: MessageMeta): string {
  return `${meta.source}|${meta.bytes}|${meta.protocol}|${meta.address}|${meta.port}|${timeOfDay()}`;
}
