/**
 * G.711 (ITU-T G.711, RTP payload types 0 and 8 of RFC 3551), by tables: 256 entries to decode, 65,536 to encode, and 256 for
 * going from one law to the other without passing through linear samples.
 */
export type G711Name = 'PCMA' | 'PCMU';

export interface G711Codec {
  readonly name: G711Name;
  /** Static RTP payload type. */
  readonly payloadType: 0 | 8;
  /** The byte that stands for silence. */
  readonly silence: number;
  /** Encodes samples at 8 kHz; writes into `out` if it is given (it must be long enough) and returns the part written. */
  encode(pcm: Int16Array, out?: Uint8Array): Uint8Array;
  /** Decodes one byte per sample; writes into `out` if it is given (it must be long enough) and returns the part written. */
  decode(bytes: Uint8Array, out?: Int16Array): Int16Array;
}

/** A-law: 13-bit magnitude in eight segments, even bits inverted (XOR 0x55). */
function encodeALaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  let magnitude = (sample >= 0 ? sample : -sample - 1) >> 4;
  let segment = 0;
  for (let limit = 0x10; segment < 7 && magnitude >= limit; limit <<= 1) {
    segment++;
  }
  if (segment > 1) {
    magnitude >>= segment - 1;
  }
  return (sign | (segment << 4) | (magnitude & 0x0f)) ^ 0x55;
}

function decodeALaw(byte: number): number {
  const value = byte ^ 0x55;
  const segment = (value >> 4) & 7;
  const step = value & 0x0f;
  const magnitude = segment === 0 ? (step << 4) + 8 : ((step << 4) + 0x108) << (segment - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

const MU_BIAS = 0x84;
const MU_CLIP = 32635;

/** µ-law: 14-bit magnitude with a bias of 33 (here ×4), all bits inverted. */
function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(MU_CLIP, sample < 0 ? -sample : sample) + MU_BIAS;
  let segment = 7;
  for (let mask = 0x4000; segment > 0 && (magnitude & mask) === 0; mask >>= 1) {
    segment--;
  }
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function decodeMuLaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + MU_BIAS) << ((value >> 4) & 7)) - MU_BIAS;
  return (value & 0x80) !== 0 ? -magnitude : magnitude;
}

function build(
  name: G711Name,
  payloadType: 0 | 8,
  encodeOne: (s: number) => number,
  decodeOne: (b: number) => number,
): G711Codec {
  const toLinear = new Int16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    toLinear[byte] = decodeOne(byte);
  }
  const fromLinear = new Uint8Array(65536);
  for (let sample = -32768; sample < 32768; sample++) {
    fromLinear[sample & 0xffff] = encodeOne(sample);
  }
  return {
    name,
    payloadType,
    silence: fromLinear[0] ?? 0,
    encode: (pcm, out = new Uint8Array(pcm.length)) => {
      for (let i = 0; i < pcm.length; i++) {
        out[i] = fromLinear[(pcm[i] ?? 0) & 0xffff] ?? 0;
      }
      return out.length === pcm.length ? out : out.subarray(0, pcm.length);
    },
    decode: (bytes, out = new Int16Array(bytes.length)) => {
      for (let i = 0; i < bytes.length; i++) {
        out[i] = toLinear[bytes[i] ?? 0] ?? 0;
      }
      return out.length === bytes.length ? out : out.subarray(0, bytes.length);
    },
  };
}

export const PCMA: G711Codec = build('PCMA', 8, encodeALaw, decodeALaw);
export const PCMU: G711Codec = build('PCMU', 0, encodeMuLaw, decodeMuLaw);

export function g711(name: G711Name): G711Codec {
  return name === 'PCMA' ? PCMA : PCMU;
}

export function isG711(name: string): name is G711Name {
  return name === 'PCMA' || name === 'PCMU';
}

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const aToMu = PCMU.encode(PCMA.decode(everyByte));
const muToA = PCMA.encode(PCMU.decode(everyByte));

/** Turns bytes of one law into the other, `out` may be `bytes` itself. With the same name the bytes are copied unchanged. */
export function transcode(
  from: G711Name,
  to: G711Name,
  bytes: Uint8Array,
  out = new Uint8Array(bytes.length),
): Uint8Array {
  if (from === to) {
    out.set(bytes);
    return out;
  }
  const table = from === 'PCMA' ? aToMu : muToA;
  for (let i = 0; i < bytes.length; i++) {
    out[i] = table[bytes[i] ?? 0] ?? 0;
  }
  return out;
}
