/**
 * The part of drachtio-fsmrf 4.1 (and of its event socket library) that Sidekick uses, typed as it behaves; the package has
 * no types. Only this file touches the package.
 */
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

export interface EslEvent {
  getBody(): string | undefined;
  getHeader(name: string): string | undefined;
}

export interface EslConnection {
  socket: Socket | null;
  connected(): boolean;
  send(command: string, args?: Record<string, string> | null): void;
  api(command: string, callback: (event: EslEvent) => void): void;
  bgapi(command: string, callback: (event: EslEvent) => void): void;
  subscribe(events: string, callback?: () => void): void;
  filter(header: string, value: string, callback?: () => void): void;
  on(event: string, handler: (event: EslEvent) => void): void;
  removeAllListeners(event?: string): void;
  disconnect(): void;
}

export interface FsmrfDialog {
  readonly id: string;
  readonly connected: boolean;
  on(event: 'destroy', handler: () => void): void;
  destroy(options: object, callback: (error: unknown) => void): void;
  request(
    options: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
    callback: (error: unknown, response: { readonly status: number; readonly body: string }) => void,
  ): void;
}

export interface FsmrfEndpoint extends EventEmitter {
  readonly uuid: string;
  readonly conn: EslConnection | null;
  readonly connected: boolean;
  readonly dialog: FsmrfDialog;
  readonly local: { readonly sdp: string };
  execute(app: string, arg: string, callback: (error: unknown, event: EslEvent) => void): void;
}

export interface FsmrfMediaServer extends EventEmitter {
  readonly conn: EslConnection;
  readonly maxSessions: number;
  readonly currentSessions: number;
  readonly sip: { readonly ipv4: { readonly udp: { readonly address?: string } } };
  createEndpoint(options: {
    readonly remoteSdp: string;
    readonly headers?: Record<string, string>;
  }): Promise<FsmrfEndpoint>;
  disconnect(): void;
}

interface Mrf extends EventEmitter {
  connect(options: {
    readonly address: string;
    readonly port: number;
    readonly secret: string;
    readonly listenAddress: string;
    readonly listenPort: number;
    readonly advertisedAddress?: string;
    readonly advertisedPort?: number;
  }): Promise<FsmrfMediaServer>;
}

const load = createRequire(__filename);

export function newMrf(srf: unknown): Mrf {
  const Constructor = load('drachtio-fsmrf') as new (srf: unknown) => Mrf;
  return new Constructor(srf);
}

/**
 * Takes the delay out of an event socket: the library writes each line of a command by itself, and with Nagle's algorithm
 * each command then costs 44 ms (measured). One write per command, sent at once.
 */
export function tuneConnection(connection: EslConnection): void {
  connection.socket?.setNoDelay(true);
  connection.send = (command, args) => {
    const lines = [command, ...Object.entries(args ?? {}).map(([name, value]) => `${name}: ${value}`)];
    connection.socket?.write(`${lines.join('\n')}\n\n`);
  };
}
