import { isTooLong, MAX_SDP_BYTES } from '../sdp-limit';

/**
 * Why the SDP offer of a carrier cannot be used, as the text of a Warning header (RFC 3261 20.43), or undefined if it can.
 * The media server decides about codecs; this catches what it must not even be asked.
 */
export function offerProblem(body: string | undefined): string | undefined {
  if (!body?.trim()) {
    return 'INVITE without an SDP offer is not supported, send the offer in the INVITE';
  }
  if (isTooLong(body)) {
    return `the SDP offer is longer than ${MAX_SDP_BYTES} bytes`;
  }
  const audio = /^m=audio (\d+)(?:\/\d+)? (\S+)/m.exec(body);
  if (!audio) {
    return 'no audio in the SDP offer';
  }
  if (audio[1] === '0') {
    return 'the audio of the SDP offer is switched off';
  }
  if (Number(audio[1]) > 65_535) {
    return `port ${audio[1] ?? ''} in the SDP offer does not exist`;
  }
  if (audio[2] !== 'RTP/AVP') {
    return `media profile ${audio[2] ?? ''} is not supported on this trunk, offer RTP/AVP`;
  }
  return undefined;
}
