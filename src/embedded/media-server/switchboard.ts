/** All channels of one media server and everything that they share: makes them, beats them, ends them. */
import { connect } from 'node:net';
import { describeError } from '../../lib/errors';
import { onTick, tickStats } from '../rtp/clock';
import type { G711Name } from '../rtp/g711';
import { RtpSocket } from '../rtp/rtp-socket';
import type { OpenSocket } from './apps/app-context';
import { prepareApplication } from './apps/registry';
import type { ApiServices, ServerSwitches } from './api/api-services';
import { runApi } from './api/registry';
import { Channel } from './channel/channel';
import type { CallerProfile, ChannelHost } from './channel/channel';
import { ChannelControl } from './channel/channel-control';
import type { DialplanAction } from './channel/channel-control';
import { EslConnection } from './esl/connection';
import type { EslServices } from './esl/connection';
import { EventHub } from './esl/event-hub';
import { MediaLeg } from './media/media-leg';
import { Negotiation } from './media/negotiation';
import { SoundLibrary } from './media/sound-library';
import { DEFAULT_EXTENSIONS, DEFAULT_TIMERS } from './types';
import type { MediaServerOptions, MediaServerStats, MediaServerTimers } from './types';

export const VERSION = '1.11.1-release+embedded~64bit';
export const PROFILE = 'drachtio_mrf';
const DEFAULT_MAX_SESSIONS = 1000;

export interface NewChannel {
  readonly uuid: string;
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  readonly caller: CallerProfile;
  readonly variables: Iterable<readonly [string, string]>;
  readonly codecs: readonly G711Name[];
}

interface Totals {
  rtpIn: number;
  rtpOut: number;
  rtpIgnored: number;
  concealed: number;
  srtpFailures: number;
}

export class Switchboard {
  readonly options: MediaServerOptions;
  readonly timers: MediaServerTimers;
  readonly hub: EventHub;
  readonly control: ChannelControl;
  readonly channels = new Map<string, Channel>();
  readonly globals: Map<string, string>;
  readonly codecs: readonly G711Name[];
  readonly api: ApiServices;
  readonly switches: ServerSwitches;
  readonly esl: EslServices;
  readonly #host: ChannelHost;
  readonly #startedAt = Date.now();
  readonly #sockets = new Map<Channel, Set<EslConnection>>();
  readonly #timeouts = new Map<Channel, Set<NodeJS.Timeout>>();
  readonly #pastTotals: Totals = { rtpIn: 0, rtpOut: 0, rtpIgnored: 0, concealed: 0, srtpFailures: 0 };
  readonly #extensions: Readonly<Record<string, readonly DialplanAction[]>>;
  #reserved = 0;
  #sessions = 0;
  #peak = 0;
  #eslRejected = 0;
  #stopTick: (() => void) | undefined;
  #originate: (args: string) => Promise<string> = () => Promise.resolve('-ERR SYSTEM_SHUTDOWN\n');
  #sipAddress = '';
  refused = 0;
  closing = false;

