/** How a call ends, from every state; part of the machine in call-state.ts. */
import type { CallEffect, CallInput, CallStep, LiveCallState } from './call-state';
import { termination } from './termination';
import type { TerminationReason } from './termination';

/** Q.850 causes that we put into a Reason toward carriers; Teams' own causes are never passed on. */
export const Q850 = { normal: 16, noAnswer: 19, temporaryFailure: 41, incompatible: 88 } as const;

/** Inputs that end the call whatever its state. */
export function stepEnd(state: LiveCallState, input: CallInput): CallStep | undefined {
  switch (input.kind) {
    case 'caller-left': {
      return ended(
        input.cause === 'no-ack' ? 'no-ack' : leaveReason(state, input.cause, input.message === true),
        release(state, 'caller'),
      );
    }
    case 'refused': {
      return state.kind === 'arriving'
        ? ended('ended-by-flow', [{ kind: 'hang-up-caller', sip: input.sip, q850: Q850.normal }])
        : undefined;
    }
    case 'media-failed': {
      return state.kind === 'arriving'
        ? ended(input.refusedOffer ? 'offer-refused-by-media' : 'media-failed', [
            {
              kind: 'hang-up-caller',
              sip: input.refusedOffer ? 488 : 503,
              q850: input.refusedOffer ? Q850.incompatible : Q850.temporaryFailure,
            },
          ])
        : undefined;
    }
    case 'answer-failed': {
      return state.kind === 'answering'
        ? ended('media-failed', [{ kind: 'hang-up-caller', sip: 500, q850: Q850.temporaryFailure }])
        : undefined;
    }
    case 'media-lost': {
      return endedBySystem(state, 'media-lost');
    }
    case 'store-failed': {
      return endedBySystem(state, 'store-failed');
    }
    case 'end': {
      return endedBySystem(state, input.reason);
    }
    default: {
      return undefined;
    }
  }
}

function endedBySystem(state: LiveCallState, reason: TerminationReason): CallStep {
  const failure = termination(reason).result !== 'success';
  return ended(reason, [
    { kind: 'hang-up-caller', sip: failure ? 503 : 480, q850: failure ? Q850.temporaryFailure : Q850.normal },
    ...release(state, 'system'),
  ]);
}

function leaveReason(state: LiveCallState, cause: 'hung-up' | 'cancelled', message: boolean): TerminationReason {
  switch (state.kind) {
    case 'arriving': {
      return 'caller-gave-up-before-answer';
    }
    case 'answering': {
      // A BYE that overtakes the confirmation of our 200.
      return cause === 'hung-up' ? 'caller-gave-up-in-greeting' : 'caller-gave-up-before-answer';
    }
    case 'flow': {
      return state.flow === undefined ? 'caller-gave-up-in-greeting' : 'caller-gave-up-in-flow';
    }
    case 'waiting': {
      return state.offers.length > 0 ? 'caller-gave-up-ringing' : 'caller-gave-up-waiting';
    }
    case 'moving': {
      return 'caller-gave-up-waiting';
    }
    case 'direct':
    case 'connecting':
    case 'dialling':
    case 'joining': {
      return 'caller-gave-up-ringing';
    }
    case 'connected':
    case 'outside': {
      return 'caller-hung-up';
    }
    case 'closing': {
      return state.reason;
    }
    case 'mailbox': {
      return state.to.reason;
    }
    case 'recording': {
      return message ? 'voicemail-left' : state.to.reason;
    }
    case 'asking': {
      return 'caller-gave-up-waiting';
    }
    case 'booking': {
      return 'callback-booked';
    }
  }
}

/** What is still held for the caller when the call ends. */
function release(state: LiveCallState, by: 'caller' | 'system'): readonly CallEffect[] {
  const why = by === 'caller' ? 'caller-gone' : 'withdrawn';
  const leaveQueue: CallEffect = { kind: 'leave-queue', outcome: by === 'caller' ? 'abandoned' : 'ended' };
  switch (state.kind) {
    case 'arriving':
    case 'answering':
    case 'closing':
    case 'asking':
    case 'booking': {
      return [];
    }
    case 'flow': {
      return [{ kind: 'stop-flow' }];
    }
    case 'mailbox':
    case 'recording': {
      return [{ kind: 'close-mailbox' }];
    }
    case 'waiting': {
      return [...state.offers.map((offerId): CallEffect => ({ kind: 'withdraw-offer', offerId, why })), leaveQueue];
    }
    case 'connecting': {
      // An agent who talked already and got the caller back from a failed transfer has a conversation that ends.
      return [{ kind: 'withdraw-offer', offerId: state.offerId, why }, leaveQueue];
    }
    case 'direct': {
      return [{ kind: 'withdraw-offer', offerId: state.offerId, why }];
    }
    case 'connected': {
      return [{ kind: 'end-agent-leg', offerId: state.offerId, endedBy: by }];
    }
    case 'moving': {
      const { to } = state;
      return to.kind === 'agent' ? [{ kind: 'withdraw-offer', offerId: to.offerId, why }] : [];
    }
    case 'dialling':
    case 'joining': {
      return [
        { kind: 'end-outside-leg', legId: state.legId },
        ...(state.agent === undefined ? [] : [{ kind: 'end-agent-leg', offerId: state.agent, endedBy: by } as const]),
        { kind: 'transfer-progress', sip: 487 },
      ];
    }
    case 'outside': {
      return [{ kind: 'end-outside-leg', legId: state.legId }];
    }
  }
}

export function ended(reason: TerminationReason, effects: readonly CallEffect[]): CallStep {
  const end = termination(reason);
  return { state: { kind: 'ended', termination: end }, effects: [...effects, { kind: 'finish', termination: end }] };
}
