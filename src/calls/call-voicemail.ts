import type { TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { CallContext } from './call-context';
import type { CallSound } from './call-sound';
import type { MailboxDestination } from './call-state';
import type { CallerCause, HeardSound, RecordedSound, VoicemailPlan } from './ports';

/** The tone after which the caller speaks. */
const BEEP = 'tone_stream://%(300,0,1000)';
/** Ends the greeting, or the message. */
const DONE_KEY = '#';
/** Sound that makes a message of a recording; a click is less, milliseconds. */
const MIN_SOUND_MS = 200;
/** The end of a recording is waited for so long once it was broken off, milliseconds. */
const RECORD_END_MS = 1_500;

/** Something that was recorded, or was to be. */
interface Recording {
  readonly to: MailboxDestination;
  readonly plan: VoicemailPlan;
  readonly since: number;
  readonly done: Promise<RecordedSound | undefined>;
}

interface Verdict {
  /** Undefined: nothing was recorded. */
  readonly lengthMs: number | undefined;
  readonly kept: boolean;
}

const NOTHING: Verdict = { lengthMs: undefined, kept: false };

/**
 * What belongs to leaving a message: greeting, tone, recording, and whether what was recorded is a message. Its row is written
 * before the tone, so that whatever becomes of this node, sound that is there is found again.
 */
export class CallVoicemail {
  readonly #context: CallContext;
  readonly #sound: CallSound;
  #greeting = false;
  /** The row of this message stands, or is being written, and has no end yet. */
  #begun: MailboxDestination | undefined;
  #recording: Recording | undefined;
  /** Whether the recording that is over is a message. */
  #verdict: Promise<Verdict> | undefined;

  constructor(context: CallContext, sound: CallSound) {
    this.#context = context;
    this.#sound = sound;
  }

  /** Greeting and tone; ends in `mailbox-open`. */
  open(to: MailboxDestination): void {
    void this.#open(to);
  }

  async #open(to: MailboxDestination): Promise<void> {
    const { event, input } = this.#context;
    const plan = this.#plan(to);
    event('voicemail:greeting', { queue: plan?.queue });
    if (plan?.greetingUri !== undefined) {
      this.#greeting = true;
      await this.#sound.play(plan.greetingUri);
      this.#greeting = false;
    }
    if (!this.#isIn('mailbox', to)) {
      return;
    }
    if (!plan) {
      this.#failed(to, 'the queue keeps no messages any more');
      return;
    }
    this.#begin(to, plan);
    await this.#sound.play(BEEP);
    if (this.#isIn('mailbox', to)) {
      input({ kind: 'mailbox-open' });
    }
  }

  #begin(to: MailboxDestination, plan: VoicemailPlan): void {
    const { deps, fact, info, handles } = this.#context;
    this.#begun = to;
    fact('begin-voicemail', () =>
      deps.store.beginVoicemail({
        voicemailId: to.voicemailId,
        tenantId: info.route.tenantId,
        queueId: to.queueId,
        callId: info.callId,
        callerNumber: info.caller.number,
        callerName: info.caller.name,
        mediaServer: handles()?.mediaServer ?? '',
        file: fileOf(to),
        maxMs: plan.maxSeconds * 1_000,
        keepDays: plan.keepDays,
      }),
    );
  }

  /** Ends in `message-over`, unless the caller hangs up first. */
  record(to: MailboxDestination): void {
    const { deps, event, log } = this.#context;
    const plan = this.#plan(to);
    if (!plan) {
      this.#failed(to, 'the queue keeps no messages any more');
      return;
    }
    event('voicemail:recording', { queue: plan.queue, voicemailId: to.voicemailId });
    const { maxSeconds, silenceSeconds } = plan;
    const recording: Recording = {
      to,
      plan,
      since: deps.clock.now(),
      done: this.#sound
        .record({ file: fileOf(to), maxSeconds, silenceSeconds, endKey: DONE_KEY })
        .catch((error: unknown) => {
          log.error({ event: 'voicemail_not_recorded', reason: describeError(error) });
          return undefined;
        }),
    };
    this.#recording = recording;
    void recording.done.then(async (sound) => {
      if (this.#recording !== recording) {
        return;
      }
      if (!sound) {
        this.#failed(to, 'the media server did not record');
        return;
      }
      const { kept } = await this.#seal(recording, Promise.resolve(sound));
      this.#over(to, kept ? 'kept' : 'discarded');
    });
  }

  /** `#` ends the greeting; the media server itself takes the one that ends the message. */
  key(key: string): void {
    if (key === DONE_KEY && this.#greeting) {
      this.#sound.stop();
    }
  }

  /** Who hangs up while speaking has left a message: the call is told that he is gone once it is known whether it is one. */
  callerLeft(cause: CallerCause): void {
    const recording = this.#recording;
    const { input, state } = this.#context;
    const verdict = recording ? this.#seal(recording, this.#breakOff(recording)) : this.#verdict;
    if (!verdict) {
      input({ kind: 'caller-left', cause });
      return;
    }
    void verdict.then(({ kept }) => {
      if (state().kind !== 'ended') {
        input({ kind: 'caller-left', cause, message: kept });
      }
    });
  }

  /** The call ends by other means: what was recorded is kept if it is a message. */
  close(): void {
    const recording = this.#recording;
    if (recording) {
      void this.#seal(recording, this.#breakOff(recording));
    } else if (this.#begun) {
      this.#end(this.#begun, Promise.resolve(NOTHING));
    }
  }

  /** Ends the recording now. Where the media server does not say how long it was, the clock does. */
  async #breakOff(recording: Recording): Promise<RecordedSound> {
    const { clock } = this.#context.deps;
    const lengthMs = clock.now() - recording.since;
    this.#sound.stop();
    let timer: TimerHandle | undefined;
    const timedOut = new Promise<undefined>((resolve) => {
      timer = clock.setTimeout(() => {
        resolve(undefined);
      }, RECORD_END_MS);
    });
    const sound = await Promise.race([recording.done, timedOut]);
    timer?.clear();
    return sound ?? { lengthMs, endedBySilence: false };
  }

  /** The recording is over: whether it is a message is told once it is known, and written. */
  #seal(recording: Recording, over: Promise<RecordedSound>): Promise<Verdict> {
    this.#recording = undefined;
    const verdict = over.then((sound) => this.#judge(recording, sound));
    this.#verdict = verdict;
    this.#end(recording.to, verdict);
    void verdict.then((told) => {
      this.#tell(recording, told);
    });
    return verdict;
  }

  #tell({ to, plan }: Recording, { lengthMs, kept }: Verdict): void {
    const { deps, event } = this.#context;
    event(kept ? 'voicemail:left' : 'voicemail:discarded', {
      queue: plan.queue,
      voicemailId: to.voicemailId,
      lengthMs: Math.round(lengthMs ?? 0),
    });
    deps.metrics.voicemail(plan.queue, kept ? 'kept' : 'discarded');
  }

  /** The file says whether it is a message, where this node can read it, else the lengths do. */
  async #judge({ to, plan }: Recording, sound: RecordedSound): Promise<Verdict> {
    const { deps, handles, log } = this.#context;
    const soundMs = sound.lengthMs - (sound.endedBySilence ? plan.silenceSeconds * 1_000 : 0);
    let heard: HeardSound = { lengthMs: sound.lengthMs, soundMs, lastSoundMs: soundMs };
    try {
      heard = (await deps.media.listenTo?.(handles()?.mediaServer ?? '', fileOf(to))) ?? heard;
    } catch (error) {
      log.warn({ event: 'voicemail_not_heard', reason: describeError(error) });
    }
    const kept = heard.soundMs >= MIN_SOUND_MS && heard.lastSoundMs >= plan.minSeconds * 1_000;
    return { lengthMs: Math.round(heard.lengthMs), kept };
  }

  #end(to: MailboxDestination, verdict: Promise<Verdict>): void {
    const { deps, fact } = this.#context;
    this.#begun = undefined;
    fact('end-voicemail', async () => {
      await deps.store.endVoicemail(to.voicemailId, await verdict);
    });
  }

  #over(to: MailboxDestination, message: 'kept' | 'discarded' | 'failed'): void {
    if (this.#isIn('recording', to) || this.#isIn('mailbox', to)) {
      this.#context.input({ kind: 'message-over', message });
    }
  }

  #failed(to: MailboxDestination, why: string): void {
    const { event, log } = this.#context;
    this.#recording = undefined;
    log.error({ event: 'voicemail_failed', reason: why });
    event('voicemail:failed', { why });
    if (this.#begun) {
      this.#end(this.#begun, Promise.resolve(NOTHING));
    }
    this.#over(to, 'failed');
  }

  #isIn(kind: 'mailbox' | 'recording', to: MailboxDestination): boolean {
    const state = this.#context.state();
    return state.kind === kind && state.to.voicemailId === to.voicemailId;
  }

  #plan(to: MailboxDestination): VoicemailPlan | undefined {
    return this.#context.plan.queue(to.queueId)?.voicemail;
  }
}

const fileOf = ({ voicemailId }: MailboxDestination): string => `${voicemailId}.wav`;
