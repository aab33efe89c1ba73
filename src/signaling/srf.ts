/**
 * The part of drachtio-srf 5 that Sidekick uses, typed as it behaves (the package's own types miss most of it). Only this file
 * touches the package.
 */
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';

export interface SipMessage {
  readonly body: string;
  readonly source: 'network' | 'application';
  readonly source_address: string;
  readonly source_port: string | number;
  readonly protocol: string;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

export interface SipRequest extends SipMessage, Pick<EventEmitter, 'on' | 'once' | 'removeListener'> {
  readonly method: string;
  readonly uri: string;
  readonly stackTxnId?: string;
  readonly stackDialogId?: string;
  readonly receivedOn?: { readonly address?: string; readonly port?: string };
  getParsedHeader(name: 'from' | 'to' | 'p-asserted-identity'): { readonly uri: string; readonly name?: string };
  cancel(options: { readonly headers?: Record<string, string> }, callback: (error: unknown) => void): void;
}

export interface SipResponse extends SipMessage {
  readonly status: number;
  readonly reason: string;
  readonly finalResponseSent: boolean;
  send(
    status: number,
    options?: { readonly headers?: Record<string, string>; readonly body?: string; readonly reason?: string },
    callback?: (error: unknown) => void,
  ): void;
}

export interface SipDialog extends Pick<EventEmitter, 'on' | 'once' | 'removeListener'> {
  readonly id: string;
  readonly connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly sdp: string; readonly contact?: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  destroy(options: { readonly headers?: Record<string, string> }, callback: (error: unknown) => void): void;
  request(
    options: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
    callback: (error: unknown, response: SipResponse) => void,
  ): void;
}

export interface SipError extends Error {
  readonly status: number;
  readonly reason?: string;
  readonly res?: SipResponse;
}

export interface CreateUacOptions {
  readonly localSdp: string;
  readonly headers: Record<string, string>;
  /** Where to send it, whatever the request URI says: a URI with `;lr`. */
  readonly proxy?: string;
  readonly auth?: { readonly username: string; readonly password: string };
}

export interface Srf extends EventEmitter {
  connect(options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly enablePing?: boolean;
    readonly pingInterval?: number;
    readonly reconnect?: { readonly retryMaxDelay?: number };
  }): void;
  disconnect(): void;
  invite(handler: (request: SipRequest, response: SipResponse) => void): void;
  options(handler: (request: SipRequest, response: SipResponse) => void): void;
  /** Callback form only: the promise form loses responses that arrive with the server's confirmation. */
  request(
    uri: string,
    options: {
      readonly method: string;
      readonly stackDialogId?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Where to send it, whatever the URI says: a URI with `;lr`. */
      readonly proxy?: string;
    },
    callback: (error: unknown, request: SipRequest) => void,
  ): void;
  createUAS(
    request: SipRequest,
    response: SipResponse,
    options: { readonly localSdp: string; readonly headers?: Record<string, string> },
    callback: (error: unknown, dialog: SipDialog) => void,
  ): void;
  createUAC(
    uri: string,
    options: CreateUacOptions,
    progress: {
      readonly cbRequest?: (error: unknown, request: SipRequest) => void;
      readonly cbProvisional?: (response: SipResponse) => void;
    },
    callback: (error: unknown, dialog: SipDialog) => void,
  ): void;
}

const load = createRequire(__filename);

/** A new, unconnected drachtio-srf application. */
export function newSrf(): Srf {
  const Constructor = load('drachtio-srf') as new () => Srf;
  return new Constructor();
}

export function isSipError(error: unknown): error is SipError {
  return error instanceof Error && typeof (error as { status?: unknown }).status === 'number';
}

/** What drachtio-srf keeps of its connection; private to it. */
interface Wire {
  closing: boolean;
  readonly reconnectVars?: { retryTimer?: NodeJS.Timeout | null };
}

/**
 * Ends the connection and every attempt to make one. drachtio-srf's own `disconnect` throws where there is no connection now, and
 * goes on trying for ever.
 */
export function disconnectForGood(srf: Srf): void {
  const { client } = (srf as unknown as { readonly _app?: { readonly client?: { readonly wp?: Wire } } })._app ?? {};
  if (client === undefined) {
    // Nobody has asked it to connect yet: a node that fails before that has nothing to end here.
    return;
  }
  const { wp: wire } = client;
  try {
    srf.disconnect();
  } catch (error) {
    if (wire === undefined) {
      throw error;
    }
  }
  if (wire !== undefined) {
    wire.closing = true;
    clearTimeout(wire.reconnectVars?.retryTimer ?? undefined);
  }
}
