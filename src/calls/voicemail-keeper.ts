import type { Clock } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { Rounds } from '../lib/rounds';
import type { CallMedia } from './ports';

export interface KeptFile {
  readonly voicemailId: string;
  readonly mediaServer: string;
  readonly file: string;
}

export interface VoicemailStore {
  /** Messages that are not being recorded any more though nobody ended them: their node died. */
  lostVoicemails(limit: number): Promise<readonly KeptFile[]>;
  endVoicemail(
    voicemailId: string,
    end: { readonly lengthMs: number | undefined; readonly kept: boolean },
  ): Promise<unknown>;
  /** `overdueMs`: for how long it should have been gone. */
  voicemailsToDelete(limit: number): Promise<readonly (KeptFile & { readonly overdueMs: number })[]>;
  forgetVoicemail(voicemailId: string): Promise<void>;
}

export interface VoicemailKeeperDeps {
  readonly store: VoicemailStore;
  readonly media: Pick<CallMedia, 'listenTo'>;
  readonly remove: (mediaServer: string, file: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

const ROUND_MS = 10_000;
/** Looked at in one round, so that none takes long. */
const AT_ONCE = 100;
/** A node that has no such file leaves it to one that does for so long; then the row goes, and the log names the file. */
const LEAVE_TO_OTHERS_MS = 86_400_000;

/** Sees to messages whose node died while they were left, and to those whose time is over. Any node does it for all. */
export class VoicemailKeeper {
  readonly #deps: VoicemailKeeperDeps;
  readonly #loop: Rounds;

  constructor(deps: VoicemailKeeperDeps) {
    this.#deps = deps;
    this.#loop = new Rounds({
      clock: deps.clock,
      everyMs: ROUND_MS,
      round: () => this.round(),
      onError: (error) => {
        deps.log.error({ event: 'voicemails_not_kept', reason: describeError(error) });
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async round(): Promise<void> {
    const { store } = this.#deps;
    for (const lost of await store.lostVoicemails(AT_ONCE)) {
      await this.#each(lost, () => this.#adopt(lost));
    }
    for (const old of await store.voicemailsToDelete(AT_ONCE)) {
      await this.#each(old, () => this.#delete(old));
    }
  }

  /** One that fails stops none of the others. */
  async #each({ voicemailId }: KeptFile, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.error({ event: 'voicemail_not_kept', voicemailId, reason: describeError(error) });
    }
  }

  /** Whatever sound there is becomes a message; where the file cannot be read here, it is taken for one. */
  async #adopt({ voicemailId, mediaServer, file }: KeptFile): Promise<void> {
    const { log, media, store } = this.#deps;
    const heard = await media.listenTo?.(mediaServer, file);
    const kept = heard === undefined || heard.soundMs > 0;
    await store.endVoicemail(voicemailId, { lengthMs: heard && Math.round(heard.lengthMs), kept });
    log.warn({ event: 'voicemail_adopted', voicemailId, kept, lengthMs: heard?.lengthMs });
  }

  async #delete({
    voicemailId,
    mediaServer,
    file,
    overdueMs,
  }: KeptFile & { readonly overdueMs: number }): Promise<void> {
    const { log, remove, store } = this.#deps;
    const gone = await remove(mediaServer, file);
    if (!gone && overdueMs < LEAVE_TO_OTHERS_MS) {
      return;
    }
    await store.forgetVoicemail(voicemailId);
    if (!gone) {
      log.warn({ event: 'voicemail_file_left', voicemailId, mediaServer, file });
    }
  }
}
