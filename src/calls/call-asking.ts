/** A caller who may be called back; part of the machine in call-state.ts. */
import { ended, Q850 } from './call-end';
import { booking, enter, transferred } from './call-enter';
import type { CallInput, CallState, CallStep } from './call-state';

export function stepAsking(
  state: Extract<CallState, { kind: 'asking' | 'booking' }>,
  input: CallInput,
): CallStep | undefined {
  const { to, queueId } = state;
  if (state.kind === 'asking') {
    if (input.kind === 'transfer') {
      return enter(input.to, queueId, transferred(input.to));
    }
    if (input.kind !== 'callback-chosen') {
      return undefined;
    }
    return input.accepted
      ? { state: { kind: 'booking', to, queueId }, effects: booking(to, queueId) }
      : enter(to.declined, queueId);
  }
  if (input.kind !== 'callback-booked') {
    return undefined;
  }
  if (!input.ok) {
    return enter(to.declined, queueId);
  }
  return to.confirmUri === undefined
    ? ended('callback-booked', [{ kind: 'hang-up-caller', sip: 480, q850: Q850.normal }])
    : enter({ kind: 'announce', uri: to.confirmUri, reason: 'callback-booked' }, queueId);
}
