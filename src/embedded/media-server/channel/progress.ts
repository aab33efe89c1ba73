/** The steps of a call attempt, each once, with FreeSWITCH's events in its order (wire reference 5.6). */
import type { Channel } from './channel';

export function markCreated(channel: Channel): void {
  channel.setState('CS_NEW');
  channel.setState('CS_INIT');
  channel.emit('CHANNEL_CREATE');
  if (channel.direction === 'outbound') {
    channel.emit('CHANNEL_OUTGOING');
    channel.setCallState('DIALING');
  } else {
    channel.setCallState('RINGING');
  }
  channel.setState('CS_ROUTING');
}

export function markRinging(channel: Channel): void {
  if (channel.times.progress === 0 && channel.answerState === 'ringing') {
    channel.times.progress = Date.now() * 1000;
    channel.emit('CHANNEL_PROGRESS');
    channel.setCallState('RINGING');
  }
}

/** The description is agreed and audio may flow before the answer. */
export function markEarly(channel: Channel): void {
  becomeEarly(channel);
  channel.tellWaiters();
}

function becomeEarly(channel: Channel): void {
  if (channel.answerState !== 'ringing') {
    return;
  }
  channel.answerState = 'early';
  channel.times.progressMedia = Date.now() * 1000;
  channel.emit('CHANNEL_PROGRESS_MEDIA');
  channel.setCallState('EARLY');
}

export function markAnswered(channel: Channel): void {
  if (channel.answerState === 'answered' || channel.ended) {
    return;
  }
  becomeEarly(channel);
  channel.answerState = 'answered';
  channel.times.answered = Date.now() * 1000;
  channel.readMediaTimeout();
  channel.emit('CHANNEL_ANSWER');
  channel.setCallState('ACTIVE');
  channel.tellWaiters();
}
