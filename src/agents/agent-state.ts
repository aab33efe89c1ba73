/**
 * The work state of one agent, over all queues. Pure: `step(state, input)` gives the next state and the effects, or undefined
 * where the input is not expected and changes nothing.
 *
 *                    sign-in (paused where a supervisor's pause still stands)
 *   signed-out ────────────────────────▶ ready ◀── ready, force ready, due ───┬────────────┬──────────┐
 *       ▲                                 │  │  │                              │            │          │
 *       │ sign-out, from everywhere       │  │  └─ pause, force paused ─────▶ paused        │          │
 *       └─────────────────────────────────┘  └──── missed too often, declined, … ────▶ not-ready      │
 *                                         │                                            ▲              │
 *                                         └─ call-ended ─── queue says manual-ready ───┘              │
 *                                                   └────── queue says wrap-up ─────────────▶ wrap-up ┘
 *
 *   signed-out  gone; nothing is offered
 *   ready       takes calls
 *   paused      does not, for a reason that a person gave; one given by a supervisor ends only by a supervisor
 *   not-ready   does not, for a reason that we saw: missed (too many offers in a row rang out) and after-call (the queue wants
 *               the agent to say when the next may come) end by `ready`; declined, busy, unreachable, failed end by themselves
 *   wrap-up     finishes the last call; ends by itself or by `ready`
 *
 * Whether the agent is reserved, is rung or talks follows from what is open (`engagements`) and goes on beside the work state:
 * who pauses while talking goes on talking, and is paused afterwards. An agent takes a call if ready, not full, and signed in
 * and not paused in the queue. One voice call fills an agent; another medium would bring a capacity of its own.
 *
 * The statements in src/store/sql/agents.ts, end-offer.ts and member-state.ts follow this machine; a test compares them over
 * random histories. Rules: routing rules, sections 4 and 6.
 */

export type RefusedOutcome = 'no-answer' | 'declined' | 'busy' | 'unreachable' | 'failed';
export type NotReadyReason = 'missed' | 'declined' | 'busy' | 'unreachable' | 'failed' | 'after-call';

export type WorkState =
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'paused'; readonly reason: string }
  /** `until` undefined: ends only by `ready`. */
  | { readonly kind: 'not-ready'; readonly reason: NotReadyReason; readonly until: number | undefined }
  | { readonly kind: 'wrap-up'; readonly until: number };

export type Medium = 'voice';

/** Something open that takes room: an offer, or the talk that it became. */
export interface Engagement {
  readonly offerId: string;
  readonly callId: string;
  readonly medium: Medium;
  readonly stage: 'reserved' | 'ringing' | 'in-call';
}

/** What the agent does in one queue alone. */
export interface MemberState {
  readonly signedIn: boolean;
  /** Undefined: not paused there. */
  readonly paused: string | undefined;
}

export interface AgentState {
  readonly work: WorkState;
  /** When the agent last became able to take a call; an offer that was let pass moves it (milliseconds since the epoch). */
  readonly readySince: number;
  readonly missedInRow: number;
  /** The supervisor's pause that stands, also over a sign-out. */
  readonly forced: { readonly by: string; readonly reason: string } | undefined;
  readonly engagements: readonly Engagement[];
  readonly lastCallEndedAt: number | undefined;
  readonly members: Readonly<Record<string, MemberState>>;
}

/** Delays of the queue of an offer, milliseconds. */
export interface OfferRules {
  readonly missesBeforeNotReady: number;
  readonly retryMs: Readonly<Record<RefusedOutcome, number>>;
}

/** What the queue of a call asks for after it. */
export type AfterCall = { readonly kind: 'wrap-up'; readonly ms: number } | { readonly kind: 'manual-ready' };

