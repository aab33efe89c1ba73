/** Who calls, as carriers write it: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806). */
export interface CallerIdentity {
  /** The caller's number. Default +4915110000000. */
  readonly from?: string;
  readonly fromName?: string;
  /** From is anonymous and Privacy asks to keep it so; the number stands in P-Asserted-Identity, as carriers do. */
  readonly anonymous?: boolean;
  /** P-Asserted-Identity: true = the caller's number, or another number than From has. */
  readonly assertedIdentity?: boolean | string;
  /** Value of Privacy, for example `id` or `none`. */
  readonly privacy?: string;
  /** The number that forwarded the call. */
  readonly divertedBy?: string;
}

export const DEFAULT_CALLER = '+4915110000000';

/** @param own host and port of the carrier, the domain of its numbers */
export function identityHeaders(
  identity: CallerIdentity,
  own: string,
): { readonly from: string; readonly headers: Readonly<Record<string, string>> } {
  const number = identity.from ?? DEFAULT_CALLER;
  const anonymous = identity.anonymous === true;
  const asserted = identity.assertedIdentity ?? anonymous;
  const name = identity.fromName === undefined ? '' : `${quoted(identity.fromName)} `;
  const headers: Record<string, string> = {};
  if (asserted !== false) {
    headers['P-Asserted-Identity'] = `<sip:${typeof asserted === 'string' ? asserted : number}@${own}>`;
  }
  const privacy = identity.privacy ?? (anonymous ? 'id' : undefined);
  if (privacy !== undefined) {
    headers.Privacy = privacy;
  }
  if (identity.divertedBy !== undefined) {
    headers.Diversion = `<sip:${identity.divertedBy}@${own}>;reason=unconditional`;
  }

  return {
    from: anonymous ? '"Anonymous" <sip:anonymous@anonymous.invalid>' : `${name}<sip:${number}@${own}>`,
    headers,
  };
}

function quoted(name: string): string {
  return `"${name.replace(/[\\"]/g, '\\$&')}"`;
}
