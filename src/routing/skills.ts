import type { Candidate, QueueRules, Refusal, SkillNeed, WaitingCall } from './types';

/** What the queue and the call ask for before any relaxation: of two needs of the same skill the higher one. */
export function originalNeeds(call: WaitingCall, queue: QueueRules): readonly SkillNeed[] {
  const own = call.needs ?? [];
  const common = queue.needs ?? [];
  if (own.length === 0) {
    return common;
  }
  const atLeast = new Map<string, number>();
  for (const need of [...common, ...own]) {
    atLeast.set(need.skill, Math.max(need.atLeast, atLeast.get(need.skill) ?? 0));
  }
  return [...atLeast].map(([skill, level]) => ({ skill, atLeast: level }));
}

/** What is asked for now: the needs after every relaxation step whose time has come. A step never raises a need. */
export function effectiveNeeds(call: WaitingCall, queue: QueueRules, now: number): readonly SkillNeed[] {
  const needs = originalNeeds(call, queue);
  const steps = (queue.relaxations ?? []).filter((step) => call.firstQueuedAt + step.afterMs <= now);
  if (steps.length === 0 || needs.length === 0) {
    return needs;
  }
  return needs.flatMap((need) => {
    let { atLeast } = need;
    for (const step of steps) {
      if (step.skill === need.skill) {
        atLeast = Math.min(atLeast, step.atLeast ?? 0);
      }
    }
    return atLeast > 0 ? [{ skill: need.skill, atLeast }] : [];
  });
}

/**
 * Why the agent's skills are not enough, or undefined. A need that relaxation will never bring down to what the agent knows is
 * named before one that it will.
 */
export function skillRefusal(
  agent: Candidate,
  needs: readonly SkillNeed[],
  queue: QueueRules,
  call: WaitingCall,
): Refusal | undefined {
  let later: Extract<Refusal, { reason: 'skill-not-relaxed-yet' }> | undefined;
  for (const { skill, atLeast } of needs) {
    const has = agent.skills?.[skill] ?? 0;
    if (has >= atLeast) {
      continue;
    }
    const changesAt = relaxedAt(skill, has, queue, call);
    if (changesAt === undefined) {
      return { reason: 'skill', skill, need: atLeast, has };
    }
    if (!later || changesAt > later.changesAt) {
      later = { reason: 'skill-not-relaxed-yet', skill, need: atLeast, has, changesAt };
    }
  }
  return later;
}

/** When relaxation first asks for no more than `has`; undefined: never. */
function relaxedAt(skill: string, has: number, queue: QueueRules, call: WaitingCall): number | undefined {
  let earliest: number | undefined;
  for (const step of queue.relaxations ?? []) {
    if (step.skill === skill && (step.atLeast ?? 0) <= has) {
      const at = call.firstQueuedAt + step.afterMs;
      earliest = earliest === undefined ? at : Math.min(earliest, at);
    }
  }
  return earliest;
}

/** How much more the agent knows than is asked for, summed over the needs. */
export function surplus(agent: Candidate, needs: readonly SkillNeed[]): number {
  let sum = 0;
  for (const { skill, atLeast } of needs) {
    sum += (agent.skills?.[skill] ?? 0) - atLeast;
  }
  return sum;
}
