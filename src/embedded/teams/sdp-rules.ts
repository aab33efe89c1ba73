import { parseCrypto, SDES_SUITE } from '../rtp/sdes';
import { parseAudio, type AudioDescription } from '../rtp/sdp';
import { describeError } from '../../lib/errors';
import type { Broken, RuleName } from './rules';

/** Codecs of the SBC's leg (teams-direct-routing-and-graph.md 2). The simulated agents themselves speak G.711. */
const CODECS = ['PCMA', 'PCMU', 'G722', 'G729', 'SILK'];

const broken = (rule: RuleName, offending: string): Broken => ({ rule, offending: offending.slice(0, 300) });

interface AudioLines {
  readonly media: string;
  readonly profile: string;
  readonly payloads: readonly string[];
  readonly crypto: readonly string[];
}

/** Judges an SDP offer (2, 1.7, 1.11); undefined if Teams takes it. */
export function checkOffer(sdp: string): Broken | undefined {
  const lines = audioLines(sdp);
  if (!lines) {
    return broken('sdp-unreadable', sdp.split(/\r?\n/).find((line) => line.startsWith('m=')) ?? 'no m=audio line');
  }
  const zero = /^c=.*\b0\.0\.0\.0\b.*$/m.exec(sdp)?.[0];
  if (zero !== undefined) {
    return broken('hold-zero-address', zero);
  }

  return checkPayloads(sdp, lines) ?? checkSrtp(lines) ?? checkReadable(sdp);
}

/** Judges the SDP of a re-INVITE against the one that began the call (1.7). */
export function checkReoffer(sdp: string, first: string): { refused: Broken | undefined; recorded: Broken[] } {
  const refused = checkOffer(sdp);
  const recorded: Broken[] = [];
  if (!refused) {
    const now = parseAudio(sdp);
    const before = parseAudio(first);
    if (now.address !== before.address || now.port !== before.port) {
      recorded.push(broken('media-moved', `${before.address}:${before.port} → ${now.address}:${now.port}`));
    }
    if (now.direction === 'sendonly' || now.direction === 'recvonly') {
      recorded.push(broken('hold-direction', `a=${now.direction}`));
    }
  }

  return { refused, recorded };
}

function audioLines(sdp: string): AudioLines | undefined {
  const lines = sdp.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith('m=audio '));
  const media = lines[at];
  if (media === undefined) {
    return undefined;
  }
  const end = lines.findIndex((line, i) => i > at && line.startsWith('m='));
  const [, , profile = '', ...payloads] = media.split(/\s+/);

  return {
    media,
    profile,
    payloads: payloads.filter((payload) => payload !== ''),
    crypto: lines.slice(at, end === -1 ? undefined : end).filter((line) => line.startsWith('a=crypto:')),
  };
}

function checkPayloads(sdp: string, { media, payloads }: AudioLines): Broken | undefined {
  if (new Set(payloads).size !== payloads.length) {
    return broken('payload-duplicate', media);
  }
  const maps = [...sdp.matchAll(/^a=rtpmap:(\d+) (.*)$/gm)];
  const twice = maps.find((map, i) => maps.findIndex((other) => other[1] === map[1]) !== i);

  return twice ? broken('payload-duplicate', twice[0].trim()) : undefined;
}

function checkSrtp({ media, profile, crypto }: AudioLines): Broken | undefined {
  if (profile.toUpperCase() !== 'RTP/SAVP' || crypto.length === 0) {
    return broken(
      'srtp-missing',
      crypto.length === 0 && profile.toUpperCase() === 'RTP/SAVP' ? `${media}, no a=crypto` : media,
    );
  }
  const ours = crypto.filter((line) => line.split(/\s+/)[1] === SDES_SUITE);
  const [first] = ours;
  if (first === undefined) {
    return broken('crypto-suite', crypto.map((line) => line.split(/\s+/)[1] ?? '').join(', '));
  }
  if (crypto.length > 1) {
    return broken('crypto-several', crypto.map((line) => line.split(/\s+/)[1] ?? '').join(', '));
  }

  // The key itself stays out of the record: a log of broken rules must not decrypt a call.
  return parseCrypto(first) ? undefined : broken('crypto-malformed', first.replace(/inline:\S*/, 'inline:…'));
}

function checkReadable(sdp: string): Broken | undefined {
  let audio: AudioDescription;
  try {
    audio = parseAudio(sdp);
  } catch (error) {
    return broken('sdp-unreadable', describeError(error));
  }

  return audio.codecs.some((codec) => CODECS.includes(codec.name))
    ? undefined
    : broken('codec-unknown', audio.codecs.map((codec) => codec.name).join(', ') || 'no codec');
}
