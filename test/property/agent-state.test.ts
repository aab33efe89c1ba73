import fc from 'fast-check';
import { activity, isAble, newAgent, stepAgent, WRAP_UP_LIMIT_MS } from '../../src/agents/agent-state';
import type { AgentInput, AgentState, RefusedOutcome } from '../../src/agents/agent-state';

const RETRY = { 'no-answer': 60, declined: 30, busy: 20, unreachable: 40, failed: 5 };
const RULES = { missesBeforeNotReady: 2, retryMs: RETRY };

/** Inputs in any order, a little later each; offers have few names so that they meet. */
const inputs: fc.Arbitrary<AgentInput[]> = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.oneof(
        fc.constantFrom(
          { kind: 'sign-in' } as const,
          { kind: 'sign-out' } as const,
          { kind: 'ready' } as const,
          { kind: 'end-wrap-up' } as const,
          { kind: 'due' } as const,
          { kind: 'pause', reason: 'lunch' } as const,
          { kind: 'extend-wrap-up', byMs: 500, limitMs: 100 } as const,
          { kind: 'force', by: 'chief', to: { kind: 'paused', reason: 'training' } } as const,
          { kind: 'force', by: 'chief', to: { kind: 'ready' } } as const,
          { kind: 'force', by: 'chief', to: { kind: 'signed-out' } } as const,
          { kind: 'pause-queue', queueId: 'q', reason: 'mail' } as const,
          { kind: 'resume-queue', queueId: 'q' } as const,
          { kind: 'sign-out-queue', queueId: 'q' } as const,
          { kind: 'sign-in-queue', queueId: 'q' } as const,
        ),
        fc
          .integer({ min: 0, max: 2 })
          .chain((n) =>
            fc.constantFrom<AgentInputBody>(
              { kind: 'offer-reserved', offerId: `o${n}`, callId: `c${n}`, medium: 'voice' },
              { kind: 'offer-ringing', offerId: `o${n}` },
              { kind: 'offer-answered', offerId: `o${n}` },
              { kind: 'offer-canceled', offerId: `o${n}` },
              ...(Object.keys(RETRY) as RefusedOutcome[]).map(
                (outcome) => ({ kind: 'offer-refused', offerId: `o${n}`, outcome, rules: RULES }) as const,
              ),
              { kind: 'call-ended', offerId: `o${n}`, after: { kind: 'wrap-up', ms: 50 } },
              { kind: 'call-ended', offerId: `o${n}`, after: { kind: 'manual-ready' } },
            ),
          ),
      ),
    ),
    { maxLength: 60 },
  )
  .map((list) => {
    let at = 1_000;
    return list.map(([later, body]) => ({ ...body, at: (at += later) }));
  });

type AgentInputBody = AgentInput extends infer I ? (I extends AgentInput ? Omit<I, 'at'> : never) : never;

const start: AgentState = { ...newAgent(true, 1_000), members: { q: { signedIn: true, paused: undefined } } };

/** Every step of a history: the state before, what came, and the state after. */
function walk(history: readonly AgentInput[]): { before: AgentState; input: AgentInput; after: AgentState }[] {
  let state = start;
  return history.map((input) => {
    const before = state;
    state = stepAgent(state, input)?.state ?? state;
    return { before, input, after: state };
  });
}

const always = (check: (step: ReturnType<typeof walk>[number]) => void): void => {
  fc.assert(
    fc.property(inputs, (history) => {
      walk(history).forEach(check);
    }),
  );
};