export type AgentInput = { readonly at: number } & (
  | { readonly kind: 'sign-in' | 'sign-out' | 'ready' | 'end-wrap-up' }
  | { readonly kind: 'pause'; readonly reason: string }
  /** Never beyond `limitMs` after the end of the call. */
  | { readonly kind: 'extend-wrap-up'; readonly byMs: number; readonly limitMs: number }
  | { readonly kind: 'force'; readonly by: string; readonly to: ForcedState }
  /** Time passed: what was due by `at` ends. */
  | { readonly kind: 'due' }
  | { readonly kind: 'sign-in-queue' | 'sign-out-queue' | 'resume-queue'; readonly queueId: string }
  | { readonly kind: 'pause-queue'; readonly queueId: string; readonly reason: string }
  | { readonly kind: 'offer-reserved'; readonly offerId: string; readonly callId: string; readonly medium: Medium }
  | { readonly kind: 'offer-ringing' | 'offer-answered'; readonly offerId: string }
  | {
      readonly kind: 'offer-refused';
      readonly offerId: string;
      readonly outcome: RefusedOutcome;
      readonly rules: OfferRules;
    }
  /** Taken back: completed elsewhere, the caller left, withdrawn. Costs the agent nothing. */
  | { readonly kind: 'offer-canceled'; readonly offerId: string }
  | { readonly kind: 'call-ended'; readonly offerId: string; readonly after: AfterCall }
);

export type ForcedState =
  { readonly kind: 'ready' } | { readonly kind: 'signed-out' } | { readonly kind: 'paused'; readonly reason: string };

export type AgentEffect =
  /** The work state changed: written as a fact. */
  | { readonly kind: 'note-state' }
  /** May take calls now: match the agent's queues. */
  | { readonly kind: 'match' }
  /** Ask again then. */
  | { readonly kind: 'wake'; readonly at: number }
  /** This call is not offered to the agent again before `until`. */
  | { readonly kind: 'exclude'; readonly callId: string; readonly until: number };

export interface AgentStep {
  readonly state: AgentState;
  readonly effects: readonly AgentEffect[];
}

/** How many calls at once. A medium with a place of its own is added here. */
const CAPACITY: Readonly<Record<Medium, number>> = { voice: 1 };

/** How long wrap-up may last in all when the agent extends it, milliseconds. */
export const WRAP_UP_LIMIT_MS = 600_000;

export function newAgent(signedIn: boolean, at: number): AgentState {
  return {
    work: { kind: signedIn ? 'ready' : 'signed-out' },
    readySince: at,
    missedInRow: 0,
    forced: undefined,
    engagements: [],
    lastCallEndedAt: undefined,
    members: {},
  };
}

/** What the agent does, for people: an open offer or talk goes before the work state. */
export function activity(state: AgentState): Engagement['stage'] | WorkState['kind'] {
  const rank = { reserved: 0, ringing: 1, 'in-call': 2 } as const;
  const [first] = [...state.engagements].sort((a, b) => rank[b.stage] - rank[a.stage]);
  return first?.stage ?? state.work.kind;
}

/** True if a call of this queue may be offered now, as far as the work state decides it. */
export function isAble(state: AgentState, queueId: string, medium: Medium, at: number): boolean {
  const member = state.members[queueId];
  return (
    member?.signedIn === true &&
    member.paused === undefined &&
    awake(state.work, at).kind === 'ready' &&
    state.engagements.filter((e) => e.medium === medium).length < CAPACITY[medium]
  );
}

/** A wrap-up or retry delay that is over counts as ready from its end on, whether or not anybody has noted it yet. */
function awake(work: WorkState, at: number): WorkState {
  return (work.kind === 'wrap-up' || work.kind === 'not-ready') && work.until !== undefined && work.until <= at
    ? { kind: 'ready' }
    : work;
}

/** Next state and effects, or undefined where `input` is not expected in `state`. */
export function stepAgent(state: AgentState, input: AgentInput): AgentStep | undefined {
  switch (input.kind) {
    case 'sign-in':
    case 'sign-out':
    case 'ready':
    case 'end-wrap-up':
    case 'pause':
    case 'extend-wrap-up': {
      return stepOwn(state, input);
    }
    case 'force': {
      return stepForced(state, input.to, input.by, input.at);
    }
    case 'due': {
      return stepDue(state, input.at);
    }
    case 'sign-in-queue':
    case 'sign-out-queue':
    case 'pause-queue':
    case 'resume-queue': {
      return stepMember(state, input);
    }
    case 'offer-reserved': {
      return stepReserved(state, input);
    }
    case 'offer-ringing':
    case 'offer-answered':
    case 'offer-refused':
    case 'offer-canceled':
    case 'call-ended': {
      const open = state.engagements.find((e) => e.offerId === input.offerId);
      return open && stepOffer(state, open, input);
    }
  }
}

