/** One simulated caller: dials, listens, watches what the node and the agent's side say, and hangs up. */
import { randomInt } from 'node:crypto';
import type { Carrier } from '../../embedded/carrier/carrier';
import type { CarrierCall } from '../../embedded/carrier/carrier-call';
import { DEMO_CALLER_TONE_HZ } from '../../embedded/teams/users';
import { describeError, isSidekickError } from '../../lib/errors';
import { sleep } from '../../lib/clock';
import { withTimeout } from '../../lib/timeout';
import type { CallRow, StoredCallEvent } from '../../store';
import type { AgentVoice, TenantView } from './simulated-tenant';
import type { Stage } from './stages';
import { stagesOfEvents } from './stages';

export interface CallerPlan {
  readonly to: string;
  readonly target: { readonly host: string; readonly port: number };
  readonly talkMs: number;
  /** Gives up when no agent is heard after this long. */
  readonly waitMs: number;
  /** How often the call's events are looked at. */
  readonly watchMs: number;
}

export interface CallerDeps {
  readonly carrier: Carrier;
  readonly tenant: TenantView;
  readonly voices: readonly AgentVoice[];
  findCall(sipCallId: string): Promise<CallRow | undefined>;
  callEvents(callId: string): Promise<readonly StoredCallEvent[]>;
  onStage(stage: Stage, callId: string | undefined): void;
  /** Aborted by Ctrl-C: the caller hangs up. */
  readonly signal: AbortSignal;
}

export interface CallSummary {
  readonly callId: string | null;
  readonly sipCallId: string;
  readonly from: string;
  readonly to: string;
  readonly result: string;
  readonly reason: string;
  readonly agent: string | null;
  readonly callerHeardAgent: boolean;
  readonly agentHeardCaller: boolean;
  readonly stages: readonly Stage[];
}

/** A tone must be heard for this long to count: no click or rest of music passes for a voice. */
const HEARD_MS = 200;
/** How long after the end its facts may take to be written. */
const SETTLE_MS = 5000;
const HANG_UP_MS = 3000;
const CLOSE_MS = 1000;
/** A talk lasts at least this long, unless both sides were heard before. */
const PROOF_MS = 3000;

/** A German mobile number that nobody has asked for: +49 17x and eight more digits. */
export function randomCaller(): string {
  return `+4917${randomInt(0, 10)}${String(randomInt(0, 100_000_000)).padStart(8, '0')}`;
}

/** Places one call and follows it to its end. Never throws for what the network does: that is in the summary. */
export async function placeCall(plan: CallerPlan, deps: CallerDeps): Promise<CallSummary> {
  const caller = new Caller(plan, deps, randomCaller());
  return caller.run();
}

class Caller {
  readonly #plan: CallerPlan;
  readonly #deps: CallerDeps;
  readonly #from: string;
  readonly #stages: Stage[] = [];
  #startedAt = 0;
  #callId: string | undefined;
  #eventsSeen = 0;
  #watchError: string | undefined;
  #nodeLost = false;

  constructor(plan: CallerPlan, deps: CallerDeps, from: string) {
    this.#plan = plan;
    this.#deps = deps;
    this.#from = from;
  }

