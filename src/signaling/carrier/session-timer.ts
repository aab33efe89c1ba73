export const MIN_SESSION_SECONDS = 90;

export type SessionTimer =
  | { readonly kind: 'accept'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'too-small'; readonly minSeconds: number };

/**
 * Our side of RFC 4028 as the answerer. We want to be the refresher: then the SIP server goes on refreshing for a node that
 * died, and the call does not end because of it. A caller who insists on refreshing himself keeps that.
 */
export function answerSessionTimer(
  headers: {
    readonly sessionExpires: string | undefined;
    readonly supported: string | undefined;
    readonly minSe: string | undefined;
  },
  ownSeconds: number,
): SessionTimer {
  const asked = /^\s*(\d+)\s*(?:;(.*))?$/.exec(headers.sessionExpires ?? '');
  const askedSeconds = asked ? Number(asked[1]) : undefined;
  if (askedSeconds !== undefined && askedSeconds < MIN_SESSION_SECONDS) {
    return { kind: 'too-small', minSeconds: MIN_SESSION_SECONDS };
  }
  const floor = Math.max(MIN_SESSION_SECONDS, Number(/^\s*(\d+)/.exec(headers.minSe ?? '')?.[1] ?? 0));
  const seconds = Math.max(floor, Math.min(ownSeconds, askedSeconds ?? ownSeconds));
  const supportsTimer = (headers.supported ?? '')
    .toLowerCase()
    .split(/[,\s]+/)
    .includes('timer');
  const theyRefresh = supportsTimer && /refresher\s*=\s*uac/i.test(asked?.[2] ?? '');
  return {
    kind: 'accept',
    headers: {
      'Session-Expires': `${seconds};refresher=${theyRefresh ? 'uac' : 'uas'}`,
      ...(theyRefresh ? { Require: 'timer' } : {}),
    },
  };
}
