/**
 * One call leg inside the media server: who it is, where it is (states), what it runs (applications), whom it talks to
 * (bridge), and its audio. SIP is behind `SipLeg`, RTP behind `MediaLeg`; what a channel does next is decided in
 * channel-control.ts.
 */
import { transcode } from '../../rtp/g711';
import type { EslChannel, ExecuteRequest } from '../esl/connection';
import type { EventHub } from '../esl/event-hub';
import { FRAME, FRAME_MS, NoiseSource, silentFrame } from '../media/audio-source';
import type { MediaLeg } from '../media/media-leg';
import type { Negotiation } from '../media/negotiation';
import type { Recorder } from '../media/recorder';
import type { InbandKeys } from '../apps/inband-keys';
import { AppRunner } from './app-runner';
import type { Application } from './app-runner';
import { channelHeaders, withVariables } from './channel-headers';
import { mediaVariables } from './media-variables';
import { CALL_STATES } from './states';
import type { AnswerState, CallState, ChannelState, ChannelTimes } from './states';
import { isTrue } from './variables';

/** The SIP side of a channel. */
export interface SipLeg {
  readonly callId: string;
  /** Answers an incoming leg (200). Nothing to do on an outgoing one. */
  answer(): void;
  /** Early media on an incoming leg (183 with SDP). */
  preAnswer(): void;
  /** Ends the dialog in the way its state needs: refusal, CANCEL or BYE. */
  end(cause: string): void;
}

export interface CallerProfile {
  readonly name: string;
  readonly number: string;
  readonly networkAddress: string;
  readonly destination: string;
}

export interface ChannelInit {
  readonly uuid: string;
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  readonly caller: CallerProfile;
  readonly media: MediaLeg;
  readonly negotiation: Negotiation;
  readonly variables: Iterable<readonly [string, string]>;
}

/** What a channel needs of the server around it. */
export interface ChannelHost {
  readonly hub: EventHub;
  globalVariable(name: string): string | undefined;
  prepare(channel: Channel, app: string, arg: string): Application | undefined;
  /** The channel was hung up: its legs, sockets and bridge are to be ended. */
  hangup(channel: Channel, cause: string): void;
  problem(channel: Channel, what: string, error: unknown): void;
}

/** What the channel does when no application runs. */
export type BaseMode = 'new' | 'dialplan' | 'parked' | 'bridged' | 'ended';

export class Channel implements EslChannel {
  readonly uuid: string;
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  readonly media: MediaLeg;
  readonly negotiation: Negotiation;
  readonly runner: AppRunner;
  readonly times: ChannelTimes;
  readonly recorders = new Map<string, Recorder>();
  caller: CallerProfile;
  callUuid: string;
  sip: SipLeg | undefined;
  state: ChannelState = 'CS_NEW';
  callState: CallState = 'DOWN';
  answerState: AnswerState = 'ringing';
  hangupCause: string | undefined;
  mode: BaseMode = 'new';
  partner: Channel | undefined;
  bridgeRole: 'a' | 'b' | undefined;
  /** A bridge that waits until both legs have left their applications. */
  bridging: { readonly to: Channel; readonly first: boolean; free: boolean } | undefined;
  /** The peer has put us on hold by direction. */
  held = false;
  /** Nothing of the partner goes out: hold without music. */
  mutedByHold = false;
  /** Set while keys are looked for in the audio. */
  inband: InbandKeys | undefined;
  readMuted = false;
  writeMuted = false;
  mediaTimeoutTicks = 0;
  /** Every change of what the channel does; a dialplan that finds another number here stops. */
  generation = 0;
  readonly #host: ChannelHost;
  readonly #variables: Map<string, string>;
  readonly #transcoded = new Uint8Array(FRAME);
  readonly #upWaiters: (() => void)[] = [];
  readonly #endWaiters: (() => void)[] = [];
  #noise: NoiseSource | undefined;
  #silence: number | undefined;
  #in: Uint8Array | undefined;

