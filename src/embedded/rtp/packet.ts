/** RTP packets (RFC 3550 5.1). */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits, in samples for audio. */
  readonly timestamp: number;
  /** 32 bits. */
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

export const RTP_HEADER_BYTES = 12;

/**
 * Reads one packet; `undefined` for anything that is not valid RTP version 2. CSRC list, header extension and padding are
 * stepped over. `payload` is a view into `buffer`, not a copy. RTCP (payload types 72–76 when muxed) is not told apart here.
 */
export function parseRtp(buffer: Buffer): RtpPacket | undefined {
  const length = buffer.length;
  if (length < RTP_HEADER_BYTES) {
    return undefined;
  }
  const first = buffer.readUInt8(0);
  if (first >> 6 !== 2) {
    return undefined;
  }
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > length) {
      return undefined;
    }
    start += 4 + buffer.readUInt16BE(start + 2) * 4;
  }
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = buffer.readUInt8(length - 1);
    if (padding === 0) {
      return undefined;
    }
    end -= padding;
  }
  if (start > end) {
    return undefined;
  }
  const second = buffer.readUInt8(1);
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: buffer.readUInt16BE(2),
    timestamp: buffer.readUInt32BE(4),
    ssrc: buffer.readUInt32BE(8),
    payload: buffer.subarray(start, end),
  };
}

/** Writes the 12 bytes of a plain header at the start of `target`, which has room for the payload behind it. */
export function writeRtpHeader(
  target: Buffer,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  target[0] = 0x80;
  target[1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
  target.writeUInt16BE(sequence & 0xffff, 2);
  target.writeUInt32BE(timestamp >>> 0, 4);
  target.writeUInt32BE(ssrc >>> 0, 8);
}

/** A new buffer with the packet: version 2, no CSRC, no extension, no padding. */
export function writeRtp(packet: RtpPacket): Buffer {
  const buffer = Buffer.allocUnsafe(RTP_HEADER_BYTES + packet.payload.length);
  writeRtpHeader(buffer, packet.payloadType, packet.marker, packet.sequence, packet.timestamp, packet.ssrc);
  buffer.set(packet.payload, RTP_HEADER_BYTES);
  return buffer;
}

/** Signed distance from sequence number `a` to `b` with wrap-around, −32768 … 32767. */
export function sequenceDelta(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** Signed distance from timestamp `a` to `b` with wrap-around. */
export function timestampDelta(a: number, b: number): number {
  return (b - a) | 0;
}
