/** Causes of Q.850 that say that the network lost a call; everything else is somebody's decision, or says nothing. */
const NETWORK_CAUSES = new Set([27, 38, 41, 42, 47, 102, 111]);

/**
 * True if the Reason of a BYE (RFC 3326) says that the call failed and nobody hung up: no ACK, an expired session timer, a fault of
 * the network. Teams and drachtio-server both write it; without one somebody hung up.
 */
export function isFailure(reason: string | undefined): boolean {
  const text = reason ?? '';
  const q850 = /\bQ\.850\s*;[^,]*?\bcause\s*=\s*(\d{1,3})/i.exec(text)?.[1];
  const sip = /\bSIP\s*;[^,]*?\bcause\s*=\s*(\d{3})/i.exec(text)?.[1];
  return (
    (q850 !== undefined && NETWORK_CAUSES.has(Number(q850))) ||
    (sip !== undefined && (sip === '408' || sip.startsWith('5'))) ||
    /session timer expired|ACK timeout/i.test(text)
  );
}
