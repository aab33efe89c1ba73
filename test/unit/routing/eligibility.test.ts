import { decide } from '../../../src/routing/decide';
import { refusalOf } from '../../../src/routing/eligibility';
import { explain } from '../../../src/routing/explain';
import type { Candidate, QueueRules, Refusal, WaitingCall } from '../../../src/routing/types';
import { aCall, aMember, anAgent, aPresence, aQueue, aSnapshot, NOW, SECOND } from '../../support/snapshots';

function refusal(
  agent: Candidate,
  rules: Partial<QueueRules> = {},
  call: Partial<WaitingCall> & { waitedMs?: number } = {},
  others: readonly Candidate[] = [],
): Refusal | undefined {
  const snapshot = aSnapshot([aCall('c', call)], [agent, ...others], aQueue('support', rules));
  return explain(snapshot, decide(snapshot), 'c').refusals.find((r) => r.agentId === agent.agentId)?.refusal;
}

/** What says no, first to last in the order of the rules; each with what makes an agent refused for it. */
const NOES: [string, Partial<Candidate> & { member?: object }, Refusal][] = [
  ['signed-out', { workState: { kind: 'signed-out' } }, { reason: 'signed-out' }],
  ['paused', { member: { pauseReason: 'training' } }, { reason: 'paused', detail: 'training', here: true }],
  ['not-ready', { workState: { kind: 'not-ready', reason: 'missed' } }, { reason: 'not-ready', detail: 'missed' }],
  ['wrap-up', { workState: { kind: 'wrap-up', until: NOW + 9 } }, { reason: 'wrap-up', changesAt: NOW + 9 }],
  [
    'reserved',
    { openOffer: { offerId: 'o', callId: 'x', connected: false } },
    { reason: 'reserved', callId: 'x', offerId: 'o' },
  ],
  ['in-call', { openOffer: { offerId: 'o', callId: 'x', connected: true } }, { reason: 'in-call', callId: 'x' }],
  ['at-capacity', { capacity: { used: 2, limit: 2 } }, { reason: 'at-capacity', used: 2, limit: 2 }],
  [
    'endpoint-down',
    { endpoint: { kind: 'teams', trunk: 'sbc', up: false } },
    { reason: 'endpoint-down', trunk: 'sbc' },
  ],
  [
    'presence',
    { presence: aPresence('Away') },
    { reason: 'presence', value: 'Away/Away', source: 'graph-poll', ageMs: 500 },
  ],
  ['presence-unknown', { presence: 'unknown' }, { reason: 'presence-unknown' }],
  [
    'level-not-reached',
    { member: { level: 2 } },
    { reason: 'level-not-reached', level: 2, changesAt: NOW + 19 * SECOND },
  ],
  ['skill', { skills: {} }, { reason: 'skill', skill: 'de', need: 5, has: 0 }],
  [
    'skill-not-relaxed-yet',
    { skills: { de: 3 } },
    { reason: 'skill-not-relaxed-yet', skill: 'de', need: 5, has: 3, changesAt: NOW + 59 * SECOND },
  ],
  [
    'outside-working-hours',
    { workingHours: { inside: false, changesAt: NOW + 7 } },
    { reason: 'outside-working-hours', changesAt: NOW + 7 },
  ],
];

const RULES: Partial<QueueRules> = {
  levelAfterMs: { 2: 20 * SECOND },
  skipEmptyLevels: false,
  needs: [{ skill: 'de', atLeast: 5 }],
  relaxations: [{ afterMs: 60 * SECOND, skill: 'de', atLeast: 3 }],
};
const able = { skills: { de: 5 } };

