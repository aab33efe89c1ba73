/** The audio of an SDP (RFC 4566, 3264) as far as telephony with G.711 needs it. */
import { isIP } from 'node:net';
import { parse, write } from 'sdp-transform';
import type { SdpMedia, SdpSession } from 'sdp-transform';
import { SidekickError } from '../../lib/errors';
import { formatCryptoKey, parseCrypto } from './sdes';
import type { SdesCrypto } from './sdes';

export type RtpProfile = 'RTP/AVP' | 'RTP/SAVP';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface AudioCodec {
  /** Upper case: `PCMA`, `PCMU`, `OPUS`, `CN`… */
  readonly name: string;
  readonly payloadType: number;
  readonly rate: number;
}

export interface AudioDescription {
  readonly address: string;
  readonly port: number;
  readonly profile: RtpProfile;
  /** In order of preference, without telephone-event. */
  readonly codecs: readonly AudioCodec[];
  /** Payload type of telephone-event at 8 kHz. */
  readonly telephoneEvent?: number;
  readonly direction: Direction;
  /** Lines with a suite that we speak; RTP/SAVP only. */
  readonly crypto: readonly SdesCrypto[];
  /** Suites of the other lines, to say why an offer was refused. */
  readonly otherSuites?: readonly string[];
  readonly ptime?: number;
  /** The old way of hold: connection address 0.0.0.0 (RFC 3264 8.4). */
  readonly connectionHold: boolean;
  /** Which m-line of how many this is; an answer refuses the others with port 0. */
  readonly mediaIndex?: number;
  readonly otherMedia?: readonly { readonly type: string; readonly protocol: string; readonly payloads: string }[];
  /** o= line. */
  readonly origin?: {
    readonly username: string;
    readonly sessionId: string;
    readonly version: number;
    readonly address: string;
  };
  readonly sessionName?: string;
  /** False leaves the direction line out, which means sendrecv (RFC 3264 5.1). */
  readonly writeDirection?: boolean;
}

const STATIC_CODECS: Readonly<Record<number, AudioCodec>> = {
  0: { name: 'PCMU', payloadType: 0, rate: 8000 },
  3: { name: 'GSM', payloadType: 3, rate: 8000 },
  8: { name: 'PCMA', payloadType: 8, rate: 8000 },
  9: { name: 'G722', payloadType: 9, rate: 8000 },
  13: { name: 'CN', payloadType: 13, rate: 8000 },
  18: { name: 'G729', payloadType: 18, rate: 8000 },
};
const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const MAX_SDP_CHARS = 65_536;

function refuse(what: string, why: string, next: string): SidekickError {
  return new SidekickError('SK_MEDIA_OFFER_REFUSED', what, { why, next });
}

/** Reads the first audio line that has a port and a profile we speak. Throws SK_MEDIA_OFFER_REFUSED, saying what is wrong. */
export function parseAudio(sdp: string): AudioDescription {
  if (sdp.length > MAX_SDP_CHARS) {
    throw refuse('SDP is too long', `${sdp.length} characters`, 'send fewer codecs and candidates');
  }
  if (!/^v=0/m.test(sdp)) {
    throw refuse('not an SDP', 'no v=0 line', 'send a body of type application/sdp');
  }
  const session = parse(sdp);
  const index = chooseAudio(session.media);
  const media = session.media[index];
  if (media === undefined) {
    throw refuse(
      'SDP has no usable audio',
      describeMedia(session.media),
      'offer m=audio with RTP/AVP or RTP/SAVP and a port',
    );
  }
  const connection = media.connection ?? session.connection;
  if (connection === undefined || isIP(connection.ip) === 0) {
    throw refuse(
      'SDP has no usable address',
      `c= is ${connection?.ip ?? 'missing'}`,
      'send c=IN IP4 with a numeric address',
    );
  }
  const payloads = payloadTypes(media);
  const codecs = payloads.map((pt) => codecOf(media, pt)).filter((c) => c !== undefined);
  const event = codecs.find((c) => c.name === 'TELEPHONE-EVENT' && c.rate === 8000);
  const lines = media.crypto ?? session.crypto ?? [];
  const crypto = lines
    .map((l) => parseCrypto(`${l.id} ${l.suite} ${l.config} ${l.sessionConfig ?? ''}`))
    .filter((c) => c !== undefined);
  const direction = media.direction ?? session.direction ?? 'sendrecv';
  return {
    address: connection.ip,
    port: media.port,
    profile: profileOf(media) ?? 'RTP/AVP',
    codecs: codecs.filter((c) => c.name !== 'TELEPHONE-EVENT'),
    ...(event === undefined ? {} : { telephoneEvent: event.payloadType }),
    direction: (DIRECTIONS.includes(direction) ? direction : 'sendrecv') as Direction,
    crypto,
    otherSuites: lines.map((l) => l.suite).filter((suite) => !crypto.some((c) => c.suite === suite)),
    ...(typeof media.ptime === 'number' && media.ptime > 0 ? { ptime: media.ptime } : {}),
    connectionHold: connection.ip === '0.0.0.0' || connection.ip === '::',
    mediaIndex: index,
    otherMedia: session.media
      .filter((m) => m !== media)
      .map((m) => ({ type: m.type, protocol: m.protocol, payloads: String(m.payloads ?? '0') })),
    ...originOf(session),
  };
}