type InputOf<K extends AgentInput['kind']> = Extract<AgentInput, { kind: K }>;

/** What agents do themselves. */
function stepOwn(
  state: AgentState,
  input: InputOf<'sign-in' | 'sign-out' | 'ready' | 'end-wrap-up' | 'pause' | 'extend-wrap-up'>,
): AgentStep | undefined {
  const { work, forced } = state;
  switch (input.kind) {
    case 'sign-in': {
      if (work.kind !== 'signed-out') {
        return undefined;
      }
      return forced ? moved(state, { kind: 'paused', reason: forced.reason }) : nowReady(state, input.at);
    }
    case 'sign-out': {
      return work.kind === 'signed-out' ? undefined : moved(state, { kind: 'signed-out' });
    }
    case 'ready': {
      const resting = work.kind === 'paused' || work.kind === 'not-ready' || work.kind === 'wrap-up';
      return resting && !forced ? nowReady(state, input.at) : undefined;
    }
    case 'end-wrap-up': {
      return work.kind === 'wrap-up' ? nowReady(state, input.at) : undefined;
    }
    case 'pause': {
      const same = work.kind === 'paused' && work.reason === input.reason;
      return work.kind === 'signed-out' || forced || same
        ? undefined
        : moved(state, { kind: 'paused', reason: input.reason });
    }
    case 'extend-wrap-up': {
      if (work.kind !== 'wrap-up' || work.until <= input.at || state.lastCallEndedAt === undefined) {
        return undefined;
      }
      const until = Math.min(work.until + input.byMs, state.lastCallEndedAt + input.limitMs);
      return until > work.until ? moved(state, { kind: 'wrap-up', until }) : undefined;
    }
  }
}

/** What a supervisor decides holds whatever the agent does meanwhile; a pause holds until a supervisor ends it. */
function stepForced(state: AgentState, to: ForcedState, by: string, at: number): AgentStep | undefined {
  const { work } = state;
  switch (to.kind) {
    case 'ready': {
      return work.kind === 'ready' ? undefined : nowReady({ ...state, forced: undefined }, at);
    }
    case 'signed-out': {
      return work.kind === 'signed-out' && !state.forced
        ? undefined
        : moved({ ...state, forced: undefined }, { kind: 'signed-out' });
    }
    case 'paused': {
      const held = { ...state, forced: { by, reason: to.reason } };
      return work.kind === 'signed-out' ? { state: held, effects: [] } : moved(held, to);
    }
  }
}

function stepDue(state: AgentState, at: number): AgentStep | undefined {
  const { work } = state;
  if (awake(work, at) === work) {
    return undefined;
  }
  return { state: woken(state, at), effects: [{ kind: 'note-state' }, { kind: 'match' }] };
}

/** Ready since the moment at which it was due, which is when it began to count. */
function woken(state: AgentState, at: number): AgentState {
  const { work } = state;
  return awake(work, at) === work || !('until' in work) || work.until === undefined
    ? state
    : { ...state, work: { kind: 'ready' }, readySince: Math.max(state.readySince, work.until) };
}

function stepMember(
  state: AgentState,
  input: InputOf<'sign-in-queue' | 'sign-out-queue' | 'pause-queue' | 'resume-queue'>,
): AgentStep | undefined {
  const member = state.members[input.queueId];
  if (!member) {
    return undefined;
  }
  const next: MemberState =
    input.kind === 'sign-in-queue' || input.kind === 'sign-out-queue'
      ? { ...member, signedIn: input.kind === 'sign-in-queue' }
      : { ...member, paused: input.kind === 'pause-queue' ? input.reason : undefined };
  if (next.signedIn === member.signedIn && next.paused === member.paused) {
    return undefined;
  }
  const opens = input.kind === 'sign-in-queue' || input.kind === 'resume-queue';
  return {
    state: { ...state, members: { ...state.members, [input.queueId]: next } },
    effects: opens ? [{ kind: 'match' }] : [],
  };
}