describe('the reason for a no', () => {
  it.each(NOES)('is %s, with all that is known about it', (_reason, over, expected) => {
    expect(refusal(anAgent('a', { ...able, ...over }), RULES)).toEqual(expected);
  });

  it('is none for whoever may get the call', () => {
    expect(refusal(anAgent('a', able), RULES)).toBeUndefined();
  });

  it('is the first in the order of the rules, of any two', () => {
    for (const [i, [, first, expected]] of NOES.entries()) {
      for (const [, second] of NOES.slice(i + 1)) {
        // Two that speak of the same fact cannot both hold.
        const clash = Object.keys(first).some((key) => key !== 'member' && key in second);
        if (!clash) {
          const both = { ...able, ...second, ...first, member: { ...second.member, ...first.member } };
          expect(refusal(anAgent('a', both as Parameters<typeof anAgent>[1]), RULES)).toEqual(expected);
        }
      }
    }
  });

  it('is the first in the order of the rules: excluded-for-this-call after everything else but working hours', () => {
    const excluded = [{ agentId: 'a', until: NOW + 5 }];
    const late = { workingHours: { inside: false } };
    expect(refusal(anAgent('a', { ...able, ...late }), RULES, { excluded })).toEqual({
      reason: 'excluded-for-this-call',
      changesAt: NOW + 5,
    });
    expect(refusal(anAgent('a', { skills: {} }), RULES, { excluded })).toMatchObject({ reason: 'skill' });
    expect(refusal(anAgent('a', able), RULES, { excluded: [{ agentId: 'a', until: NOW }] })).toBeUndefined();
  });

  it('is not-a-member for whoever does not serve the queue, and nothing is said of such a person', () => {
    const stranger = anAgent('s', { memberships: [aMember('elsewhere')] });
    const snapshot = aSnapshot([aCall('c')], [stranger]);
    const decision = decide(snapshot);
    expect(decision.assignments).toEqual([]);
    expect(explain(snapshot, decision, 'c')).toMatchObject({ candidates: [], refusals: [] });
    expect(refusalOf(aCall('c'), stranger, aQueue(), { lowestSignedIn: 1 }, NOW)).toEqual({ reason: 'not-a-member' });
  });

  it('excluded-for-this-call is of one agent and one call, until its moment', () => {
    const excluded = [{ agentId: 'a', until: NOW + 5 }];
    expect(refusal(anAgent('a'), {}, { excluded })).toEqual({ reason: 'excluded-for-this-call', changesAt: NOW + 5 });
    expect(refusal(anAgent('b'), {}, { excluded })).toBeUndefined();
    expect(refusal(anAgent('a'), {}, { excluded: [{ agentId: 'a', until: NOW }] })).toBeUndefined();
  });

  it('level-not-reached, skill and excluded-for-this-call keep the call away in the decision as in the explanation', () => {
    const given = (agent: Candidate, call: Partial<WaitingCall> = {}): number =>
      decide(aSnapshot([aCall('c', call)], [agent], aQueue('support', RULES))).assignments.length;
    expect(given(anAgent('a', able))).toBe(1);
    expect(given(anAgent('a', { ...able, member: { level: 2 } }))).toBe(0);
    expect(given(anAgent('a', { skills: { de: 4 } }))).toBe(0);
    expect(given(anAgent('a', able), { excluded: [{ agentId: 'a', until: NOW + 1 }] })).toBe(0);
  });

  it('outside-working-hours keeps the call away', () => {
    const at = (inside: boolean) => decide(aSnapshot([aCall('c')], [anAgent('a', { workingHours: { inside } })]));
    expect([at(true).assignments.length, at(false).assignments.length]).toEqual([1, 0]);
  });

  it('skill-not-relaxed-yet names the step that is needed last', () => {
    const rules = {
      needs: [
        { skill: 'de', atLeast: 5 },
        { skill: 'fr', atLeast: 5 },
      ],
      relaxations: [
        { afterMs: 20 * SECOND, skill: 'de' },
        { afterMs: 40 * SECOND, skill: 'fr' },
      ],
    };
    expect(refusal(anAgent('a', { skills: {} }), rules, { waitedMs: SECOND })).toMatchObject({
      reason: 'skill-not-relaxed-yet',
      skill: 'fr',
      changesAt: NOW + 39 * SECOND,
    });
    const sooner = { ...rules, relaxations: [{ afterMs: 30 * SECOND, skill: 'fr', atLeast: 1 }, ...rules.relaxations] };
    expect(refusal(anAgent('a', { skills: { de: 5, fr: 1 } }), sooner, { waitedMs: SECOND })).toMatchObject({
      changesAt: NOW + 29 * SECOND,
    });
  });

  it('presence-unknown is also what Graph calls so', () => {
    const unknown = anAgent('a', { presence: aPresence('PresenceUnknown') });
    expect(refusal(unknown)).toEqual({ reason: 'presence-unknown' });
    expect(refusal(unknown, { presence: { ...aQueue().presence, unknown: 'accept' } })).toBeUndefined();
  });

  it('signed-out may be of this queue alone', () => {
    expect(refusal(anAgent('a', { member: { signedIn: false } }))).toEqual({ reason: 'signed-out', here: true });
  });

  it('paused carries the reason that was given', () => {
    expect(refusal(anAgent('a', { workState: { kind: 'paused', reason: 'lunch' } }))).toEqual({
      reason: 'paused',
      detail: 'lunch',
    });
  });

  it('not-ready and wrap-up end at their time by themselves', () => {
    const until = NOW + 5;
    expect(refusal(anAgent('a', { workState: { kind: 'not-ready', reason: 'declined', until } }))).toEqual({
      reason: 'not-ready',
      detail: 'declined',
      changesAt: until,
    });
    expect(refusal(anAgent('a', { workState: { kind: 'not-ready', reason: 'declined', until: NOW } }))).toBeUndefined();
    expect(refusal(anAgent('a', { workState: { kind: 'wrap-up', until: NOW } }))).toBeUndefined();
  });
});