/** Writes an SDP with this audio line in the order of lines that FreeSWITCH uses. Other m-lines are refused with port 0. */
export function formatAudio(audio: AudioDescription): string {
  const events = audio.telephoneEvent;
  const audioLine: SdpMedia = {
    type: 'audio',
    port: audio.port,
    protocol: audio.profile,
    payloads: [...audio.codecs.map((c) => c.payloadType), ...(events === undefined ? [] : [events])].join(' '),
    rtp: [
      ...audio.codecs.map((c) => ({ payload: c.payloadType, codec: c.name, rate: c.rate })),
      ...(events === undefined ? [] : [{ payload: events, codec: 'telephone-event', rate: 8000 }]),
    ],
    fmtp: events === undefined ? [] : [{ payload: events, config: '0-15' }],
    ...(audio.crypto.length === 0
      ? {}
      : { crypto: audio.crypto.map((c) => ({ id: c.tag, suite: c.suite, config: formatCryptoKey(c) })) }),
    ...(audio.ptime === undefined ? {} : { ptime: audio.ptime }),
    ...(audio.writeDirection === false ? {} : { direction: audio.direction }),
  };
  const media = (audio.otherMedia ?? []).map((m): SdpMedia => ({
    type: m.type,
    port: 0,
    protocol: m.protocol,
    payloads: m.payloads,
    rtp: [],
    fmtp: [],
  }));
  media.splice(audio.mediaIndex ?? 0, 0, audioLine);
  const ipVer = isIP(audio.address) === 6 ? 6 : 4;
  const origin = audio.origin ?? { username: '-', sessionId: String(Date.now()), version: 1, address: audio.address };
  return write({
    version: 0,
    origin: {
      username: origin.username,
      sessionId: origin.sessionId,
      sessionVersion: origin.version,
      netType: 'IN',
      ipVer: isIP(origin.address) === 6 ? 6 : 4,
      address: origin.address,
    },
    name: audio.sessionName ?? origin.username,
    connection: { version: ipVer, ip: audio.address },
    timing: { start: 0, stop: 0 },
    media,
  });
}

/** The direction that answers an offer of `offered` when we want `wanted` (RFC 3264 6.1). */
export function answerDirection(offered: Direction, wanted: Direction = 'sendrecv'): Direction {
  const send = (offered === 'sendrecv' || offered === 'recvonly') && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive =
    (offered === 'sendrecv' || offered === 'sendonly') && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) {
    return receive ? 'sendrecv' : 'sendonly';
  }
  return receive ? 'recvonly' : 'inactive';
}

function profileOf(media: SdpMedia): RtpProfile | undefined {
  // Real servers take the profile in any case, and callers rely on it.
  const upper = media.protocol.toUpperCase();
  return upper === 'RTP/AVP' || upper === 'RTP/SAVP' ? upper : undefined;
}

function chooseAudio(media: readonly SdpMedia[]): number {
  return media.findIndex((m) => m.type === 'audio' && m.port > 0 && m.port < 65536 && profileOf(m) !== undefined);
}

function describeMedia(media: readonly SdpMedia[]): string {
  if (media.length === 0) {
    return 'no m= line';
  }
  return `it has ${media.map((m) => `m=${m.type} ${m.port} ${m.protocol}`).join(', ')}`;
}

function payloadTypes(media: SdpMedia): number[] {
  return String(media.payloads ?? '')
    .split(/\s+/)
    .filter((p) => /^\d{1,3}$/.test(p))
    .map(Number)
    .filter((p) => p < 128);
}

function codecOf(media: SdpMedia, payloadType: number): AudioCodec | undefined {
  const map = media.rtp.find((r) => r.payload === payloadType);
  if (map === undefined) {
    return STATIC_CODECS[payloadType];
  }
  return { name: map.codec.toUpperCase(), payloadType, rate: map.rate ?? 8000 };
}

function originOf(session: SdpSession): Pick<AudioDescription, 'origin'> {
  const o = session.origin;
  if (o === undefined) {
    return {};
  }
  return {
    origin: {
      username: String(o.username),
      sessionId: String(o.sessionId),
      version: o.sessionVersion,
      address: o.address,
    },
  };
}
