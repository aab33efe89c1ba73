/** WAV files: 16-bit PCM and G.711 in, 8 kHz mono 16-bit (or G.711) out. */
import { SidekickError } from '../../lib/errors';
import { PCMA, PCMU } from './g711';
import type { G711Name } from './g711';

export const WAV_RATE = 8000;
const FORMAT_PCM = 1;
const FORMAT_ALAW = 6;
const FORMAT_MULAW = 7;
const FORMAT_EXTENSIBLE = 0xfffe;

export interface WavAudio {
  /** Samples at 8 kHz, channels mixed to one. */
  readonly pcm: Int16Array;
  /** As the file had them. */
  readonly rate: number;
  readonly channels: number;
}

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

function unreadable(why: string, next: string): SidekickError {
  return new SidekickError('SK_MEDIA_FAILED', 'WAV file cannot be read', { why, next });
}

/** Reads a WAV file. Throws SK_MEDIA_FAILED with the reason and what to convert it to. */
export function readWav(file: Buffer): WavAudio {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw unreadable('it does not begin with RIFF…WAVE', 'convert it: sox in.file -r 8000 -c 1 -b 16 out.wav');
  }
  let format: Format | undefined;
  let data: Buffer | undefined;
  for (let at = 12; at + 8 <= file.length && data === undefined;) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, Math.min(file.length, at + 8 + size));
    if (id === 'fmt ') {
      format = readFormat(body);
    } else if (id === 'data') {
      data = body;
    }
    at += 8 + size + (size % 2);
  }
  if (format === undefined || data === undefined) {
    throw unreadable(
      format === undefined ? 'it has no fmt chunk' : 'it has no data chunk',
      'record or convert it again',
    );
  }
  const mono = mixToMono(decodeSamples(format, data), format.channels);
  return { pcm: resample(mono, format.rate), rate: format.rate, channels: format.channels };
}

/** Writes 8 kHz audio: one channel of 16-bit PCM, two if `right` is given, or one of G.711. */
export function writeWav(
  pcm: Int16Array,
  options: { readonly codec?: G711Name; readonly right?: Int16Array } = {},
): Buffer {
  const { codec, right } = options;
  if (codec !== undefined) {
    const law = codec === 'PCMA' ? PCMA : PCMU;
    return wavFile(codec === 'PCMA' ? FORMAT_ALAW : FORMAT_MULAW, 1, 8, Buffer.from(law.encode(pcm)));
  }
  const channels = right === undefined ? 1 : 2;
  const frames = Math.max(pcm.length, right?.length ?? 0);
  const data = Buffer.alloc(frames * channels * 2);
  for (let i = 0; i < frames; i++) {
    data.writeInt16LE(pcm[i] ?? 0, i * channels * 2);
    if (right !== undefined) {
      data.writeInt16LE(right[i] ?? 0, i * 4 + 2);
    }
  }
  return wavFile(FORMAT_PCM, channels, 16, data);
}

/** The 44 bytes in front of `dataBytes` bytes of 16-bit PCM, for a file that is written piece by piece. */
export function wavHeader(dataBytes: number, channels: 1 | 2 = 1): Buffer {
  return header(FORMAT_PCM, channels, 16, dataBytes);
}

function wavFile(tag: number, channels: number, bits: number, data: Buffer): Buffer {
  return Buffer.concat([header(tag, channels, bits, data.length), data, Buffer.alloc(data.length % 2)]);
}

function header(tag: number, channels: number, bits: number, dataBytes: number): Buffer {
  const out = Buffer.alloc(44);
  const frame = (channels * bits) / 8;
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(36 + dataBytes + (dataBytes % 2), 4);
  out.write('WAVEfmt ', 8, 'latin1');
  out.writeUInt32LE(16, 16);
  out.writeUInt16LE(tag, 20);
  out.writeUInt16LE(channels, 22);
  out.writeUInt32LE(WAV_RATE, 24);
  out.writeUInt32LE(WAV_RATE * frame, 28);
  out.writeUInt16LE(frame, 32);
  out.writeUInt16LE(bits, 34);
  out.write('data', 36, 'latin1');
  out.writeUInt32LE(dataBytes, 40);
  return out;
}

function readFormat(body: Buffer): Format {
  if (body.length < 16) {
    throw unreadable(`its fmt chunk has ${body.length} bytes instead of 16`, 'record or convert it again');
  }
  const tag = body.readUInt16LE(0);
  return {
    tag: tag === FORMAT_EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : tag,
    channels: body.readUInt16LE(2),
    rate: body.readUInt32LE(4),
    bits: body.readUInt16LE(14),
  };
}

function decodeSamples(format: Format, data: Buffer): Int16Array {
  if (format.channels < 1 || format.channels > 8) {
    throw unreadable(`it has ${format.channels} channels`, 'convert it to one: sox in.wav -c 1 out.wav');
  }
  if (format.tag === FORMAT_ALAW) {
    return PCMA.decode(data);
  }
  if (format.tag === FORMAT_MULAW) {
    return PCMU.decode(data);
  }
  if (format.tag !== FORMAT_PCM || format.bits !== 16) {
    throw unreadable(
      `format ${format.tag} with ${format.bits} bits is neither 16-bit PCM nor G.711`,
      'convert it: sox in.wav -r 8000 -c 1 -b 16 out.wav',
    );
  }
  const samples = new Int16Array(data.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = data.readInt16LE(i * 2);
  }
  return samples;
}

function mixToMono(samples: Int16Array, channels: number): Int16Array {
  if (channels === 1) {
    return samples;
  }
  const mono = new Int16Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      sum += samples[i * channels + c] ?? 0;
    }
    mono[i] = Math.round(sum / channels);
  }
  return mono;
}

/** Brings whole multiples of 8 kHz down to 8 kHz through a low-pass (windowed sinc), so that nothing folds back. */
function resample(pcm: Int16Array, rate: number): Int16Array {
  if (rate === WAV_RATE) {
    return pcm;
  }
  const factor = rate / WAV_RATE;
  if (!Number.isInteger(factor) || factor < 1 || factor > 12) {
    throw unreadable(`its rate is ${rate} Hz`, 'convert it: sox in.wav -r 8000 out.wav');
  }
  const taps = lowPass(factor);
  const middle = (taps.length - 1) / 2;
  const out = new Int16Array(Math.ceil(pcm.length / factor));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let t = 0; t < taps.length; t++) {
      sum += (pcm[i * factor + t - middle] ?? 0) * (taps[t] ?? 0);
    }
    out[i] = Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
  return out;
}

function lowPass(factor: number): Float64Array {
  const half = 16 * factor;
  const cutoff = 0.46 / factor;
  const taps = new Float64Array(2 * half + 1);
  let sum = 0;
  for (let i = -half; i <= half; i++) {
    const sinc = i === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * i) / (Math.PI * i);
    const window = 0.54 + 0.46 * Math.cos((Math.PI * i) / half);
    taps[i + half] = sinc * window;
    sum += sinc * window;
  }
  return taps.map((t) => t / sum);
}
