import fc from 'fast-check';
import { initialCallState, stepCall } from '../../src/calls/call-state';
import type { CallEffect, CallInput, CallState, Destination, ExitDestination } from '../../src/calls/call-state';
import { CALLBACK_INPUTS, CALLBACKS, voicemail } from '../support/call-destinations';
import { initialOfferState, stepOffer } from '../../src/calls/offer-state';
import type { OfferEffect, OfferInput, OfferState } from '../../src/calls/offer-state';

const offerId = fc.constantFrom('o1', 'o2', 'o3');
const queueId = fc.constantFrom('q1', 'q2');
const legId = fc.constantFrom('l1', 'l2');
const number = { kind: 'number', trunkId: 't1', e164: '+4930111' } as const;

const exitDestination: fc.Arbitrary<ExitDestination> = fc.oneof(
  { weight: 3, arbitrary: queueId.map((id): ExitDestination => ({ kind: 'queue', queueId: id })) },
  fc.constantFrom<ExitDestination>(
    { kind: 'flow', flow: 'f1' },
    { kind: 'announce', uri: 'bye.wav', reason: 'queue-closed' },
    { kind: 'hang-up', reason: 'queue-full' },
    voicemail('v1', 'thanks.wav'),
    voicemail('v2', undefined),
    ...CALLBACKS,
    { kind: 'again', queueId: 'q2' },
  ),
  { weight: 2, arbitrary: legId.map((id): ExitDestination => ({ kind: 'outside', legId: id, to: number })) },
);
const destination: fc.Arbitrary<Destination> = fc.oneof(
  { weight: 3, arbitrary: exitDestination },
  fc
    .tuple(queueId, fc.constantFrom('d1', 'd2'))
    .map(([id, offer]): Destination => ({ kind: 'agent', queueId: id, offerId: offer })),
);

const anyOffer = fc.constantFrom('o1', 'o2', 'o3', 'd1', 'd2');
const anyChannel = fc.constantFrom('o1', 'o2', 'o3', 'd1', 'd2', 'l1', 'l2');
const callInput: fc.Arbitrary<CallInput> = fc.oneof(
  fc.constantFrom<CallInput>(
    { kind: 'media-ready' },
    { kind: 'refused', sip: 480 },
    { kind: 'media-failed', refusedOffer: false },
    { kind: 'answered' },
    { kind: 'answer-failed' },
    { kind: 'announced' },
    { kind: 'media-lost' },
    { kind: 'store-failed' },
    { kind: 'caller-left', cause: 'hung-up' },
    { kind: 'caller-left', cause: 'hung-up', message: true },
    { kind: 'message-over', message: 'discarded' },
    { kind: 'message-over', message: 'failed' },
    { kind: 'end', reason: 'ended-by-admin' },
  ),
  midCallInput(),
);

