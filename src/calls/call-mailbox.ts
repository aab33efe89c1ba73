/** A caller who leaves a message; part of the machine in call-state.ts. */
import { ended, Q850 } from './call-end';
import type { CallEffect, CallInput, CallState, CallStep } from './call-state';

const HANG_UP: CallEffect = { kind: 'hang-up-caller', sip: 480, q850: Q850.normal };

/** A message that is too short, or only silence, is none: the call then ends as what it was before it came here. */
export function stepMailbox(
  state: Extract<CallState, { kind: 'mailbox' | 'recording' }>,
  input: CallInput,
): CallStep | undefined {
  const { to, queueId } = state;
  if (input.kind === 'mailbox-open') {
    return state.kind === 'mailbox'
      ? { state: { ...state, kind: 'recording' }, effects: [{ kind: 'record-message', to }] }
      : undefined;
  }
  if (input.kind !== 'message-over') {
    return undefined;
  }
  switch (input.message) {
    case 'kept': {
      return to.thanksUri === undefined
        ? ended('voicemail-left', [HANG_UP])
        : {
            state: { kind: 'closing', reason: 'voicemail-left', queueId },
            effects: [{ kind: 'announce', uri: to.thanksUri }],
          };
    }
    case 'discarded': {
      return ended(to.reason, [HANG_UP]);
    }
    case 'failed': {
      return ended('exit-failed', [HANG_UP]);
    }
  }
}
