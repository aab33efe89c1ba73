/** REFER of Teams: what it asks for, and how its progress is told (RFC 3515). */

export interface Refer {
  /** The URI of Refer-To as it came; the new INVITE must carry it unchanged. */
  readonly uri: string;
  /** Referred-By as it came. */
  readonly referredBy: string | undefined;
  /** Host of the URI, lower case. */
  readonly host: string;
  /** User part without parameters, percent-decoded; undefined where the target is a Teams user without a number. */
  readonly user: string | undefined;
  /** Entra id of the target user, if the URI names one (`x-m=8:orgid:…`). */
  readonly entraUserId: string | undefined;
}

/** Longest Refer-To or Referred-By that is taken; Microsoft keeps them within 400 characters. */
const MAX_HEADER = 1_000;
const ORGID = /;x-m=8(?::|%3a)orgid(?::|%3a)([0-9a-f-]{36})(?=[;?]|$)/i;

/**
 * Reads Refer-To and Referred-By. Undefined for what cannot be carried out: no or several targets, another scheme, a line break,
 * too long. Nothing is decoded or put in order, because Teams refuses a copy that differs.
 */
export function readRefer(referTo: string | undefined, referredBy: string | undefined): Refer | undefined {
  const text = referTo?.trim() ?? '';
  if (text === '' || text.length > MAX_HEADER || /[\r\n]/.test(text)) {
    return undefined;
  }
  // Without brackets, parameters belong to the header and not to the URI (RFC 3261 20.10).
  const uri = text.includes('<') ? /^[^<>]*<([^<>]+)>[^<>,]*$/.exec(text)?.[1] : /^[^\s<>,;]+/.exec(text)?.[0];
  const match =
    uri === undefined ? null : /^sip:(?:([^@]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?(?=[;?]|$)/i.exec(uri);
  if (uri === undefined || !match?.[2] || /\s/.test(uri)) {
    return undefined;
  }
  const by =
    referredBy === undefined || referredBy.length > MAX_HEADER || /[\r\n]/.test(referredBy) ? undefined : referredBy;
  return {
    uri,
    referredBy: by,
    host: match[2].toLowerCase(),
    user: userOf(match[1]),
    entraUserId: ORGID.exec(uri)?.[1]?.toLowerCase(),
  };
}

function userOf(part: string | undefined): string | undefined {
  const user = part?.split(';')[0];
  if (user === undefined || user === '') {
    return undefined;
  }
  try {
    return decodeURIComponent(user);
  } catch {
    // Not percent-encoding at all; what stands there is what was meant.
    return user;
  }
}

export interface Notify {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The NOTIFY that tells how far a transfer is. A final status ends the subscription. */
export function transferNotify(status: number): Notify {
  const final = status >= 200;
  return {
    headers: {
      Event: 'refer',
      'Subscription-State': final ? 'terminated;reason=noresource' : 'active;expires=60',
      'Content-Type': 'message/sipfrag;version=2.0',
    },
    body: `SIP/2.0 ${status} ${PHRASES[status] ?? (final ? (status < 300 ? 'OK' : 'Failed') : 'Progress')}\r\n`,
  };
}

const PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  408: 'Request Timeout',
  480: 'Temporarily Unavailable',
  486: 'Busy Here',
  487: 'Request Terminated',
  503: 'Service Unavailable',
  603: 'Decline',
};
