import type { Clock, TimerHandle } from '../../lib/clock';
import { SidekickError, describeError } from '../../lib/errors';
import { newToken } from '../../lib/ids';
import type { PhoneMedia, PhoneReport } from '../phone/phone-media';
import { parseAudio } from '../rtp/sdp';
import { listHas } from '../sip/header-values';
import type { SipMessage } from '../sip/message';
import type { IncomingRequest, IncomingSession, SessionEnd } from '../sip/types';
import type { CallEar, CallRecord } from './call-book';
import type { CallAction } from './control-routes';
import type { ProxyMood } from './misbehaviour';
import { completedElsewhere, reasonHeader } from './reason';
import { planOffer, planTalk, type Refusal, type Step } from './script-plan';
import type { AgentScript } from './scripts';
import { judgeReinvite } from './sip-rules';
import { RULES, type Broken } from './rules';
import type { TransferBook } from './transfer-book';
import type { TeamsUser } from './users';

/** The mailbox speaks with a tone of its own, so that a test can tell it from a person. */
export const VOICEMAIL_TONE_HZ = 480;

export interface AgentCallDeps {
  readonly clock: Clock;
  readonly mood: ProxyMood;
  readonly transfers: TransferBook;
  /** The user that a name or a number means. */
  readonly userOf: (nameOrNumber: string) => TeamsUser | undefined;
  /** Sends a new INVITE on the trunk of this call, and resolves to its final status. */
  readonly forward: (invite: SipMessage, to: string, user: TeamsUser) => Promise<number>;
  readonly note: (broken: Broken, method: string, call: CallRecord) => void;
  /** The user is in a call (+1) or has left it (−1). */
  readonly countCall: (change: 1 | -1) => void;
  readonly changed: (call: CallRecord, what: 'ringing' | 'answered' | 'heard' | 'ended') => void;
}

/**
 * One call at a simulated agent: runs the script, speaks and hears. The record outlives it.
 *
 *   offered ──180──▶ ringing ──200──▶ answered ⇄ held ──BYE──▶ ended
 *      └──────────────┴── refusal, CANCEL ──────────────────▶ ended
 */
export class AgentCall {
  readonly record: CallRecord;
  readonly #session: IncomingSession;
  readonly #user: TeamsUser;
  readonly #script: AgentScript;
  readonly #media: PhoneMedia;
  readonly #deps: AgentCallDeps;
  readonly #timers = new Set<TimerHandle>();
  readonly #firstOffer: string;
  #counted = false;
  #hangUpOn200 = false;

