import { Emitter } from '../../lib/emitter';
import { SidekickError, describeError, toError } from '../../lib/errors';
import type { IncomingRequest, IncomingSession, OutgoingSession, Peer, RequestOptions, SessionEnd } from '../sip/types';
import { SipRejected, type UserAgent } from '../sip/user-agent';
import { PhoneMedia, type PhoneMediaOptions, type PhoneReport } from './phone-media';
import type { Sound } from './speaker';

export interface PhoneEvents {
  /** A provisional response came or was sent; `status` 180, 183 … */
  readonly ringing: readonly [status: number];
  readonly answered: readonly [];
  /** A candidate tone was heard for the first time. */
  readonly heard: readonly [hz: number, at: number];
  readonly digit: readonly [digit: string];
  /** The peer's re-INVITE changed what we may send: held or taken back. */
  readonly held: readonly [held: boolean];
  readonly ended: readonly [PhoneCallEnd];
}

export interface PhoneCallEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport';
  /** Final status of the INVITE; 0 if there was none. */
  readonly status: number;
  readonly reason: string | undefined;
}

export interface PhoneOptions extends Omit<PhoneMediaOptions, 'onTone' | 'onDigit'> {
  /** What is said from the answer on. Default silence. */
  readonly sound?: Sound;
}

export interface DialOptions extends PhoneOptions {
  readonly target: Peer;
  readonly uri: string;
  readonly from?: string;
  readonly to?: string;
  readonly contact?: string;
  readonly callId?: string;
  readonly headers?: RequestOptions['headers'];
  /** INVITE without SDP: the peer offers in its 200 and we answer in the ACK. */
  readonly delayedOffer?: boolean;
  /** Seconds (RFC 4028). */
  readonly sessionExpires?: number;
}

/** How a phone holds: carriers by `sendonly`, Teams by `inactive`. */
export type HoldDirection = 'inactive' | 'sendonly';

/** One call at a scripted phone, dialled or taken: the SIP session and its audio, ended together. */
export class PhoneCall {
  readonly events = new Emitter<PhoneEvents>();
  readonly media: PhoneMedia;
  readonly session: IncomingSession | OutgoingSession;
  readonly startedAt = Date.now();
  /** Settles with the answer; rejects with SipRejected, or SK_LEG_GONE when the call ended otherwise. */
  readonly answered: Promise<void>;
  readonly ended: Promise<PhoneCallEnd>;
  ringingAt: number | undefined;
  answeredAt: number | undefined;
  endedAt: number | undefined;
  #status = 0;
  #end: PhoneCallEnd | undefined;
  #settleEnded: (end: PhoneCallEnd) => void = () => undefined;

  private constructor(
    parts: { media: PhoneMedia; session: IncomingSession | OutgoingSession },
    answered: (call: PhoneCall) => Promise<void>,
  ) {
    this.media = parts.media;
    this.session = parts.session;
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.session.onReinvite((request) => {
      this.#reinvited(request);
    });
    this.session.onEnd((end) => {
      // The answer's promise settles first, so that the status is known.
      setImmediate(() => {
        this.#finish(end);
      });
    });
    this.answered = answered(this);
    this.answered.catch(() => undefined);
  }

