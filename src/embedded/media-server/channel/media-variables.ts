/** Variables that FreeSWITCH sets by itself from the media of a channel. */
import type { Channel } from './channel';

/** Calculated when asked for: they change with each negotiation, and the counters with each packet. */
export function mediaVariables(channel: Channel): Map<string, string> {
  const variables = new Map<string, string>([
    ['uuid', channel.uuid],
    ['call_uuid', channel.callUuid],
    ['channel_name', channel.name],
    ['direction', channel.direction],
    ['dtmf_type', 'rfc2833'],
    ['local_media_ip', channel.negotiation.localAddress],
    ['local_media_port', String(channel.media.port)],
  ]);
  if (channel.negotiation.localSdp !== '') {
    variables.set('rtp_local_sdp_str', channel.negotiation.localSdp);
  }
  if (channel.negotiation.remoteSdp !== '') {
    variables.set('switch_r_sdp', channel.negotiation.remoteSdp);
  }
  if (channel.sip !== undefined) {
    variables.set('sip_call_id', channel.sip.callId);
  }
  const media = channel.media.media;
  if (media === undefined) {
    return variables;
  }
  variables.set('remote_media_ip', channel.media.remoteAddress);
  variables.set('remote_media_port', String(channel.media.remotePort));
  for (const name of ['read_codec', 'write_codec', 'rtp_use_codec_name']) {
    variables.set(name, media.codec);
  }
  for (const name of ['read_rate', 'write_rate', 'rtp_use_codec_rate']) {
    variables.set(name, '8000');
  }
  variables.set('rtp_use_codec_ptime', '20');
  variables.set('rtp_use_pt', String(media.payloadType));
  variables.set('rtp_use_ssrc', String(channel.media.ssrc));
  if (media.localKey !== undefined) {
    variables.set('rtp_has_crypto', media.localKey.suite);
    variables.set('rtp_secure_media_negotiated', media.localKey.suite);
    variables.set('rtp_secure_audio_confirmed', String(channel.media.secureConfirmed));
  }
  addCounters(channel, variables);
  return variables;
}

function addCounters(channel: Channel, variables: Map<string, string>): void {
  const { stats, jitterStats } = channel.media;
  variables.set('rtp_audio_in_raw_bytes', String(stats.bytesIn));
  variables.set('rtp_audio_in_media_bytes', String(stats.bytesIn));
  variables.set('rtp_audio_in_packet_count', String(stats.packetsIn));
  variables.set('rtp_audio_in_media_packet_count', String(jitterStats.packets));
  variables.set('rtp_audio_in_skip_packet_count', String(jitterStats.concealed));
  variables.set('rtp_audio_out_raw_bytes', String(stats.bytesOut));
  variables.set('rtp_audio_out_packet_count', String(stats.packetsOut));
  variables.set('rtp_audio_out_media_packet_count', String(stats.packetsOut));
}
