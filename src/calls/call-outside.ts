/** A call that is sent to somebody who is none of our agents; part of the machine in call-state.ts. */
import { ended, Q850 } from './call-end';
import { enter, transferred, waitingIn } from './call-enter';
import type { CallEffect, CallInput, CallState, CallStep, DiallingState } from './call-state';

export function stepDialling(state: DiallingState, input: CallInput): CallStep | undefined {
  if (input.kind === 'agent-left' || input.kind === 'offer-over') {
    const { offerId } = input;
    return offerId === state.agent
      ? {
          state: { ...state, agent: undefined },
          effects: input.kind === 'agent-left' ? [{ kind: 'end-agent-leg', offerId, endedBy: 'agent' }] : [],
        }
      : undefined;
  }
  const { legId, queueId, agent } = state;
  const mine =
    ('legId' in input && input.legId === legId) ||
    ((input.kind === 'bridged' || input.kind === 'bridge-failed') && input.channel === legId);
  if (!mine) {
    return undefined;
  }
  switch (input.kind) {
    case 'leg-answered': {
      return state.kind === 'dialling'
        ? { state: { ...state, kind: 'joining' }, effects: [{ kind: 'bridge', channel: legId }] }
        : undefined;
    }
    case 'bridged': {
      return state.kind === 'joining'
        ? {
            state: { kind: 'outside', legId, queueId },
            effects: [
              { kind: 'transfer-progress', sip: 200 },
              ...(agent === undefined ? [] : [{ kind: 'end-agent-leg', offerId: agent, endedBy: 'agent' } as const]),
            ],
          }
        : undefined;
    }
    default: {
      return notReached(state, input.kind === 'leg-failed' ? input.sip : 480);
    }
  }
}

/** Back to the agent if he is still there, else to the place in the queue; a caller who never had one is hung up. */
function notReached({ legId, queueId, agent }: DiallingState, sip: number): CallStep {
  const effects: readonly CallEffect[] = [
    { kind: 'transfer-progress', sip },
    { kind: 'end-outside-leg', legId },
  ];
  if (agent !== undefined && queueId !== undefined) {
    return {
      state: { kind: 'connecting', queueId, offerId: agent },
      effects: [...effects, { kind: 'bridge', channel: agent }],
    };
  }
  return queueId === undefined
    ? ended('target-not-reached', [{ kind: 'hang-up-caller', sip: 480, q850: Q850.noAnswer }, ...effects])
    : { state: waitingIn(queueId), effects: [...effects, { kind: 'resume-waiting', queueId }] };
}

export function stepOutside(state: Extract<CallState, { kind: 'outside' }>, input: CallInput): CallStep | undefined {
  const { legId, queueId } = state;
  if (input.kind === 'leg-left' && input.legId === legId) {
    return ended('target-hung-up', [
      { kind: 'hang-up-caller', sip: 200, q850: Q850.normal },
      { kind: 'end-outside-leg', legId },
    ]);
  }
  return input.kind === 'transfer'
    ? enter(input.to, queueId, [
        { kind: 'park-caller', queueId },
        { kind: 'end-outside-leg', legId },
        ...transferred(input.to),
      ])
    : undefined;
}
