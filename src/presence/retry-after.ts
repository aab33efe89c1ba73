/**
 * The wait that a Retry-After header asks for, in milliseconds: seconds or an HTTP date (RFC 9110 section 10.2.3).
 * undefined if there is none or it cannot be read; never negative.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,7}(\.\d+)?$/.test(text)) {
    return Math.round(Number(text) * 1000);
  }
  // Date.parse takes almost anything; an HTTP date begins with the day of the week.
  const at = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