  async run(): Promise<CallSummary> {
    const { carrier, voices, signal } = this.#deps;
    this.#startedAt = Date.now();
    const call = await carrier.call({
      from: this.#from,
      to: this.#plan.to,
      target: { protocol: 'udp', address: this.#plan.target.host, port: this.#plan.target.port },
      toneHz: DEMO_CALLER_TONE_HZ,
      listenFor: voices.map((voice) => voice.toneHz),
    });
    const over = new AbortController();
    call.events.once('answered', () => this.#add('answered', call.phone.answeredAt ?? Date.now(), {}));
    const ended = call.ended.then(() => over.abort());
    const watching = this.#watch(call, over.signal);
    await this.#talk(call, signal);
    await this.#hangUp(call);
    // A phone that was closed without a word may never tell of its end.
    await withTimeout(ended, CLOSE_MS, () => new Error('the call did not end')).catch((error: unknown) =>
      this.#note(error),
    );
    over.abort();
    await watching;
    return this.#summary(call);
  }

  /** Until the caller has talked long enough, has waited too long, is told to stop, or the call is over. */
  async #talk(call: CarrierCall, signal: AbortSignal): Promise<void> {
    const until = Date.now() + this.#plan.waitMs;
    let talkUntil: number | undefined;
    let proofUntil: number | undefined;
    while (call.state !== 'ended' && !signal.aborted && !this.#nodeLost) {
      const now = Date.now();
      if (talkUntil === undefined && (this.#heardAgent(call) !== undefined || this.#has('connected'))) {
        talkUntil = now + this.#plan.talkMs;
        proofUntil = now + Math.max(this.#plan.talkMs, PROOF_MS);
      }
      // A short talk goes on until both sides were heard, else it would prove nothing.
      const done = this.#has('caller-heard-agent') && this.#has('agent-heard-caller') ? talkUntil : proofUntil;
      if (now >= (done ?? until)) {
        return;
      }
      await sleep(20);
    }
  }

  async #hangUp(call: CarrierCall): Promise<void> {
    if (call.state === 'ended') {
      return;
    }
    try {
      await withTimeout(call.hangUp(), HANG_UP_MS, () => new Error('the BYE got no answer'));
    } catch (error) {
      this.#note(error);
    }
    call.close();
  }

  /** Follows the facts of the node and the ears of the agent until the call is over and its end is written. */
  async #watch(call: CarrierCall, over: AbortSignal): Promise<void> {
    let deadline = Infinity;
    for (;;) {
      try {
        await this.#look(call);
      } catch (error) {
        this.#note(error);
        // The demo's database ends with the demo: nobody is there any more to answer, or to write what happened.
        this.#nodeLost ||= isSidekickError(error, 'SK_POSTGRES_UNREACHABLE');
      }
      if (over.aborted && this.#nodeLost) {
        return;
      }
      if (over.aborted) {
        deadline = Math.min(deadline, Date.now() + SETTLE_MS);
        // A call that was refused never had a row.
        if (this.#has('ended') || Date.now() >= deadline || (this.#callId === undefined && !this.#has('answered'))) {
          return;
        }
      }
      await sleep(over.aborted ? 50 : this.#plan.watchMs);
    }
  }

  async #look(call: CarrierCall): Promise<void> {
    const heard = this.#heardAgent(call);
    if (heard !== undefined && !this.#has('caller-heard-agent')) {
      this.#add('caller-heard-agent', heard.firstAt, { hz: heard.hz, agent: heard.agent });
    }
    this.#callId ??= (await this.#deps.findCall(call.sipCallId))?.id;
    if (this.#callId !== undefined) {
      const events = await this.#deps.callEvents(this.#callId);
      const stages = stagesOfEvents(events, this.#startedAt);
      stages.slice(this.#eventsSeen).forEach((stage) => this.#push(stage));
      this.#eventsSeen = Math.max(this.#eventsSeen, stages.length);
    }
    if (this.#has('connected') && !this.#has('agent-heard-caller')) {
      await this.#askAgent();
    }
  }

  async #askAgent(): Promise<void> {
    for (const side of await this.#deps.tenant.callsFrom(this.#from)) {
      const tone = side.heardTones.find((t) => Math.abs(t.hz - DEMO_CALLER_TONE_HZ) < 20 && t.ms >= HEARD_MS);
      if (tone !== undefined && !side.voicemail) {
        this.#add('agent-heard-caller', tone.firstAt, { hz: tone.hz, agent: side.agent });
        return;
      }
    }
  }

  #heardAgent(call: CarrierCall): { hz: number; firstAt: number; agent: string } | undefined {
    const voice = this.#deps.voices.find((v) => call.heardMs(v.toneHz) >= HEARD_MS);
    if (voice === undefined) {
      return undefined;
    }
    const tone = call.report().tones.find((t) => t.hz === voice.toneHz);
    return { hz: voice.toneHz, firstAt: tone?.firstAt ?? Date.now(), agent: voice.name };
  }

  #has(stage: Stage['stage']): boolean {
    return this.#stages.some((s) => s.stage === stage);
  }

  #add(stage: Stage['stage'], at: number, data: Stage['data']): void {
    this.#push({ stage, ms: Math.max(0, at - this.#startedAt), data });
  }

  #push(stage: Stage): void {
    this.#stages.push(stage);
    this.#deps.onStage(stage, this.#callId);
  }

  #note(error: unknown): void {
    this.#watchError = describeError(error);
  }

  #summary(call: CarrierCall): CallSummary {
    const last = this.#stages.find((s) => s.stage === 'ended')?.data ?? {};
    const { end, status } = call.report();
    const agent = this.#stages.findLast((s) => s.stage === 'connected')?.data['agent'];
    const fallback = this.#has('answered')
      ? (this.#watchError ?? 'its end was not written')
      : `the call was refused: ${end?.reason ?? `SIP status ${status}`}`;
    return {
      callId: this.#callId ?? null,
      sipCallId: call.sipCallId,
      from: this.#from,
      to: this.#plan.to,
      result: typeof last['result'] === 'string' ? last['result'] : this.#has('answered') ? 'unknown' : 'refused',
      reason: typeof last['reason'] === 'string' ? last['reason'] : fallback,
      agent: typeof agent === 'string' ? agent : null,
      callerHeardAgent: this.#has('caller-heard-agent'),
      agentHeardCaller: this.#has('agent-heard-caller'),
      stages: [...this.#stages],
    };
  }
}
