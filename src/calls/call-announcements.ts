import { describeError } from '../lib/errors';
import type { TimerHandle } from '../lib/clock';
import { beginAnnouncements, stepAnnouncement } from './announcement-state';
import type {
  AnnouncementEffect,
  AnnouncementInput,
  AnnouncementState,
  AnnouncementStep,
  Ringing,
} from './announcement-state';
import type { CallContext } from './call-context';
import type { CallSound } from './call-sound';

type Kind = Pick<AnnouncementInput, 'kind'>;
type Now = Omit<Extract<AnnouncementInput, { kind: 'look' }>, 'kind'>;

/** Tells a waiting caller where he stands, between the music: runs the effects of announcement-state.ts. */
export class CallAnnouncements {
  readonly #context: CallContext;
  readonly #sound: CallSound;
  #queueId: string | undefined;
  /** Of the queue; outlives a break in the wait. */
  #state: AnnouncementState | undefined;
  #timer: TimerHandle | undefined;
  /** What was begun before the last break is not waited for any more. */
  #run = 0;
  #running = false;

  constructor(context: CallContext, sound: CallSound) {
    this.#context = context;
    this.#sound = sound;
  }

  /** The call has its place in this queue, and hears its music. One that is told already where it stands goes on with that. */
  begin(queueId: string): void {
    if (this.#running && queueId === this.#queueId) {
      return;
    }
    this.pause();
    const before = queueId === this.#queueId ? this.#state : undefined;
    this.#queueId = queueId;
    this.#running = true;
    this.#take(beginAnnouncements(this.#now(), before));
  }

  /** The call does not wait any more, for now. A prompt that plays is ended by whatever comes next. */
  pause(): void {
    this.#running = false;
    this.#run++;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #now(): Now {
    return {
      at: this.#context.deps.clock.now(),
      ringing: this.#ringing(),
      announcements: this.#queue()?.announcements,
    };
  }

  #queue(): ReturnType<CallContext['plan']['queue']> {
    return this.#queueId === undefined ? undefined : this.#context.plan.queue(this.#queueId);
  }

  #ringing(): Ringing {
    const state = this.#context.state();
    if (state.kind !== 'waiting' || state.answering !== undefined || state.pending) {
      return 'leaving';
    }
    return state.offers.length > 0 ? 'rings' : 'nobody';
  }

  #input(run: number, input: Kind & Partial<AnnouncementInput>): void {
    if (run !== this.#run || !this.#state) {
      return;
    }
    const step = stepAnnouncement(this.#state, { ...this.#now(), ...input } as AnnouncementInput);
    if (step) {
      this.#take(step);
    } else {
      this.#context.deps.onUnexpected('announcement', this.#state.kind, input.kind);
    }
  }

  #take({ state, effect }: AnnouncementStep): void {
    this.#state = state;
    this.#do(effect);
  }

  #do(effect: AnnouncementEffect): void {
    const { deps } = this.#context;
    const run = this.#run;
    switch (effect.kind) {
      case 'look-at': {
        this.#timer = deps.clock.setTimeout(
          () => {
            this.#input(run, { kind: 'look' });
          },
          Math.max(0, effect.at - deps.clock.now()),
        );
        return;
      }
      case 'read-place': {
        void this.#readPlace(run, effect.estimate);
        return;
      }
      case 'say': {
        void this.#say(run, effect);
      }
    }
  }

  /** By itself and not behind the call's facts: a database that is away costs the announcement and nothing else. */
  async #readPlace(run: number, estimate: boolean): Promise<void> {
    const { deps, info, log } = this.#context;
    const standing = await deps.store.standing(info.callId, this.#queueId ?? '', estimate).catch((error: unknown) => {
      log.warn({ event: 'announcement_without_place', reason: describeError(error) });
      return undefined;
    });
    this.#input(run, { kind: 'place-read', standing });
  }

  async #say(run: number, { rule, standing }: Extract<AnnouncementEffect, { kind: 'say' }>): Promise<void> {
    const { plan, event, log } = this.#context;
    const { prompt } = rule;
    const queue = this.#queue();
    const uri = plan.promptUri(prompt);
    const { place, estimatedWaitMs } = standing;
    event('call:announced', {
      queue: queue?.name,
      prompt,
      place,
      ...(estimatedWaitMs === undefined ? {} : { estimatedWaitSeconds: Math.ceil(estimatedWaitMs / 1_000) }),
    });
    const played = uri !== undefined && (await this.#sound.interlude(uri, () => this.#queue()?.musicUri));
    if (!played) {
      log.error({ event: 'announcement_not_played', prompt, reason: 'the prompt is not there' });
      event('call:announcement-failed', { prompt });
    }
    this.#input(run, { kind: 'said' });
  }
}
