import type { Entry } from '../routing/strategies/strategy';
import type { Membership } from '../routing/types';
import { sampler } from './distributions';
import type { Mutable, Place, SimAgent } from './people';
import type { Plan } from './plan';
import { uniformStream } from './random';

/** The agents of a run, signed out, in the order of the plan. */
export function hireStaff(plan: Plan, seed: number): SimAgent[] {
  const queueIds = plan.queues.map(({ rules }) => rules.queueId);
  const indexOf = new Map(plan.queues.map(({ rules }, i) => [rules.name, i]));
  return plan.staff.map((agent, index) => {
    const places: Place[] = [];
    const memberships: Mutable<Membership>[] = [];
    const candidate: SimAgent['candidate'] = {
      agentId: `agent-${index}`,
      name: agent.name,
      memberships,
      workState: { kind: 'signed-out' },
      readySince: 0,
      endpoint: { kind: 'teams', trunk: 'simulated', up: true },
      presence: 'none',
      ...(agent.skills ? { skills: agent.skills } : {}),
    };
    for (const { queue, ...place } of agent.memberships) {
      const at = indexOf.get(queue) as number;
      const member: Mutable<Membership> = { queueId: queueIds[at] as string, ...place };
      memberships.push(member);
      const strict = plan.queues[at]?.rules.levels === 'strict';
      const entry: Mutable<Entry> = {
        agent: candidate,
        member,
        index,
        level: strict ? place.level : 0,
        readyAt: 0,
        key: 0,
        scarcity: 0,
      };
      places.push({ queue: at, member, entry });
    }
    return {
      index,
      plan: agent,
      candidate,
      places,
      answer: sampler(agent.answer, uniformStream(seed, `answer ${agent.name}`)),
      state: 'off',
      stamp: 0,
      freeStamp: 0,
      leaving: false,
      away: false,
      knownAway: false,
      call: undefined,
      signedInSince: 0,
    };
  });
}
