import { initialCallState, stepCall } from '../../../src/calls/call-state';
import type { CallEffect, CallInput, CallState, Destination } from '../../../src/calls/call-state';

const number = { kind: 'number', trunkId: 't1', e164: '+4930111' } as const;
const WAITING: readonly CallInput[] = [
  { kind: 'media-ready' },
  { kind: 'answered' },
  { kind: 'flow-done', to: { kind: 'queue', queueId: 'q1' } },
];
const CONNECTED: readonly CallInput[] = [
  ...WAITING,
  { kind: 'offer-reserved', offerId: 'o1', queueId: 'q1' },
  { kind: 'agent-answered', offerId: 'o1' },
  { kind: 'bridged', channel: 'o1' },
];

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

describe('the longest wait', () => {
  const exit = (letRingFinish: boolean): CallInput => ({
    kind: 'exit',
    queueId: 'q1',
    to: { kind: 'queue', queueId: 'q2' },
    outcome: 'timed-out',
    letRingFinish,
  });
  const RINGING: readonly CallInput[] = [
    ...WAITING,
    { kind: 'offer-reserved', offerId: 'o1', queueId: 'q1' },
    { kind: 'offer-reserved', offerId: 'o2', queueId: 'q1' },
  ];

  it('takes the call from agents who only ring, at once', () => {
    const { state, effects } = runCall([...RINGING, exit(false)]);
    expect(state).toEqual({ kind: 'waiting', queueId: 'q2', offers: [] });
    expect(effects.slice(-4)).toEqual([
      { kind: 'withdraw-offer', offerId: 'o1', why: 'withdrawn' },
      { kind: 'withdraw-offer', offerId: 'o2', why: 'withdrawn' },
      { kind: 'leave-queue', outcome: 'timed-out' },
      { kind: 'start-waiting', queueId: 'q2' },
    ]);
  });

  it('waits for those who ring where the queue lets them finish, and rings nobody new', () => {
    const late: CallInput = { kind: 'offer-reserved', offerId: 'o3', queueId: 'q1' };
    const { state, effects } = runCall([...RINGING, exit(true), late, { kind: 'offer-over', offerId: 'o1' }]);
    expect(state).toMatchObject({ kind: 'waiting', queueId: 'q1', offers: ['o2'] });
    expect(effects.at(-1)).toEqual({ kind: 'withdraw-offer', offerId: 'o3', why: 'withdrawn' });
    const over: CallInput = { kind: 'offer-over', offerId: 'o2' };
    expect(runCall([...RINGING, exit(true), { kind: 'offer-over', offerId: 'o1' }, over]).state).toMatchObject({
      queueId: 'q2',
    });
    expect(runCall([...RINGING, exit(true), { kind: 'agent-answered', offerId: 'o2' }]).state).toMatchObject({
      kind: 'connecting',
      offerId: 'o2',
    });
  });

  it('does not take the call from an agent who has just answered', () => {
    const answering: CallInput = { kind: 'agent-answering', offerId: 'o1' };
    const { state } = runCall([...RINGING, answering, exit(false)]);
    expect(state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
    expect(
      runCall([...RINGING, answering, exit(false), { kind: 'agent-answered', offerId: 'o1' }]).state,
    ).toMatchObject({ kind: 'connecting' });
  });

  it('is of the queue that the call waits in, not of one that it has left', () => {
    const stale: CallInput = {
      kind: 'exit',
      queueId: 'q2',
      to: { kind: 'hang-up', reason: 'queue-full' },
      outcome: 'ended',
      letRingFinish: false,
    };
    expect(runCall([...RINGING, stale]).state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
  });
});

describe('a transfer', () => {
  const outside: CallInput = { kind: 'transfer', to: { kind: 'outside', legId: 'l1', to: number }, by: 'agent' };

  it('that nobody answers gives the caller back to the agent who is still there', () => {
    const failed: CallInput = { kind: 'leg-failed', legId: 'l1', sip: 486 };
    const { state, effects } = runCall([...CONNECTED, outside, failed]);
    expect(state).toEqual({ kind: 'connecting', queueId: 'q1', offerId: 'o1' });
    expect(effects.slice(-3)).toEqual([
      { kind: 'transfer-progress', sip: 486 },
      { kind: 'end-outside-leg', legId: 'l1' },
      { kind: 'bridge', channel: 'o1' },
    ]);
  });

  it('that nobody answers gives the caller the place in the queue again when the agent has left', () => {
    const { state, effects } = runCall([
      ...CONNECTED,
      outside,
      { kind: 'agent-left', offerId: 'o1' },
      { kind: 'leg-failed', legId: 'l1', sip: 480 },
    ]);
    expect(state).toEqual({ kind: 'waiting', queueId: 'q1', offers: [] });
    expect(effects.at(-1)).toEqual({ kind: 'resume-waiting', queueId: 'q1' });
  });

  it('to an agent who does not take it gives the caller the place in the queue again', () => {
    const { state, effects } = runCall([
      ...CONNECTED,
      { kind: 'transfer', to: { kind: 'agent', queueId: 'q1', offerId: 'd1' }, by: 'agent' },
      { kind: 'offer-over', offerId: 'o1' },
      { kind: 'offer-over', offerId: 'd1' },
    ]);
    expect(state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
    expect(effects.at(-1)).toEqual({ kind: 'resume-waiting', queueId: 'q1' });
  });

  it('at a moment at which it cannot be is refused, and the agent who was reserved for it is free again', () => {
    const to: Destination = { kind: 'agent', queueId: 'q1', offerId: 'd1' };
    const { effects } = runCall([{ kind: 'media-ready' }, { kind: 'transfer', to, by: 'system' }]);
    expect(effects.slice(-2)).toEqual([
      { kind: 'withdraw-offer', offerId: 'd1', why: 'withdrawn' },
      { kind: 'transfer-progress', sip: 491 },
    ]);
  });
});

describe('several agents who ring', () => {
  const RINGING: readonly CallInput[] = [
    ...WAITING,
    { kind: 'offer-reserved', offerId: 'o1', queueId: 'q1' },
    { kind: 'offer-reserved', offerId: 'o2', queueId: 'q1' },
  ];

  it('2: one who answers and is gone before the call is his does not end the ringing of the others', () => {
    const { state, effects } = runCall([
      ...RINGING,
      { kind: 'agent-answering', offerId: 'o1' },
      { kind: 'offer-over', offerId: 'o1' },
    ]);
    expect(state).toEqual({ kind: 'waiting', queueId: 'q1', offers: ['o2'] });
    expect(effects.filter((e) => e.kind === 'withdraw-offer')).toEqual([]);
  });

  it('18: a bridge that fails costs the caller nothing: music and the place again, the agent is let go', () => {
    const { state, effects } = runCall([
      ...RINGING,
      { kind: 'agent-answered', offerId: 'o1' },
      { kind: 'bridge-failed', channel: 'o1' },
    ]);
    expect(state).toEqual({ kind: 'waiting', queueId: 'q1', offers: [] });
    expect(effects.slice(-2)).toEqual([
      { kind: 'end-agent-leg', offerId: 'o1', endedBy: 'system' },
      { kind: 'resume-waiting', queueId: 'q1' },
    ]);
  });
});
