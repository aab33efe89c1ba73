import { compareCalls, compareForAgent } from '../routing/order-calls';
import { strategies } from '../routing/strategies';
import type { Entry } from '../routing/strategies/strategy';
import type { WaitingCall } from '../routing/types';
import { Heap } from './heap';
import type { Matcher, MatchHost } from './matcher';
import type { SimAgent, SimCall } from './people';
import type { Plan } from './plan';

/** A call or an agent as noted in a heap; no longer valid once its stamp has changed. */
interface NotedCall {
  readonly call: SimCall;
  /** The order goes by this: the slot may have been given to a later call, and then the call's own view is that one's. */
  readonly view: WaitingCall;
  readonly stamp: number;
}

interface NotedAgent {
  readonly agent: SimAgent;
  readonly entry: Entry;
  readonly stamp: number;
}

interface QueueIndex {
  readonly calls: Heap<NotedCall>;
  readonly agents: Heap<NotedAgent>;
  readonly weight: number;
}

const SORTED_WHILE_FREE: ReadonlySet<string> = new Set(['longest-idle', 'round-robin', 'top-down', 'fewest-calls']);

/**
 * Whether the order of free agents and of waiting calls stays as it is while they are free and wait, so that it can be kept sorted
 * with routing's comparisons instead of being found anew by a decision.
 */
export function canBeIndexed(plan: Plan): boolean {
  const refusals = plan.staff.some((agent) => agent.refuse > 0 || agent.otherWork !== undefined);
  return (
    plan.traffic.every((traffic) => (traffic.needs?.length ?? 0) === 0) &&
    plan.queues.every(
      ({ rules }) =>
        SORTED_WHILE_FREE.has(rules.strategy) &&
        !(rules.strategy === 'top-down' && refusals) &&
        Object.values(rules.levelAfterMs ?? {}).every((after) => after === 0) &&
        (rules.needs?.length ?? 0) === 0 &&
        rules.ageCapMs === undefined &&
        !rules.spareScarceAgents &&
        rules.exits === undefined &&
        rules.maxWaiting === undefined &&
        rules.maxWaitMs === undefined,
    )
  );
}

/** Keeps waiting calls and free agents of each queue in heaps, by routing's orders. Only for plans that `canBeIndexed`. */
export class IndexedMatcher implements Matcher {
  readonly #host: MatchHost;
  readonly #queues: readonly QueueIndex[];
  readonly #strategy: readonly (typeof strategies)['longest-idle'][];
  readonly #waitingNow: Set<SimCall>[];

  constructor(plan: Plan, host: MatchHost) {
    this.#host = host;
    this.#strategy = plan.queues.map(({ rules }) => strategies[rules.strategy]);
    this.#queues = plan.queues.map(({ rules }, i) => ({
      weight: rules.weight,
      calls: new Heap<NotedCall>((a, b) => compareCalls(a.view, b.view, 0)),
      agents: new Heap<NotedAgent>((a, b) =>
        (this.#strategy[i] as (typeof strategies)['longest-idle']).compare(a.entry, b.entry),
      ),
    }));
    this.#waitingNow = plan.queues.map(() => new Set());
  }

  waiting(call: SimCall): void {
    const agent = this.#takeAgent(call);
    if (agent) {
      this.#host.assign(call, agent);
      return;
    }
    (this.#waitingNow[call.queue] as Set<SimCall>).add(call);
    (this.#queues[call.queue] as QueueIndex).calls.push({ call, view: call.view, stamp: call.stamp });
  }

  gone(call: SimCall): void {
    (this.#waitingNow[call.queue] as Set<SimCall>).delete(call);
  }

  free(agent: SimAgent): void {
    const call = this.#takeCall(agent);
    if (call) {
      this.#host.assign(call, agent);
      return;
    }
    for (const place of agent.places) {
      const strategy = this.#strategy[place.queue] as (typeof strategies)['longest-idle'];
      place.entry.readyAt = agent.candidate.readySince;
      place.entry.key = strategy.key(agent.candidate, place.member, { seed: 0, needs: [] });
      (this.#queues[place.queue] as QueueIndex).agents.push({
        agent,
        entry: { ...place.entry },
        stamp: agent.freeStamp,
      });
    }
  }

  busy(): void {
    // Its stamp has changed, so what was noted of it is passed over.
  }

  /** Only an exclusion can have ended: calls of the queue are tried again, in their order. */
  due(queue: number): void {
    const waiting = [...(this.#waitingNow[queue] as Set<SimCall>)].filter((call) => call.view.excluded.length > 0);
    for (const call of waiting.sort((a, b) => compareCalls(a.view, b.view, 0))) {
      const agent = this.#takeAgent(call);
      if (agent) {
        this.gone(call);
        this.#host.assign(call, agent);
      }
    }
  }

  #takeAgent(call: SimCall): SimAgent | undefined {
    const { agents } = this.#queues[call.queue] as QueueIndex;
    const passedOver: NotedAgent[] = [];
    let found: SimAgent | undefined;
    for (let noted = agents.peek(); noted; noted = agents.peek()) {
      agents.pop();
      if (noted.stamp !== noted.agent.freeStamp) {
        continue;
      }
      if (!this.#isExcluded(call, noted.agent)) {
        found = noted.agent;
        break;
      }
      passedOver.push(noted);
    }
    for (const noted of passedOver) {
      agents.push(noted);
    }
    return found;
  }

  #takeCall(agent: SimAgent): SimCall | undefined {
    let best: { readonly call: SimCall; readonly place: SimAgent['places'][number] } | undefined;
    for (const place of agent.places) {
      const call = this.#firstCall(place.queue, agent);
      if (call && (!best || this.#isBefore(call, place, best.call, best.place))) {
        best = { call, place };
      }
    }
    if (best) {
      this.gone(best.call);
    }
    return best?.call;
  }

  /** The first call of the queue that the agent may be offered; it stays in the heap. */
  #firstCall(queue: number, agent: SimAgent): SimCall | undefined {
    const { calls } = this.#queues[queue] as QueueIndex;
    const waiting = this.#waitingNow[queue] as Set<SimCall>;
    const passedOver: NotedCall[] = [];
    let found: SimCall | undefined;
    for (let noted = calls.peek(); noted; noted = calls.peek()) {
      if (noted.stamp !== noted.call.stamp || !waiting.has(noted.call)) {
        calls.pop();
        continue;
      }
      if (!this.#isExcluded(noted.call, agent)) {
        found = noted.call;
        break;
      }
      passedOver.push(noted);
      calls.pop();
    }
    for (const noted of passedOver) {
      calls.push(noted);
    }
    return found;
  }

  #isBefore(a: SimCall, ofA: SimAgent['places'][number], b: SimCall, ofB: SimAgent['places'][number]): boolean {
    const aFirst = compareCalls(a.view, b.view, 0) < 0;
    const wanted = (call: SimCall, first: boolean) => ({
      call: call.view,
      rank: first ? 0 : 1,
      starving: false,
      weight: (this.#queues[call.queue] as QueueIndex).weight,
    });
    return compareForAgent(wanted(a, aFirst), ofA.member, wanted(b, !aFirst), ofB.member) < 0;
  }

  #isExcluded(call: SimCall, agent: SimAgent): boolean {
    const { excluded } = call.view;
    const now = this.#host.now();
    return excluded.length > 0 && excluded.some((e) => e.until > now && e.agentId === agent.candidate.agentId);
  }
}
