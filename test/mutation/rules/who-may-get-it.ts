import { mutantsOf, type Mutant, type Rule } from '../rule';

const TESTS = 'test/unit/routing/eligibility.test.ts';
const eligibility = mutantsOf('src/routing/eligibility.ts', TESTS);
const presence = mutantsOf('src/routing/presence-policy.ts', TESTS);
const levels = mutantsOf('src/routing/levels.ts', TESTS);
const skills = mutantsOf('src/routing/skills.ts', TESTS);
const profile = mutantsOf('src/routing/profile.ts', 'test/unit/routing/eligibility.test.ts');
const view = mutantsOf('src/routing/queue-view.ts', TESTS);

/** A reason of the table: without it, somebody gets a call who may not, and the explanation names another reason or none. */
function reason(rule: string, ...mutants: Mutant[]): Rule {
  return { rule, says: `\`${rule}\``, mutants };
}

export const WHO_MAY_GET_IT: readonly Rule[] = [
  {
    rule: 'first in the order of the rules',
    says: 'These are asked in this order; the first no is the reason that is shown.',
    mutants: [
      eligibility(
        'signInRefusal(agent, member) ?? ownRefusal(agent, now) ?? presenceRefusal(agent, queue.presence, now)',
        'presenceRefusal(agent, queue.presence, now) ?? signInRefusal(agent, member) ?? ownRefusal(agent, now)',
        'is the first in the order of the rules, of any two',
      ),
      eligibility(
        'workStateRefusal(agent, now) ??\n    openOfferRefusal(agent) ??',
        'openOfferRefusal(agent) ??\n    workStateRefusal(agent, now) ??',
        'is the first in the order of the rules, of any two',
      ),
      eligibility(
        'openOfferRefusal(agent) ??\n    capacityRefusal(agent) ??',
        'capacityRefusal(agent) ??\n    openOfferRefusal(agent) ??',
        'is the first in the order of the rules, of any two',
      ),
      eligibility(
        'exclusionRefusal(call, agent, now) ??\n    hoursRefusal(agent)',
        'hoursRefusal(agent) ??\n    exclusionRefusal(call, agent, now)',
        'first in the order of the rules: excluded-for-this-call after everything else but working hours',
      ),
      eligibility(
        'levelRefusal(member.level, levels, queue, call, now) ??\n    skillRefusal(agent, effectiveNeeds(call, queue, now), queue, call) ??',
        'skillRefusal(agent, effectiveNeeds(call, queue, now), queue, call) ??\n    levelRefusal(member.level, levels, queue, call, now) ??',
        'is the first in the order of the rules, of any two',
      ),
    ],
  },
  reason(
    'not-a-member',
    eligibility(
      "if (!member) {\n    return { reason: 'not-a-member' };",
      'if (!member) {\n    return undefined as never;',
      'is not-a-member for whoever does not serve the queue, and nothing is said of such a person',
    ),
    view(
      'const view = views.get(member.queueId);',
      'const view = views.get(member.queueId) ?? [...views.values()][0];',
      'is not-a-member for whoever does not serve the queue, and nothing is said of such a person',
    ),
  ),
  reason(
    'signed-out',
    eligibility("agent.workState.kind === 'signed-out'", 'false', 'is signed-out, with all that is known about it'),
    eligibility('member.signedIn === false', 'false', 'signed-out may be of this queue alone'),
  ),
  reason(
    'paused',
    eligibility("agent.workState.kind === 'paused'", 'false', 'paused carries the reason that was given'),
    eligibility('detail: agent.workState.reason', "detail: 'paused'", 'paused carries the reason that was given'),
    eligibility('member.pauseReason === undefined', 'true', 'is paused, with all that is known about it'),
  ),
  reason(
    'not-ready',
    eligibility("state.kind === 'not-ready'", 'false', 'is not-ready, with all that is known about it'),
    eligibility(
      "return state.until > now ? { reason: 'not-ready'",
      "return state.until >= now ? { reason: 'not-ready'",
      'not-ready and wrap-up end at their time by themselves',
    ),
  ),
  reason(
    'wrap-up',
    eligibility(
      "state.kind === 'wrap-up' && state.until > now",
      'false',
      'is wrap-up, with all that is known about it',
    ),
    eligibility(
      "state.kind === 'wrap-up' && state.until > now",
      "state.kind === 'wrap-up' && state.until >= now",
      'not-ready and wrap-up end at their time by themselves',
    ),
  ),
  reason(
    'reserved',
    eligibility(
      "reason: 'reserved', callId: open.callId, offerId: open.offerId",
      "reason: 'in-call', callId: open.callId",
      'is reserved, with all that is known about it',
    ),
    eligibility('if (!open) {', 'if (!open?.connected) {', 'is reserved, with all that is known about it'),
  ),
  reason(
    'in-call',
    eligibility('return open.connected', 'return !open.connected', 'is in-call, with all that is known about it'),
    eligibility('if (!open) {', 'if (!open || open.connected) {', 'is in-call, with all that is known about it'),
  ),
  reason(
    'at-capacity',
    eligibility('load.used >= load.limit', 'load.used > load.limit', 'is at-capacity, with all that is known about it'),
  ),
  reason(
    'endpoint-down',
    eligibility('(agent.endpoint.up ?', '(true ?', 'is endpoint-down, with all that is known about it'),
  ),
  reason(
    'presence',
    presence(
      'if (accepts(policy, presence) || ',
      'if (!accepts(policy, presence) || ',
      'is presence, with all that is known about it',
    ),
    presence('if (ageMs > policy.staleAfterMs) {', 'if (true) {', 'is presence, with all that is known about it'),
  ),
  reason(
    'presence-unknown',
    presence(
      "if (presence === 'unknown' || isUnknown(presence)) {",
      'if (isUnknown(presence as never)) {',
      'is presence-unknown, with all that is known about it',
    ),
    presence(
      "presence === 'unknown' || isUnknown(presence)",
      "presence === 'unknown'",
      'presence-unknown is also what Graph calls so',
    ),
  ),
  reason(
    'level-not-reached',
    levels(
      'return opensAt > now ?',
      'return opensAt > now + 60_000 ?',
      'is level-not-reached, with all that is known about it',
    ),
    profile(
      '(noLevels ? undefined : levelRefusal(member.level, view.levels, rules, call, now)) ??',
      '',
      'level-not-reached, skill and excluded-for-this-call keep the call away in the decision as in the explanation',
    ),
  ),
  reason(
    'skill',
    skills(
      'if (changesAt === undefined) {',
      'if (changesAt === Infinity) {',
      'is skill, with all that is known about it',
    ),
    profile(
      '(needs.length === 0 ? undefined : skillRefusal(agent, needs, rules, call)) ??',
      '',
      'level-not-reached, skill and excluded-for-this-call keep the call away in the decision as in the explanation',
    ),
  ),
  reason(
    'skill-not-relaxed-yet',
    skills(
      "later = { reason: 'skill-not-relaxed-yet'",
      "return { reason: 'skill', skill, need: atLeast, has };\n      later = { reason: 'skill-not-relaxed-yet'",
      'is skill-not-relaxed-yet, with all that is known about it',
    ),
    skills(
      'Math.min(earliest, at)',
      'Math.max(earliest, at)',
      'skill-not-relaxed-yet names the step that is needed last',
    ),
    skills(
      'changesAt > later.changesAt',
      'changesAt < later.changesAt',
      'skill-not-relaxed-yet names the step that is needed last',
    ),
  ),
  reason(
    'excluded-for-this-call',
    eligibility(
      'excluded.agentId === agent.agentId &&',
      '',
      'excluded-for-this-call is of one agent and one call, until its moment',
    ),
    eligibility(
      "return until > now ? { reason: 'excluded-for-this-call'",
      "return until >= now ? { reason: 'excluded-for-this-call'",
      'excluded-for-this-call is of one agent and one call, until its moment',
    ),
    mutantsOf('src/routing/preferences.ts', TESTS)(
      'e.until > now',
      'false',
      'level-not-reached, skill and excluded-for-this-call keep the call away in the decision as in the explanation',
    ),
  ),
  reason(
    'outside-working-hours',
    eligibility(
      'if (!hours || hours.inside) {',
      'if (!hours || !hours.inside) {',
      'is outside-working-hours, with all that is known about it',
    ),
    profile('      hoursRefusal(agent);', '      undefined;', 'outside-working-hours keeps the call away'),
  ),
  {
    rule: 'accept',
    says: '`presence.accept` lists availabilities (`Available`) and pairs (`Busy/InAMeeting`).',
    mutants: [
      presence(
        '`${availability}/${activity}`',
        'availability',
        'accept: an availability with all its activities, or just a pair, whatever the case',
      ),
      presence(
        'return same(entry, availability);',
        'return same(entry, availability) && same(entry, activity);',
        'accept: an availability with all its activities, or just a pair, whatever the case',
      ),
      presence(
        'a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase())',
        'a === b',
        'accept: an availability with all its activities, or just a pair, whatever the case',
      ),
    ],
  },
  {
    rule: 'staleAfterSeconds',
    says: 'A presence that was read longer than `staleAfterSeconds` ago counts as unknown, and `unknown` says what that means.',
    mutants: [
      presence(
        'if (ageMs > policy.staleAfterMs) {',
        'if (false) {',
        'staleAfterSeconds: presence is unknown when it was read too long ago, and then the queue decides',
      ),
      presence(
        'if (ageMs > policy.staleAfterMs) {',
        'if (ageMs >= policy.staleAfterMs) {',
        'staleAfterSeconds: presence is unknown when it was read too long ago, and then the queue decides',
      ),
      presence(
        "policy.unknown === 'accept' ? undefined : { reason: 'presence-unknown', ageMs }",
        "{ reason: 'presence-unknown', ageMs }",
        'staleAfterSeconds: presence is unknown when it was read too long ago, and then the queue decides',
      ),
      presence(
        'now - presence.readAt',
        'now - presence.changedAt',
        'staleAfterSeconds: presence is unknown when it was read too long ago, and then the queue decides',
      ),
    ],
  },
  {
    rule: 'our own knowledge',
    says: 'What we know ourselves goes first: an\nagent in one of our calls is busy whatever Teams says,',
    mutants: [
      eligibility(
        'if (!open) {',
        "if (!open || agent.presence !== 'none') {",
        'our own knowledge beats Graph: whoever talks with a caller of ours is busy whatever Graph says',
      ),
      eligibility(
        "if (state.kind === 'not-ready') {",
        "if (state.kind === 'not-ready' && agent.presence === 'none') {",
        'our own knowledge beats Graph: after a refused offer Available does not make the agent ready again',
      ),
    ],
  },
  {
    rule: 'graceSeconds',
    says: 'for `graceSeconds` after such a call a `Busy/InACall` that is older than its\nend is ignored.',
    mutants: [
      presence(
        ' || isEchoOfOurCall(agent, presence, policy, now)',
        '',
        'graceSeconds: the echo of our own call in Graph is ignored for the grace, a call of later is not',
      ),
      presence(
        'presence.changedAt <= agent.lastCallEndedAt &&',
        '',
        'graceSeconds: the echo of our own call in Graph is ignored for the grace, a call of later is not',
      ),
      presence(
        'now - agent.lastCallEndedAt <= policy.graceMs',
        'true',
        'graceSeconds: the echo of our own call in Graph is ignored for the grace, a call of later is not',
      ),
      presence("same(presence.activity, 'InACall') &&", '', 'graceSeconds: only a Busy/InACall is ignored'),
      presence("same(presence.availability, 'Busy') &&", '', 'graceSeconds: only a Busy/InACall is ignored'),
    ],
  },
  {
    rule: 'levelAfterSeconds',
    says: 'Level 2 opens when the call has waited `levelAfterSeconds: {2: 30}`,',
    mutants: [
      levels(
        '(queue.levelAfterMs?.[level] ?? 0)',
        '0',
        'levelAfterSeconds: a level opens when the call has waited its time, one without entry at once',
      ),
      levels(
        '(queue.levelAfterMs?.[level] ?? 0)',
        '(queue.levelAfterMs?.[level] ?? 1)',
        'levelAfterSeconds: a level opens when the call has waited its time, one without entry at once',
      ),
      levels(
        'return call.firstQueuedAt + (queue',
        'return call.queuedAt + (queue',
        'levelAfterSeconds: it counts from the first moment of waiting',
      ),
    ],
  },
  {
    rule: 'skipEmptyLevels',
    says: 'or early where nobody of a lower level is signed in\n(`skipEmptyLevels`).',
    mutants: [
      levels(
        'queue.skipEmptyLevels && ',
        'false && ',
        'skipEmptyLevels: a level opens early when no lower level has a signed-in agent',
      ),
      levels(
        'queue.skipEmptyLevels && ',
        '',
        'skipEmptyLevels: a level opens early when no lower level has a signed-in agent',
      ),
      levels(
        "agent.workState.kind !== 'signed-out' && member.signedIn !== false",
        'member.signedIn !== false',
        'skipEmptyLevels: a level opens early when no lower level has a signed-in agent',
      ),
      levels(
        "agent.workState.kind !== 'signed-out' && member.signedIn !== false",
        "agent.workState.kind !== 'signed-out'",
        'skipEmptyLevels: signed out of this queue alone is signed out',
      ),
    ],
  },
  {
    rule: 'strict and merged',
    says: 'With `levels: strict` the lowest open level with somebody for the call is\nused; with `merged` all open levels are one.',
    mutants: [
      mutantsOf('src/routing/profile.ts', 'test/unit/routing/strategies.test.ts')(
        "rules.levels === 'strict' ? member.level : 0",
        'member.level',
        'strict and merged: level is the first key where levels are strict, and none where they are merged',
      ),
      mutantsOf('src/routing/profile.ts', 'test/unit/routing/strategies.test.ts')(
        "rules.levels === 'strict' ? member.level : 0",
        '0',
        'strict and merged: level is the first key where levels are strict, and none where they are merged',
      ),
      mutantsOf('src/routing/strategies/round-robin.ts', 'test/unit/routing/strategies.test.ts')(
        'a.level - b.level ||',
        '',
        'strict and merged: level is the first key where levels are strict, and none where they are merged',
      ),
      mutantsOf('src/routing/strategies/strategy.ts', 'test/unit/routing/strategies.test.ts')(
        'a.level - b.level ||',
        '',
        'strict and merged: level is the first key where levels are strict, and none where they are merged',
      ),
    ],
  },
  {
    rule: 'needs',
    says: 'Needs of the queue and of the flow are added up; of two for one skill the higher counts.',
    mutants: [
      skills(
        'Math.max(need.atLeast,',
        'Math.min(need.atLeast,',
        'needs of queue and call are added up, of two of one skill the higher one counts',
      ),
      skills(
        '[...common, ...own]',
        'own',
        'needs of queue and call are added up, of two of one skill the higher one counts',
      ),
      skills(
        'if (has >= atLeast) {',
        'if (has > atLeast) {',
        'needs of queue and call are added up, of two of one skill the higher one counts',
      ),
    ],
  },
  {
    rule: 'relaxations',
    says: '`relaxations` lower a need\n(`{afterSeconds: 30, skill: german, atLeast: 3}`) or drop it (without `atLeast`).',
    mutants: [
      skills(
        'step.afterMs <= now',
        'step.afterMs < now',
        'relaxations lower a need, or drop it, once the call has waited so long, and never raise it',
      ),
      skills(
        'Math.min(atLeast, step.atLeast ?? 0)',
        'step.atLeast ?? 0',
        'relaxations lower a need, or drop it, once the call has waited so long, and never raise it',
      ),
      skills(
        'Math.min(atLeast, step.atLeast ?? 0)',
        'Math.min(atLeast, step.atLeast ?? 1)',
        'relaxations lower a need, or drop it, once the call has waited so long, and never raise it',
      ),
      skills(
        'call.firstQueuedAt + step.afterMs <= now',
        'call.queuedAt + step.afterMs <= now',
        'relaxations count from the first moment of waiting',
      ),
      skills('if (step.skill === need.skill) {', 'if (true) {', 'relaxations are of one skill'),
    ],
  },
];
