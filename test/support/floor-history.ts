/**
 * A small contact center in memory that lives through a history: callers come, agents answer, refuse, pause and go, presence and
 * configuration change, nodes die. Work states are those of the machine of src/agents, decisions those of src/routing; between the two
 * stands the least that a store must do. After each event everything is matched that can be.
 */
import { stepAgent, newAgent, type AgentInput, type AgentState, type OfferRules } from '../../src/agents/agent-state';
import { decide } from '../../src/routing/decide';
import type {
  Candidate,
  Decision,
  Membership,
  PresenceValue,
  QueueRules,
  SkillNeed,
  Snapshot,
  WaitingCall,
} from '../../src/routing/types';
import { compact } from './arbitrary-snapshots';
import { NOW } from './snapshots';

type Body<T> = T extends { readonly at: number } ? Omit<T, 'at'> : never;
export type AgentWord = Body<
  Extract<
    AgentInput,
    { kind: 'sign-in' | 'sign-out' | 'ready' | 'pause' | 'force' | 'end-wrap-up' | `${string}-queue` }
  >
>;

/** What happens; numbers pick one of those who are there. */
export type FloorEvent = { readonly afterMs: number } & (
  | { readonly kind: 'arrive'; readonly queue: number; readonly node: number; readonly traits: CallerTraits }
  | { readonly kind: 'answer' | 'give-up' | 'end-call' | 'nothing'; readonly pick: number }
  | { readonly kind: 'refuse'; readonly pick: number; readonly outcome: 'no-answer' | 'declined' | 'busy' | 'failed' }
  | { readonly kind: 'agent'; readonly agent: number; readonly word: AgentWord }
  | {
      readonly kind: 'presence';
      readonly agent: number;
      readonly presence: Pick<PresenceValue, 'availability' | 'activity'> | 'none';
    }
  | { readonly kind: 'rules'; readonly queue: number; readonly rules: QueueRules }
  | { readonly kind: 'members'; readonly agent: number; readonly memberships: readonly Membership[] }
  | { readonly kind: 'skills'; readonly agent: number; readonly skills: Readonly<Record<string, number>> }
  | { readonly kind: 'node-dies' | 'node-is-missed'; readonly node: number }
);

export interface CallerTraits {
  readonly class: number;
  readonly headStartMs: number;
  readonly needs?: readonly SkillNeed[] | undefined;
}

interface Caller {
  readonly callId: string;
  node: string;
  readonly traits: CallerTraits;
  readonly firstQueuedAt: number;
  queueId: string;
  queuedAt: number;
  excluded: { agentId: string; until: number }[];
  tried: string[];
  firstOfferedAt: number | undefined;
  offers: { offerId: string; agentId: string }[];
  talksTo: { offerId: string; agentId: string } | undefined;
}

interface Worker {
  readonly agentId: string;
  state: AgentState;
  memberships: readonly Membership[];
  presence: PresenceValue | 'none';
  skills: Readonly<Record<string, number>>;
}

/** What a round of matching found, for whoever checks it. */
export interface Round {
  readonly snapshot: Snapshot;
  readonly decision: Decision;
}

const OFFER_RULES: OfferRules = {
  missesBeforeNotReady: 2,
  retryMs: { 'no-answer': 4, declined: 3, busy: 3, unreachable: 3, failed: 1 },
};
const WRAP_UP_MS = 2;

export class FloorHistory {
  now = NOW;
  readonly faults: string[] = [];
  readonly callers = new Map<string, Caller>();
  readonly #workers: Worker[];
  readonly #queues: QueueRules[];
  readonly #dead = new Set<string>();
  arrived = 0;
  /** Callers who talked, gave up, or were sent away out of all queues. */
  done = 0;
  #offers = 0;
  readonly #onRound: (round: Round) => void;

