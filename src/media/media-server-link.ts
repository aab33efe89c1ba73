import { backoff } from '../lib/backoff';
import { Emitter } from '../lib/emitter';
import { describeError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { withTimeout } from '../lib/timeout';
import { newMrf, tuneConnection } from './fsmrf';
import type { FsmrfEndpoint, FsmrfMediaServer } from './fsmrf';

export interface MediaServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface EslListenOptions {
  /** Where FreeSWITCH's outbound event sockets are accepted. Port 0 = any. */
  readonly host: string;
  readonly port: number;
  readonly advertiseHost?: string;
  readonly advertisePort?: number;
}

interface LinkEvents {
  up: readonly [];
  down: readonly [string];
}

/**
 * How long a channel that nobody hears any more is kept, milliseconds. The end of a call frees an agent for whom somebody waits: taking
 * down channels at that very moment would be in the way of his next call.
 */
const CLEAR_AFTER_MS = 40;

/** An api command on a local server takes about a millisecond; past this the link is taken for dead. */
const API_TIMEOUT_MS = 5_000;

/** The connection to one FreeSWITCH. Reconnects by itself with a fresh client, so that no half-dead state is carried over. */
export class MediaServerLink {
  readonly name: string;
  readonly events = new Emitter<LinkEvents>();
  #server: FsmrfMediaServer | undefined;
  #detail = 'not connected yet';
  #since = Date.now();
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #sessions = 0;
  #recordings: string | undefined;
  /** Channels that end soon. */
  readonly #clearing = new Map<string, NodeJS.Timeout>();
  readonly #address: MediaServerAddress;
  readonly #listen: EslListenOptions;
  readonly #srf: unknown;
  readonly #log: Log;

  constructor(address: MediaServerAddress, listen: EslListenOptions, srf: unknown, log: Log) {
    this.name = `${address.host}:${address.port}`;
    this.#address = address;
    this.#listen = listen;
    this.#srf = srf;
    this.#log = log.child({ freeswitch: this.name });
  }

  get state(): { readonly up: boolean; readonly detail: string; readonly since: number } {
    return { up: this.#server !== undefined, detail: this.#detail, since: this.#since };
  }

  /** Channels that this node has on the server; the pool prefers the least loaded. */
  get load(): number {
    return this.#sessions;
  }

  /** Host of the server's SIP address, from where its originated INVITEs come; undefined while the link is down. */
  get sipAddress(): string | undefined {
    return this.#server?.sip.ipv4.udp.address;
  }

  /** Connects once. @throws SK_FREESWITCH_UNREACHABLE; the link goes on trying in the background after `startRetrying`. */
  async connect(): Promise<void> {
    const { host, port, secret } = this.#address;
    try {
      const server = await newMrf(this.#srf).connect({
        address: host,
        port,
        secret,
        listenAddress: this.#listen.host,
        listenPort: this.#listen.port,
        ...(this.#listen.advertiseHost === undefined ? {} : { advertisedAddress: this.#listen.advertiseHost }),
        ...(this.#listen.advertisePort === undefined ? {} : { advertisedPort: this.#listen.advertisePort }),
      });
      this.#adopt(server);
    } catch (error) {
      this.#detail = describeError(error);
      throw new SidekickError('SK_FREESWITCH_UNREACHABLE', `FreeSWITCH at ${this.name} is not usable`, {
        why: describeError(error),
        next: 'check SIDEKICK_FREESWITCH (host:port:secret), the event socket ACL and that profile drachtio_mrf runs',
        cause: error,
      });
    }
  }

  #adopt(server: FsmrfMediaServer): void {
    if (this.#closed) {
      server.disconnect();
      return;
    }
    tuneConnection(server.conn);
    server.conn.subscribe('BACKGROUND_JOB');
    server.on('error', (error: unknown) => {
      this.#log.warn({ event: 'freeswitch_error', reason: describeError(error) });
    });
    server.once('end', () => {
      this.#lost(server, 'the event socket was closed');
    });
    this.#server = server;
    // It may be another server by now.
    this.#recordings = undefined;
    this.#since = Date.now();
    this.#detail = `SIP at ${server.sip.ipv4.udp.address ?? 'unknown'}`;
    this.#log.info({ event: 'freeswitch_up' });
    this.events.emit('up');
  }

  #lost(server: FsmrfMediaServer, detail: string): void {
    if (this.#server !== server) {
      return;
    }
    this.#server = undefined;
    this.#since = Date.now();
    this.#detail = detail;
    server.disconnect();
    if (!this.#closed) {
      this.#log.error({ event: 'freeswitch_down', reason: detail });
      this.events.emit('down', detail);
      this.startRetrying();
    }
  }

  startRetrying(attempt = 0): void {
    clearTimeout(this.#retry);
    if (this.#closed || this.#server) {
      return;
    }
    this.#retry = setTimeout(
      () => {
        this.connect().catch(() => {
          this.startRetrying(attempt + 1);
        });
      },
      backoff(attempt, { firstMs: 200, maxMs: 5_000 }),
    );
  }

  /** Sends an api command and gives its reply text. @throws SK_MEDIA_FAILED when the link is down or does not answer. */
  async api(command: string): Promise<string> {
    const server = this.#require();
    const verb = command.split(' ', 1)[0] ?? command;
    return await withTimeout(
      new Promise<string>((resolve) => {
        server.conn.api(command, (event) => {
          resolve(event.getBody() ?? '');
        });
      }),
      API_TIMEOUT_MS,
      () => {
        this.#lost(server, `no reply to ${verb} in ${API_TIMEOUT_MS} ms`);
        return new SidekickError('SK_MEDIA_FAILED', `FreeSWITCH at ${this.name} does not answer`, {
          context: { verb },
        });
      },
    );
  }

  /** As `api`, and the reply must start with +OK. @throws SK_MEDIA_FAILED with the reply as the reason. */
  async command(command: string): Promise<string> {
    const reply = await this.api(command);
    if (!reply.startsWith('+OK')) {
      throw new SidekickError('SK_MEDIA_FAILED', `FreeSWITCH refused ${command.split(' ', 1)[0] ?? ''}`, {
        why: reply.trim(),
      });
    }
    return reply;
  }

  /** Where the server puts recordings, a folder on its machine; undefined: it was started without one. @throws SK_MEDIA_FAILED */
  async recordingsFolder(): Promise<string | undefined> {
    if (this.#recordings === undefined) {
      const folder = (await this.api('global_getvar recordings_dir')).trim();
      this.#recordings = folder.startsWith('/') ? folder : undefined;
    }
    return this.#recordings;
  }

  /**
   * Starts a channel in the background (`originate`); resolves to its final reply, `+OK <uuid>` or `-ERR <cause>`. Never
   * through `api`, which would block the connection until the far end answers.
   */
  originate(args: string): Promise<string> {
    const server = this.#require();
    return new Promise((resolve) => {
      server.conn.bgapi(`originate ${args}`, (event) => {
        resolve((event.getBody() ?? '').trim());
      });
    });
  }

  /** Ends a channel without waiting; a channel that is already gone is fine. */
  kill(channel: string, cause = 'NORMAL_CLEARING'): void {
    this.api(`uuid_kill ${channel} ${cause}`).catch((error: unknown) => {
      this.#log.warn({ event: 'channel_kill_failed', channel, reason: describeError(error) });
    });
  }

  /** As `kill`, in a moment: for channels that nobody hears any more. */
  killSoon(channel: string): void {
    if (this.#closed) {
      this.kill(channel);
      return;
    }
    clearTimeout(this.#clearing.get(channel));
    const timer = setTimeout(() => {
      this.#clearing.delete(channel);
      this.kill(channel);
    }, CLEAR_AFTER_MS);
    this.#clearing.set(channel, timer);
  }

  /** @throws SK_MEDIA_FAILED, SK_MEDIA_OFFER_REFUSED (the offer has nothing FreeSWITCH can use) */
  async createEndpoint(remoteSdp: string, headers: Record<string, string>): Promise<FsmrfEndpoint> {
    const server = this.#require();
    this.#sessions++;
    try {
      const endpoint = await server.createEndpoint({ remoteSdp, headers });
      if (endpoint.conn) {
        tuneConnection(endpoint.conn);
      }
      return endpoint;
    } catch (error) {
      this.#sessions--;
      const status = error instanceof Error && 'status' in error ? Number(error.status) : 0;
      throw new SidekickError(
        status === 488 || status === 415 ? 'SK_MEDIA_OFFER_REFUSED' : 'SK_MEDIA_FAILED',
        status === 488 ? 'no codec in common' : 'no media endpoint could be made',
        { why: describeError(error), context: { status }, cause: error },
      );
    }
  }

  /** To be called once for every endpoint that `createEndpoint` gave, when it is gone. */
  endpointGone(): void {
    this.#sessions = Math.max(0, this.#sessions - 1);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const [channel, timer] of this.#clearing) {
      clearTimeout(timer);
      this.kill(channel);
    }
    this.#clearing.clear();
    const server = this.#server;
    this.#server = undefined;
    this.#detail = 'closed';
    server?.disconnect();
  }

  #require(): FsmrfMediaServer {
    if (!this.#server) {
      throw new SidekickError('SK_MEDIA_FAILED', `FreeSWITCH at ${this.name} is not connected`, { why: this.#detail });
    }
    return this.#server;
  }
}
