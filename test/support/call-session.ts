import type { CallSessionDeps } from '../../src/calls/call-context';
import type { CallState } from '../../src/calls/call-state';
import type {
  AgentLeg,
  CallbackPlan,
  AgentLegHandlers,
  CallerCause,
  CallPlan,
  Entered,
  OutsideLegRequest,
  QueuePlan,
  RecordedSound,
  ReservedOffer,
} from '../../src/calls/ports';
import { CallSession } from '../../src/calls/session';
import type { Termination } from '../../src/calls/termination';
import type { Standing } from '../../src/flows/announcements';
import type { Flow } from '../../src/flows/flow';
import { silentLog } from '../../src/lib/log';
import { ManualClock, settle } from './manual-clock';

/** A leg that does what the test says. */
export interface FakeLeg {
  readonly id: string;
  readonly handlers: AgentLegHandlers;
  dropped: boolean;
}

export interface SessionOptions {
  readonly queues?: Readonly<Record<string, Partial<QueuePlan>>>;
  readonly flows?: readonly Flow[];
  /** What the number begins with. Default: queue q1. */
  readonly flow?: Flow;
  /** Whether the database says that the call is this offer's; default: of the first that asks. */
  readonly claim?: (offerId: string) => Promise<boolean>;
  readonly enter?: (queueId: string) => Entered;
  readonly allowed?: boolean;
  /** Other callers of the node wait. */
  readonly othersWait?: boolean;
  /** Resolves when the row of an offer may be closed. */
  readonly close?: () => Promise<void>;
  readonly callbacks?: Readonly<Record<string, CallbackPlan>>;
  /** Of the caller. Default: withheld. */
  readonly number?: string;
  readonly standing?: (queueId: string) => Promise<Standing | undefined>;
  /** Prompts that configuration does not have any more. */
  readonly missingPrompts?: readonly string[];
}

/** One call session with everything around it scripted: what it wrote, what the caller heard, whom it rang. */
export class SessionLab {
  readonly clock = new ManualClock();
  readonly written: string[] = [];
  readonly events: string[] = [];
  readonly heard: string[] = [];
  readonly legs = new Map<string, FakeLeg>();
  readonly session: CallSession;
  readonly queues: Record<string, QueuePlan>;
  placesRead = 0;
  finished: Termination | undefined;
  #left: ((cause: CallerCause) => void) | undefined;
  #key: ((key: string) => void) | undefined;
  #play: ((played: boolean) => void) | undefined;
  #ask: ((key: string | undefined) => void) | undefined;
  #record: ((sound: RecordedSound | undefined) => void) | undefined;
  #claimed = false;