/** The reservation itself notes that a rest is over. Refused for whoever is full: nobody is rung twice at once. */
function stepReserved(state: AgentState, input: InputOf<'offer-reserved'>): AgentStep | undefined {
  const { at, offerId, callId, medium } = input;
  const room = state.engagements.filter((e) => e.medium === medium).length < CAPACITY[medium];
  if (!room || awake(state.work, at).kind !== 'ready') {
    return undefined;
  }
  const ready = woken(state, at);
  return {
    state: { ...ready, engagements: [...ready.engagements, { offerId, callId, medium, stage: 'reserved' }] },
    effects: ready === state ? [] : [{ kind: 'note-state' }],
  };
}

function stepOffer(
  state: AgentState,
  open: Engagement,
  input: InputOf<'offer-ringing' | 'offer-answered' | 'offer-refused' | 'offer-canceled' | 'call-ended'>,
): AgentStep | undefined {
  switch (input.kind) {
    case 'offer-ringing': {
      return open.stage === 'reserved' ? { state: staged(state, open, 'ringing'), effects: [] } : undefined;
    }
    case 'offer-answered': {
      return open.stage === 'in-call'
        ? undefined
        : { state: { ...staged(state, open, 'in-call'), missedInRow: 0 }, effects: [] };
    }
    case 'offer-canceled': {
      return open.stage === 'in-call' ? undefined : freed(without(state, open));
    }
    case 'offer-refused': {
      return open.stage === 'in-call' ? undefined : stepRefused(state, open, input);
    }
    case 'call-ended': {
      return open.stage === 'in-call' ? stepCallEnded(without(state, open), input) : undefined;
    }
  }
}

function stepRefused(state: AgentState, open: Engagement, input: InputOf<'offer-refused'>): AgentStep {
  const { at, outcome, rules } = input;
  const missed = outcome === 'no-answer';
  const missedInRow = state.missedInRow + (missed ? 1 : 0);
  const next = { ...without(state, open), missedInRow, readySince: Math.max(state.readySince, at) };
  const retryAt = at + rules.retryMs[outcome];
  const isReady = state.work.kind === 'ready';
  if (missed && (missedInRow < rules.missesBeforeNotReady || !isReady)) {
    const step = freed(next);
    return {
      ...step,
      effects: [
        { kind: 'exclude', callId: open.callId, until: retryAt },
        ...step.effects,
        { kind: 'wake', at: retryAt },
      ],
    };
  }
  if (!isReady) {
    return { state: next, effects: [] };
  }
  const reason = missed ? 'missed' : outcome;
  return moved(next, { kind: 'not-ready', reason, until: missed ? undefined : retryAt });
}

/** Whoever paused or signed out while talking stays so. */
function stepCallEnded(state: AgentState, { at, after }: InputOf<'call-ended'>): AgentStep {
  const next = { ...state, lastCallEndedAt: at };
  if (state.work.kind !== 'ready') {
    return { state: next, effects: [] };
  }
  const rested = { ...next, readySince: at };
  if (after.kind === 'manual-ready') {
    return moved(rested, { kind: 'not-ready', reason: 'after-call', until: undefined });
  }
  return after.ms > 0 ? moved(rested, { kind: 'wrap-up', until: at + after.ms }) : freed(rested);
}

function moved(state: AgentState, work: WorkState): AgentStep {
  const until = 'until' in work ? work.until : undefined;
  return {
    state: { ...state, work },
    effects: [{ kind: 'note-state' }, ...(until === undefined ? [] : [{ kind: 'wake', at: until } as const])],
  };
}

function nowReady(state: AgentState, at: number): AgentStep {
  return {
    state: { ...state, work: { kind: 'ready' }, readySince: at, missedInRow: 0 },
    effects: [{ kind: 'note-state' }, { kind: 'match' }],
  };
}

function freed(state: AgentState): AgentStep {
  return { state, effects: state.work.kind === 'ready' ? [{ kind: 'match' }] : [] };
}

function staged(state: AgentState, open: Engagement, stage: Engagement['stage']): AgentState {
  return { ...state, engagements: state.engagements.map((e) => (e === open ? { ...e, stage } : e)) };
}

function without(state: AgentState, open: Engagement): AgentState {
  return { ...state, engagements: state.engagements.filter((e) => e !== open) };
}
