/**
 * Runs the applications of one channel as FreeSWITCH's channel thread does (wire reference 5.4): a command that comes while
 * an application waits or plays is nested in it, the outer one stands still meanwhile; with event-lock commands follow one
 * another; leaving the application (bridge, transfer, hang-up) ends all of them, innermost first.
 */
import type { ExecuteRequest } from '../esl/connection';
import type { G711Codec } from '../../rtp/g711';

export type Outcome = 'done' | 'break' | 'abort';

/** What an application does for longer than an instant. Only the innermost one is given beats, keys and the speaker. */
export interface Activity {
  /** Only the end of the application ends it: a break passes it by. */
  readonly unbreakable?: true;
  /** Bytes to send in this beat, `undefined` when it has finished. Without it the channel is idle or its bridge goes on. */
  output?(codec: G711Codec, tick: number): Uint8Array | undefined;
  /** Once per beat, after output. True when finished. */
  step?(tick: number): boolean;
  /** A key was pressed; true if it was meant for this application. */
  key?(digit: string): boolean;
}

export interface Application {
  readonly name: string;
  readonly arg: string;
  /** Resolves to the Application-Response, `_none_` by default. */
  run(frame: Frame): Promise<string | undefined>;
}

export interface RunnerEvents {
  /** Finds and prepares an application; undefined if there is none of that name. */
  prepare(app: string, arg: string): Application | undefined;
  started(app: Application, appUuid: string | undefined): void;
  completed(app: Application, appUuid: string | undefined, response: string): void;
  /** Whether commands may run when nothing else does (parked or bridged). */
  idleReads(): boolean;
  failed(app: Application, error: unknown): void;
}

interface Waiting {
  readonly activity: Activity;
  readonly settle: (outcome: Outcome) => void;
}

/** One running application. */
export class Frame {
  waiting: Waiting | undefined;
  /** The last activity was broken off: what runs in a circle ends too. */
  stopped = false;
  readonly locked: boolean;
  readonly #runner: AppRunner;

  constructor(
    runner: AppRunner,
    readonly app: Application,
    locked: boolean,
  ) {
    this.#runner = runner;
    this.locked = locked;
  }

  /** Does something for a while; resolves when it is finished, broken off, or the channel leaves the application. */
  perform(activity: Activity): Promise<Outcome> {
    return this.#runner.perform(this, activity);
  }
}

/** A loop that goes round faster than this is stopped, as FreeSWITCH does. */
const MIN_LOOP_MS = 500;
const MAX_QUEUE = 1000;

export class AppRunner {
  readonly #events: RunnerEvents;
  readonly #stack: Frame[] = [];
  #queue: ExecuteRequest[] = [];
  #aborting = false;
  #whenEmpty: (() => void) | undefined;
  #closed = false;

  constructor(events: RunnerEvents) {
    this.#events = events;
  }

  get top(): Frame | undefined {
    return this.#stack.at(-1);
  }

  get depth(): number {
    return this.#stack.length;
  }

  /** A command from outside: runs as soon as the channel reads its commands. False if too many wait already. */
  enqueue(request: ExecuteRequest): boolean {
    if (this.#closed || this.#queue.length >= MAX_QUEUE) {
      return false;
    }
    this.#queue.push(request);
    this.pump();
    return true;
  }

  /** Starts what may start now. */
  pump(): void {
    while (this.#queue.length > 0 && this.#mayRun()) {
      const request = this.#queue.shift();
      if (request !== undefined) {
        void this.#runLoop(request);
      }
    }
  }

  /** Runs one application from the dialplan, below everything else. */
  async run(app: string, arg: string, appUuid: string | undefined): Promise<boolean> {
    const prepared = this.#events.prepare(app, arg);
    if (prepared === undefined) {
      return false;
    }
    await this.#runOne(prepared, appUuid, false);
    return true;
  }

