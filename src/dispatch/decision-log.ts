import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { CallSummary } from '../routing/types';
import type { DecisionRecord, MatchResult } from './ports';

export interface DecisionLogDeps {
  readonly write: (records: readonly DecisionRecord[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long decisions are collected before they are written in one statement, milliseconds. */
const FLUSH_MS = 100;
/** Past this many unwritten decisions new ones are not kept: they explain, they do not decide. */
const MAX_PENDING = 200;
/** Calls explained by one decision; the others are explained by the next ones. */
const MAX_CALLS = 50;
/** Calls of which the last word is remembered, so that only what is new is written. */
const MAX_REMEMBERED = 20_000;

/**
 * Writes down why calls got or did not get somebody: after the match, off its path, and only what is new (somebody was assigned,
 * or a call's reasons changed). What cannot be written is dropped and counted in the log; no caller waits for it.
 */
export class DecisionLog {
  readonly #deps: DecisionLogDeps;
  readonly #said = new Map<string, string>();
  #pending: DecisionRecord[] = [];
  #timer: TimerHandle | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(deps: DecisionLogDeps) {
    this.#deps = deps;
  }

  add(queueId: string, trigger: string, { snapshot, decision }: MatchResult): void {
    const callIds = decision.explanations.filter((summary) => this.#isNew(summary)).map((summary) => summary.callId);
    if (callIds.length === 0 && decision.assignments.length === 0) {
      return;
    }
    if (this.#pending.length >= MAX_PENDING) {
      this.#dropped++;
      return;
    }
    this.#pending.push({ queueId, trigger, snapshot, decision, callIds: callIds.slice(0, MAX_CALLS) });
    this.#timer ??= this.#deps.clock.setTimeout(() => {
      void this.flush();
    }, FLUSH_MS);
  }

  /** Writes what is collected; waits for it. */
  async flush(): Promise<void> {
    this.#timer?.clear();
    this.#timer = undefined;
    const records = this.#pending;
    this.#pending = [];
    this.#writing = this.#writing.then(() => this.#write(records));
    await this.#writing;
  }

  async #write(records: readonly DecisionRecord[]): Promise<void> {
    if (this.#dropped > 0) {
      this.#deps.log.warn({ event: 'decisions_dropped', count: this.#dropped });
      this.#dropped = 0;
    }
    if (records.length === 0) {
      return;
    }
    try {
      await this.#deps.write(records);
    } catch (error) {
      this.#deps.log.warn({ event: 'decisions_not_written', count: records.length, reason: describeError(error) });
    }
  }

  #isNew(summary: CallSummary): boolean {
    const says = JSON.stringify([summary.chosen, summary.eligible, summary.refused, summary.heldFor]);
    if (this.#said.get(summary.callId) === says) {
      return false;
    }
    this.#said.delete(summary.callId);
    this.#said.set(summary.callId, says);
    for (const callId of this.#said.keys()) {
      if (this.#said.size <= MAX_REMEMBERED) {
        break;
      }
      this.#said.delete(callId);
    }
    return true;
  }
}
