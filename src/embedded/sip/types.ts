/**
 * The contract of the SIP stack that the embedded servers share (RFC 3261, 3262, 3263 without DNS, 3581, 4028, 6026).
 * Layers, bottom up: message.ts (parse, serialise) · transport-*.ts (UDP, TCP, TLS, WS) · transaction-*.ts (four machines)
 * · stack.ts (transports and transactions) · user-agent.ts, session.ts (dialogs). The embedded sip-server sits on
 * stack.ts; the media server, the simulated Teams tenant and the simulated carrier sit on user-agent.ts.
 */
import type { SipMessage } from './message';

export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws';

export interface Peer {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** TLS, outgoing: name for SNI and for the check of the peer's certificate; default: the address, if it is a name. */
  readonly serverName?: string;
}

export interface TlsIdentity {
  /** PEM. */
  readonly key: string;
  /** PEM, leaf first, chain after it. */
  readonly cert: string;
  /** PEM of the roots that a peer's certificate must chain to. Without it any certificate is accepted. */
  readonly ca?: string;
  /** As a server: ask the peer for a certificate and refuse one that does not chain to `ca`. */
  readonly requireClientCertificate?: boolean;
  /** The newest version of TLS that is spoken. Default 1.3. */
  readonly maxVersion?: 'TLSv1.2';
}

export interface ListenOptions {
  readonly protocol: Protocol;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly tls?: TlsIdentity;
}

/** RFC 3261 17.1.1.1 timers in milliseconds; tests shorten them. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
}

export interface StackOptions {
  readonly listen: readonly ListenOptions[];
  /** Identity shown on TLS connections that the stack opens. */
  readonly tlsClient?: TlsIdentity;
  readonly timers?: Partial<SipTimers>;
  /** Larger messages are refused (stream: connection closed; datagram: dropped) and counted. Default 65,535 bytes. */
  readonly maxMessageBytes?: number;
  /** Header lines in one message. Default 256. */
  readonly maxHeaders?: number;
  /** Streams: a message that is not complete after this time closes the connection. Default 10,000 ms. */
  readonly partialMessageMs?: number;
  /** Streams: connections at once per listener; more are closed at once. Default 4,000. */
  readonly maxConnections?: number;
  /** Server transactions at once; more requests are dropped unanswered and counted. Default 20,000. */
  readonly maxTransactions?: number;
  /** A handler of an owner threw; the stack goes on (an unanswered request gets 500). Default: only counted. */
  readonly onHandlerError?: (error: unknown) => void;
  /** Sees every message as it goes over the wire, for ladders and rule checks. */
  readonly onWire?: (direction: 'in' | 'out', message: SipMessage, peer: Peer) => void;
}

/** What happens to one request that came in. ACK for a 2xx comes through `onAck` of the stack instead. */
export interface ServerTransaction {
  readonly request: SipMessage;
  readonly source: Peer;
  /** Local address and port on which it came in. */
  readonly receivedOn: Peer;
  /** TLS: the subject alternative names of the peer's verified certificate. */
  readonly peerNames?: readonly string[];
  /** Sends a response; Via, From, To, Call-ID and CSeq are completed from the request. False if the transaction is over. */
  respond(response: SipMessage): boolean;
  /** INVITE only: a CANCEL came. The stack has answered the CANCEL with 200; the owner answers the INVITE (487). */
  onCancel(handler: (cancel: SipMessage) => void): void;
  /** INVITE only: the ACK for a non-2xx final came, or none came in time (64·T1). */
  onDone(handler: (how: 'ack' | 'timeout' | 'transport-error') => void): void;
}

/** What happens to one request that was sent. Finals made by the stack (408, 503) look like responses with `internal`. */
export interface ClientTransaction {
  readonly request: SipMessage;
  readonly target: Peer;
  onResponse(handler: (response: SipMessage, internal: boolean) => void): void;
  /** INVITE only: sends CANCEL now or, if no provisional came yet, when one comes (RFC 3261 9.1). */
  cancel(headers?: Readonly<Record<string, string>>): void;
}

