import fc from 'fast-check';
import { initialCallState, stepCall } from '../../src/calls/call-state';
import type { CallEffect, CallInput, CallState } from '../../src/calls/call-state';
import { initialOfferState, stepOffer } from '../../src/calls/offer-state';
import type { OfferEffect, OfferInput, OfferState } from '../../src/calls/offer-state';

const offerId = fc.constantFrom('o1', 'o2');
const callInput: fc.Arbitrary<CallInput> = fc.oneof(
  fc.constantFrom<CallInput>(
    { kind: 'media-ready' },
    { kind: 'media-failed', refusedOffer: false },
    { kind: 'answered' },
    { kind: 'answer-failed' },
    { kind: 'greeting-done' },
    { kind: 'media-lost' },
    { kind: 'store-failed' },
    { kind: 'caller-left', cause: 'hung-up' },
    { kind: 'end', reason: 'ended-by-admin' },
  ),
  offerId.map((id): CallInput => ({ kind: 'offer-reserved', offerId: id })),
  offerId.map((id): CallInput => ({ kind: 'agent-answered', offerId: id })),
  offerId.map((id): CallInput => ({ kind: 'offer-over', offerId: id })),
  offerId.map((id): CallInput => ({ kind: 'bridged', offerId: id })),
  offerId.map((id): CallInput => ({ kind: 'bridge-failed', offerId: id })),
  offerId.map((id): CallInput => ({ kind: 'agent-left', offerId: id })),
);

function runCall(inputs: readonly CallInput[]): { state: CallState; effects: CallEffect[] } {
  let state = initialCallState;
  const effects: CallEffect[] = [];
  for (const input of inputs) {
    const step = stepCall(state, input);
    if (step) {
      state = step.state;
      effects.push(...step.effects);
    }
  }
  return { state, effects };
}

describe('the call machine, whatever comes in', () => {
  it('finishes exactly once, and only by ending', () => {
    fc.assert(
      fc.property(fc.array(callInput, { maxLength: 40 }), (inputs) => {
        const { state, effects } = runCall(inputs);
        expect(effects.filter((e) => e.kind === 'finish')).toHaveLength(state.kind === 'ended' ? 1 : 0);
      }),
    );
  });

  it('ends when the caller leaves, from every state', () => {
    fc.assert(
      fc.property(fc.array(callInput, { maxLength: 40 }), (inputs) => {
        expect(runCall([...inputs, { kind: 'caller-left', cause: 'hung-up' }]).state.kind).toBe('ended');
      }),
    );
  });

  it('gives every offer that it was handed an end: rung, withdrawn or finished', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
        fc.array(callInput, { maxLength: 30 }),
        (ids, noise) => {
          const reserved = ids.map((i): CallInput => ({ kind: 'offer-reserved', offerId: `n${i}` }));
          const inputs: CallInput[] = [
            { kind: 'media-ready' },
            { kind: 'answered' },
            { kind: 'greeting-done' },
            ...reserved,
            ...noise,
          ];
          const { effects, state } = runCall([...inputs, { kind: 'caller-left', cause: 'hung-up' }]);
          expect(state.kind).toBe('ended');
          for (const i of ids) {
            const about = effects.filter((e) => 'offerId' in e && e.offerId === `n${i}`).map((e) => e.kind);
            expect(about.length).toBeGreaterThan(0);
            expect(['withdraw-offer', 'end-agent-leg']).toContain(about.at(-1));
          }
        },
      ),
    );
  });

  it('never bridges before an agent answered, and never enqueues before the greeting', () => {
    fc.assert(
      fc.property(fc.array(callInput, { maxLength: 40 }), (inputs) => {
        let answered = false;
        let greeted = false;
        let state = initialCallState;
        for (const input of inputs) {
          answered ||= input.kind === 'agent-answered';
          greeted ||= input.kind === 'greeting-done';
          const step = stepCall(state, input);
          for (const effect of step?.effects ?? []) {
            expect(effect.kind !== 'bridge' || answered).toBe(true);
            expect(effect.kind !== 'start-waiting' || greeted).toBe(true);
          }
          state = step?.state ?? state;
        }
      }),
    );
  });

  it('gives a caller whose connection failed music and the place again', () => {
    const inputs: CallInput[] = [
      { kind: 'media-ready' },
      { kind: 'answered' },
      { kind: 'greeting-done' },
      { kind: 'offer-reserved', offerId: 'o1' },
      { kind: 'agent-answered', offerId: 'o1' },
      { kind: 'bridge-failed', offerId: 'o1' },
    ];
    const { state, effects } = runCall(inputs);
    expect(state.kind).toBe('waiting');
    expect(effects.map((e) => e.kind)).toContain('resume-waiting');
  });
});

