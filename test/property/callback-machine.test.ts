import fc from 'fast-check';
import { initialCallState, stepCall } from '../../src/calls/call-state';
import type { CallInput, CallState } from '../../src/calls/call-state';
import { stepCallback } from '../../src/calls/callback-state';
import type { CallbackEffect, CallbackEnd, CallbackInput, CallbackState } from '../../src/calls/callback-state';

const offer = fc.constantFrom('o1', 'o2', 'o3');
const leg = fc.constantFrom('l1', 'l2');
const END: readonly CallbackEnd[] = [
  'callback-canceled',
  'callback-expired',
  'callback-called-in',
  'callback-not-allowed',
  'ended-by-admin',
  'store-failed',
];
const input: fc.Arbitrary<CallbackInput> = fc.oneof(
  { weight: 4, arbitrary: offer.map((offerId): CallbackInput => ({ kind: 'offer-reserved', offerId })) },
  offer.map((offerId): CallbackInput => ({ kind: 'agent-answering', offerId })),
  {
    weight: 4,
    arbitrary: fc
      .tuple(offer, leg)
      .map(([offerId, legId]): CallbackInput => ({ kind: 'agent-answered', offerId, legId })),
  },
  { weight: 2, arbitrary: offer.map((offerId): CallbackInput => ({ kind: 'offer-over', offerId })) },
  fc.tuple(offer, fc.boolean()).map(([offerId, lost]): CallbackInput => ({ kind: 'agent-left', offerId, lost })),
  { weight: 3, arbitrary: leg.map((legId): CallbackInput => ({ kind: 'leg-answered', legId })) },
  { weight: 2, arbitrary: leg.map((legId): CallbackInput => ({ kind: 'leg-failed', legId })) },
  leg.map((legId): CallbackInput => ({ kind: 'leg-left', legId })),
  { weight: 3, arbitrary: leg.map((channel): CallbackInput => ({ kind: 'bridged', channel })) },
  leg.map((channel): CallbackInput => ({ kind: 'bridge-failed', channel })),
  { weight: 2, arbitrary: fc.constant<CallbackInput>({ kind: 'due' }) },
  fc.constant<CallbackInput>({ kind: 'no-media' }),
);
const last: fc.Arbitrary<CallbackInput> = fc.oneof(
  fc.constantFrom(...END).map((reason): CallbackInput => ({ kind: 'end', reason })),
  fc.constant<CallbackInput>({ kind: 'hand-over' }),
);

interface Step {
  readonly input: CallbackInput;
  readonly before: CallbackState;
  readonly state: CallbackState;
  readonly effects: readonly CallbackEffect[];
}

function run(inputs: readonly CallbackInput[]): { readonly state: CallbackState; readonly steps: readonly Step[] } {
  let state: CallbackState = { kind: 'waiting', tries: { made: 0, allowed: 3 }, offers: [] };
  const steps: Step[] = [];
  for (const one of inputs) {
    const step = stepCallback(state, one);
    if (step) {
      steps.push({ input: one, before: state, ...step });
      state = step.state;
    }
  }
  return { state, steps };
}

const life = fc.array(input, { maxLength: 60 });
const wholeLife = fc.tuple(life, last, fc.array(input, { maxLength: 5 })).map(([a, b, c]) => [...a, b, ...c]);
const effectsOf = (steps: readonly Step[]): readonly CallbackEffect[] => steps.flatMap((step) => step.effects);

