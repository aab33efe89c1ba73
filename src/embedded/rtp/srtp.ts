/**
 * SRTP (RFC 3711) with AES_CM_128_HMAC_SHA1_80. The session keys are derived by werift's SrtpSession; the packets are
 * transformed here, with one long-lived AES context per direction, because a call needs a hundred packets each second.
 */
import { createCipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { Cipher, KeyObject } from 'node:crypto';
import { ProtectionProfileAes128CmHmacSha1_80, SrtpSession } from 'werift';
import type { SdesCrypto, SdesMki } from './sdes';
import { sequenceDelta } from './packet';

export { newSdesKey, parseCrypto, formatCrypto, sameSdesKey, SDES_SUITE } from './sdes';
export type { SdesCrypto, SdesMki } from './sdes';

const TAG_BYTES = 10;
const BLOCK = 16;
/** Packets this far behind the newest are refused: the replay list reaches no further. */
const REPLAY_WINDOW = 64;
/** More sources than this on one stream are not a phone. */
const MAX_SOURCES = 16;

export interface SrtpStats {
  protected: number;
  unprotected: number;
  /** Wrong key, wrong MKI, changed on the way, or not SRTP. */
  authenticationFailures: number;
  /** Seen before, or too old to know. */
  replays: number;
  malformed: number;
}

/** One direction's keys, ready for use. */
class PacketCipher {
  readonly #aes: Cipher;
  readonly #salt: Buffer;
  readonly #authKey: KeyObject;
  readonly mki: Buffer;
  #counters = Buffer.alloc(BLOCK * 12);
  readonly #roc = Buffer.alloc(4);

  constructor(key: Buffer, salt: Buffer, authKey: Buffer, mki: SdesMki | undefined) {
    this.#aes = createCipheriv('aes-128-ecb', key, null);
    this.#aes.setAutoPadding(false);
    this.#salt = salt;
    this.#authKey = createSecretKey(authKey);
    this.mki = Buffer.alloc(mki?.length ?? 0);
    if (mki !== undefined) {
      const width = Math.min(6, mki.length);
      this.mki.writeUIntBE(mki.value % 2 ** (8 * width), mki.length - width, width);
    }
  }

  /** Encrypts or decrypts `packet[start, end)` in place (counter mode is its own inverse; RFC 3711 4.1.1). */
  crypt(packet: Buffer, start: number, end: number, roc: number): void {
    const blocks = Math.ceil((end - start) / BLOCK);
    if (blocks === 0) {
      return;
    }
    if (this.#counters.length < blocks * BLOCK) {
      this.#counters = Buffer.alloc(blocks * BLOCK);
    }
    const counters = this.#counters;
    this.#salt.copy(counters, 0, 0, 14);
    const sequence = packet.readUInt16BE(2);
    counters.writeUInt32BE((counters.readUInt32BE(4) ^ packet.readUInt32BE(8)) >>> 0, 4);
    counters.writeUInt32BE((counters.readUInt32BE(8) ^ roc) >>> 0, 8);
    counters.writeUInt16BE(counters.readUInt16BE(12) ^ sequence, 12);
    counters.writeUInt16BE(0, 14);
    for (let i = 1; i < blocks; i++) {
      counters.copyWithin(i * BLOCK, 0, 14);
      counters.writeUInt16BE(i, i * BLOCK + 14);
    }
    const stream = this.#aes.update(counters.subarray(0, blocks * BLOCK));
    for (let i = start, k = 0; i < end; i++, k++) {
      packet[i] = (packet[i] ?? 0) ^ (stream[k] ?? 0);
    }
  }

  /** HMAC-SHA1 over packet and rollover counter; the first ten bytes are the tag. */
  tag(packet: Buffer, end: number, roc: number): Buffer {
    this.#roc.writeUInt32BE(roc >>> 0, 0);
    return createHmac('sha1', this.#authKey).update(packet.subarray(0, end)).update(this.#roc).digest();
  }
}

/** Where one source's 48-bit packet index stands (RFC 3711 3.3.1), and which of the last 64 packets came. */
interface SourceState {
  roc: number;
  /** Highest sequence number so far. */
  top: number;
  /** Bit n: packet `top − n` was seen; low and high half. */
  seenLow: number;
  seenHigh: number;
}

interface Direction {
  readonly cipher: PacketCipher;
  readonly sources: Map<number, SourceState>;
}

/** One SRTP stream between us (`local` key: what we send) and the peer (`remote` key: what it sends). */
export class SrtpStream {
  readonly #out: Direction;
  readonly #in: Direction;
  readonly stats: SrtpStats = { protected: 0, unprotected: 0, authenticationFailures: 0, replays: 0, malformed: 0 };

  constructor(
    readonly local: SdesCrypto,
    readonly remote: SdesCrypto,
  ) {
    const { localContext, remoteContext } = new SrtpSession({
      keys: {
        localMasterKey: local.key,
        localMasterSalt: local.salt,
        remoteMasterKey: remote.key,
        remoteMasterSalt: remote.salt,
      },
      profile: ProtectionProfileAes128CmHmacSha1_80,
    });
    const direction = (context: typeof localContext, mki: SdesMki | undefined): Direction => ({
      cipher: new PacketCipher(context.srtpSessionKey, context.srtpSessionSalt, context.srtpSessionAuthTag, mki),
      sources: new Map(),
    });
    this.#out = direction(localContext, local.mki);
    this.#in = direction(remoteContext, remote.mki);
  }

  /** Bytes that `protect` adds. */
  get overhead(): number {
    return TAG_BYTES + this.#out.cipher.mki.length;
  }

  /** A new buffer with the protected packet; `packet` is a whole valid RTP packet. */
  protect(packet: Buffer): Buffer {
    const out = Buffer.allocUnsafe(packet.length + this.overhead);
    packet.copy(out);
    return out.subarray(0, this.protectInPlace(out, packet.length));
  }

  /** Protects the RTP packet in the first `length` bytes of `buffer`, which has room for `overhead` more; returns the new length. */
  protectInPlace(buffer: Buffer, length: number): number {
    const { cipher, sources } = this.#out;
    const ssrc = buffer.readUInt32BE(8);
    const sequence = buffer.readUInt16BE(2);
    const state = sourceState(sources, ssrc, sequence);
    const roc = estimateRoc(state, sequence);
    advance(state, roc, sequence);
    cipher.crypt(buffer, headerBytes(buffer, length), length, roc);
    const tag = cipher.tag(buffer, length, roc);
    cipher.mki.copy(buffer, length);
    tag.copy(buffer, length + cipher.mki.length, 0, TAG_BYTES);
    this.stats.protected++;
    return length + cipher.mki.length + TAG_BYTES;
  }

  /**
   * Checks and decrypts a packet in place and returns the part of the buffer that is the plain RTP packet, or `undefined`
   * (counted) if it is not genuine, was seen before or is no RTP. Nothing is remembered of a packet that fails.
   */
  unprotect(packet: Buffer): Buffer | undefined {
    const { cipher, sources } = this.#in;
    const end = packet.length - TAG_BYTES - cipher.mki.length;
    const start = end < 12 || (packet[0] ?? 0) >> 6 !== 2 ? -1 : headerBytes(packet, end);
    if (start < 0) {
      this.stats.malformed++;
      return undefined;
    }
    const ssrc = packet.readUInt32BE(8);
    const sequence = packet.readUInt16BE(2);
    const known = sources.get(ssrc);
    const roc = known === undefined ? 0 : estimateRoc(known, sequence);
    if (known !== undefined && wasSeen(known, roc, sequence)) {
      this.stats.replays++;
      return undefined;
    }
    const tag = cipher.tag(packet, end, roc);
    const given = packet.subarray(packet.length - TAG_BYTES);
    const mkiRight = packet.subarray(end, packet.length - TAG_BYTES).equals(cipher.mki);
    if (
      !mkiRight ||
      !timingSafeEqual(tag.subarray(0, TAG_BYTES), given) ||
      (known === undefined && sources.size >= MAX_SOURCES)
    ) {
      this.stats.authenticationFailures++;
      return undefined;
    }
    advance(known ?? sourceState(sources, ssrc, sequence), roc, sequence);
    cipher.crypt(packet, start, end, roc);
    this.stats.unprotected++;
    return packet.subarray(0, end);
  }
}

function sourceState(sources: Map<number, SourceState>, ssrc: number, sequence: number): SourceState {
  let state = sources.get(ssrc);
  if (state === undefined) {
    state = { roc: 0, top: sequence, seenLow: 0, seenHigh: 0 };
    sources.set(ssrc, state);
  }
  return state;
}

/** The rollover counter that belongs to this sequence number: the one that puts it nearest to the highest seen. */
function estimateRoc(state: SourceState, sequence: number): number {
  const index = state.top + sequenceDelta(state.top, sequence);
  if (index < 0) {
    return Math.max(0, state.roc - 1);
  }
  return index > 0xffff ? state.roc + 1 : state.roc;
}

function wasSeen(state: SourceState, roc: number, sequence: number): boolean {
  const behind = (state.roc - roc) * 0x10000 + state.top - sequence;
  if (behind < 0) {
    return false;
  }
  if (behind >= REPLAY_WINDOW) {
    return true;
  }
  return behind < 32 ? ((state.seenLow >>> behind) & 1) === 1 : ((state.seenHigh >>> (behind - 32)) & 1) === 1;
}

/** Marks a packet as seen and moves the window if it is the newest. */
function advance(state: SourceState, roc: number, sequence: number): void {
  const ahead = (roc - state.roc) * 0x10000 + sequence - state.top;
  if (ahead > 0) {
    shiftSeen(state, ahead);
    state.roc = roc;
    state.top = sequence;
  }
  const behind = Math.max(0, -ahead);
  if (behind < 32) {
    state.seenLow = (state.seenLow | (1 << behind)) >>> 0;
  } else if (behind < REPLAY_WINDOW) {
    state.seenHigh = (state.seenHigh | (1 << (behind - 32))) >>> 0;
  }
}

function shiftSeen(state: SourceState, by: number): void {
  if (by >= REPLAY_WINDOW) {
    state.seenLow = 0;
    state.seenHigh = 0;
  } else if (by >= 32) {
    state.seenHigh = by === 32 ? state.seenLow : (state.seenLow << (by - 32)) >>> 0;
    state.seenLow = 0;
  } else {
    state.seenHigh = ((state.seenHigh << by) | (state.seenLow >>> (32 - by))) >>> 0;
    state.seenLow = (state.seenLow << by) >>> 0;
  }
}

/** Where the payload begins, −1 if the header does not fit. */
function headerBytes(packet: Buffer, end: number): number {
  const first = packet[0] ?? 0;
  let start = 12 + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > end) {
      return -1;
    }
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  return start > end ? -1 : start;
}