/** Inputs that do not end a call by themselves. */
function midCallInput(): fc.Arbitrary<CallInput> {
  return fc.oneof(
    { weight: 2, arbitrary: exitDestination.map((to): CallInput => ({ kind: 'flow-done', to })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(offerId, queueId)
        .map(([id, queue]): CallInput => ({ kind: 'offer-reserved', offerId: id, queueId: queue })),
    },
    anyOffer.map((id): CallInput => ({ kind: 'agent-answering', offerId: id })),
    { weight: 4, arbitrary: anyOffer.map((id): CallInput => ({ kind: 'agent-answered', offerId: id })) },
    { weight: 3, arbitrary: anyOffer.map((id): CallInput => ({ kind: 'offer-over', offerId: id })) },
    { weight: 4, arbitrary: anyChannel.map((channel): CallInput => ({ kind: 'bridged', channel })) },
    anyChannel.map((channel): CallInput => ({ kind: 'bridge-failed', channel })),
    anyOffer.map((id): CallInput => ({ kind: 'agent-left', offerId: id })),
    anyOffer.map((id): CallInput => ({ kind: 'agent-left', offerId: id, lost: true })),
    fc.tuple(queueId, exitDestination, fc.boolean()).map(([queue, to, letRingFinish]): CallInput => ({
      kind: 'exit',
      queueId: queue,
      to,
      outcome: 'overflowed',
      letRingFinish,
    })),
    {
      weight: 3,
      arbitrary: fc
        .tuple(destination, fc.constantFrom<'agent' | 'system'>('agent', 'system'))
        .map(([to, by]): CallInput => ({ kind: 'transfer', to, by })),
    },
    { weight: 2, arbitrary: legId.map((id): CallInput => ({ kind: 'leg-answered', legId: id })) },
    legId.map((id): CallInput => ({ kind: 'leg-failed', legId: id, sip: 486 })),
    legId.map((id): CallInput => ({ kind: 'leg-left', legId: id })),
    { weight: 3, arbitrary: fc.constant<CallInput>({ kind: 'mailbox-open' }) },
    fc.constant<CallInput>({ kind: 'message-over', message: 'kept' }),
    fc.constantFrom(...CALLBACK_INPUTS),
  );
}

interface Step {
  readonly input: CallInput;
  readonly before: CallState;
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

function runCall(inputs: readonly CallInput[]): { state: CallState; effects: CallEffect[]; steps: Step[] } {
  let state = initialCallState;
  const steps: Step[] = [];
  for (const input of inputs) {
    const step = stepCall(state, input);
    if (step) {
      steps.push({ input, before: state, ...step });
      state = step.state;
    }
  }
  return { state, effects: steps.flatMap((s) => s.effects), steps };
}

const IN_FLOW: readonly CallInput[] = [{ kind: 'media-ready' }, { kind: 'answered' }];
const WAITING: readonly CallInput[] = [...IN_FLOW, { kind: 'flow-done', to: { kind: 'queue', queueId: 'q1' } }];
const CONNECTED: readonly CallInput[] = [
  ...WAITING,
  { kind: 'offer-reserved', offerId: 'o1', queueId: 'q1' },
  { kind: 'agent-answered', offerId: 'o1' },
  { kind: 'bridged', channel: 'o1' },
];
const GONE = { kind: 'caller-left', cause: 'hung-up' } as const;
/** A life that has come somewhere, and then anything. */
const life = fc
  .tuple(
    fc.constantFrom([], IN_FLOW, WAITING, CONNECTED),
    fc.array(fc.oneof(midCallInput(), callInput), { maxLength: 40 }),
  )
  .map(([start, noise]) => [...start, ...noise]);
const longLife = fc
  .tuple(fc.constantFrom(WAITING, CONNECTED), fc.array(midCallInput(), { maxLength: 60 }))
  .map(([start, noise]) => [...start, ...noise]);

describe('the call machine, whatever comes in', () => {
  it('finishes exactly once, and only by ending', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        const { state, effects } = runCall(inputs);
        expect(effects.filter((e) => e.kind === 'finish')).toHaveLength(state.kind === 'ended' ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });

  it('a caller who leaves stops the ringing of everybody in the same step', () => {
    const reserved = ['o1', 'o2'].map((offerId): CallInput => ({ kind: 'offer-reserved', offerId, queueId: 'q1' }));
    const last = runCall([...WAITING, ...reserved, GONE]).steps.at(-1);
    expect(last?.effects.filter((e) => e.kind === 'withdraw-offer')).toEqual(
      ['o1', 'o2'].map((offerId) => ({ kind: 'withdraw-offer', offerId, why: 'caller-gone' })),
    );
  });

  it('ends when the caller leaves, from every state', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        expect(runCall([...inputs, GONE]).state.kind).toBe('ended');
      }),
    );
  });

  it('a message that was begun is sealed: by its own end, or as the mailbox is closed', () => {
    fc.assert(
      fc.property(longLife, (inputs) => {
        let open: string | undefined;
        for (const { input, effects } of runCall([...inputs, GONE]).steps) {
          if (input.kind === 'message-over') {
            open = undefined;
          }
          for (const effect of effects) {
            if (effect.kind === 'open-mailbox') {
              expect(open).toBeUndefined();
              open = effect.to.voicemailId;
            } else if (effect.kind === 'record-message') {
              expect(effect.to.voicemailId).toBe(open);
            } else if (effect.kind === 'close-mailbox') {
              open = undefined;
            }
          }
        }
        expect(open).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('who hangs up while speaking has left a message if it is one, and else leaves as he would have without', () => {
    const to = voicemail('v1', 'thanks.wav');
    const at = [...IN_FLOW, { kind: 'flow-done', to }, { kind: 'mailbox-open' }] as const;
    const endedAs = (...more: readonly CallInput[]): unknown => runCall([...at, ...more]).state;
    const success = (reason: string): object => ({ kind: 'ended', termination: { result: 'success', reason } });
    expect(endedAs({ ...GONE, message: true })).toEqual(success('voicemail-left'));
    expect(endedAs(GONE)).toEqual(success('wait-too-long'));
    expect(endedAs({ kind: 'message-over', message: 'discarded' })).toEqual(success('wait-too-long'));
    expect(endedAs({ kind: 'message-over', message: 'kept' }, GONE)).toEqual(success('voicemail-left'));
    expect(endedAs({ kind: 'message-over', message: 'failed' })).toEqual({
      kind: 'ended',
      termination: { result: 'server-error', reason: 'exit-failed' },
    });
  });

  it('leaves no agent rung or reserved: every offer it was handed is withdrawn, finished, or over by itself', () => {
    fc.assert(
      fc.property(longLife, (inputs) => {
        const { steps } = runCall([...inputs, GONE]);
        const open = new Set<string>();
        for (const { input, effects } of steps) {
          if (input.kind === 'offer-reserved') {
            open.add(input.offerId);
          }
          if (input.kind === 'transfer' && input.to.kind === 'agent') {
            open.add(input.to.offerId);
          }
          for (const effect of effects) {
            if (effect.kind === 'withdraw-offer' || effect.kind === 'end-agent-leg') {
              open.delete(effect.offerId);
            } else if (effect.kind === 'ring-agent') {
              open.add(effect.offerId);
            }
          }
          if (input.kind === 'offer-over') {
            open.delete(input.offerId);
          }
        }
        expect([...open]).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves no leg outside: every one that was dialled is ended or has left', () => {
    fc.assert(
      fc.property(longLife, (inputs) => {
        const open = new Set<string>();
        for (const effect of runCall([...inputs, GONE]).effects) {
          if (effect.kind === 'dial') {
            open.add(effect.legId);
          } else if (effect.kind === 'end-outside-leg') {
            open.delete(effect.legId);
          }
        }
        expect([...open]).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never leaves a caller in silence: every state after the answer has its sound, the last that was asked for', () => {
    const soundOf = (effect: CallEffect): string | undefined => {
      switch (effect.kind) {
        case 'start-waiting':
        case 'resume-waiting':
        case 'park-caller':
          return 'music';
        case 'run-flow':
          return 'flow';
        case 'announce':
          return 'announcement';
        case 'open-mailbox':
          return 'greeting and tone';
        case 'ask-callback':
          return 'question';
        case 'record-message':
          return 'being listened to';
        case 'bridge':
          return `voice of ${effect.channel}`;
        default:
          return undefined;
      }
    };
    fc.assert(
      fc.property(longLife, (inputs) => {
        let sound: string | undefined;
        for (const { state, effects } of runCall(inputs).steps) {
          sound = effects.map(soundOf).findLast((s) => s !== undefined) ?? sound;
          const expected: Partial<Record<CallState['kind'], string>> = {
            flow: 'flow',
            waiting: 'music',
            direct: 'music',
            moving: 'music',
            dialling: 'music',
            closing: 'announcement',
            asking: 'question',
            booking: 'music',
            mailbox: 'greeting and tone',
            recording: 'being listened to',
            ...('offerId' in state
              ? { connecting: `voice of ${state.offerId}`, connected: `voice of ${state.offerId}` }
              : {}),
            ...('legId' in state ? { joining: `voice of ${state.legId}`, outside: `voice of ${state.legId}` } : {}),
          };
          if (state.kind in expected) {
            expect({ state: state.kind, sound }).toEqual({ state: state.kind, sound: expected[state.kind] });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never loses a place: who waits has one in that very queue, and who went on has left it', () => {
    fc.assert(
      fc.property(longLife, (inputs) => {
        let place: string | undefined;
        for (const { input, before, state, effects } of runCall([...inputs, GONE]).steps) {
          if (input.kind === 'agent-answered' && before.kind === 'waiting' && state.kind === 'connecting') {
            place = undefined;
          }
          for (const effect of effects) {
            if (effect.kind === 'start-waiting' || effect.kind === 'resume-waiting') {
              place = effect.queueId;
            } else if (effect.kind === 'leave-queue') {
              place = undefined;
            }
          }
          expect(place).toBe(state.kind === 'waiting' ? state.queueId : undefined);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('ring-all: one agent wins, the others who ring are told that the call was completed elsewhere, in the same step', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), fc.nat(), (ids, pick) => {
        const offers = ids.map((i) => `n${i}`);
        const winner = offers[pick % offers.length] ?? '';
        const { state, effects } = runCall([
          ...WAITING,
          ...offers.map((id): CallInput => ({ kind: 'offer-reserved', offerId: id, queueId: 'q1' })),
          { kind: 'agent-answered', offerId: winner },
          ...offers.map((id): CallInput => ({ kind: 'agent-answered', offerId: id })),
        ]);
        expect(state).toEqual({ kind: 'connecting', queueId: 'q1', offerId: winner });
        expect(effects.filter((e) => e.kind === 'bridge')).toEqual([{ kind: 'bridge', channel: winner }]);
        expect(effects.filter((e) => e.kind === 'withdraw-offer')).toEqual(
          offers.filter((id) => id !== winner).map((id) => ({ kind: 'withdraw-offer', offerId: id, why: 'elsewhere' })),
        );
      }),
    );
  });

  it('never bridges before somebody answered, and never gives a place before the flow says so', () => {
    fc.assert(
      fc.property(life, (inputs) => {
        const answered = new Set<string>();
        let sentOn = false;
        for (const { input, effects } of runCall(inputs).steps) {
          if (input.kind === 'agent-answered') {
            answered.add(input.offerId);
          } else if (input.kind === 'leg-answered') {
            answered.add(input.legId);
          }
          sentOn ||= input.kind === 'flow-done' || input.kind === 'transfer';
          for (const effect of effects) {
            expect(effect.kind !== 'bridge' || answered.has(effect.channel)).toBe(true);
            expect(effect.kind !== 'start-waiting' || sentOn).toBe(true);
          }
        }
      }),
    );
  });

  it('gives a caller whose connection failed music and the place again', () => {
    const { state, effects } = runCall([
      ...WAITING,
      { kind: 'offer-reserved', offerId: 'o1', queueId: 'q1' },
      { kind: 'agent-answered', offerId: 'o1' },
      { kind: 'bridge-failed', channel: 'o1' },
    ]);
    expect(state.kind).toBe('waiting');
    expect(effects.map((e) => e.kind)).toContain('resume-waiting');
  });
});

const offerInput: fc.Arbitrary<OfferInput> = fc.constantFrom<OfferInput>(
  { kind: 'start' },
  { kind: 'ringing' },
  { kind: 'answered' },
  { kind: 'answered', verdict: 'confirm' },
  { kind: 'answered', verdict: 'refuse' },
  { kind: 'key', pressed: true },
  { kind: 'key', pressed: false },
  { kind: 'claimed', won: true },
  { kind: 'claimed', won: false },
  { kind: 'media-ready' },
  { kind: 'refused', outcome: 'busy', sipStatus: 486 },
  { kind: 'ring-timeout' },
  { kind: 'withdraw', why: 'caller-gone' },
  { kind: 'connected' },
  { kind: 'agent-left' },
  { kind: 'agent-left', lost: true },
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
          }
          media ||= input.kind === 'media-ready' && (state.kind === 'answering' || state.kind === 'confirming');
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
