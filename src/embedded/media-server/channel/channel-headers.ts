/** The headers that describe a channel in events, CHANNEL_DATA and `uuid_dump` (wire reference 4.2, 5.5). */
import type { Channel } from './channel';
import { CHANNEL_STATES } from './states';

const EVENTS_WITHOUT_VARIABLES: ReadonlySet<string> = new Set(['DTMF', 'CHANNEL_CALLSTATE', 'CHANNEL_STATE']);

export function withVariables(eventName: string): boolean {
  return !EVENTS_WITHOUT_VARIABLES.has(eventName);
}

/** `Unique-ID`, states, codecs, caller and times; with the variables if asked. */
export function channelHeaders(channel: Channel, variables: boolean): Record<string, string> {
  const codec = channel.mediaUp ? channel.media.codec.name : undefined;
  const headers: Record<string, string> = {
    'Channel-State': channel.state,
    'Channel-Call-State': channel.callState,
    'Channel-State-Number': String(CHANNEL_STATES[channel.state]),
    'Channel-Name': channel.name,
    'Unique-ID': channel.uuid,
    'Channel-Unique-ID': channel.uuid,
    'Call-Direction': channel.direction,
    'Presence-Call-Direction': channel.direction,
    'Channel-HIT-Dialplan': channel.direction === 'inbound' ? 'true' : 'false',
    'Channel-Call-UUID': channel.callUuid,
    'Answer-State': channel.answerState,
    ...(channel.hangupCause === undefined ? {} : { 'Hangup-Cause': channel.hangupCause }),
    ...(codec === undefined
      ? {}
      : {
          'Channel-Read-Codec-Name': codec,
          'Channel-Read-Codec-Rate': '8000',
          'Channel-Read-Codec-Bit-Rate': '64000',
          'Channel-Write-Codec-Name': codec,
          'Channel-Write-Codec-Rate': '8000',
          'Channel-Write-Codec-Bit-Rate': '64000',
        }),
    ...callerHeaders(channel, 'Caller'),
    ...otherLeg(channel),
  };
  return variables ? addVariables(headers, channel) : headers;
}

function callerHeaders(channel: Channel, prefix: string): Record<string, string> {
  const { times, caller } = channel;
  return {
    [`${prefix}-Direction`]: channel.direction,
    [`${prefix}-Logical-Direction`]: channel.direction,
    [`${prefix}-Dialplan`]: 'XML',
    [`${prefix}-Caller-ID-Name`]: caller.name,
    [`${prefix}-Caller-ID-Number`]: caller.number,
    [`${prefix}-Network-Addr`]: caller.networkAddress,
    [`${prefix}-Destination-Number`]: caller.destination,
    [`${prefix}-Unique-ID`]: channel.uuid,
    [`${prefix}-Source`]: 'mod_sofia',
    [`${prefix}-Context`]: 'mrf',
    [`${prefix}-Channel-Name`]: channel.name,
    [`${prefix}-Profile-Index`]: '1',
    [`${prefix}-Profile-Created-Time`]: String(times.created),
    [`${prefix}-Channel-Created-Time`]: String(times.created),
    [`${prefix}-Channel-Answered-Time`]: String(times.answered),
    [`${prefix}-Channel-Progress-Time`]: String(times.progress),
    [`${prefix}-Channel-Progress-Media-Time`]: String(times.progressMedia),
    [`${prefix}-Channel-Hangup-Time`]: String(times.hangup),
    [`${prefix}-Channel-Transfer-Time`]: String(times.transferred),
    [`${prefix}-Channel-Resurrect-Time`]: '0',
    [`${prefix}-Channel-Bridged-Time`]: String(times.bridged),
    [`${prefix}-Channel-Last-Hold`]: String(times.lastHold),
    [`${prefix}-Channel-Hold-Accum`]: '0',
    [`${prefix}-Screen-Bit`]: 'true',
    [`${prefix}-Privacy-Hide-Name`]: 'false',
    [`${prefix}-Privacy-Hide-Number`]: 'false',
  };
}

function otherLeg(channel: Channel): Record<string, string> {
  const other = channel.partner;
  if (other === undefined) {
    return {};
  }
  return {
    'Other-Type': channel.bridgeRole === 'a' ? 'originatee' : 'originator',
    ...callerHeaders(other, 'Other-Leg'),
  };
}

export function variableHeaders(channel: Channel): Record<string, string> {
  return addVariables({}, channel);
}

function addVariables(headers: Record<string, string>, channel: Channel): Record<string, string> {
  for (const [name, value] of channel.allVariables()) {
    headers[`variable_${name}`] = value;
  }
  return headers;
}