  constructor(init: ChannelInit, host: ChannelHost) {
    this.#host = host;
    this.uuid = init.uuid;
    this.callUuid = init.uuid;
    this.name = init.name;
    this.direction = init.direction;
    this.caller = init.caller;
    this.media = init.media;
    this.negotiation = init.negotiation;
    this.#variables = new Map(init.variables);
    this.times = {
      created: Date.now() * 1000,
      answered: 0,
      progress: 0,
      progressMedia: 0,
      hangup: 0,
      transferred: 0,
      bridged: 0,
      lastHold: 0,
    };
    this.runner = new AppRunner({
      prepare: (app, arg) => host.prepare(this, app, arg),
      started: (app, appUuid) => {
        this.#variables.set('current_application', app.name);
        this.#variables.set('current_application_data', app.arg);
        this.emit('CHANNEL_EXECUTE', appHeaders(app, appUuid));
      },
      completed: (app, appUuid, response) => {
        this.emit('CHANNEL_EXECUTE_COMPLETE', { ...appHeaders(app, appUuid), 'Application-Response': response });
      },
      idleReads: () => this.mode === 'parked' || this.mode === 'bridged',
      failed: (app, error) => {
        host.problem(this, `application ${app.name} failed`, error);
      },
    });
  }

  get ended(): boolean {
    return this.mode === 'ended';
  }

  /** Calls back at once if audio may flow, else as soon as it may or the channel ends. */
  whenUp(then: () => void): void {
    if (this.ended || this.answerState !== 'ringing') {
      then();
    } else {
      this.#upWaiters.push(then);
    }
  }

  /** Calls back when the channel has ended. */
  whenEnded(then: () => void): void {
    if (this.ended) {
      then();
    } else {
      this.#endWaiters.push(then);
    }
  }

  /** The state changed in a way that someone may wait for. */
  tellWaiters(): void {
    for (const then of this.#upWaiters.splice(0)) {
      then();
    }
    if (this.ended) {
      for (const then of this.#endWaiters.splice(0)) {
        then();
      }
    }
  }

  get answered(): boolean {
    return this.answerState === 'answered';
  }

  get mediaUp(): boolean {
    return this.media.media !== undefined;
  }

  // Variables.

  getVariable(name: string): string | undefined {
    return this.#variables.get(name) ?? mediaVariables(this).get(name) ?? this.#host.globalVariable(name);
  }

  /** A variable of the channel itself, without the calculated and global ones: for every beat. */
  ownVariable(name: string): string | undefined {
    return this.#variables.get(name);
  }

  /** An empty value removes the variable. */
  setVariable(name: string, value: string | undefined): void {
    if (value === undefined || value === '') {
      this.#variables.delete(name);
    } else {
      this.#variables.set(name, value);
    }
    if (name === 'send_silence_when_idle') {
      this.#silence = undefined;
    }
  }

  *allVariables(): Generator<[string, string]> {
    yield* mediaVariables(this);
    yield* this.#variables;
  }

  isTrue(name: string): boolean {
    return isTrue(this.getVariable(name));
  }

  // Events.

