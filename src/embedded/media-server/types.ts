/** How the embedded media server is started and what it tells about itself. */
import type { G711Name } from '../rtp/g711';
import type { DialplanAction } from './channel/channel-control';

export interface MediaServerTimers {
  /** FreeSWITCH holds its answer back this long when hold goes on or off. */
  readonly holdDelayMs: number;
  readonly heartbeatMs: number;
  /** How long the outbound event socket may take to connect. */
  readonly socketConnectMs: number;
  /** What a channel gets as `media_timeout` before it is answered; 0 = none. */
  readonly mediaTimeoutMs: number;
}

export interface MediaServerOptions {
  /** SIP over UDP and TCP. Port 0 = any. */
  readonly sip: { readonly host: string; readonly port: number };
  /** Event socket. Port 0 = any. */
  readonly esl: { readonly host: string; readonly port: number; readonly secret: string };
  /** Address for RTP, shown in SDP. */
  readonly rtpHost: string;
  readonly rtpPortRange?: readonly [number, number];
  /** More channels than this are refused with 503. Default 1,000. */
  readonly maxSessions?: number;
  /** Folder for sound files that are named without a path. */
  readonly prompts?: string;
  /** Endless streams by name, as WAV files; `moh` is composed music unless given. */
  readonly streams?: Readonly<Record<string, string>>;
  /** Codecs in order of preference: the first that an offer has is the answer. Default PCMA, PCMU. */
  readonly codecs?: readonly G711Name[];
  /** Dialplan of endpoints and further extensions; the defaults are those of sbc-config. */
  readonly dialplan?: readonly DialplanAction[];
  readonly extensions?: Readonly<Record<string, readonly DialplanAction[]>>;
  /** Global variables, for example `hold_music`. */
  readonly globals?: Readonly<Record<string, string>>;
  readonly timers?: Partial<MediaServerTimers>;
  /** One line per thing worth knowing; `event` is a constant. */
  readonly log?: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface MediaServerStats {
  readonly channels: number;
  readonly sessionsSinceStart: number;
  readonly refused: number;
  readonly eslConnections: number;
  /** What event socket clients sent and was not understood. */
  readonly eslRejected: number;
  readonly ticks: number;
  /** Beats more than 10 ms late, and beats that were lost altogether. */
  readonly lateTicks: number;
  readonly skippedTicks: number;
  readonly worstTickMs: number;
  readonly rtpIn: number;
  readonly rtpOut: number;
  /** Packets that were no RTP, of another type, or from strangers. */
  readonly rtpIgnored: number;
  /** 20 ms frames that had to be made up because a packet was missing or late. */
  readonly concealed: number;
  readonly srtpFailures: number;
}

export interface EmbeddedMediaServer {
  readonly sip: { readonly host: string; readonly port: number };
  readonly esl: { readonly host: string; readonly port: number };
  /** Live channels. */
  readonly channels: number;
  stats(): MediaServerStats;
  /** Hangs up all channels and gives everything back. Idempotent. */
  close(): Promise<void>;
}

export const DEFAULT_TIMERS: MediaServerTimers = {
  holdDelayMs: 250,
  heartbeatMs: 20_000,
  socketConnectMs: 2_000,
  mediaTimeoutMs: 300_000,
};

/** The dialplan of fsmrf's endpoints. What follows `socket` is reached only when the event socket is lost. */
export function defaultDialplan(mediaTimeoutMs: number): readonly DialplanAction[] {
  return [
    ...(mediaTimeoutMs > 0 ? [{ app: 'set', arg: `media_timeout=${mediaTimeoutMs}` }] : []),
    { app: 'answer', arg: '' },
    { app: 'set', arg: 'send_silence_when_idle=-1' },
    { app: 'set', arg: 'hangup_after_bridge=false' },
    { app: 'set', arg: 'park_after_bridge=true' },
    { app: 'set', arg: 'playback_terminators=none' },
    { app: 'socket', arg: '${sip_h_X-esl-outbound} async full' },
    { app: 'playback', arg: 'local_stream://moh/8000' },
    { app: 'park', arg: '' },
  ];
}

/** Places that a channel can be sent to by name. */
export const DEFAULT_EXTENSIONS: Readonly<Record<string, readonly DialplanAction[]>> = {
  'cc-music': [
    { app: 'set', arg: 'send_silence_when_idle=-1' },
    { app: 'playback', arg: 'local_stream://moh/8000' },
    { app: 'park', arg: '' },
  ],
  park: [{ app: 'park', arg: '' }],
};