describe('presence', () => {
  const presence = (accept: string[], graceMs = 20_000) => ({ presence: { ...aQueue().presence, accept, graceMs } });

  it('accept: an availability with all its activities, or just a pair, whatever the case', () => {
    const meeting = anAgent('a', { presence: aPresence('Busy', 'InAMeeting') });
    const calling = anAgent('a', { presence: aPresence('Busy', 'InACall') });
    expect(refusal(meeting, presence(['busy']))).toBeUndefined();
    expect(refusal(meeting, presence(['busy/inameeting']))).toBeUndefined();
    expect(refusal(calling, presence(['Busy/InAMeeting']))).toMatchObject({
      reason: 'presence',
      value: 'Busy/InACall',
    });
  });

  it('staleAfterSeconds: presence is unknown when it was read too long ago, and then the queue decides', () => {
    const old = anAgent('a', { presence: aPresence('Available', 'Available', { readAt: NOW - 30_001 }) });
    expect(refusal(old)).toEqual({ reason: 'presence-unknown', ageMs: 30_001 });
    expect(refusal(old, { presence: { ...aQueue().presence, unknown: 'accept' } })).toBeUndefined();
    const justNot = anAgent('a', { presence: aPresence('Available', 'Available', { readAt: NOW - 30_000 }) });
    expect(refusal(justNot)).toBeUndefined();
  });

  it('our own knowledge beats Graph: whoever talks with a caller of ours is busy whatever Graph says', () => {
    const talking = anAgent('a', {
      openOffer: { offerId: 'o', callId: 'x', connected: true },
      presence: aPresence('Available'),
    });
    expect(refusal(talking)).toMatchObject({ reason: 'in-call' });
  });

  it('our own knowledge beats Graph: after a refused offer Available does not make the agent ready again', () => {
    const declined = anAgent('a', {
      workState: { kind: 'not-ready', reason: 'declined', until: NOW + 9 },
      presence: aPresence('Available'),
    });
    expect(refusal(declined)).toMatchObject({ reason: 'not-ready' });
  });

  it('graceSeconds: only a Busy/InACall is ignored', () => {
    const shown = (availability: string, activity: string) =>
      refusal(anAgent('a', { presence: aPresence(availability, activity), lastCallEndedAt: NOW - 1 }))?.reason;
    expect(shown('Busy', 'InACall')).toBeUndefined();
    expect([shown('Busy', 'InAMeeting'), shown('Away', 'InACall')]).toEqual(['presence', 'presence']);
  });

  it('graceSeconds: the echo of our own call in Graph is ignored for the grace, a call of later is not', () => {
    const echo = (changedAt: number, lastCallEndedAt: number) =>
      refusal(anAgent('a', { presence: aPresence('Busy', 'InACall', { changedAt }), lastCallEndedAt }))?.reason;
    expect(echo(NOW - 50_000, NOW - 20_000)).toBeUndefined();
    expect(echo(NOW - 50_000, NOW - 20_001)).toBe('presence');
    expect(echo(NOW - 1_000, NOW - 5_000)).toBe('presence');
  });
});

