import fc from 'fast-check';
import { decide } from '../../src/routing/decide';
import { refusalOf } from '../../src/routing/eligibility';
import { explain } from '../../src/routing/explain';
import { levelsOf } from '../../src/routing/levels';
import { uniform } from '../../src/routing/strategies/weighted-random';
import type { Candidate, Decision, Refusal, Snapshot, WaitingCall } from '../../src/routing/types';
import { snapshots } from '../support/arbitrary-snapshots';
import {
  agentKeys,
  callKeys,
  isHeld,
  keysForAgent,
  needsAt,
  reasonAgainst,
  referenceMatch,
  seats,
  wantingCalls,
  type Draw,
} from '../support/reference-routing';

const RUNS = { numRuns: 500 };

function always(property: (snapshot: Snapshot) => void): void {
  fc.assert(fc.property(snapshots, property), RUNS);
}

function drawOf(snapshot: Snapshot): Draw {
  return (agent, member) => -Math.log(uniform(snapshot.seed, agent.agentId)) / (member.weight ?? 1);
}

/** Calls that left before anybody was matched. */
function leftBefore(decision: Decision): Set<string> {
  return new Set(decision.exits.filter((e) => e.reason !== 'estimatedWait').map((e) => e.callId));
}

function chosenFor(decision: Decision, callId: string): string[] {
  return decision.assignments.filter((a) => a.callId === callId).map((a) => a.agentId);
}