export interface SessionEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport';
  /** Reason header of the BYE or CANCEL, if it had one. */
  readonly reason?: string;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly contentType?: string;
}

export interface ReinviteOptions extends RequestOptions {
  /** Without an offer in the re-INVITE: makes the ACK's SDP from the 200. */
  readonly ackSdp?: (response: SipMessage) => string;
  /** Sends it although one of the peer waits for our answer, as two sides do that cannot see each other. */
  readonly crossing?: boolean;
}

/** One dialog made by an INVITE, seen from either side. `close()` is idempotent and sends nothing; `bye()` hangs up. */
export interface Session {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  readonly state: 'early' | 'confirmed' | 'ended';
  /** Last SDP received from and sent to the peer. */
  readonly remoteSdp: string | undefined;
  readonly localSdp: string | undefined;
  onEnd(handler: (end: SessionEnd) => void): void;
  /** A re-INVITE or UPDATE of the peer. Without a handler it is answered 200 with the last local SDP. */
  onReinvite(handler: (reinvite: IncomingRequest) => void): void;
  /** Any other in-dialog request (INFO, REFER, NOTIFY, MESSAGE, OPTIONS…). Without a handler: 200. */
  onRequest(handler: (request: IncomingRequest) => void): void;
  bye(options?: RequestOptions): Promise<void>;
  /** Sends a re-INVITE and resolves to its final response, whatever its status; the ACK is sent for you. */
  reinvite(sdp: string | undefined, options?: ReinviteOptions): Promise<SipMessage>;
  /** Sends any other in-dialog request and resolves to the final response. */
  request(method: string, options?: RequestOptions): Promise<SipMessage>;
  close(): void;
}

export interface IncomingRequest {
  readonly message: SipMessage;
  readonly source: Peer;
  respond(status: number, reason?: string, options?: RequestOptions): void;
}

export interface IncomingSession extends Session {
  /** The INVITE that made it. */
  readonly invite: SipMessage;
  readonly source: Peer;
  readonly receivedOn: Peer;
  readonly peerNames?: readonly string[];
  /** 1xx other than 100. `reliable` asks for 100rel and resolves when the PRACK came (RFC 3262). */
  progress(
    status: number,
    options?: RequestOptions & { readonly reason?: string; readonly reliable?: boolean },
  ): Promise<void>;
  /** 200 with the SDP answer (or offer, if the INVITE had none). Resolves when the ACK came; rejects when none came. */
  accept(sdp: string, options?: RequestOptions): Promise<SipMessage>;
  reject(status: number, reason?: string, options?: RequestOptions): void;
  onCancel(handler: (reason: string | undefined) => void): void;
}

export interface OutgoingSession extends Session {
  /** The INVITE as sent last (after a 422 it is a second one). */
  readonly invite: SipMessage;
  /** Each provisional response except 100, from any fork. */
  onProgress(handler: (response: SipMessage) => void): void;
  /** Resolves to the 200 (ACK sent; its body is `ackSdp(response)` if the INVITE had no offer). Rejects with SipRejected. */
  readonly answered: Promise<SipMessage>;
  /** Before the final: CANCEL. A 200 that crosses it is ACKed and followed by BYE. */
  cancel(options?: RequestOptions): void;
}

export interface InviteOptions extends RequestOptions {
  /** Where to send it; default: from the request URI's host, port and transport. */
  readonly target?: Peer;
  readonly from?: string;
  readonly to?: string;
  readonly contact?: string;
  readonly callId?: string;
  readonly sdp?: string;
  /** Delayed offer: makes the ACK's SDP from the 200. */
  readonly ackSdp?: (response: SipMessage) => string;
  /** Asks for a session timer (RFC 4028), seconds. */
  readonly sessionExpires?: number;
}

export interface UserAgentOptions {
  /** Contact of all requests and responses; default `<sip:host:port;transport=x>` of the socket in use. */
  readonly contact?: string;
  readonly userAgent?: string;
  readonly allow?: readonly string[];
  readonly supported?: readonly string[];
  /** Smallest session interval accepted and asked for (RFC 4028 Min-SE), seconds. Default 90. */
  readonly minSessionExpires?: number;
}
