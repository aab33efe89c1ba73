import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { CallEvent } from './types';

export interface EventSink {
  appendCallEvents(events: readonly CallEvent[]): Promise<number>;
}

/** How long events are collected before they are written in one statement, milliseconds. */
const FLUSH_MS = 25;
/** How long to wait after a write that failed, milliseconds. */
const RETRY_MS = 500;
/** Past this many unwritten events the oldest are dropped, loudly: a database that is away must not fill the memory. */
const MAX_PENDING = 50_000;

/**
 * Writes call events in batches and in order. Events of a call whose row is not written yet wait for it. A write that fails is
 * repeated with the next batch.
 */
export class EventWriter {
  readonly #sink: EventSink;
  readonly #log: Log;
  readonly #waitingFor = new Set<string>();
  #pending: CallEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(sink: EventSink, log: Log) {
    this.#sink = sink;
    this.#log = log;
  }

  /** Keeps the events of this call back until `callStored`. */
  callPending(callId: string): void {
    this.#waitingFor.add(callId);
  }

  callStored(callId: string): void {
    this.#waitingFor.delete(callId);
    this.#schedule();
  }

  append(event: CallEvent): void {
    this.#pending.push(event);
    if (this.#pending.length > MAX_PENDING) {
      const dropped = this.#pending.splice(0, this.#pending.length - MAX_PENDING);
      this.#log.error({ event: 'call_events_dropped', count: dropped.length });
    }
    this.#schedule();
  }

  /** Writes what is there; waits for it. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waitingFor.clear();
    await this.flush();
  }

  #schedule(afterMs = FLUSH_MS): void {
    if (this.#timer === undefined && !this.#closed) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        void this.flush();
      }, afterMs);
    }
  }

  async #write(): Promise<void> {
    const ready = this.#pending.filter((e) => !this.#waitingFor.has(e.callId));
    if (ready.length === 0) {
      return;
    }
    this.#pending = this.#pending.filter((e) => this.#waitingFor.has(e.callId));
    try {
      await this.#sink.appendCallEvents(ready);
    } catch (error) {
      this.#log.warn({ event: 'call_events_not_written', count: ready.length, reason: describeError(error) });
      if (!this.#closed) {
        this.#pending = [...ready, ...this.#pending];
        this.#schedule(RETRY_MS);
      }
    }
  }
}
