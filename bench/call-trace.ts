/** One call of the benchmark as both of its ends saw it. All times are of one process's monotonic clock, milliseconds. */
import { Emitter } from '../src/lib/emitter';

export interface TraceEvents {
  /** The agent's INVITE arrived. */
  offered: readonly [];
  /** The caller got his 200. */
  answered: readonly [];
  /** The agent sent his 200. */
  'agent-answered': readonly [];
  'agent-ended': readonly [];
  'caller-ended': readonly [];
}

export class CallTrace {
  readonly events = new Emitter<TraceEvents>();
  readonly startedAt = performance.now();
  answeredAt: number | undefined;
  /** Final status of the caller's INVITE; 0 = none. */
  status = 0;
  /** A refusal named a time to try again. */
  retryAfter = false;
  agentInviteAt: number | undefined;
  agentAnsweredAt: number | undefined;
  /** How many INVITEs at agents this call made; more than one means that an offer was repeated. */
  offers = 0;
  callerByeSentAt: number | undefined;
  callerByeReceivedAt: number | undefined;
  agentByeSentAt: number | undefined;
  agentByeReceivedAt: number | undefined;

  constructor(readonly number: string) {}
}

/** Calls in progress by the caller's number, which the agent's INVITE shows too. */
export class Traces {
  readonly #byNumber = new Map<string, CallTrace>();
  #next = 0;

  open(): CallTrace {
    this.#next = (this.#next + 1) % 10_000_000;
    const trace = new CallTrace(`+4917${String(10_000_000 + this.#next)}`);
    this.#byNumber.set(trace.number, trace);
    return trace;
  }

  find(number: string): CallTrace | undefined {
    return this.#byNumber.get(number);
  }

  close(trace: CallTrace): void {
    this.#byNumber.delete(trace.number);
  }
}
