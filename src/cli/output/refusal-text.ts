import type { Refusal } from '../../routing/types';
import { shortDuration } from './list';

/** Why an agent may not get a call, in words; `now` is the moment of the decision, milliseconds. */
export function refusalText(refusal: Refusal, now: number): string {
  const until =
    'changesAt' in refusal && refusal.changesAt !== undefined
      ? `, for ${shortDuration(refusal.changesAt - now)} more`
      : '';
  return `${reasonText(refusal)}${until}`;
}

function reasonText(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'not-a-member': {
      return 'not a member';
    }
    case 'signed-out': {
      return refusal.here ? 'signed out of this queue' : 'signed out';
    }
    case 'paused': {
      return `paused${refusal.here ? ' in this queue' : ''} (${refusal.detail})`;
    }
    case 'not-ready': {
      return `not ready (${refusal.detail})`;
    }
    case 'wrap-up': {
      return 'in wrap-up';
    }
    case 'reserved': {
      return refusal.callId === '' ? 'rung for another call' : `rung for call ${refusal.callId}`;
    }
    case 'in-call': {
      return refusal.callId === '' ? 'in a call' : `in call ${refusal.callId}`;
    }
    case 'at-capacity': {
      return `full: ${refusal.used} of ${refusal.limit}`;
    }
    case 'endpoint-down': {
      return `trunk ${refusal.trunk} does not answer`;
    }
    case 'presence': {
      return `presence ${refusal.value}, read ${shortDuration(refusal.ageMs)} ago`;
    }
    case 'presence-unknown': {
      return refusal.ageMs === undefined
        ? 'presence was never read'
        : `presence is too old: ${shortDuration(refusal.ageMs)}`;
    }
    case 'level-not-reached': {
      return `level ${refusal.level} is not open yet`;
    }
    case 'skill':
    case 'skill-not-relaxed-yet': {
      return `has ${refusal.skill} ${refusal.has}, needs ${refusal.need}`;
    }
    case 'excluded-for-this-call': {
      return 'let this call ring before';
    }
    case 'outside-working-hours': {
      return 'outside working hours';
    }
  }
}