  constructor(
    queues: readonly QueueRules[],
    members: readonly (readonly Membership[])[],
    onRound: (round: Round) => void,
  ) {
    this.#queues = [...queues];
    this.#onRound = onRound;
    this.#workers = members.map((memberships, i) => ({
      agentId: `agent${i}`,
      state: this.#serving(newAgent(true, NOW), memberships),
      memberships,
      presence: 'none',
      skills: { de: 2, fr: 2 },
    }));
  }

  #serving(state: AgentState, memberships: readonly Membership[]): AgentState {
    const members = Object.fromEntries(
      memberships.map((m) => [m.queueId, state.members[m.queueId] ?? { signedIn: true, paused: undefined }]),
    );
    return { ...state, members };
  }

  live(event: FloorEvent): void {
    this.now += event.afterMs;
    this.#happen(event);
    this.#match();
    this.#check();
  }

  #happen(event: FloorEvent): void {
    switch (event.kind) {
      case 'arrive': {
        const node = `node${event.node}`;
        this.#dead.delete(node);
        this.#enter(`call${this.arrived++}`, node, event.traits, this.#queue(event.queue).queueId, this.now);
        return;
      }
      case 'answer': {
        this.#answer(event.pick);
        return;
      }
      case 'refuse': {
        const offer = pick(this.#ringing(), event.pick);
        if (offer) {
          this.#close(offer.caller, offer.offerId, {
            kind: 'offer-refused',
            outcome: event.outcome,
            rules: OFFER_RULES,
          });
        }
        return;
      }
      case 'give-up': {
        const caller = pick(this.#waiting(), event.pick);
        if (caller) {
          this.#leave(caller);
        }
        return;
      }
      case 'end-call': {
        const caller = pick(
          [...this.callers.values()].filter((c) => c.talksTo),
          event.pick,
        );
        if (caller) {
          this.#leave(caller);
        }
        return;
      }
      case 'agent': {
        this.#say(this.#worker(event.agent), event.word);
        return;
      }
      case 'presence': {
        const { presence } = event;
        const at = { readAt: this.now, changedAt: this.now, source: 'graph-poll' } as const;
        this.#worker(event.agent).presence = presence === 'none' ? presence : { ...presence, ...at };
        return;
      }
      case 'rules': {
        const { queueId, name } = this.#queue(event.queue);
        this.#queues[event.queue % this.#queues.length] = { ...event.rules, queueId, name };
        return;
      }
      case 'members': {
        const worker = this.#worker(event.agent);
        worker.memberships = event.memberships;
        worker.state = this.#serving(worker.state, event.memberships);
        return;
      }
      case 'skills': {
        this.#worker(event.agent).skills = event.skills;
        return;
      }
      case 'node-dies': {
        this.#dead.add(`node${event.node}`);
        return;
      }
      case 'node-is-missed': {
        this.#release(`node${event.node}`);
        return;
      }
      case 'nothing': {
        return;
      }
    }
  }

  #enter(callId: string, node: string, traits: CallerTraits, queueId: string, firstQueuedAt: number): void {
    this.callers.set(callId, {
      callId,
      node,
      traits,
      firstQueuedAt,
      queueId,
      queuedAt: this.now,
      excluded: [],
      tried: [],
      firstOfferedAt: undefined,
      offers: [],
      talksTo: undefined,
    });
  }

  #answer(index: number): void {
    const offer = pick(this.#ringing(), index);
    if (!offer) {
      return;
    }
    const { caller, offerId, agentId } = offer;
    caller.offers = caller.offers.filter((one) => one.offerId !== offerId);
    for (const rival of [...caller.offers]) {
      this.#close(caller, rival.offerId, { kind: 'offer-canceled' });
    }
    this.#feed(agentId, { kind: 'offer-answered', offerId });
    caller.talksTo = { offerId, agentId };
  }

  #close(caller: Caller, offerId: string, end: Record<string, unknown>): void {
    const offer = caller.offers.find((one) => one.offerId === offerId)!;
    caller.offers = caller.offers.filter((one) => one !== offer);
    this.#feed(offer.agentId, { ...end, offerId } as Body<AgentInput>, caller);
  }

  /** The caller hangs up, or the talk is over. */
  #leave(caller: Caller): void {
    for (const { offerId } of [...caller.offers]) {
      this.#close(caller, offerId, { kind: 'offer-canceled' });
    }
    if (caller.talksTo) {
      const { offerId, agentId } = caller.talksTo;
      this.#feed(agentId, { kind: 'call-ended', offerId, after: { kind: 'wrap-up', ms: WRAP_UP_MS } });
    }
    this.callers.delete(caller.callId);
    this.done++;
  }

  /** The lease of a node that died is over: its work is released, and its callers call again, which keeps their place. */
  #release(node: string): void {
    if (!this.#dead.delete(node)) {
      return;
    }
    for (const caller of [...this.callers.values()].filter((c) => c.node === node)) {
      const { talksTo, callId, traits, queueId, firstQueuedAt } = caller;
      this.#leave(caller);
      if (!talksTo) {
        this.done--;
        this.#enter(callId, `${node}'`, traits, queueId, firstQueuedAt);
      }
    }
  }

  #feed(agentId: string, input: Body<AgentInput>, caller?: Caller): void {
    const worker = this.#workers.find((one) => one.agentId === agentId)!;
    const step = stepAgent(worker.state, { ...input, at: this.now });
    if (!step) {
      this.faults.push(`${agentId} does not expect ${input.kind}`);
      return;
    }
    worker.state = step.state;
    for (const effect of step.effects) {
      if (effect.kind === 'exclude' && caller) {
        caller.excluded.push({ agentId, until: effect.until });
      }
    }
  }

  /** What people say may be of no meaning at that moment. */
  #say(worker: Worker, word: AgentWord): void {
    worker.state = stepAgent(worker.state, { ...word, at: this.now })?.state ?? worker.state;
  }

  #match(): void {
    for (let round = 0; round < 50; round++) {
      const snapshot = this.snapshot();
      const decision = decide(snapshot);
      this.#onRound({ snapshot, decision });
      if (decision.assignments.length === 0 && decision.exits.length === 0) {
        return;
      }
      for (const { callId, agentId } of decision.assignments) {
        const offerId = `offer${this.#offers++}`;
        const caller = this.callers.get(callId)!;
        this.#feed(agentId, { kind: 'offer-reserved', offerId, callId, medium: 'voice' });
        caller.offers.push({ offerId, agentId });
        caller.tried.push(agentId);
        caller.firstOfferedAt ??= this.now;
      }
      for (const { callId, action } of decision.exits) {
        const caller = this.callers.get(callId)!;
        if ('queueId' in action) {
          this.callers.delete(callId);
          caller.offers.forEach(({ offerId, agentId }) => {
            this.#feed(agentId, { kind: 'offer-canceled', offerId });
          });
          this.#enter(callId, caller.node, caller.traits, action.queueId, caller.firstQueuedAt);
        } else {
          this.#leave(caller);
        }
      }
      if (decision.exits.length > 0) {
        // A caller who went from queue to queue is where that led; going on from there is for the next moment.
        return;
      }
    }
    this.faults.push('matching does not come to an end');
  }

  snapshot(): Snapshot {
    const calls = this.#waiting().filter((c) => !this.#dead.has(c.node));
    return compact({
      now: this.now,
      queueId: this.#queues[0]!.queueId,
      seed: 1,
      queues: this.#queues,
      calls: calls.map(toCall),
      agents: this.#workers.flatMap((worker) => (worker.memberships.length === 0 ? [] : [toCandidate(worker)])),
    });
  }

  /** Two views of who has whom must agree, and nobody is anywhere twice. */
  #check(): void {
    const offered = new Map<string, string>();
    for (const { callId, offers, talksTo } of this.callers.values()) {
      for (const { agentId, offerId } of [...offers, ...(talksTo ? [talksTo] : [])]) {
        if (offered.has(agentId)) {
          this.faults.push(`${agentId} is in two offers`);
        }
        offered.set(agentId, `${callId} ${offerId}`);
      }
    }
    for (const { agentId, state } of this.#workers) {
      const [open, second] = state.engagements;
      if (second || (open && `${open.callId} ${open.offerId}`) !== offered.get(agentId)) {
        this.faults.push(`${agentId} is engaged otherwise than the calls say`);
      }
    }
    if (this.callers.size + this.done !== this.arrived) {
      this.faults.push('a caller is lost');
    }
  }

  #queue(index: number): QueueRules {
    return this.#queues[index % this.#queues.length]!;
  }

  #worker(index: number): Worker {
    return this.#workers[index % this.#workers.length]!;
  }

  #waiting(): Caller[] {
    return [...this.callers.values()].filter((c) => !c.talksTo);
  }

  /** Offers whose node lives. */
  #ringing(): { caller: Caller; offerId: string; agentId: string }[] {
    return this.#waiting()
      .filter((caller) => !this.#dead.has(caller.node))
      .flatMap((caller) => caller.offers.map((offer) => ({ caller, ...offer })));
  }
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

