/** Files that the media servers record, as this node sees them: in the folder that each server names, or where a setting says. */
import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { HeardSound } from '../calls/ports';
import { errorCodeOf } from '../lib/errno';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { MediaServerLink } from './media-server-link';

/** Names that we give to recordings; nothing else is opened or deleted. */
const RECORDING = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.wav$/;
/** The longest message is half an hour of 8 kHz 16 bit; nothing larger is read, bytes. */
const MAX_BYTES = 32 * 1024 * 1024;
const RIFF_BYTES = 12;
const CHUNK_BYTES = 8;
/** The samples begin before this. */
const HEAD_BYTES = 4_096;
const BYTES_PER_MS = 16;
const FRAME_BYTES = 20 * BYTES_PER_MS;
const READ_BYTES = 200 * FRAME_BYTES;
/** Mean of the samples of a frame from which on it is sound; the media server is told the same. */
export const SOUND_LEVEL = 200;

export interface RecordingFile {
  readonly file: FileHandle;
  readonly bytes: number;
}

export class Recordings {
  readonly #links: readonly Pick<MediaServerLink, 'name' | 'recordingsFolder'>[];
  readonly #folder: string | undefined;
  readonly #log: Log;
  readonly #told = new Set<string>();

  /** `folder`: where this machine has the recordings; undefined: where the media servers have them. */
  constructor(
    links: readonly Pick<MediaServerLink, 'name' | 'recordingsFolder'>[],
    folder: string | undefined,
    log: Log,
  ) {
    this.#links = links;
    this.#folder = folder;
    this.#log = log;
  }

  /** Opens a recording for reading; undefined: this machine has no such file. The caller closes it. */
  async open(mediaServer: string, name: string): Promise<RecordingFile | undefined> {
    const place = await this.#placeOf(mediaServer, name);
    if (place === undefined) {
      return undefined;
    }
    const file = await this.#openIfThere(place);
    if (!file) {
      return undefined;
    }
    const { size } = await file.stat();
    if (size > MAX_BYTES) {
      await file.close();
      this.#log.error({ event: 'recording_too_large', file: name, bytes: size });
      return undefined;
    }
    return { file, bytes: size };
  }

  /** What is to be heard in a recording; undefined: this machine has no such file, or cannot read it. */
  async listenTo(mediaServer: string, name: string): Promise<HeardSound | undefined> {
    const recording = await this.open(mediaServer, name);
    if (!recording) {
      return undefined;
    }
    try {
      return await heardIn(recording);
    } finally {
      await recording.file.close();
    }
  }

  /** Deletes a recording. False: this machine has no such file. */
  async remove(mediaServer: string, name: string): Promise<boolean> {
    const place = await this.#placeOf(mediaServer, name);
    if (place === undefined) {
      return false;
    }
    try {
      await unlink(place);
      return true;
    } catch (error) {
      this.#failed('recording_not_deleted', error);
      return false;
    }
  }

  async #openIfThere(place: string): Promise<FileHandle | undefined> {
    try {
      return await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      this.#failed('recording_not_opened', error);
      return undefined;
    }
  }

  /** A file that is not there is nothing to tell; what is in the way of one is told once, since it is so for all of them. */
  #failed(event: string, error: unknown): void {
    const code = errorCodeOf(error) ?? 'unknown';
    if (code !== 'ENOENT' && !this.#told.has(`${event} ${code}`)) {
      this.#told.add(`${event} ${code}`);
      this.#log.error({ event, reason: describeError(error) });
    }
  }

  async #placeOf(mediaServer: string, name: string): Promise<string | undefined> {
    if (!RECORDING.test(name)) {
      return undefined;
    }
    const folder =
      this.#folder ??
      (await this.#links
        .find((link) => link.name === mediaServer)
        ?.recordingsFolder()
        .catch(() => undefined));
    return folder === undefined ? undefined : path.join(folder, name);
  }
}

/** Sound frame by frame: 8 kHz, 16 bit, one channel, as the media server writes it. */
async function heardIn(recording: RecordingFile): Promise<HeardSound> {
  const { begin, end } = await samplesOf(recording);
  const buffer = Buffer.alloc(READ_BYTES);
  let soundMs = 0;
  let lastSoundMs = 0;
  for (let at = begin; at < end;) {
    const { bytesRead } = await recording.file.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) {
      break;
    }
    for (let i = 0; i + 1 < bytesRead; i += FRAME_BYTES) {
      const frame = buffer.subarray(i, Math.min(i + FRAME_BYTES, bytesRead));
      if (meanOf(frame) >= SOUND_LEVEL) {
        soundMs += frame.length / BYTES_PER_MS;
        lastSoundMs = (at - begin + i + frame.length) / BYTES_PER_MS;
      }
    }
    at += bytesRead;
  }
  return { lengthMs: Math.max(0, end - begin) / BYTES_PER_MS, soundMs, lastSoundMs };
}

/** Where the samples are. A file that was not ended properly does not say how many there are: then they reach to its end. */
async function samplesOf({ file, bytes }: RecordingFile): Promise<{ readonly begin: number; readonly end: number }> {
  const head = Buffer.alloc(Math.min(HEAD_BYTES, bytes));
  await file.read(head, 0, head.length, 0);
  for (let at = RIFF_BYTES; at + CHUNK_BYTES <= head.length;) {
    const size = head.readUInt32LE(at + 4);
    const begin = at + CHUNK_BYTES;
    if (head.toString('latin1', at, at + 4) === 'data') {
      return { begin, end: size > 0 ? Math.min(bytes, begin + size) : bytes };
    }
    at = begin + size + (size % 2);
  }
  return { begin: bytes, end: bytes };
}

function meanOf(frame: Buffer): number {
  const samples = Math.floor(frame.length / 2);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    sum += Math.abs(frame.readInt16LE(i * 2));
  }
  return sum / Math.max(1, samples);
}
