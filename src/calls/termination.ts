/** How a call ended: exactly one per call. `result` is for service-level figures, `reason` tells the story. */
export type TerminationResult =
  'success' | 'abandoned' | 'client-error' | 'server-error' | 'upstream-error' | 'indeterminate';

export type TerminationReason =
  | 'caller-hung-up'
  | 'agent-hung-up'
  | 'caller-gave-up-waiting'
  | 'caller-gave-up-ringing'
  | 'caller-gave-up-in-greeting'
  | 'caller-gave-up-in-flow'
  | 'caller-gave-up-before-answer'
  | 'offer-refused-by-media'
  | 'media-failed'
  | 'media-lost'
  | 'no-ack'
  | 'store-failed'
  | 'queue-closed'
  | 'queue-paused'
  | 'queue-full'
  | 'no-agents'
  | 'wait-too-long'
  | 'left-by-key'
  | 'ended-by-flow'
  | 'voicemail-left'
  | 'target-hung-up'
  | 'target-not-reached'
  | 'exit-failed'
  | 'callback-booked'
  | 'callback-not-reached'
  | 'callback-expired'
  | 'callback-canceled'
  | 'callback-called-in'
  | 'callback-not-allowed'
  | 'ended-by-admin'
  | 'node-stopping'
  | 'node-lost';

export interface Termination {
  readonly result: TerminationResult;
  readonly reason: TerminationReason;
}

const RESULTS: Record<TerminationReason, TerminationResult> = {
  'caller-hung-up': 'success',
  'agent-hung-up': 'success',
  'caller-gave-up-waiting': 'abandoned',
  'caller-gave-up-ringing': 'abandoned',
  'caller-gave-up-in-greeting': 'abandoned',
  'caller-gave-up-in-flow': 'abandoned',
  'caller-gave-up-before-answer': 'abandoned',
  'offer-refused-by-media': 'client-error',
  'media-failed': 'server-error',
  'media-lost': 'server-error',
  'no-ack': 'upstream-error',
  'store-failed': 'server-error',
  // Ended as the configuration says.
  'queue-closed': 'success',
  'queue-paused': 'success',
  'queue-full': 'success',
  'no-agents': 'success',
  'wait-too-long': 'success',
  'left-by-key': 'success',
  'ended-by-flow': 'success',
  'voicemail-left': 'success',
  'target-hung-up': 'success',
  'target-not-reached': 'upstream-error',
  // A flow, prompt or queue that an exit names is not there, or exits lead round in circles.
  'exit-failed': 'server-error',
  // The caller goes, and keeps the place: a call of its own waits for him.
  'callback-booked': 'success',
  // Every try came to nothing.
  'callback-not-reached': 'upstream-error',
  'callback-expired': 'upstream-error',
  'callback-canceled': 'success',
  // The customer did not wait for it: he called himself, and that call has the place.
  'callback-called-in': 'success',
  // No trunk may call the number any more.
  'callback-not-allowed': 'server-error',
  'ended-by-admin': 'success',
  'node-stopping': 'server-error',
  'node-lost': 'indeterminate',
};

export function termination(reason: TerminationReason): Termination {
  return { result: RESULTS[reason], reason };
}