describe('levels', () => {
  const first = anAgent('first', { openOffer: { offerId: 'o', callId: 'x', connected: true } });
  const second = anAgent('second', { member: { level: 2 } });
  const rules = { levelAfterMs: { 2: 20 * SECOND }, skipEmptyLevels: true };

  it('levelAfterSeconds: it counts from the first moment of waiting', () => {
    expect(refusal(second, rules, { waitedMs: 20_000, queuedAt: NOW }, [first])).toBeUndefined();
  });

  it('skipEmptyLevels: signed out of this queue alone is signed out', () => {
    const goneHere = anAgent('first', { member: { signedIn: false } });
    expect(refusal(second, rules, {}, [goneHere])).toBeUndefined();
  });

  it('levelAfterSeconds: a level opens when the call has waited its time, one without entry at once', () => {
    const third = anAgent('third', { member: { level: 3 } });
    expect(refusal(third, rules, { waitedMs: 0 }, [first])).toBeUndefined();
    expect(refusal(second, rules, { waitedMs: 19_999 }, [first])).toMatchObject({
      reason: 'level-not-reached',
      changesAt: NOW + 1,
    });
    expect(refusal(second, rules, { waitedMs: 20_000 }, [first])).toBeUndefined();
  });

  it('skipEmptyLevels: a level opens early when no lower level has a signed-in agent', () => {
    const gone = { ...first, workState: { kind: 'signed-out' as const } };
    expect(refusal(second, rules, {}, [gone])).toBeUndefined();
    expect(refusal(second, { ...rules, skipEmptyLevels: false }, {}, [gone])).toMatchObject({
      reason: 'level-not-reached',
    });
    const paused = { ...first, workState: { kind: 'paused' as const, reason: 'lunch' } };
    expect(refusal(second, rules, {}, [paused])).toMatchObject({ reason: 'level-not-reached' });
  });
});

describe('skills', () => {
  const needs = [{ skill: 'de', atLeast: 5 }];

  it('needs of queue and call are added up, of two of one skill the higher one counts', () => {
    const call = {
      needs: [
        { skill: 'de', atLeast: 7 },
        { skill: 'fr', atLeast: 1 },
      ],
    };
    expect(refusal(anAgent('a', { skills: { de: 6, fr: 9 } }), { needs }, call)).toEqual({
      reason: 'skill',
      skill: 'de',
      need: 7,
      has: 6,
    });
    expect(refusal(anAgent('a', { skills: { de: 7, fr: 1 } }), { needs }, call)).toBeUndefined();
    const french = { needs: [{ skill: 'fr', atLeast: 1 }] };
    expect(refusal(anAgent('a', { skills: { fr: 1 } }), { needs }, french)).toMatchObject({ skill: 'de', need: 5 });
  });

  it('relaxations count from the first moment of waiting', () => {
    const lowers = { needs, relaxations: [{ afterMs: 10 * SECOND, skill: 'de' }] };
    expect(refusal(anAgent('a'), lowers, { waitedMs: 10 * SECOND, queuedAt: NOW })).toBeUndefined();
  });

  it('relaxations are of one skill', () => {
    const lowers = { needs, relaxations: [{ afterMs: 0, skill: 'fr' }] };
    expect(refusal(anAgent('a'), lowers)).toMatchObject({ reason: 'skill', skill: 'de' });
  });

  it('relaxations lower a need, or drop it, once the call has waited so long, and never raise it', () => {
    const lowers = {
      needs,
      relaxations: [
        { afterMs: 10 * SECOND, skill: 'de', atLeast: 3 },
        { afterMs: 20 * SECOND, skill: 'de' },
        { afterMs: 0, skill: 'de', atLeast: 9 },
      ],
    };
    const knows = (de: number, waitedMs: number) =>
      refusal(anAgent('a', { skills: { de } }), lowers, { waitedMs })?.reason;
    expect(knows(3, 9_999)).toBe('skill-not-relaxed-yet');
    expect(knows(3, 10_000)).toBeUndefined();
    expect(knows(0, 19_999)).toBe('skill-not-relaxed-yet');
    expect(knows(0, 20_000)).toBeUndefined();
    expect(knows(5, 0)).toBeUndefined();
  });
});
