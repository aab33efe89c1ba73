/** Records one channel into a WAV file, 8 kHz 16 bit: both directions mixed, or caller left and the other side right. */
import { mkdir, open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { G711Codec } from '../../rtp/g711';
import { wavHeader } from '../../rtp/wav';
import { FRAME } from './audio-source';

export interface RecorderOptions {
  readonly stereo?: boolean;
  readonly swap?: boolean;
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
  readonly append?: boolean;
  /** Folders that are missing are made. Default true. */
  readonly makesFolder?: boolean;
  readonly onError?: (error: unknown) => void;
}

/** One second is written at a time. */
const CHUNK_FRAMES = 50;
const HEADER_BYTES = 44;

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #channels: 1 | 2;
  readonly #near = new Int16Array(FRAME);
  readonly #far = new Int16Array(FRAME);
  #chunk: Buffer;
  #filled = 0;
  #bytes = 0;
  #file: FileHandle | undefined;
  #work: Promise<void>;
  #stopped = false;
  #failed = false;
  /** Whether the file could be made. */
  readonly opened: Promise<boolean>;
  /** Samples recorded so far; a pause is not counted. */
  samples = 0;
  paused = false;
  /** Silence is written instead of what is said; the time line stays whole. */
  masked = false;

  constructor(
    readonly path: string,
    options: RecorderOptions = {},
  ) {
    this.#options = options;
    this.#channels = options.stereo === true ? 2 : 1;
    this.#chunk = this.#newChunk();
    this.#work = this.#open();
    this.opened = this.#work.then(() => !this.#failed);
  }

  /** False for names that are no WAV file. */
  static accepts(path: string): boolean {
    return /\.wav$/i.test(path) && !path.includes('\0');
  }

  /** Takes 20 ms of both directions, as they are on the wire. */
  beat(near: Uint8Array | undefined, far: Uint8Array | undefined, codec: G711Codec): void {
    if (this.#stopped || this.paused) {
      return;
    }
    const { swap, readOnly, writeOnly } = this.#options;
    const left = this.#decode(writeOnly === true ? undefined : near, codec, this.#near);
    const right = this.#decode(readOnly === true ? undefined : far, codec, this.#far);
    const stride = this.#channels * 2;
    for (let i = 0, at = this.#filled; i < FRAME; i++, at += stride) {
      const a = left[i] ?? 0;
      const b = right[i] ?? 0;
      if (this.#channels === 2) {
        this.#chunk.writeInt16LE(swap === true ? b : a, at);
        this.#chunk.writeInt16LE(swap === true ? a : b, at + 2);
      } else {
        this.#chunk.writeInt16LE(Math.max(-32768, Math.min(32767, a + b)), at);
      }
    }
    this.#filled += FRAME * stride;
    this.samples += FRAME;
    if (this.#filled === this.#chunk.length) {
      this.#flush();
    }
  }

  /** Ends the recording; resolves when the file is complete. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#flush();
      this.#work = this.#work.then(() => this.#finish());
    }
    await this.#work;
  }

  get failed(): boolean {
    return this.#failed;
  }

  #decode(bytes: Uint8Array | undefined, codec: G711Codec, into: Int16Array): Int16Array {
    if (bytes === undefined || this.masked) {
      return into.fill(0);
    }
    codec.decode(bytes, into);
    return into;
  }

  #newChunk(): Buffer {
    return Buffer.alloc(FRAME * 2 * this.#channels * CHUNK_FRAMES);
  }

  #flush(): void {
    if (this.#filled === 0) {
      return;
    }
    const data = this.#chunk.subarray(0, this.#filled);
    this.#chunk = this.#newChunk();
    this.#filled = 0;
    const at = this.#bytes;
    this.#bytes += data.length;
    this.#work = this.#work.then(async () => {
      await this.#guard(async (file) => {
        await file.write(data, 0, data.length, HEADER_BYTES + at);
      });
    });
  }

  async #open(): Promise<void> {
    try {
      if (this.#options.makesFolder !== false) {
        await makeFolder(dirname(this.path));
      }
      if (this.#options.append === true) {
        const size = await stat(this.path).then(
          (s) => s.size,
          () => 0,
        );
        this.#bytes += Math.max(0, size - HEADER_BYTES);
        this.#file = await open(this.path, size > 0 ? 'r+' : 'w+');
      } else {
        this.#file = await open(this.path, 'w+');
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #finish(): Promise<void> {
    await this.#guard(async (file) => {
      const header = wavHeader(this.#bytes, this.#channels);
      await file.write(header, 0, header.length, 0);
    });
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #guard(work: (file: FileHandle) => Promise<void>): Promise<void> {
    if (this.#file === undefined || this.#failed) {
      return;
    }
    try {
      await work(this.#file);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#options.onError?.(error);
  }
}

/**
 * Makes the folders that are missing, one by one: Node's own recursive form never returns where the system answers ENOENT
 * for a folder whose parent exists, as /proc does.
 */
async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let place = folder; !(await exists(place)) && dirname(place) !== place; place = dirname(place)) {
    missing.unshift(place);
  }
  for (const place of missing) {
    await mkdir(place).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    });
  }
}

async function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    () => false,
  );
}
