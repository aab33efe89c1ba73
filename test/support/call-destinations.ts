import type { CallInput, ExitDestination } from '../../src/calls/call-state';

/** Messages of queue q2. */
export function voicemail(voicemailId: string, thanksUri: string | undefined): ExitDestination {
  return { kind: 'voicemail', queueId: 'q2', voicemailId, thanksUri, reason: 'wait-too-long' };
}

/** A callback of queue q2; who declines waits on in q1. */
function callback(askUri: string | undefined, confirmUri: string | undefined): ExitDestination {
  const declined: ExitDestination = { kind: 'again', queueId: 'q1' };
  return { kind: 'callback', queueId: 'q2', number: '+4930222', askUri, key: '1', confirmUri, declined };
}

export const CALLBACKS: readonly ExitDestination[] = [
  callback('ask.wav', 'confirm.wav'),
  callback(undefined, undefined),
];

/** What comes back of asking a caller, and of storing what he chose. */
export const CALLBACK_INPUTS: readonly CallInput[] = [true, false].flatMap((yes): CallInput[] => [
  { kind: 'callback-chosen', accepted: yes },
  { kind: 'callback-booked', ok: yes },
]);