  /** Opens the audio and sends the INVITE. @throws SidekickError SK_MEDIA_FAILED */
  static async dial(ua: UserAgent, options: DialOptions): Promise<PhoneCall> {
    const sink: { call?: PhoneCall } = {};
    const media = await openMedia(options, sink);
    const { uri, target, from, to, contact, callId, headers, sessionExpires } = options;
    const delayed = options.delayedOffer === true;
    let session: OutgoingSession;
    try {
      session = ua.invite(uri, {
        target,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(contact === undefined ? {} : { contact }),
        ...(callId === undefined ? {} : { callId }),
        ...(headers === undefined ? {} : { headers }),
        ...(sessionExpires === undefined ? {} : { sessionExpires }),
        ...(delayed ? { ackSdp: (response) => media.answer(response.body) } : { sdp: media.offer() }),
      });
    } catch (error) {
      media.close();
      throw error;
    }
    const call = new PhoneCall({ media, session }, (made) => made.#awaitAnswer(session, delayed));
    sink.call = call;

    return call;
  }

  /** Takes a session that came in; `ring`, `accept` and `reject` follow. @throws SidekickError SK_MEDIA_FAILED */
  static async take(session: IncomingSession, options: PhoneOptions): Promise<PhoneCall> {
    const sink: { call?: PhoneCall } = {};
    const media = await openMedia(options, sink);
    const call = new PhoneCall({ media, session }, (made) => made.#answerHere());
    sink.call = call;

    return call;
  }

  get state(): 'early' | 'confirmed' | 'ended' {
    return this.session.state;
  }

  /** Final status of the INVITE so far; 0 = none. */
  get status(): number {
    return this.#status;
  }

  /** Incoming only: 180 or another provisional. */
  ring(status = 180): void {
    this.#incoming()
      .progress(status)
      .catch(() => undefined);
    this.#noteRinging(status);
  }

  /**
   * Incoming only: 200 with an answer, or with an offer if there was none. Resolves when the ACK came.
   * @throws SidekickError SK_MEDIA_OFFER_REFUSED (the INVITE gets 488), SK_LEG_GONE
   */
  async accept(): Promise<void> {
    const session = this.#incoming();
    const offer = session.remoteSdp;
    let sdp: string;
    try {
      sdp = offer === undefined ? this.media.offer() : this.media.answer(offer);
    } catch (error) {
      this.reject(488, describeError(error).slice(0, 80));
      throw error;
    }
    this.#status = 200;
    const ack = await session.accept(sdp);
    if (offer === undefined) {
      this.media.takeAnswer(ack.body);
    }
    this.#noteAnswered();
  }

  /** Incoming only. */
  reject(status: number, reason?: string): void {
    this.#status = status;
    this.#incoming().reject(status, reason);
  }

  /** Ends the call: BYE, CANCEL or a refusal, whatever its state asks for. Idempotent. */
  async hangUp(options?: RequestOptions): Promise<void> {
    await this.session.bye(options);
  }

  /** Outgoing, before the answer. */
  cancel(options?: RequestOptions): void {
    if ('cancel' in this.session) {
      this.session.cancel(options);
    }
  }

  /** @throws SidekickError SK_CONFLICT when the peer refuses */
  hold(direction: HoldDirection = 'sendonly'): Promise<void> {
    return this.#reinvite(direction);
  }

  unhold(): Promise<void> {
    return this.#reinvite('sendrecv');
  }

  press(digits: string): number {
    return this.media.press(digits);
  }

  report(): PhoneReport {
    return this.media.report();
  }

  /** Ends without a word to the peer. Idempotent. */
  close(): void {
    this.session.close();
    this.media.close();
  }

  async #awaitAnswer(session: OutgoingSession, delayed: boolean): Promise<void> {
    session.onProgress((response) => {
      if (response.body !== '' && !delayed) {
        this.#tryAnswer(response.body);
      }
      this.#noteRinging(response.status);
    });
    try {
      const response = await session.answered;
      this.#status = response.status;
      if (!delayed) {
        this.media.takeAnswer(response.body);
      }
    } catch (error) {
      this.#status = error instanceof SipRejected ? error.status : this.#status;
      if (session.state === 'confirmed') {
        await session.bye({
          headers: { Reason: `SIP;cause=488;text="${toError(error).message.replace(/["\\]/g, "'")}"` },
        });
      }
      throw error;
    }
    this.#noteAnswered();
  }

  #answerHere(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.events.once('answered', resolve);
      this.events.once('ended', () => {
        reject(new SidekickError('SK_LEG_GONE', 'The call ended before it was answered'));
      });
    });
  }

  /** Early media that cannot be used is no reason to end the call: the 200 may bring something better. */
  #tryAnswer(sdp: string): void {
    try {
      this.media.takeAnswer(sdp);
    } catch (error) {
      if (!(error instanceof SidekickError)) {
        throw error;
      }
    }
  }

  #reinvited(request: IncomingRequest): void {
    const offer = request.message.body;
    try {
      const body = offer.trim() === '' ? this.media.offer(this.media.direction) : this.media.answer(offer);
      request.respond(200, undefined, { body });
      this.events.emit('held', this.media.direction !== 'sendrecv');
    } catch (error) {
      request.respond(488, describeError(error).slice(0, 80));
    }
  }

  async #reinvite(direction: 'sendrecv' | HoldDirection): Promise<void> {
    const before = this.media.direction;
    const response = await this.session.reinvite(this.media.offer(direction));
    if (response.status >= 300) {
      this.media.offer(before);
      throw new SidekickError('SK_CONFLICT', `The peer refused ${direction === 'sendrecv' ? 'unhold' : 'hold'}`, {
        why: `${response.status} ${response.reason}`,
      });
    }
    if (response.body !== '') {
      this.media.takeAnswer(response.body);
    }
  }

  #noteRinging(status: number): void {
    this.ringingAt ??= Date.now();
    this.events.emit('ringing', status);
  }

  #noteAnswered(): void {
    this.answeredAt = Date.now();
    this.events.emit('answered');
  }

  #finish(end: SessionEnd): void {
    if (this.#end) {
      return;
    }
    this.endedAt = Date.now();
    this.media.close();
    this.#end = { by: end.by, status: this.#status, reason: end.reason };
    this.events.emit('ended', this.#end);
    this.#settleEnded(this.#end);
  }

  #incoming(): IncomingSession {
    if (!('accept' in this.session)) {
      throw new SidekickError('SK_USAGE', 'Only a call that came in can be answered here');
    }

    return this.session;
  }
}

async function openMedia(options: PhoneOptions, sink: { call?: PhoneCall }): Promise<PhoneMedia> {
  const media = await PhoneMedia.open({
    ...options,
    onTone: (hz, at) => sink.call?.events.emit('heard', hz, at),
    onDigit: (digit) => sink.call?.events.emit('digit', digit),
  });
  media.play(options.sound ?? { kind: 'silence' });

  return media;
}
