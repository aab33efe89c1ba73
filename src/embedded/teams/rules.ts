/**
 * Microsoft's rules for a trunk as one table: what each is, where teams-direct-routing-and-graph.md states it, and what
 * happens to a request that breaks it. `documented: false` marks a code that no Microsoft page names; the rule itself is
 * documented, the code was chosen here. docs/simulated-teams.md shows the same table; a test keeps both equal.
 */
export interface Rule {
  /** Section of teams-direct-routing-and-graph.md. */
  readonly section: string;
  readonly text: string;
  /** Final response; 0 = nothing is refused, Teams carries on in its own way and the rule is only recorded. */
  readonly status: number;
  readonly subcode?: number;
  /** Cause of the Q.850 Reason header. */
  readonly cause: number;
  readonly documented: boolean;
}

const rule = (
  section: string,
  status: number,
  subcode: number | undefined,
  cause: number,
  text: string,
  documented = true,
): Rule => ({ section, text, status, ...(subcode === undefined ? {} : { subcode }), cause, documented });

export const RULES = {
  'contact-missing': rule('1.4', 403, undefined, 63, 'Contact or Record-Route must be there'),
  'contact-ip': rule('1.4', 403, undefined, 63, 'The host of Contact must be an FQDN, not an IP address'),
  'contact-sips': rule('1.5', 400, 540400, 63, 'Contact must not be a sips: URI', false),
  'record-route-ip': rule('1.5', 403, undefined, 63, 'The host of Record-Route must be an FQDN, not an IP address'),
  'contact-not-in-certificate': rule(
    '1.5',
    403,
    undefined,
    63,
    'The FQDN must stand in the CN or SAN of the certificate',
  ),
  'domain-unknown': rule('1.5', 403, 510532, 63, 'The FQDN or its parent domain must belong to a tenant'),
  'request-uri-malformed': rule('1.5', 400, 540400, 127, 'The Request-URI must be a sip: URI'),
  'request-uri-host': rule('1.5', 404, undefined, 1, 'The Request-URI must name one of the three proxies', false),
  'request-uri-plus': rule('1.5', 404, 511404, 1, 'A number in the Request-URI must begin with a plus'),
  'request-uri-number': rule('1.5', 412, 510412, 28, 'The user of the Request-URI must be a +E.164 number'),
  'options-user': rule('1.4', 400, 540400, 127, 'The Request-URI of OPTIONS must have no user', false),
  'options-tel': rule('1.4', 400, 540400, 127, 'From and To of OPTIONS must hold no telephone number', false),
  'options-contact-transport': rule(
    '1.4',
    400,
    540400,
    63,
    'Contact of OPTIONS must be <sip:fqdn:port;transport=tls>',
    false,
  ),
  'from-number': rule('1.5', 0, undefined, 0, 'From must hold +E.164, or be anonymous'),
  'user-phone': rule('1.5', 0, undefined, 0, 'user=phone should be in the Request-URI'),
  'replaces-refused': rule('1.5', 403, undefined, 63, 'INVITE with Replaces is refused', false),
  'extension-unsupported': rule('1.6', 420, undefined, 127, 'Require may name only 100rel and timer', false),
  'delayed-offer': rule('1.5', 488, 531000, 79, 'The INVITE must hold an offer'),
  'media-type': rule('1.11', 415, 540415, 79, 'The body must be application/sdp'),
  'sdp-unreadable': rule('1.11', 410, 531000, 79, 'The SDP must be readable and have audio'),
  'srtp-missing': rule('2', 488, 531000, 79, 'Audio must be RTP/SAVP with an SDES key'),
  'crypto-suite': rule('2', 488, 531000, 79, 'AES_CM_128_HMAC_SHA1_80 must be offered'),
  'crypto-several': rule('2', 488, 531000, 79, 'Only one crypto suite may be offered', false),
  'crypto-malformed': rule('2', 488, 531000, 79, 'The SDES key must be 30 bytes in base64'),
  'codec-unknown': rule('2', 488, 531000, 79, 'One of PCMA, PCMU, G722, G729, SILK must be offered'),
  'payload-duplicate': rule('1.11', 488, undefined, 79, 'No payload type may stand twice in the offer'),
  'hold-zero-address': rule('1.7', 488, 531052, 79, 'Hold with c=0.0.0.0 is refused'),
  'hold-direction': rule('1.7', 0, undefined, 0, 'Hold is a=inactive; sendonly and recvonly are not understood'),
  'media-moved': rule(
    '1.7',
    0,
    undefined,
    0,
    'A re-INVITE must not move media; Teams goes on sending to the first target',
  ),
  'hold-answer': rule('5', 0, undefined, 0, 'The answer to a=inactive must be a=inactive'),
  'refresh-refused': rule('1.7', 0, undefined, 0, 'A session refresh must be answered 200'),
  'refresh-changed': rule('1.7', 0, undefined, 0, 'A session refresh must be answered with unchanged media'),
  'session-interval': rule('1.7', 422, 540422, 102, 'Session-Expires must be 1800 or more'),
  'number-unknown': rule('1.5', 404, 511404, 1, 'The number must be assigned to a user of the tenant'),
  'voice-disabled': rule('1.5', 403, 510560, 63, 'The user must be Enterprise Voice enabled'),
  'refer-to-changed': rule(
    '1.8',
    400,
    undefined,
    127,
    'The INVITE of a transfer must have the URI of Refer-To as it was',
    false,
  ),
  'referred-by-changed': rule(
    '1.8',
    400,
    undefined,
    127,
    'The INVITE of a transfer must have Referred-By byte for byte',
    false,
  ),
  'refer-answer': rule('1.8', 0, undefined, 0, 'REFER must be answered 202 by a trunk that lists it in Allow'),
  'refer-notify': rule('1.8', 0, undefined, 0, 'The NOTIFY of a transfer must hold a sipfrag'),
  'ack-missing': rule('1.7', 408, 1106, 102, 'The 200 must be acknowledged'),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

/** One rule that was broken. */
export interface Broken {
  readonly rule: RuleName;
  /** The text that broke it. */
  readonly offending: string;
}

export interface BrokenRecord extends Broken {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly section: string;
  readonly text: string;
  readonly status: number;
  readonly method: string;
  readonly sipCallId: string;
}

/** What a request is refused for, and what is only recorded. */
export interface Verdict {
  readonly refused: Broken | undefined;
  readonly recorded: readonly Broken[];
}