  constructor(options: SessionOptions = {}) {
    this.queues = Object.fromEntries(
      Object.entries({ q1: {}, q2: {}, ...options.queues }).map(([id, queue]) => [id, queuePlan(id, queue)]),
    );
    this.session = new CallSession(this.#deps(options), this.#info(options), this.#caller(), {
      onSetUp: () => undefined,
      onFinished: (end) => {
        this.finished = end;
      },
    });
  }

  get state(): CallState {
    return this.session.state;
  }

  /** Up to music, or to where the flow stops. */
  async start(): Promise<this> {
    this.session.start();
    await settle();
    return this;
  }

  /** A match gave the call an agent. */
  async offer(offerId: string, queueId = 'q1'): Promise<FakeLeg> {
    this.session.offerReserved(reserved(offerId, queueId));
    await settle();
    return this.leg(offerId);
  }

  leg(id: string): FakeLeg {
    const leg = this.legs.get(id);
    if (!leg) {
      throw new Error(`no leg ${id}; there are ${[...this.legs.keys()].join(', ')}`);
    }
    return leg;
  }

  async answer(leg: FakeLeg): Promise<void> {
    leg.handlers.answered({ agentDialog: 'a' });
    leg.handlers.mediaReady({ mediaDialog: 'm' });
    await settle();
  }

  async callerLeaves(): Promise<void> {
    this.#left?.('hung-up');
    await settle();
  }

  async press(key: string): Promise<void> {
    const ask = this.#ask;
    this.#ask = undefined;
    this.#key?.(key);
    ask?.(key);
    await settle();
  }

  /** The media server has ended the recording. */
  async recorded(sound: RecordedSound | undefined): Promise<void> {
    const record = this.#record;
    this.#record = undefined;
    record?.(sound);
    await settle();
  }

  /** `played` false: the media server did not have it. */
  async promptEnds(played = true): Promise<void> {
    const play = this.#play;
    this.#play = undefined;
    play?.(played);
    await settle();
  }

  #deps(options: SessionOptions): CallSessionDeps {
    const write = async (what: string): Promise<void> => {
      this.written.push(what);
      return Promise.resolve();
    };
    return {
      clock: this.clock,
      log: silentLog(),
      metrics: {
        callStage: () => undefined,
        offerEnded: () => undefined,
        queueWaited: () => undefined,
        voicemail: () => undefined,
        callbackTried: () => undefined,
      },
      matcher: { requestMatch: () => undefined, agentChanged: () => undefined },
      media: {
        bridge: async (_server, _caller, channel) => {
          this.heard.push(`joined ${channel}`);
          return Promise.resolve();
        },
        park: async () => {
          this.heard.push('parked');
          return Promise.resolve();
        },
      },
      onUnexpected: () => undefined,
      callersWait: () => options.othersWait === true,
      legs: {
        start: (request, handlers) => this.#leg(request.offerId, handlers),
        dial: (request: OutsideLegRequest, handlers) => this.#leg(request.legId, handlers),
      },
      store: {
        insertCall: () => write('call'),
        saveCallerHandles: () => write('handles'),
        markAnswered: () => write('answered'),
        enqueue: async (_call, queueId) => {
          await write(`enqueue ${queueId}`);
          return { position: 1 };
        },
        enter: async (_call, queueId) => {
          await write(`enter ${queueId}`);
          return options.enter?.(queueId) ?? { position: 1 };
        },
        standing: async (_call, queueId) => {
          this.placesRead++;
          return options.standing ? options.standing(queueId) : Promise.resolve({ place: 1 });
        },
        leaveQueue: (_call, outcome) => write(`leave ${outcome}`),
        reserveAgent: async (_call, agentId, offerId) =>
          Promise.resolve(agentId === 'busy' ? undefined : reserved(offerId, 'q1', agentId)),
        markRinging: async () => Promise.resolve(true),
        claim: async (offerId) => {
          const won = await (options.claim?.(offerId) ?? Promise.resolve(!this.#claimed));
          this.#claimed ||= won;
          return won;
        },
        closeOffer: async (offerId, closing) => {
          this.#claimed = false;
          await options.close?.();
          await write(`close ${offerId} ${closing.kind}`);
        },
        endCall: (_call, end) => write(`end ${end.reason}`),
        beginVoicemail: ({ queueId }) => write(`begin message ${queueId}`),
        endVoicemail: (_id, { lengthMs, kept }) => write(`message ${kept ? `of ${lengthMs} ms` : 'discarded'}`),
        appendEvent: (_call, kind) => {
          this.events.push(kind);
        },
      },
    };
  }

  #leg(id: string, handlers: AgentLegHandlers): AgentLeg {
    const leg: FakeLeg = { id, handlers, dropped: false };
    this.legs.set(id, leg);
    return {
      drop: () => {
        leg.dropped = true;
        setImmediate(() => {
          handlers.over();
        });
      },
    };
  }

  #info(options: SessionOptions): ConstructorParameters<typeof CallSession>[1] {
    const plan: CallPlan = {
      queue: (id) => this.queues[id],
      queueNamed: (name) => this.queues[name],
      flow: (name) => options.flows?.find((flow) => flow.name === name),
      isOpen: (hours) => ({ open: hours !== 'never', reason: hours }),
      callback: (id) => options.callbacks?.[id],
      promptUri: (name) => (options.missingPrompts?.includes(name) ? undefined : `${name}.wav`),
      trunkTo: () => (options.allowed === false ? undefined : 't1'),
    };
    return {
      callId: 'c1',
      sipCallId: 's1',
      caller: { number: options.number, name: undefined },
      route: {
        tenantId: 'tenant',
        trunkId: 't1',
        number: '+49301',
        greetingUri: undefined,
        entry: options.flow ? { kind: 'flow', flow: options.flow } : { kind: 'queue', queueId: 'q1' },
        plan,
      },
    };
  }

  #caller(): ConstructorParameters<typeof CallSession>[2] {
    return {
      onLeft: (handler) => {
        this.#left = handler;
      },
      onMediaLost: () => undefined,
      prepare: async () =>
        Promise.resolve({
          mediaServer: 'ms',
          mediaChannel: 'A',
          mediaDialog: '',
          carrierDialog: '',
          sdpToCarrier: '',
          sdpFromCarrier: '',
          codec: 'PCMA' as const,
        }),
      answer: () => Promise.resolve(),
      play: (uri) => {
        this.heard.push(`play ${uri}`);
        return new Promise((resolve) => {
          this.#play = resolve;
        });
      },
      startMusic: (uri) => {
        this.heard.push(`music ${uri}`);
      },
      askForKey: (uri) => {
        this.heard.push(`ask ${uri}`);
        return new Promise((resolve) => {
          this.#ask = resolve;
        });
      },
      record: (request) => {
        this.heard.push(`record ${request.maxSeconds} ${request.silenceSeconds} ${request.endKey}`);
        return new Promise((resolve) => {
          this.#record = resolve;
        });
      },
      stopSound: () => {
        this.heard.push('stop');
      },
      soundGone: () => undefined,
      steady: (work) => work(),
      onKey: (handler) => {
        this.#key = handler;
      },
      hangUp: (sip) => {
        this.heard.push(`hang up ${sip}`);
      },
      close: () => undefined,
    };
  }
}

function queuePlan(queueId: string, more: Partial<QueuePlan>): QueuePlan {
  return {
    queueId,
    name: queueId,
    displayName: queueId,
    ringTimeoutMs: 20_000,
    musicUri: `${queueId}-music`,
    maxWaitMs: undefined,
    letRingFinish: false,
    hours: undefined,
    paused: false,
    checksEntry: false,
    exits: {},
    announcements: undefined,
    ...more,
  };
}

function reserved(offerId: string, queueId: string, agentId = `agent of ${offerId}`): ReservedOffer {
  return {
    offerId,
    callId: 'c1',
    queueId,
    target: {
      agentId,
      agentName: agentId,
      endpoint: { kind: 'teams', trunk: 't', trunkId: 't', number: '+49302' },
      ringTimeoutMs: 15_000,
    },
    presence: undefined,
  };
}
