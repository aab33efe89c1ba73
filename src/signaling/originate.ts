import type { Codec } from '../calls/ports';

export interface OriginateOptions {
  /** UUID of the channel to be; also the token in the URI by which its INVITE is recognised. */
  readonly channel: string;
  readonly codecs: readonly Codec[];
  readonly srtp: boolean;
  readonly musicUri: string;
  readonly mediaTimeoutMs: number;
  readonly ringTimeoutMs: number;
  /** Host and port of our SIP server, where FreeSWITCH sends the INVITE. */
  readonly sipServer: string;
}

/** Slack over our own ring timer, so that FreeSWITCH never gives up first, seconds. */
const ORIGINATE_SLACK_SECONDS = 15;

/**
 * Arguments of FreeSWITCH's `originate` for an agent's leg: FreeSWITCH makes the offer and keeps its SRTP key, we forward it
 * to the agent's platform and bring the answer back. Nothing else keeps the key that the agent was given.
 */
export function originateArguments(options: OriginateOptions): string {
  const variables: Record<string, string> = {
    origination_uuid: options.channel,
    absolute_codec_string: options.codecs.join('\\,'),
    suppress_cng: 'true',
    ignore_early_media: 'true',
    originate_timeout: String(Math.ceil(options.ringTimeoutMs / 1000) + ORIGINATE_SLACK_SECONDS),
    hangup_after_bridge: 'false',
    park_after_bridge: 'true',
    // A held leg that ends would take the caller with it.
    hold_hangup_xfer_exten: 'park',
    hold_music: options.musicUri,
    media_timeout: String(options.mediaTimeoutMs),
    'sip_h_X-leg': options.channel,
    ...(options.srtp ? { rtp_secure_media_outbound: 'mandatory:AES_CM_128_HMAC_SHA1_80' } : {}),
  };
  const list = Object.entries(variables).map(
    ([name, value]) => `${name}=${name === 'absolute_codec_string' ? value : escapeValue(value)}`,
  );
  return `{${list.join(',')}}sofia/drachtio_mrf/leg-${options.channel}@${options.sipServer} &park()`;
}

function escapeValue(value: string): string {
  return value.replace(/[,'\\]/g, (c) => `\\${c}`);
}

/** Channel id in the request URI of an INVITE that FreeSWITCH sent for an agent's leg, or undefined. */
export function legOf(uri: string): string | undefined {
  return /^sips?:leg-([0-9a-f-]{36})@/i.exec(uri)?.[1];
}