  emit(name: string, extra: Readonly<Record<string, string>> = {}, options: { readonly subclass?: string } = {}): void {
    this.#host.hub.publish(name, () => Object.assign(channelHeaders(this, withVariables(name)), extra), {
      ...options,
      uuid: this.uuid,
    });
  }

  setState(state: ChannelState): void {
    this.state = state;
    this.emit('CHANNEL_STATE');
  }

  setCallState(next: CallState): void {
    const before = this.callState;
    if (before === next) {
      return;
    }
    this.callState = next;
    this.emit('CHANNEL_CALLSTATE', {
      'Original-Channel-Call-State': before,
      'Channel-Call-State-Number': String(CALL_STATES[next]),
    });
  }

  // For event sockets.

  execute(request: ExecuteRequest): void {
    if (!this.runner.enqueue(request)) {
      this.#host.problem(this, `command ${request.app} dropped`, undefined);
    }
  }

  hangup(cause: string): void {
    this.#host.hangup(this, cause);
  }

  data(): Record<string, string> {
    return { ...this.#host.hub.commonHeaders('CHANNEL_DATA'), ...channelHeaders(this, true) };
  }

  // Audio, once per beat, in this order over all channels.

  /** Takes the peer's 20 ms and keys. */
  readBeat(nowMs: number): void {
    this.#in = this.media.read();
    for (const key of this.media.takeDigits(nowMs)) {
      this.receiveKey(key.digit, key.durationSamples, 'RTP');
    }
    if (this.inband !== undefined && this.#in !== undefined) {
      const key = this.inband.push(this.#in, this.media.codec);
      if (key !== undefined) {
        this.receiveKey(key, 2000, 'INBAND_AUDIO');
      }
    }
    if (this.mediaTimeoutTicks > 0 && this.media.idleTicks >= this.mediaTimeoutTicks) {
      this.hangup('MEDIA_TIMEOUT');
    }
  }

  /** Sends this channel's 20 ms. */
  writeBeat(tick: number): void {
    const out = this.#outgoing(tick);
    this.media.write(out);
    if (this.recorders.size > 0) {
      for (const recorder of this.recorders.values()) {
        recorder.beat(this.#in, out, this.media.codec);
      }
    }
    this.runner.step(tick);
  }

  /** The peer's audio of this beat, if it may be heard. */
  get incoming(): Uint8Array | undefined {
    return this.readMuted ? undefined : this.#in;
  }

  /** A key of the peer, or one put in by command: event, then the application, then the bridge. */
  receiveKey(digit: string, durationSamples: number, source: string): void {
    this.emit('DTMF', { 'DTMF-Digit': digit, 'DTMF-Duration': String(durationSamples), 'DTMF-Source': source });
    if (!this.runner.key(digit)) {
      this.partner?.media.sendKeys(digit, durationSamples);
    }
  }

  /** Reads `media_timeout` (or its old name), which counts from an answer or a re-INVITE on. */
  readMediaTimeout(): void {
    const ms = Number(this.getVariable('media_timeout') ?? NaN);
    const seconds = Number(this.getVariable('rtp_timeout_sec') ?? NaN);
    const timeout = Number.isFinite(ms) ? ms : Number.isFinite(seconds) ? seconds * 1000 : 0;
    this.mediaTimeoutTicks = Math.max(0, Math.ceil(timeout / FRAME_MS));
  }

  #outgoing(tick: number): Uint8Array | undefined {
    const { codec } = this.media;
    if (!this.mediaUp) {
      return undefined;
    }
    if (this.runner.speaks) {
      const played = this.runner.output(codec, tick);
      if (played !== undefined) {
        return this.writeMuted ? silentFrame(codec) : played;
      }
    }
    if (this.writeMuted) {
      return silentFrame(codec);
    }
    return this.mode === 'bridged' ? this.#fromPartner() : this.#idle();
  }

  #fromPartner(): Uint8Array | undefined {
    const partner = this.partner;
    const frame = this.mutedByHold ? undefined : partner?.incoming;
    const { codec } = this.media;
    if (frame === undefined || partner === undefined) {
      return isTrue(this.#variables.get('bridge_generate_comfort_noise')) && !this.mutedByHold
        ? silentFrame(codec)
        : undefined;
    }
    const from = partner.media.codec;
    return from === codec ? frame : transcode(from.name, codec.name, frame, this.#transcoded);
  }

  #idle(): Uint8Array | undefined {
    this.#silence ??= Number(this.#variables.get('send_silence_when_idle') ?? 0);
    if (this.#silence < 0) {
      return silentFrame(this.media.codec);
    }
    if (this.#silence > 0) {
      this.#noise ??= new NoiseSource(this.#silence);
      return this.#noise.next(this.media.codec);
    }
    return undefined;
  }
}

function appHeaders(app: Application, appUuid: string | undefined): Record<string, string> {
  return {
    Application: app.name,
    'Application-Data': app.arg,
    ...(appUuid === undefined ? {} : { 'Application-UUID': appUuid }),
  };
}