  /** Ends the innermost file, wait or collection; with `all` also forgets the commands that wait. */
  breakTop(all = false): void {
    if (all) {
      this.#queue = [];
    }
    const frame = this.top;
    if (frame?.waiting?.activity.unbreakable !== true) {
      this.#settle(frame, 'break');
    }
  }

  /** Ends all applications, innermost first, then calls `then`. A later call replaces what comes after. */
  abortAll(then: () => void): void {
    this.#whenEmpty = then;
    this.#aborting = true;
    if (this.#stack.length === 0) {
      this.#emptied();
    } else {
      this.#settle(this.top, 'abort');
    }
  }

  /** No command runs any more. Running ones end by `abortAll`. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
  }

  /** Sound of the innermost application: bytes, or `undefined` if it makes none. */
  output(codec: G711Codec, tick: number): Uint8Array | undefined {
    const frame = this.top;
    const output = frame?.waiting?.activity.output?.(codec, tick);
    if (frame?.waiting?.activity.output !== undefined && output === undefined) {
      this.#settle(frame, 'done');
    }
    return output;
  }

  /** True if the innermost application has the speaker, even when it is silent. */
  get speaks(): boolean {
    return this.top?.waiting?.activity.output !== undefined;
  }

  step(tick: number): void {
    const frame = this.top;
    if (frame?.waiting?.activity.step?.(tick) === true) {
      this.#settle(frame, 'done');
    }
  }

  key(digit: string): boolean {
    return this.top?.waiting?.activity.key?.(digit) === true;
  }

  perform(frame: Frame, activity: Activity): Promise<Outcome> {
    if (this.#aborting) {
      return Promise.resolve('abort');
    }
    return new Promise((resolve) => {
      frame.waiting = { activity, settle: resolve };
      this.pump();
    });
  }

  #mayRun(): boolean {
    if (this.#aborting || this.#closed) {
      return false;
    }
    const top = this.top;
    return top === undefined ? this.#events.idleReads() : top.waiting !== undefined && !top.locked;
  }

  async #runLoop(request: ExecuteRequest): Promise<void> {
    for (let round = 0; request.loops < 0 || round < request.loops; round++) {
      const app = this.#events.prepare(request.app, request.arg);
      if (app === undefined) {
        return;
      }
      const before = performance.now();
      const outcome = await this.#runOne(app, request.appUuid, request.eventLock);
      const fast = request.loops !== 1 && performance.now() - before < MIN_LOOP_MS;
      if (outcome !== 'done' || fast || this.#closed) {
        return;
      }
    }
  }

  async #runOne(app: Application, appUuid: string | undefined, locked: boolean): Promise<Outcome> {
    const frame = new Frame(this, app, locked);
    this.#stack.push(frame);
    this.#events.started(app, appUuid);
    let outcome: Outcome = 'done';
    const watched: Frame['perform'] = async (activity) => {
      outcome = await this.perform(frame, activity);
      frame.stopped ||= outcome !== 'done';
      return outcome;
    };
    frame.perform = watched;
    let response = '_none_';
    try {
      response = (await app.run(frame)) ?? '_none_';
    } catch (error) {
      this.#events.failed(app, error);
    }
    this.#events.completed(app, appUuid, response);
    this.#remove(frame);
    return this.#aborting ? 'abort' : outcome;
  }

  #remove(frame: Frame): void {
    const at = this.#stack.lastIndexOf(frame);
    this.#stack.splice(at, 1);
    if (this.#aborting) {
      if (this.#stack.length === 0) {
        this.#emptied();
      } else {
        this.#settle(this.top, 'abort');
      }
      return;
    }
    this.pump();
  }

  #emptied(): void {
    this.#aborting = false;
    const then = this.#whenEmpty;
    this.#whenEmpty = undefined;
    then?.();
    this.pump();
  }

  #settle(frame: Frame | undefined, outcome: Outcome): void {
    const waiting = frame?.waiting;
    if (frame !== undefined && waiting !== undefined) {
      frame.waiting = undefined;
      waiting.settle(outcome);
    }
  }
}
