/**
 * Longest session description that is passed on, bytes. drachtio-server keeps 12,228 bytes for a whole command; a longer one is
 * never answered and leaves the connection stuck for good, so that one caller's SDP would make the node deaf. A description
 * that a phone, a carrier or Teams really sends has 500 to 3,000 bytes.
 */
export const MAX_SDP_BYTES = 8_000;

export function isTooLong(sdp: string): boolean {
  return Buffer.byteLength(sdp) > MAX_SDP_BYTES;
}