function toCall({ callId, queueId, node, traits, offers, excluded, tried, ...caller }: Caller): WaitingCall {
  return {
    callId,
    queueId,
    nodeId: node,
    ...traits,
    firstQueuedAt: caller.firstQueuedAt,
    queuedAt: caller.queuedAt,
    excluded,
    tried,
    firstOfferedAt: caller.firstOfferedAt,
    ...(offers.length > 0 ? { openOffers: offers } : {}),
  } as WaitingCall;
}

function toCandidate({ agentId, state, memberships, presence, skills }: Worker): Candidate {
  const [open] = state.engagements;
  return {
    agentId,
    name: agentId,
    memberships: memberships.map((m) => ({
      ...m,
      signedIn: state.members[m.queueId]!.signedIn,
      ...(state.members[m.queueId]!.paused === undefined ? {} : { pauseReason: state.members[m.queueId]!.paused! }),
    })),
    workState:
      state.work.kind === 'not-ready'
        ? {
            kind: 'not-ready',
            reason: state.work.reason,
            ...(state.work.until === undefined ? {} : { until: state.work.until }),
          }
        : state.work,
    readySince: state.readySince,
    ...(open ? { openOffer: { offerId: open.offerId, callId: open.callId, connected: open.stage === 'in-call' } } : {}),
    endpoint: { kind: 'teams', trunk: 'teams', up: true },
    presence,
    ...(state.lastCallEndedAt === undefined ? {} : { lastCallEndedAt: state.lastCallEndedAt }),
    skills,
  };
}
