import { decide } from '../routing/decide';
import type { Candidate, Decision, QueueRules, WaitingCall } from '../routing/types';
import type { Matcher, MatchHost } from './matcher';
import type { SimAgent, SimCall } from './people';
import type { Plan } from './plan';

/**
 * Asks routing's `decide` about each change, exactly as a node does. Where the rules allow it the snapshot is cut down to what has
 * changed: everybody else was matched as far as possible before, so only the new call, or the newly free agent, can make a pair.
 */
export class DecideMatcher implements Matcher {
  readonly #host: MatchHost;
  readonly #rules: readonly QueueRules[];
  readonly #staff: readonly SimAgent[];
  readonly #byId: ReadonlyMap<string, SimAgent>;
  readonly #waiting: readonly Set<SimCall>[];
  readonly #free: readonly Set<SimAgent>[];
  readonly #whole: boolean;
  readonly #seed: () => number;
  #deciding = false;
  readonly #changes: (() => void)[] = [];

  /** `whole`: every decision looks at all waiting calls and all agents. */
  constructor(
    plan: Plan,
    staff: readonly SimAgent[],
    host: MatchHost,
    options: { readonly whole?: boolean; readonly seed: () => number },
  ) {
    this.#host = host;
    this.#rules = plan.queues.map(({ rules }) => rules);
    this.#staff = staff;
    this.#byId = new Map(staff.map((agent) => [agent.candidate.agentId, agent]));
    this.#waiting = plan.queues.map(() => new Set());
    this.#free = plan.queues.map(() => new Set());
    this.#whole = options.whole === true || this.#rules.some(needsAll);
    this.#seed = options.seed;
  }

  waiting(call: SimCall): void {
    this.#queueCalls(call.queue).add(call);
    this.#change(() => {
      if (call.waits && this.#queueCalls(call.queue).has(call)) {
        this.#decide(call.queue, [call], this.#free[call.queue] as Set<SimAgent>);
      }
    });
  }

  gone(call: SimCall): void {
    this.#queueCalls(call.queue).delete(call);
  }

  free(agent: SimAgent): void {
    for (const place of agent.places) {
      (this.#free[place.queue] as Set<SimAgent>).add(agent);
    }
    this.#change(() => {
      const [first] = agent.places;
      if (agent.state === 'free' && first) {
        const calls = agent.places.flatMap((place) => [...this.#queueCalls(place.queue)]);
        if (calls.length > 0) {
          this.#decide(first.queue, calls, [agent]);
        }
      }
    });
  }

  busy(agent: SimAgent): void {
    for (const place of agent.places) {
      (this.#free[place.queue] as Set<SimAgent>).delete(agent);
    }
  }

  due(queue: number): void {
    this.#change(() => {
      this.#decide(queue, [...this.#queueCalls(queue)], this.#free[queue] as Set<SimAgent>);
    });
  }

  #queueCalls(queue: number): Set<SimCall> {
    return this.#waiting[queue] as Set<SimCall>;
  }

  /** What a decision sets off is looked at after it, not inside of it. */
  #change(look: () => void): void {
    this.#changes.push(look);
    if (this.#deciding) {
      return;
    }
    this.#deciding = true;
    for (let next = this.#changes.shift(); next; next = this.#changes.shift()) {
      next();
    }
    this.#deciding = false;
  }

  #decide(queue: number, calls: readonly SimCall[], agents: Iterable<SimAgent>): void {
    const someCalls = this.#whole ? this.#waiting.flatMap((set) => [...set]) : calls;
    if (someCalls.length === 0) {
      return;
    }
    const someAgents: Candidate[] = [];
    for (const agent of this.#whole ? this.#staff : agents) {
      someAgents.push(agent.candidate);
    }
    const views: WaitingCall[] = [];
    const byId = new Map<string, SimCall>();
    for (const call of someCalls) {
      views.push(call.view);
      byId.set(call.view.callId, call);
    }
    const decision = decide({
      now: this.#host.now(),
      queueId: (this.#rules[queue] as QueueRules).queueId,
      seed: this.#seed(),
      queues: this.#rules,
      calls: views,
      agents: someAgents,
    });
    this.#carryOut(queue, decision, byId);
  }

  #carryOut(queue: number, decision: Decision, calls: ReadonlyMap<string, SimCall>): void {
    for (const exit of decision.exits) {
      const call = calls.get(exit.callId);
      if (call) {
        this.gone(call);
        this.#host.leave(call, exit);
      }
    }
    for (const { callId, agentId } of decision.assignments) {
      const call = calls.get(callId);
      const agent = this.#byId.get(agentId);
      if (call?.waits && agent?.state === 'free') {
        this.busy(agent);
        this.#host.assign(call, agent);
      }
    }
    if (decision.dueAt !== undefined) {
      this.#host.planDue(queue, decision.dueAt);
    }
  }
}

/** Rules for which it matters who else is there, not only what has changed. */
function needsAll(rules: QueueRules): boolean {
  const levelsOpenLater = Object.values(rules.levelAfterMs ?? {}).some((after) => after > 0);
  return rules.spareScarceAgents || (rules.skipEmptyLevels && levelsOpenLater) || rules.exits !== undefined;
}
