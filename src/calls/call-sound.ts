import { describeError } from '../lib/errors';
import type { CallContext } from './call-context';
import type { RecordedSound, RecordRequest } from './ports';

/**
 * What the caller hears: music, a prompt, or another person. The latest wish counts. Before anything is played to a caller who
 * is joined with somebody, the channel is taken out of the bridge: only then does it hear what is played to it.
 */
export class CallSound {
  readonly #context: CallContext;
  #joined = false;
  #wish = 0;
  #releasing: Promise<void> | undefined;

  constructor(context: CallContext) {
    this.#context = context;
  }

  /** Joins the caller with another channel; what plays ends by that. @throws SK_MEDIA_FAILED */
  async join(channel: string): Promise<void> {
    const { deps, caller, handles } = this.#context;
    const wish = ++this.#wish;
    const media = handles();
    if (!media) {
      throw new Error('the caller has no media');
    }
    await this.#releasing;
    await caller.steady(async () => {
      if (wish !== this.#wish) {
        throw new Error('the caller was to hear something else before the channels could be joined');
      }
      caller.soundGone();
      this.#joined = true;
      await deps.media.bridge(media.mediaServer, media.mediaChannel, channel);
    });
  }

  /** Endless music; undefined: whatever the media server has. */
  music(uri: string | undefined): void {
    void this.#next(undefined, () => {
      this.#context.caller.startMusic(uri ?? DEFAULT_MUSIC);
      return Promise.resolve();
    });
  }

  /** Resolves when it was played, or something else took its place. */
  async play(uri: string): Promise<void> {
    await this.#next(true, () => this.#context.caller.play(uri));
  }

  /**
   * Plays once instead of the music, which goes on afterwards unless something else was wished meanwhile. False: the media server
   * has nothing to play.
   */
  async interlude(uri: string, music: () => string | undefined): Promise<boolean> {
    const playing = this.#next(true, () => this.#context.caller.play(uri));
    const wish = this.#wish;
    const played = await playing;
    if (wish === this.#wish) {
      this.music(music());
    }
    return played;
  }

  async ask(uri: string, timeoutMs: number): Promise<string | undefined> {
    return await this.#next(undefined, () => this.#context.caller.askForKey(uri, timeoutMs));
  }

  /** Undefined: nothing was recorded. */
  async record(request: RecordRequest): Promise<RecordedSound | undefined> {
    return await this.#next(undefined, () => this.#context.caller.record(request));
  }

  stop(): void {
    this.#wish++;
    this.#context.caller.stopSound();
  }

  /** Runs `start` once the channel is free, unless something else was wished meanwhile. */
  async #next<T>(superseded: T, start: () => Promise<T>): Promise<T> {
    const wish = ++this.#wish;
    if (this.#joined) {
      this.#release();
    }
    if (this.#releasing) {
      await this.#releasing;
      if (wish !== this.#wish) {
        return superseded;
      }
    }
    return await start();
  }

  #release(): void {
    const { deps, caller, handles, log } = this.#context;
    const media = handles();
    this.#joined = false;
    caller.soundGone();
    if (!media) {
      return;
    }
    const releasing = deps.media.park(media.mediaServer, media.mediaChannel).then(
      () => undefined,
      (error: unknown) => {
        // The channel has gone by itself, or the server has: either is told to the call by other means.
        log.debug({ event: 'caller_not_parked', reason: describeError(error) });
      },
    );
    this.#releasing = releasing;
    void releasing.then(() => {
      if (this.#releasing === releasing) {
        this.#releasing = undefined;
      }
    });
  }
}

/** Music of a queue that is not configured any more: the media server's own endless stream. */
export const DEFAULT_MUSIC = 'local_stream://moh';
