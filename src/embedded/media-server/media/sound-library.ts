/** Finds what a play command names: files, tones, silence, streams. */
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, normalize, resolve, sep } from 'node:path';
import { PCMA, PCMU } from '../../rtp/g711';
import { readWav } from '../../rtp/wav';
import { Clip, ClipSource, FRAME, LocalStreamSource, SilenceSource } from './audio-source';
import type { AudioSource } from './audio-source';
import { composeGreeting, composeMusic } from './default-sounds';
import { ToneStreamSource, parseToneStream } from './tone-stream';

export interface SoundLibraryOptions {
  /** Folder for relative names. */
  readonly prompts?: string;
  /** Streams by name, as WAV files; `moh` and `default` are the composed music unless named here. */
  readonly streams?: Readonly<Record<string, string>>;
  readonly onProblem?: (path: string, error: unknown) => void;
}

interface CachedFile {
  readonly clip: Clip;
  readonly mtimeMs: number;
  readonly size: number;
}

const MAX_FILE_BYTES = 200 * 1024 * 1024;
const MAX_CACHED = 200;

let music: Clip | undefined;
let greeting: Clip | undefined;

/** The composed music, made once in the process. */
export function defaultMusic(): Clip {
  music ??= new Clip(composeMusic());
  return music;
}

/** Makes the music before the first call: composing it in the middle of one would stop all audio for a moment. */
export function prepareMusic(): void {
  for (const codec of [PCMA, PCMU]) {
    defaultMusic().bytes(codec);
    defaultGreeting().bytes(codec);
  }
}

/** The composed greeting chime. */
export function defaultGreeting(): Clip {
  greeting ??= new Clip(composeGreeting());
  return greeting;
}

export class SoundLibrary {
  readonly #options: SoundLibraryOptions;
  readonly #files = new Map<string, CachedFile>();
  readonly #streams = new Map<string, Clip>();

  constructor(options: SoundLibraryOptions = {}) {
    this.#options = options;
  }

  /** Opens one thing to play; undefined if there is none of that name or it cannot be played. */
  async open(path: string): Promise<AudioSource | undefined> {
    const [, scheme, rest = ''] = /^([a-z_]+):\/\/([^]*)$/i.exec(path) ?? [];
    switch (scheme?.toLowerCase()) {
      case undefined:
        return this.#openFile(path, path);
      case 'tone_stream': {
        const program = parseToneStream(rest);
        return program && new ToneStreamSource(path, program);
      }
      case 'silence_stream': {
        const [ms = NaN, divisor = 0] = rest.split(',').map(Number);
        return Number.isFinite(ms) && Number.isFinite(divisor) ? new SilenceSource(path, ms, divisor) : undefined;
      }
      case 'local_stream': {
        const clip = await this.#stream(rest.split('/')[0] ?? '');
        return clip && new LocalStreamSource(path, clip);
      }
      case 'file':
        return this.#openFile(path, rest);
      default:
        return undefined;
    }
  }

  async #stream(name: string): Promise<Clip | undefined> {
    const known = this.#streams.get(name);
    if (known !== undefined) {
      return known;
    }
    const file = this.#options.streams?.[name];
    const clip = file === undefined ? this.#builtinStream(name) : wholeFrames(await this.#load(file));
    if (clip !== undefined) {
      this.#streams.set(name, clip);
    }
    return clip;
  }

  #builtinStream(name: string): Clip | undefined {
    return name === 'moh' || name === 'default' ? defaultMusic() : undefined;
  }

  async #openFile(path: string, name: string): Promise<AudioSource | undefined> {
    const [, file = name, offset = '0'] = /^([^]*?)@@(\d+)$/.exec(name) ?? [];
    const place = this.#place(file);
    const clip = place === undefined ? undefined : await this.#load(place);
    if (clip !== undefined) {
      return new ClipSource(path, clip, Number(offset));
    }
    return /^(?:.*\/)?greeting(?:\.wav)?$/.test(file) && !isAbsolute(file)
      ? new ClipSource(path, defaultGreeting(), Number(offset))
      : undefined;
  }

  /** Absolute names are taken as they are; relative ones stay inside the prompts folder. */
  #place(file: string): string | undefined {
    if (file === '' || file.includes('\0')) {
      return undefined;
    }
    if (isAbsolute(file)) {
      return normalize(file);
    }
    if (this.#options.prompts === undefined) {
      return undefined;
    }
    const base = resolve(this.#options.prompts);
    const place = resolve(base, file);
    return place.startsWith(base + sep) ? place : undefined;
  }

  async #load(place: string): Promise<Clip | undefined> {
    try {
      const { mtimeMs, size } = await stat(place);
      const cached = this.#files.get(place);
      if (cached?.mtimeMs === mtimeMs && cached.size === size) {
        return cached.clip;
      }
      if (size > MAX_FILE_BYTES) {
        throw new Error(`${size} bytes are too many for one prompt`);
      }
      const clip = new Clip(readWav(await readFile(place)).pcm);
      if (this.#files.size >= MAX_CACHED) {
        this.#files.delete(this.#files.keys().next().value ?? '');
      }
      this.#files.set(place, { clip, mtimeMs, size });
      return clip;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#options.onProblem?.(place, error);
      }
      return undefined;
    }
  }
}

/** A loop must be whole frames: the odd end of a file is left off. */
function wholeFrames(clip: Clip | undefined): Clip | undefined {
  if (clip === undefined || clip.length < FRAME) {
    return undefined;
  }
  return clip.length % FRAME === 0 ? clip : new Clip(clip.pcm.subarray(0, clip.length - (clip.length % FRAME)));
}