const offerInput: fc.Arbitrary<OfferInput> = fc.constantFrom<OfferInput>(
  { kind: 'start' },
  { kind: 'ringing' },
  { kind: 'answered' },
  { kind: 'claimed', won: true },
  { kind: 'claimed', won: false },
  { kind: 'media-ready' },
  { kind: 'refused', outcome: 'busy', sipStatus: 486 },
  { kind: 'ring-timeout' },
  { kind: 'withdraw', why: 'caller-gone' },
  { kind: 'connected' },
  { kind: 'agent-left' },
  { kind: 'finish', endedBy: 'caller' },
  { kind: 'over' },
  { kind: 'ending-timeout' },
);

function runOffer(inputs: readonly OfferInput[]): { state: OfferState; effects: OfferEffect[] } {
  let state = initialOfferState;
  const effects: OfferEffect[] = [];
  for (const input of inputs) {
    const step = stepOffer(state, input);
    if (step) {
      state = step.state;
      effects.push(...step.effects);
    }
  }
  return { state, effects };
}

describe('the offer machine, whatever comes in', () => {
  it('closes the row exactly once, and only when it has ended', () => {
    fc.assert(
      fc.property(fc.array(offerInput, { maxLength: 40 }), (inputs) => {
        const { state, effects } = runOffer(inputs);
        expect(effects.filter((e) => e.kind === 'close-offer')).toHaveLength(state.kind === 'ended' ? 1 : 0);
      }),
    );
  });

  it('can always be ended: withdrawn or finished, then over', () => {
    fc.assert(
      fc.property(fc.array(offerInput, { maxLength: 40 }), (inputs) => {
        const end: OfferInput[] = [
          { kind: 'withdraw', why: 'withdrawn' },
          { kind: 'finish', endedBy: 'system' },
          { kind: 'ending-timeout' },
        ];
        expect(runOffer([...inputs, ...end]).state.kind).toBe('ended');
      }),
    );
  });

  it('drops the leg of an agent who was invited before the row is closed, unless his platform ended it', () => {
    fc.assert(
      fc.property(fc.array(offerInput, { maxLength: 40 }), (inputs) => {
        const { state, effects } = runOffer(inputs);
        const kinds = effects.map((e) => e.kind);
        if (state.kind === 'ended' && kinds.includes('claim')) {
          expect(kinds).toContain('drop-leg');
        }
      }),
    );
  });

  it('tells the call that the agent answered only after the claim was won and the media is ready', () => {
    fc.assert(
      fc.property(fc.array(offerInput, { maxLength: 40 }), (inputs) => {
        let won = false;
        let media = false;
        let state = initialOfferState;
        for (const input of inputs) {
          if (state.kind === 'answering') {
            won ||= input.kind === 'claimed' && input.won;
            media ||= input.kind === 'media-ready';
          }
          const step = stepOffer(state, input);
          for (const effect of step?.effects ?? []) {
            if (effect.kind === 'tell-call' && effect.what === 'agent-answered') {
              expect(won && media).toBe(true);
            }
          }
          state = step?.state ?? state;
        }
      }),
    );
  });

  it('costs the agent nothing when the caller gave up at the moment of the answer', () => {
    const { state } = runOffer([
      { kind: 'start' },
      { kind: 'ringing' },
      { kind: 'answered' },
      { kind: 'withdraw', why: 'caller-gone' },
      { kind: 'claimed', won: true },
      { kind: 'over' },
    ]);
    expect(state).toEqual({ kind: 'ended', closing: { kind: 'canceled', why: 'caller-gone' } });
  });
});