describe('whatever happens to an agent', () => {
  it('is never in two calls or offers at once', () => {
    always(({ after }) => {
      expect(after.engagements.length).toBeLessThanOrEqual(1);
    });
  });

  it('is reserved only while able to take a call of that queue, and the offer changes nothing else', () => {
    always(({ before, input, after }) => {
      if (input.kind === 'offer-reserved' && after.engagements.length > before.engagements.length) {
        expect(before.engagements).toEqual([]);
        expect(after.work.kind).toBe('ready');
        expect(after.missedInRow).toBe(before.missedInRow);
      }
    });
  });

  it('stays paused by a supervisor until a supervisor says otherwise, over sign-out and sign-in', () => {
    always(({ before, input, after }) => {
      if (before.forced && input.kind !== 'force') {
        expect(after.forced).toEqual(before.forced);
        expect(['paused', 'signed-out']).toContain(after.work.kind);
      }
    });
  });

  it('counts misses only while offers ring out, and forgets them with an answer or by ready', () => {
    always(({ before, input, after }) => {
      if (after.missedInRow > before.missedInRow) {
        expect(input).toMatchObject({ kind: 'offer-refused', outcome: 'no-answer' });
      }
      if (input.kind === 'offer-answered' && after !== before) {
        expect(after.missedInRow).toBe(0);
      }
    });
  });

  it('an offer that is canceled costs nothing', () => {
    always(({ before, input, after }) => {
      if (input.kind === 'offer-canceled') {
        expect({ ...after, engagements: [] }).toEqual({ ...before, engagements: [] });
      }
    });
  });

  it('an offer that was let pass moves "ready since", so that others come first', () => {
    always(({ before, input, after }) => {
      if (input.kind === 'offer-refused' && after !== before) {
        expect(after.readySince).toBeGreaterThanOrEqual(Math.max(before.readySince, input.at));
      } else if (input.kind !== 'call-ended') {
        expect(after.readySince).toBeGreaterThanOrEqual(before.readySince);
      }
    });
  });

  it('what the agent does while talking holds after the call', () => {
    always(({ before, input, after }) => {
      if (input.kind === 'call-ended' && after !== before && before.work.kind !== 'ready') {
        expect(after.work).toEqual(before.work);
      }
    });
  });

  it('a rest that ends by itself always says when, so that nobody is stuck', () => {
    always(({ before, input, after }) => {
      const step = stepAgent(before, input);
      const { work } = after;
      if (step && after.work !== before.work && 'until' in work && work.until !== undefined) {
        expect(step.effects).toContainEqual({ kind: 'wake', at: work.until });
      }
      if (work.kind === 'not-ready' && work.until === undefined) {
        expect(['missed', 'after-call']).toContain(work.reason);
      }
    });
  });

  it('whoever may take calls now is matched at once', () => {
    always(({ before, input, after }) => {
      if (!isAble(before, 'q', 'voice', input.at) && isAble(after, 'q', 'voice', input.at)) {
        expect(stepAgent(before, input)?.effects).toContainEqual({ kind: 'match' });
      }
    });
  });
});