describe('the machine of a callback, whatever comes in', () => {
  it('finishes once, by ending, or never, by being handed over: then its row is left as the next node needs it', () => {
    fc.assert(
      fc.property(wholeLife, (inputs) => {
        const { state, steps } = run(inputs);
        const finishes = effectsOf(steps).filter(({ kind }) => kind === 'finish');
        expect(['ended', 'handed-over']).toContain(state.kind);
        expect(finishes).toHaveLength(state.kind === 'ended' ? 1 : 0);
        const handed = steps.find((step) => step.state.kind === 'handed-over');
        expect(handed?.effects.filter(({ kind }) => kind === 'leave-queue') ?? []).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves no agent rung or reserved, and no telephone ringing', () => {
    fc.assert(
      fc.property(wholeLife, (inputs) => {
        const agents = new Set<string>();
        const legs = new Set<string>();
        for (const { input: came, effects } of run(inputs).steps) {
          if (came.kind === 'offer-reserved') {
            agents.add(came.offerId);
          }
          for (const effect of effects) {
            if (effect.kind === 'withdraw-offer' || effect.kind === 'end-agent-leg') {
              agents.delete(effect.offerId);
            } else if (effect.kind === 'dial') {
              legs.add(effect.legId);
            } else if (effect.kind === 'end-customer-leg') {
              legs.delete(effect.legId);
            }
          }
          if (came.kind === 'offer-over') {
            agents.delete(came.offerId);
          }
        }
        expect({ agents: [...agents], legs: [...legs] }).toEqual({ agents: [], legs: [] });
      }),
      { numRuns: 1_000 },
    );
  });

  it('calls the customer only when an agent has answered, who hears music until he is joined', () => {
    fc.assert(
      fc.property(wholeLife, (inputs) => {
        for (const { input: came, before, effects } of run(inputs).steps) {
          const dials = effects.filter(({ kind }) => kind === 'dial').length;
          const music = effects.findIndex(({ kind }) => kind === 'play-music');
          expect(dials).toBe(came.kind === 'agent-answered' && before.kind === 'waiting' ? dials : 0);
          expect(music >= 0).toBe(dials === 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never loses the place: who waits has one, except for what was not his doing nothing takes it', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        let placed = true;
        for (const { input: came, state, effects } of run(inputs).steps) {
          if (came.kind === 'agent-answered' && state.kind === 'calling') {
            placed = false;
          }
          for (const effect of effects) {
            placed = effect.kind === 'take-place' ? true : effect.kind === 'leave-queue' ? false : placed;
          }
          expect(placed).toBe(state.kind === 'waiting');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('calls no more often than it may, and counts only the customer who was not reached', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        let made = 0;
        for (const { state, effects, before } of run(inputs).steps) {
          for (const effect of effects) {
            if (effect.kind === 'rest') {
              made += effect.why === 'not-reached' ? 1 : 0;
              expect(effect.triesMade).toBe(made);
            }
          }
          expect(made).toBeLessThan(3);
          if (state.kind === 'ended' && state.termination.reason === 'callback-not-reached') {
            expect(before).toMatchObject({ tries: { made: 2 } });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('a node that stops ends a talk, and leaves everything else to the next one', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        const { state } = run(inputs);
        fc.pre(state.kind !== 'ended');
        const after = run([...inputs, { kind: 'hand-over' }]).state;
        expect(after).toEqual(
          state.kind === 'connected'
            ? { kind: 'ended', termination: { result: 'server-error', reason: 'node-stopping' } }
            : { kind: 'handed-over' },
        );
      }),
    );
  });
});

describe('a caller who is asked whether he wants a callback', () => {
  const GONE: CallInput = { kind: 'caller-left', cause: 'hung-up' };
  const BOOKED = { kind: 'ended', termination: { result: 'success', reason: 'callback-booked' } };
  const WAITS = { kind: 'waiting', queueId: 'q1', offers: [] };

  function asked(...more: readonly CallInput[]): CallState {
    const inputs: readonly CallInput[] = [
      { kind: 'media-ready' },
      { kind: 'answered' },
      { kind: 'flow-done', to: { kind: 'queue', queueId: 'q1' } },
      {
        kind: 'exit',
        queueId: 'q1',
        outcome: 'timed-out',
        letRingFinish: false,
        to: {
          kind: 'callback',
          queueId: 'q2',
          number: '+4930222',
          askUri: 'ask.wav',
          key: '1',
          confirmUri: 'confirm.wav',
          declined: { kind: 'again', queueId: 'q1' },
        },
      },
      ...more,
    ];
    return inputs.reduce<CallState>((state, one) => stepCall(state, one)?.state ?? state, initialCallState);
  }

  it('has it though he hangs up while it is stored, and has left the queue if he hangs up before he has chosen', () => {
    expect(asked({ kind: 'callback-chosen', accepted: true }, GONE)).toEqual(BOOKED);
    expect(
      asked({ kind: 'callback-chosen', accepted: true }, { kind: 'callback-booked', ok: true }, { kind: 'announced' }),
    ).toEqual(BOOKED);
    expect(asked(GONE)).toMatchObject({ termination: { result: 'abandoned', reason: 'caller-gave-up-waiting' } });
  });

  it('has his place again if he declines, or if it cannot be stored', () => {
    expect(asked({ kind: 'callback-chosen', accepted: false })).toEqual(WAITS);
    expect(asked({ kind: 'callback-chosen', accepted: true }, { kind: 'callback-booked', ok: false })).toEqual(WAITS);
  });
});