  constructor(
    parts: { record: CallRecord; session: IncomingSession; user: TeamsUser; script: AgentScript; media: PhoneMedia },
    deps: AgentCallDeps,
  ) {
    this.record = parts.record;
    this.#session = parts.session;
    this.#user = parts.user;
    this.#script = parts.script;
    this.#media = parts.media;
    this.#deps = deps;
    this.#firstOffer = parts.session.remoteSdp ?? '';
    this.record.ear = () => earOf(this.#media.report());
    this.#session.onCancel((reason) => {
      this.#cancelled(reason);
    });
    this.#session.onEnd((end) => {
      this.#ended(end);
    });
    this.#session.onReinvite((request) => {
      this.#reinvited(request);
    });
    this.#session.onRequest((request) => {
      this.#requested(request);
    });
    this.#schedule(planOffer(this.#script));
  }

  /** True if the script wants the 200 to cross the CANCEL; the session must then not see the CANCEL. */
  answersOnCancel(): boolean {
    return this.#script.kind === 'answer-on-cancel' && this.#session.state === 'early';
  }

  answerNow(voicemail = false): void {
    this.#do({ afterMs: 0, do: 'answer', voicemail });
  }

  /** @throws SidekickError SK_CONFLICT when the call is not in a state for it */
  async act(action: CallAction): Promise<void> {
    if (action === 'hang-up') {
      this.record.end('agent', this.#deps.clock.now());
      await this.#session.bye({ headers: { Reason: reasonHeader(16, 'User hung up') } });

      return;
    }
    if (this.#session.state !== 'confirmed') {
      throw new SidekickError('SK_CONFLICT', `The call cannot ${action} now`, { why: `It is ${this.record.state}.` });
    }
    await this.#reinvite(action);
  }

  /** A tone was heard for the first time. */
  heard(): void {
    this.#deps.changed(this.record, 'heard');
  }

  /** Ends everything without a word to the trunk. Idempotent. */
  close(): void {
    this.#session.close();
    this.#stop();
  }

  #schedule(steps: readonly Step[]): void {
    for (const step of steps) {
      const timer = this.#deps.clock.setTimeout(() => {
        this.#timers.delete(timer);
        this.#do(step);
      }, step.afterMs);
      this.#timers.add(timer);
    }
  }

  #do(step: Step): void {
    if (this.#session.state === 'ended') {
      return;
    }
    switch (step.do) {
      case 'ring':
        return this.#ring(step.device);
      case 'early-media':
        return this.#earlyMedia();
      case 'answer':
        return this.#answer(step.voicemail);
      case 'refuse':
        return this.#refuse(step.refusal);
      case 'transfer':
        return this.#background(this.#transfer(step.to, step.attended));
      case 'forward':
        return this.#background(this.#forward(step.to));
      case 'press':
        this.#media.press(step.keys);

        return;
      case 'mute':
        return this.#media.play({ kind: 'nothing' });
      case 'hold':
      case 'unhold':
      case 'refresh':
      case 'hang-up':
        return this.#background(this.act(step.do));
    }
  }

  #ring(device: number): void {
    const unseen = 'answerFromUnseenFork' in this.#script && this.#script.answerFromUnseenFork;
    const required = listHas(this.#session.invite.list('require').join(','), '100rel');
    // A reliable 180 is acknowledged by PRACK to its tag, so only the answering device may send one.
    if (required && device > 0) {
      return;
    }
    const foreign = !required && (device > 0 || unseen);
    const to = `${this.#session.invite.get('to') ?? ''};tag=${newToken(6)}`;
    void this.#session.progress(180, foreign ? { headers: { To: to } } : {});
    if (this.record.ringingAt === null) {
      this.record.state = 'ringing';
      this.record.ringingAt = this.#deps.clock.now();
      this.#deps.changed(this.record, 'ringing');
    }
  }

  #answer(voicemail: boolean): void {
    if (this.#session.state !== 'early') {
      return;
    }
    this.#clearTimers();
    const sdp = this.#answerSdp();
    if (sdp === undefined) {
      return;
    }
    this.#media.play({ kind: 'tone', hz: [voicemail ? VOICEMAIL_TONE_HZ : this.#user.toneHz] });
    const { sessionSeconds } = this.#deps.mood;
    const timer = { 'Session-Expires': `${sessionSeconds};refresher=uac`, Require: 'timer' };
    const accepted = this.#session.accept(sdp, sessionSeconds === undefined ? {} : { headers: timer });
    this.record.voicemail = voicemail;
    this.record.status = 200;
    this.record.state = 'answered';
    this.record.answeredAt = this.#deps.clock.now();
    if (!voicemail) {
      this.#counted = true;
      this.#deps.countCall(1);
    }
    this.#deps.changed(this.record, 'answered');
    this.#schedule(planTalk(this.#script));
    accepted.catch((error: unknown) => {
      this.#note({ rule: 'ack-missing', offending: describeError(error) }, 'ACK');
      this.record.end('teams', this.#deps.clock.now(), reasonHeader(102, 'No ACK for the 200'));
    });
  }

  #earlyMedia(): void {
    const body = this.#answerSdp();
    if (body !== undefined) {
      void this.#session.progress(183, { body });
    }
  }

  /** Undefined when the offer broke no rule but has no codec that a simulated agent speaks: the call is refused then. */
  #answerSdp(): string | undefined {
    const { cryptoForm, answerPlainRtp } = this.#deps.mood;
    try {
      const sdp = this.#session.localSdp ?? this.#media.answer(this.#firstOffer, { cryptoForm });

      return answerPlainRtp ? sdp.replace('RTP/SAVP', 'RTP/AVP').replace(/a=crypto:.*\r\n/g, '') : sdp;
    } catch (error) {
      const reason = describeError(error).slice(0, 100);
      this.#refuse({ status: 488, reason, subcode: 531000, cause: 79, missed: false });

      return undefined;
    }
  }

  #refuse({ status, reason, cause, subcode, retryAfterSeconds, missed }: Refusal): void {
    const phrase = subcode === undefined ? (reason ?? 'Refused') : `${subcode} ${reason ?? 'Refused'}`;
    const header = reasonHeader(cause, phrase);
    const retry = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
    if (missed) {
      this.#missed();
    }
    this.record.status = status;
    this.record.end(status === 603 || status === 486 ? 'agent' : 'teams', this.#deps.clock.now(), header);
    this.#session.reject(status, reason, { headers: { Reason: header, ...retry } });
  }

  #cancelled(reason: string | undefined): void {
    this.record.status = 487;
    if (!completedElsewhere(reason) && this.record.ringingAt !== null) {
      this.#missed();
    }
    this.record.end('sbc', this.#deps.clock.now(), reason);
  }

  #missed(): void {
    const { from, sipCallId } = this.record.start;
    this.#user.missedCalls.push({ at: new Date(this.#deps.clock.now()).toISOString(), from, sipCallId });
    if (this.#user.missedCalls.length > 1000) {
      this.#user.missedCalls.shift();
    }
  }

  #ended(end: SessionEnd): void {
    const by = end.by === 'remote' ? 'sbc' : end.by === 'local' ? 'teams' : 'network';
    this.record.end(by, this.#deps.clock.now(), end.reason);
    this.#stop();
  }

  #stop(): void {
    this.#clearTimers();
    this.#media.close();
    if (this.#counted) {
      this.#counted = false;
      this.#deps.countCall(-1);
    }
    this.record.end('teams', this.#deps.clock.now());
    this.#deps.changed(this.record, 'ended');
  }

  #clearTimers(): void {
    for (const timer of this.#timers) {
      timer.clear();
    }
    this.#timers.clear();
  }

  /** The trunk's re-INVITE: judged, then answered; media goes on to the first target whatever it says (1.7). */
  #reinvited(request: IncomingRequest): void {
    const { mood } = this.#deps;
    if (mood.glare > 0) {
      mood.glare--;
      if (mood.glareCrosses) {
        this.#background(this.#reinvite('hold', true));
        this.#schedule([{ afterMs: 1_000, do: 'unhold' }]);
      }
      request.respond(491);

      return;
    }
    const verdict = judgeReinvite(request.message, this.#firstOffer, mood.sessionSeconds);
    for (const broken of [...verdict.recorded, ...(verdict.refused ? [verdict.refused] : [])]) {
      this.#note(broken, request.message.method);
    }
    if (verdict.refused) {
      const { status, cause, text } = RULES[verdict.refused.rule];
      request.respond(status, undefined, { headers: { Reason: reasonHeader(cause, text) } });

      return;
    }
    const offer = request.message.body;
    const direction = this.record.state === 'held' ? 'inactive' : 'sendrecv';
    try {
      const body = offer.trim() === '' ? this.#media.offer(direction) : this.#media.answer(offer, { direction });
      request.respond(200, undefined, { body });
      this.record.refreshes++;
    } catch (error) {
      request.respond(488, undefined, { headers: { Reason: reasonHeader(79, describeError(error)) } });
    }
  }

  async #reinvite(action: 'hold' | 'unhold' | 'refresh', crossing = false): Promise<void> {
    const before = this.#session.remoteSdp;
    const inactive = action === 'hold' || (action === 'refresh' && this.record.state === 'held');
    const sdp = action === 'refresh' ? this.#session.localSdp : this.#media.offer(inactive ? 'inactive' : 'sendrecv');
    const response = await this.#session.reinvite(sdp, { crossing });
    if (response.status === 491) {
      // Teams did not make the Call-ID: up to two seconds, and once more (RFC 3261 14.1).
      this.#schedule([{ afterMs: Math.round(Math.random() * 200) * 10, do: action }]);

      return;
    }
    if (response.status >= 300) {
      if (action === 'refresh') {
        this.#note({ rule: 'refresh-refused', offending: `${response.status} ${response.reason}` }, 'INVITE');
      }

      return;
    }
    this.#takeAnswer(response, action, before);
  }

  #takeAnswer(response: SipMessage, action: 'hold' | 'unhold' | 'refresh', before: string | undefined): void {
    if (response.body !== '') {
      this.#media.takeAnswer(response.body);
      const { direction, address, port, crypto } = parseAudio(response.body);
      if (action === 'hold' && direction !== 'inactive') {
        this.#note({ rule: 'hold-answer', offending: `a=${direction}` }, 'INVITE');
      }
      const was = before === undefined ? undefined : parseAudio(before);
      const key = crypto[0]?.key.toString('hex');
      if (
        action === 'refresh' &&
        was &&
        (was.address !== address || was.port !== port || was.crypto[0]?.key.toString('hex') !== key)
      ) {
        const where = was.port === port && was.address === address ? 'another key' : `${address}:${port}`;
        this.#note({ rule: 'refresh-changed', offending: where }, 'INVITE');
      }
    }
    if (action !== 'refresh' && this.record.state !== 'ended') {
      this.record.state = action === 'hold' ? 'held' : 'answered';
    }
  }

  /**
   * Transfer by REFER (1.8); nothing if the trunk has no REFER. Blind: BYE right after the 202, as since June 2026. Attended:
   * BYE once a NOTIFY reports 200.
   */
  async #transfer(to: string, attended: boolean): Promise<void> {
    if (!listHas(this.#session.invite.list('allow').join(','), 'REFER')) {
      return;
    }
    const { headers, pending } = this.#deps.transfers.begin(this.#user, to, this.#deps.userOf(to));
    this.record.transfer = pending;
    this.#hangUpOn200 = attended;
    const response = await this.#session.request('REFER', { headers });
    pending.answered(response.status);
    if (response.status !== 202) {
      this.#note({ rule: 'refer-answer', offending: `${response.status} ${response.reason}` }, 'REFER');
    } else if (!attended) {
      await this.act('hang-up');
    }
  }

  /** The user's forwarding takes the call: a new INVITE on the trunk, with the marks by which it can be told (1.9). */
  async #forward(to: string): Promise<void> {
    this.record.forwardStatus = 0;
    this.record.forwardStatus = await this.#deps.forward(this.#session.invite, to, this.#user);
  }

  #requested(request: IncomingRequest): void {
    request.respond(200);
    const { transfer } = this.record;
    if (request.message.method !== 'NOTIFY' || !transfer) {
      return;
    }
    const status = transfer.notified(request.message.body);
    if (status === undefined) {
      this.#note({ rule: 'refer-notify', offending: request.message.body.slice(0, 100) }, 'NOTIFY');
    } else if (status >= 200 && status < 300 && this.#hangUpOn200) {
      this.#background(this.act('hang-up'));
    }
  }

  #note(broken: Broken, method: string): void {
    this.#deps.note(broken, method, this.record);
  }

  /** A scripted action whose call has ended meanwhile has nothing more to do; the record tells why the call ended. */
  #background(action: Promise<void>): void {
    action.catch((error: unknown) => {
      this.record.reason ??= describeError(error);
    });
  }
}

function earOf(report: PhoneReport): CallEar {
  return {
    heardTones: report.tones,
    gaps: report.gaps,
    packets: { received: report.received, lost: report.lost, srtpFailures: report.srtpFailures },
    digits: report.digits,
  };
}