describe('an agent', () => {
  const step = (state: AgentState, ...list: AgentInput[]): AgentState =>
    list.reduce((now, input) => stepAgent(now, input)?.state ?? now, state);

  it('wrap-up lasts what the queue says, from the end of the call', () => {
    const talked = step(
      start,
      { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
      { kind: 'offer-answered', offerId: 'o', at: 1_002 },
      { kind: 'call-ended', offerId: 'o', after: { kind: 'wrap-up', ms: 50 }, at: 2_000 },
    );
    expect(talked.work).toEqual({ kind: 'wrap-up', until: 2_050 });
    expect([2_049, 2_050].map((at) => isAble(talked, 'q', 'voice', at))).toEqual([false, true]);
  });

  it('missesBeforeNotReady: at the limit not ready, below it kept from the same call only', () => {
    const miss = (n: number): AgentInput[] => [
      { kind: 'offer-reserved', offerId: `o${n}`, callId: 'c', medium: 'voice', at: 1_000 + n },
      { kind: 'offer-refused', offerId: `o${n}`, outcome: 'no-answer', rules: RULES, at: 1_000 + n },
    ];
    const once = step(start, miss(1)[0]!);
    const first = stepAgent(once, miss(1)[1]!)!;
    expect(first.state.work.kind).toBe('ready');
    expect(first.effects).toContainEqual({ kind: 'exclude', callId: 'c', until: 1_061 });
    expect(step(first.state, ...miss(2)).work).toEqual({ kind: 'not-ready', reason: 'missed', until: undefined });
  });

  it('an offer that is canceled costs nothing, whatever the agent said meanwhile', () => {
    const rung = step(start, { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 });
    expect(step(rung, { kind: 'offer-canceled', offerId: 'o', at: 1_500 })).toEqual(start);
  });

  it('paused by a supervisor, the agent cannot end it, nor by signing out and in; a supervisor can', () => {
    const forced = step(start, { kind: 'force', by: 'chief', to: { kind: 'paused', reason: 'training' }, at: 1_001 });
    const after = (...list: AgentInput[]): string => step(forced, ...list).work.kind;
    expect(after({ kind: 'ready', at: 1_002 })).toBe('paused');
    expect(after({ kind: 'sign-out', at: 1_002 }, { kind: 'sign-in', at: 1_003 })).toBe('paused');
    expect(after({ kind: 'force', by: 'chief', to: { kind: 'ready' }, at: 1_002 })).toBe('ready');
    expect(after({ kind: 'force', by: 'chief', to: { kind: 'signed-out' }, at: 1_002 })).toBe('signed-out');
  });

  it('an offer that was let pass moves "ready since", for whatever reason', () => {
    for (const outcome of Object.keys(RETRY) as RefusedOutcome[]) {
      const passed = step(
        start,
        { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
        { kind: 'offer-refused', offerId: 'o', outcome, rules: RULES, at: 1_500 },
      );
      expect(passed.readySince).toBe(1_500);
    }
  });

  it('an answer forgets the misses', () => {
    const answered = step(
      { ...start, missedInRow: 1 },
      { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
      { kind: 'offer-answered', offerId: 'o', at: 1_002 },
    );
    expect(answered.missedInRow).toBe(0);
  });

  it('what is said during the talk holds after the call', () => {
    const talking = step(
      start,
      { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
      { kind: 'offer-answered', offerId: 'o', at: 1_002 },
    );
    const end: AgentInput = { kind: 'call-ended', offerId: 'o', after: { kind: 'wrap-up', ms: 50 }, at: 1_004 };
    const says: AgentInput[] = [
      { kind: 'pause', reason: 'lunch', at: 1_003 },
      { kind: 'sign-out', at: 1_003 },
    ];
    expect(says.map((one) => step(talking, one, end).work.kind)).toEqual(['paused', 'signed-out']);
    expect(step(talking, end).work.kind).toBe('wrap-up');
  });

  it('manual-ready: takes one call and then says when the next may come, where the queue wants it so', () => {
    const talked = step(
      start,
      { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
      { kind: 'offer-answered', offerId: 'o', at: 1_002 },
      { kind: 'call-ended', offerId: 'o', after: { kind: 'manual-ready' }, at: 1_003 },
    );
    expect(talked.work).toEqual({ kind: 'not-ready', reason: 'after-call', until: undefined });
    expect(isAble(talked, 'q', 'voice', 10_000_000)).toBe(false);
    expect(isAble(step(talked, { kind: 'ready', at: 2_000 }), 'q', 'voice', 2_000)).toBe(true);
  });

  it('may pause in one queue and serve the others', () => {
    const two = { ...start, members: { ...start.members, r: { signedIn: true, paused: undefined } } };
    const state = step(two, { kind: 'pause-queue', queueId: 'q', reason: 'mail', at: 1_001 });
    expect(isAble(state, 'q', 'voice', 1_002)).toBe(false);
    expect(isAble(state, 'r', 'voice', 1_002)).toBe(true);
  });

  it('ends or extends wrap-up within the limit, and not after it is over', () => {
    const resting = { ...start, work: { kind: 'wrap-up', until: 2_000 } as const, lastCallEndedAt: 1_000 };
    const input = { kind: 'extend-wrap-up', byMs: 5_000_000, limitMs: WRAP_UP_LIMIT_MS } as const;
    expect(stepAgent(resting, { ...input, at: 1_500 })?.state.work).toEqual({
      kind: 'wrap-up',
      until: 1_000 + WRAP_UP_LIMIT_MS,
    });
    expect(stepAgent(resting, { ...input, at: 2_000 })).toBeUndefined();
    expect(stepAgent(resting, { kind: 'end-wrap-up', at: 1_500 })?.state.work).toEqual({ kind: 'ready' });
  });

  it('shows what is open before what is said', () => {
    const rung = step(
      start,
      { kind: 'offer-reserved', offerId: 'o', callId: 'c', medium: 'voice', at: 1_001 },
      { kind: 'offer-ringing', offerId: 'o', at: 1_002 },
      { kind: 'pause', reason: 'lunch', at: 1_003 },
    );
    expect(activity(rung)).toBe('ringing');
    expect(activity(step(rung, { kind: 'offer-canceled', offerId: 'o', at: 1_004 }))).toBe('paused');
  });
});