  constructor(options: MediaServerOptions) {
    this.options = options;
    this.timers = { ...DEFAULT_TIMERS, ...options.timers };
    this.codecs = options.codecs ?? ['PCMA', 'PCMU'];
    this.globals = new Map(Object.entries({ hold_music: 'local_stream://moh/8000', ...options.globals }));
    this.#extensions = { ...DEFAULT_EXTENSIONS, ...options.extensions };
    this.switches = {
      maxSessions: options.maxSessions ?? DEFAULT_MAX_SESSIONS,
      sessionsPerSecond: 500,
      pausedInbound: false,
      pausedOutbound: false,
    };
    this.hub = new EventHub({ hostname: 'embedded', switchname: 'embedded', address: options.rtpHost });
    this.control = new ChannelControl({
      extension: (name) => this.extension(name),
      goodbye: (channel) => {
        for (const socket of this.#sockets.get(channel) ?? []) {
          socket.channelGone();
        }
      },
      release: (channel) => {
        this.#release(channel);
      },
    });
    const apps = {
      sounds: new SoundLibrary({
        ...(options.prompts === undefined ? {} : { prompts: options.prompts }),
        ...(options.streams === undefined ? {} : { streams: options.streams }),
        onProblem: (path, error) => {
          this.log('sound_unreadable', { path, reason: describeError(error) });
        },
      }),
      control: this.control,
      openSocket: (channel: Channel, host: string, port: number, full: boolean) =>
        this.#openSocket(channel, host, port, full),
      recordingProblem: (channel: Channel, path: string, error: unknown) => {
        this.log('recording_failed', { channel: channel.uuid, path, reason: describeError(error) });
      },
    };
    this.#host = {
      hub: this.hub,
      globalVariable: (name) => this.globals.get(name),
      prepare: (channel, app, arg) => {
        const prepared = prepareApplication(channel, app, arg, apps);
        if (prepared === undefined) {
          this.log('application_unknown', { channel: channel.uuid, app: app.slice(0, 50) });
        }
        return prepared;
      },
      hangup: (channel, cause) => {
        this.control.hangup(channel, cause);
      },
      problem: (channel, what, error) => {
        this.log('channel_problem', {
          channel: channel.uuid,
          what,
          ...(error === undefined ? {} : { reason: describeError(error) }),
        });
      },
    };
    this.api = {
      channels: this.channels,
      control: this.control,
      apps,
      hub: this.hub,
      globals: this.globals,
      switches: this.switches,
      version: VERSION,
      profile: PROFILE,
      sipAddress: () => this.#sipAddress,
      figures: () => ({
        startedAt: this.#startedAt,
        sessionsSinceStart: this.#sessions,
        peak: this.#peak,
        lateTicks: tickStats().late,
      }),
      extension: (name) => this.extension(name),
      originate: (args) => this.#originate(args),
      schedule: (channel, ms, fn) => {
        this.#schedule(channel, ms, fn);
      },
    };
    this.esl = {
      hub: this.hub,
      runApi: (command, args) => runApi(command, args, this.api),
      channel: (uuid) => this.channels.get(uuid),
      rejected: (why) => {
        this.#eslRejected++;
        this.log('event_socket_rejected', { why });
      },
    };
  }

  /** The SIP side is up: its address for `sofia status`, and who calls out. */
  attach(sipAddress: string, originate: (args: string) => Promise<string>): void {
    this.#sipAddress = sipAddress;
    this.#originate = originate;
  }

  log(event: string, details: Readonly<Record<string, unknown>>): void {
    this.options.log?.(event, details);
  }

  extension(name: string): readonly DialplanAction[] | undefined {
    return Object.hasOwn(this.#extensions, name) ? this.#extensions[name] : undefined;
  }

  get full(): boolean {
    return this.channels.size + this.#reserved >= this.switches.maxSessions;
  }

  /** Opens the RTP port and makes the channel. Undefined if the server is full, closing, or has no port left. */
  async open(init: NewChannel): Promise<Channel | undefined> {
    if (this.closing || this.full || this.channels.has(init.uuid)) {
      this.refused++;
      return undefined;
    }
    this.#reserved++;
    let socket: RtpSocket;
    try {
      const range = this.options.rtpPortRange;
      socket = await RtpSocket.open({
        host: this.options.rtpHost,
        ...(range === undefined ? {} : { portRange: range }),
      });
    } catch (error) {
      this.refused++;
      this.log('rtp_port_missing', { reason: describeError(error) });
      return undefined;
    } finally {
      this.#reserved--;
    }
    if (this.closing || this.channels.has(init.uuid)) {
      socket.close();
      return undefined;
    }
    const negotiation = new Negotiation({ address: this.options.rtpHost, port: socket.port, codecs: init.codecs });
    const channel = new Channel({ ...init, media: new MediaLeg(socket), negotiation }, this.#host);
    this.channels.set(channel.uuid, channel);
    this.#sessions++;
    this.#peak = Math.max(this.#peak, this.channels.size);
    this.#stopTick ??= onTick((tick) => {
      this.#beat(tick);
    });
    return channel;
  }

  stats(eslConnections: number): MediaServerStats {
    const ticks = tickStats();
    const totals = { ...this.#pastTotals };
    for (const channel of this.channels.values()) {
      addTotals(totals, channel);
    }
    return {
      channels: this.channels.size,
      sessionsSinceStart: this.#sessions,
      refused: this.refused,
      eslConnections,
      eslRejected: this.#eslRejected,
      ticks: ticks.ticks,
      lateTicks: ticks.late,
      skippedTicks: ticks.skipped,
      worstTickMs: ticks.worstMs,
      ...totals,
    };
  }

  /** Hangs up everything. */
  close(): void {
    this.closing = true;
    for (const channel of [...this.channels.values()]) {
      channel.hangup('SYSTEM_SHUTDOWN');
    }
  }

  /** Resolves when the last channel is gone. */
  async drained(): Promise<void> {
    for (let round = 0; this.channels.size > 0 && round < 200; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const connections of this.#sockets.values()) {
      for (const connection of connections) {
        connection.close();
      }
    }
  }

  #beat(tick: number): void {
    const now = performance.now();
    for (const channel of this.channels.values()) {
      channel.readBeat(now);
    }
    for (const channel of this.channels.values()) {
      channel.writeBeat(tick);
    }
  }

  #release(channel: Channel): void {
    addTotals(this.#pastTotals, channel);
    channel.media.close();
    for (const timer of this.#timeouts.get(channel) ?? []) {
      clearTimeout(timer);
    }
    this.#timeouts.delete(channel);
    this.channels.delete(channel.uuid);
    if (this.channels.size === 0) {
      this.#stopTick?.();
      this.#stopTick = undefined;
    }
  }

  #schedule(channel: Channel, ms: number, fn: () => void): void {
    const timers = this.#timeouts.get(channel) ?? new Set();
    this.#timeouts.set(channel, timers);
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        fn();
      },
      Math.min(ms, 0x7fffffff),
    );
    timers.add(timer);
  }

  /** Dials the app for one channel. The connection lives until the channel is gone. */
  #openSocket(channel: Channel, host: string, port: number, full: boolean): Promise<OpenSocket | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host, port, noDelay: true });
      const failed = (reason: string): void => {
        clearTimeout(timer);
        socket.destroy();
        this.log('event_socket_unreachable', { channel: channel.uuid, target: `${host}:${port}`, reason });
        resolve(undefined);
      };
      const timer = setTimeout(() => {
        failed('no connection in time');
      }, this.timers.socketConnectMs);
      socket.once('error', (error) => {
        failed(error.message);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        const connection = new EslConnection(socket, this.esl, { own: channel, full });
        const connections = this.#sockets.get(channel) ?? new Set();
        this.#sockets.set(channel, connections.add(connection));
        connection.onClose(() => {
          connections.delete(connection);
          if (connections.size === 0) {
            this.#sockets.delete(channel);
          }
        });
        if (channel.ended) {
          connection.channelGone();
        }
        resolve(connection);
      });
    });
  }
}

function addTotals(totals: Totals, channel: Channel): void {
  const { stats, jitterStats } = channel.media;
  totals.rtpIn += stats.packetsIn;
  totals.rtpOut += stats.packetsOut;
  totals.rtpIgnored += stats.ignored + stats.strangers;
  totals.concealed += jitterStats.concealed;
  totals.srtpFailures += stats.srtpFailures;
}
