import type { Transfer } from './transfer-book';
import { newId } from '../../lib/ids';
import type { CallState, CallView, EndedBy, HeardGap, HeardTone } from './call-record';
import type { CallFilter } from './control-routes';
import { RULES, type Broken, type BrokenRecord } from './rules';

/** What of a call is known by its ear. */
export interface CallEar {
  readonly heardTones: readonly HeardTone[];
  readonly gaps: readonly HeardGap[];
  readonly packets: CallView['packets'];
  readonly digits: string;
}

const DEAF: CallEar = { heardTones: [], gaps: [], packets: { received: 0, lost: 0, srtpFailures: 0 }, digits: '' };

/** One call as it goes on. */
export class CallRecord {
  readonly id = newId();
  state: CallState = 'offered';
  ringingAt: number | null = null;
  answeredAt: number | null = null;
  endedAt: number | null = null;
  endedBy: EndedBy | null = null;
  status = 0;
  reason: string | null = null;
  voicemail = false;
  refreshes = 0;
  transfer: Transfer | undefined;
  forwardStatus: number | null = null;
  readonly rulesBroken: BrokenRecord[] = [];
  /** While the call lasts its ear is asked; afterwards this is what it last said. */
  ear: () => CallEar = () => DEAF;

  constructor(
    readonly start: {
      readonly sipCallId: string;
      readonly from: string;
      readonly fromName: string | null;
      readonly to: string;
      readonly agent: string | null;
      readonly certificateNames: readonly string[];
      readonly startedAt: number;
    },
  ) {}

  end(by: EndedBy, now: number, reason?: string): void {
    if (this.state === 'ended') {
      return;
    }
    this.state = 'ended';
    this.endedAt = now;
    this.endedBy = by;
    this.reason ??= reason ?? null;
    const last = this.ear();
    this.ear = () => last;
  }

  view(): CallView {
    const { id, state, ringingAt, answeredAt, endedAt, endedBy, status, reason, voicemail, refreshes } = this;
    const { startedAt, ...who } = this.start;

    return {
      id,
      ...who,
      state,
      startedAt,
      ringingAt,
      answeredAt,
      endedAt,
      endedBy,
      status,
      reason,
      voicemail,
      refreshes,
      ...this.ear(),
      rulesBroken: [...this.rulesBroken],
      transfer: this.transfer?.view() ?? null,
      forwardStatus: this.forwardStatus,
    };
  }
}

/** All calls of the tenant and all broken rules. Ended calls and rules are kept up to a limit, the oldest go first. */
export class CallBook {
  #calls: CallRecord[] = [];
  #broken: BrokenRecord[] = [];

  constructor(private readonly limit: number) {}

  add(call: CallRecord): void {
    this.#calls.push(call);
    if (this.#calls.length > this.limit) {
      const oldest = this.#calls.findIndex((other) => other.state === 'ended');
      if (oldest >= 0) {
        this.#calls.splice(oldest, 1);
      }
    }
  }

  /** Notes a broken rule, with the call if it has one. */
  note(broken: Broken, where: { method: string; sipCallId: string; at: number }, call?: CallRecord): BrokenRecord {
    const { section, text, status } = RULES[broken.rule];
    const record: BrokenRecord = { ...broken, ...where, section, text, status };
    this.#broken.push(record);
    if (this.#broken.length > this.limit) {
      this.#broken.shift();
    }
    call?.rulesBroken.push(record);

    return record;
  }

  broken(): readonly BrokenRecord[] {
    return [...this.#broken];
  }

  find(filter: CallFilter): CallView[] {
    return this.#calls
      .filter(
        ({ start, state }) =>
          (filter.from === undefined || start.from === filter.from) &&
          (filter.agent === undefined || start.agent === filter.agent.toLowerCase()) &&
          (filter.active !== true || state !== 'ended'),
      )
      .map((call) => call.view());
  }

  get(id: string): CallRecord | undefined {
    return this.#calls.find((call) => call.id === id);
  }

  countActive(agent: string): number {
    return this.#calls.filter((call) => call.start.agent === agent && call.state !== 'ended').length;
  }

  forget(): void {
    this.#calls = this.#calls.filter((call) => call.state !== 'ended');
    this.#broken = [];
  }
}