function less(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  const at = a.findIndex((key, i) => key !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}

function refusalIn(s: Snapshot, call: WaitingCall, agent: Candidate): Refusal | undefined {
  const queue = s.queues.find((q) => q.queueId === call.queueId)!;
  return refusalOf(call, agent, queue, levelsOf(s.agents, queue.queueId), s.now);
}

describe('any snapshot', () => {
  it('is decided as the slow reference model decides it', () => {
    always((s) => {
      const decision = decide(s);
      const expected = referenceMatch(s, leftBefore(decision), drawOf(s));
      for (const [callId, agents] of expected) {
        expect([callId, chosenFor(decision, callId).sort()]).toEqual([callId, [...agents].sort()]);
      }
      expect(decision.assignments.length).toBe([...expected.values()].flat().length);
    });
  });

  it('gives each agent one call at most, and a call no more agents than may ring', () => {
    always((s) => {
      const { assignments } = decide(s);
      expect(new Set(assignments.map((a) => a.agentId)).size).toBe(assignments.length);
      for (const call of s.calls) {
        const given = assignments.filter((a) => a.callId === call.callId).length;
        expect(given === 0 || given + (call.openOffers?.length ?? 0) <= seats(s, call)).toBe(true);
      }
    });
  });

  it('leaves no call waiting beside an agent who could take it', () => {
    always((s) => {
      const decision = decide(s);
      const busy = new Set(decision.assignments.map((a) => a.agentId));
      const gone = new Set(decision.exits.map((e) => e.callId));
      const idle = wantingCalls(s, gone).filter((c) => !isHeld(s, c) && chosenFor(decision, c.callId).length === 0);
      for (const call of idle) {
        for (const agent of s.agents.filter((a) => !busy.has(a.agentId))) {
          expect(reasonAgainst(s, call, agent)).toBeDefined();
        }
      }
    });
  });

  it('is matched stably: no call and agent would both rather have each other', () => {
    always((s) => {
      const decision = decide(s);
      const gone = leftBefore(decision);
      const wanted = wantingCalls(s, gone);
      // Where several ring, a call's further agents come after everybody's first; stability is about the first ones.
      const single = wanted.filter((c) => !c.openOffers && !isHeld(s, c));
      const callOf = new Map(decision.assignments.map((a) => [a.agentId, s.calls.find((c) => c.callId === a.callId)!]));
      const draw = drawOf(s);
      for (const call of single.filter((c) => seats(s, c) === 1)) {
        const [mine] = chosenFor(decision, call.callId).map((id) => s.agents.find((a) => a.agentId === id)!);
        for (const agent of s.agents.filter((a) => a !== mine && reasonAgainst(s, call, a) === undefined)) {
          const callPrefers =
            !mine || less(agentKeys(s, call, agent, wanted, draw), agentKeys(s, call, mine, wanted, draw));
          const other = callOf.get(agent.agentId);
          const agentPrefers = !other || less(keysForAgent(s, agent, call), keysForAgent(s, agent, other));
          expect(callPrefers && agentPrefers).toBe(false);
        }
      }
    });
  });

  it('respects the order of calls: nobody who could have taken a call was given a later one of the same queue', () => {
    always((s) => {
      const decision = decide(s);
      const unserved = wantingCalls(s, leftBefore(decision)).filter(
        (c) => !c.openOffers && !isHeld(s, c) && chosenFor(decision, c.callId).length === 0,
      );
      for (const { callId, agentId } of decision.assignments) {
        const served = s.calls.find((c) => c.callId === callId)!;
        const agent = s.agents.find((a) => a.agentId === agentId)!;
        const starved = s.queues.find((q) => q.queueId === served.queueId)!.ageCapMs !== undefined;
        for (const call of unserved.filter((c) => c.queueId === served.queueId && !starved)) {
          expect(less(callKeys(s, call), callKeys(s, served)) && reasonAgainst(s, call, agent) === undefined).toBe(
            false,
          );
        }
      }
    });
  });

  it('explains every no with the first reason of the rules, and it is true', () => {
    always((s) => {
      const decision = decide(s);
      for (const { callId } of s.calls) {
        const call = s.calls.find((c) => c.callId === callId)!;
        const explanation = explain(s, decision, callId);
        const members = s.agents.filter((a) => reasonAgainst(s, call, a) !== 'not-a-member');
        const noes = explanation.refusals.filter((r) => !explanation.candidates.includes(r.agentId));
        expect([...explanation.candidates, ...noes.map((r) => r.agentId)].sort()).toEqual(
          members.map((a) => a.agentId).sort(),
        );
        const others = explanation.candidates.filter((id) =>
          decision.assignments.some((a) => a.agentId === id && a.callId !== callId),
        );
        expect(
          explanation.refusals.flatMap((r) => (explanation.candidates.includes(r.agentId) ? [r.agentId] : [])),
        ).toEqual(others);
        for (const { agentId, refusal } of explanation.refusals) {
          const agent = s.agents.find((a) => a.agentId === agentId)!;
          const here = reasonAgainst(s, call, agent);
          if (here === undefined) {
            expect(refusal.reason).toBe('reserved');
            expect(chosenFor(decision, (refusal as { callId: string }).callId)).toContain(agentId);
          } else {
            expect(refusal.reason).toBe(here);
          }
        }
      }
    });
  });

  it('names the moment at which a no ends, and then it has ended', () => {
    always((s) => {
      for (const call of s.calls) {
        for (const agent of s.agents) {
          const refusal = refusalIn(s, call, agent);
          if (!refusal || refusal.reason === 'outside-working-hours' || !('changesAt' in refusal)) {
            continue;
          }
          const at = refusal.changesAt;
          expect(at).toBeGreaterThan(s.now);
          expect(reasonAgainst({ ...s, now: at }, call, agent)).not.toBe(refusal.reason);
          const before = reasonAgainst({ ...s, now: at - 1 }, call, agent);
          // Presence may have become too old, or the grace run out, meanwhile.
          expect([refusal.reason, 'presence', 'presence-unknown']).toContain(before);
        }
      }
    });
  });

  it('counts in the summary of a call what explain lists', () => {
    always((s) => {
      const decision = decide(s);
      for (const summary of decision.explanations) {
        const full = explain(s, decision, summary.callId);
        expect(full).toMatchObject({ ...summary });
        const own = full.refusals.filter((r) => !full.candidates.includes(r.agentId));
        const counts: Record<string, number> = {};
        for (const { refusal } of own) {
          counts[refusal.reason] = (counts[refusal.reason] ?? 0) + 1;
        }
        expect(summary.refused).toEqual(counts);
        expect(full.candidates.length).toBe(summary.eligible);
      }
    });
  });

  it('lists candidates in the order in which they would be asked', () => {
    always((s) => {
      const decision = decide(s);
      const wanted = wantingCalls(s, leftBefore(decision));
      for (const call of wanted) {
        const keys = explain(s, decision, call.callId).candidates.map((id) =>
          agentKeys(
            s,
            call,
            s.agents.find((a) => a.agentId === id)!,
            wanted,
            drawOf(s),
          ),
        );
        expect(keys.every((key, i) => i === 0 || less(keys[i - 1]!, key))).toBe(true);
      }
    });
  });

  it('is decided the same whatever the order of rows', () => {
    always((s) => {
      const turned: Snapshot = {
        ...s,
        queues: [...s.queues].reverse(),
        calls: [...s.calls].reverse(),
        agents: [...s.agents].reverse().map((a) => ({ ...a, memberships: [...a.memberships].reverse() })),
      };
      expect(decide(turned)).toEqual(decide(s));
    });
  });

  it('is decided the same again, also from its JSON', () => {
    always((s) => {
      const once = decide(s);
      expect(decide(JSON.parse(JSON.stringify(s)) as Snapshot)).toEqual(once);
      expect(JSON.parse(JSON.stringify(once))).toEqual(once);
    });
  });

  it('needs no second look before its due time: nothing would be decided differently', () => {
    always((drawn) => {
      // Where a presence that is too old is accepted, a refused one becomes accepted by growing old: it is read again before.
      const s = {
        ...drawn,
        queues: drawn.queues.map((q) => ({ ...q, presence: { ...q.presence, unknown: 'refuse' as const } })),
      };
      const decision = decide(s);
      if (decision.assignments.length > 0 || decision.exits.length > 0) {
        return;
      }
      for (let now = s.now + 1; now < Math.min(decision.dueAt ?? Infinity, s.now + 15); now++) {
        const later = decide({ ...s, now });
        expect([...later.assignments, ...later.exits]).toEqual([]);
      }
    });
  });

  it('sends a call away exactly when its longest wait is over', () => {
    always((s) => {
      const out = new Set(
        decide(s)
          .exits.filter((e) => e.reason === 'maxWait')
          .map((e) => e.callId),
      );
      for (const call of s.calls) {
        const queue = s.queues.find((q) => q.queueId === call.queueId)!;
        const over = queue.maxWaitMs !== undefined && s.now - call.queuedAt >= queue.maxWaitMs;
        const mayRing = queue.letRingFinish === true && call.openOffers !== undefined;
        const action = queue.exits?.maxWait ?? { hangUp: true };
        const canGo = !('queues' in action) || action.queues.length > 0;
        expect([call.callId, out.has(call.callId)]).toEqual([call.callId, over && !mayRing && canGo]);
      }
    });
  });

  it('never gives a call to an agent who knows less than the call asks for', () => {
    always((s) => {
      for (const { callId, agentId } of decide(s).assignments) {
        const call = s.calls.find((c) => c.callId === callId)!;
        const queue = s.queues.find((q) => q.queueId === call.queueId)!;
        const skills = s.agents.find((a) => a.agentId === agentId)!.skills ?? {};
        for (const { skill, atLeast } of needsAt(queue, call, s.now)) {
          expect(skills[skill] ?? 0).toBeGreaterThanOrEqual(atLeast);
        }
      }
    });
  });
});
