import fc from 'fast-check';
import { newSdesKey, parseCrypto, sameSdesKey } from '../../src/embedded/rtp/sdes';
import type { SdesCrypto } from '../../src/embedded/rtp/sdes';
import { answerDirection, formatAudio, parseAudio } from '../../src/embedded/rtp/sdp';
import type { AudioCodec, AudioDescription, Direction } from '../../src/embedded/rtp/sdp';
import { checkOffer, checkReoffer } from '../../src/embedded/teams/sdp-rules';
import { isSidekickError } from '../../src/lib/errors';
import { codecOf } from '../../src/media/caller-endpoint';
import { offerProblem } from '../../src/signaling/carrier/offer-check';
import { isHoldOffer } from '../../src/signaling/reinvite';
import { isTooLong, MAX_SDP_BYTES } from '../../src/signaling/sdp-limit';

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const satisfies Direction[];
const CODECS: readonly AudioCodec[] = [
  { name: 'PCMA', payloadType: 8, rate: 8000 },
  { name: 'PCMU', payloadType: 0, rate: 8000 },
  { name: 'G722', payloadType: 9, rate: 8000 },
  { name: 'SILK', payloadType: 104, rate: 16000 },
  { name: 'CN', payloadType: 13, rate: 8000 },
];
const SPEECH = CODECS.filter(({ name }) => name !== 'CN');

const keys: fc.Arbitrary<SdesCrypto> = fc
  .record({
    tag: fc.integer({ min: 1, max: 999 }),
    lifetime: fc.option(fc.constantFrom('2^31', '2^48', '2147483648'), { nil: undefined }),
    mki: fc.option(fc.record({ value: fc.integer({ min: 1, max: 9999 }), length: fc.integer({ min: 1, max: 4 }) }), {
      nil: undefined,
    }),
  })
  .map(({ tag, lifetime, mki }) => ({
    ...newSdesKey(tag),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(mki === undefined ? {} : { mki }),
  }));

const addresses = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((bytes) => bytes.join('.'));

const offers = (profile: AudioDescription['profile']): fc.Arbitrary<AudioDescription> =>
  fc.record({
    address: addresses,
    port: fc.integer({ min: 1, max: 65_535 }),
    profile: fc.constant(profile),
    codecs: fc
      .tuple(fc.constantFrom(...SPEECH), fc.subarray([...CODECS]))
      .map(([first, rest]) => [first, ...rest.filter(({ name }) => name !== first.name)]),
    telephoneEvent: fc.constantFrom(96, 101, 127),
    direction: fc.constantFrom(...DIRECTIONS),
    crypto: profile === 'RTP/SAVP' ? keys.map((key) => [key]) : fc.constant([]),
    ptime: fc.constantFrom(10, 20, 30),
    connectionHold: fc.constant(false),
  });

/** As other stacks write the same: bare line feeds, lines that nobody asked for, profile in other letters. */
const written = (offer: AudioDescription, extra: readonly string[], lineFeed: boolean): string => {
  const text = `${formatAudio(offer).trimEnd()}\r\n${extra.map((line) => `${line}\r\n`).join('')}`;
  return lineFeed ? text.replaceAll('\r\n', '\n') : text;
};
const extras = fc.subarray([
  'a=rtcp:4001 IN IP4 192.0.2.1',
  'a=rtcp-mux',
  'a=label:main-audio',
  'a=x-ssrc-range:1-1',
  'a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host',
  'a=maxptime:200',
]);

describe('SDP of calls, whatever it looks like', () => {
  it.each(['RTP/SAVP', 'RTP/AVP'] as const)('what is written is what is read: %s', (profile) => {
    fc.assert(
      fc.property(offers(profile), extras, fc.boolean(), (offer, extra, lineFeed) => {
        const read = parseAudio(written(offer, extra, lineFeed));
        const { address, port, codecs, telephoneEvent, direction, ptime } = offer;
        expect(read).toMatchObject({ address, port, profile, codecs, telephoneEvent, direction, ptime });
        expect(read.crypto).toEqual(offer.crypto);
      }),
    );
  });

  it('a key with any lifetime and MKI is read, and is the same key', () => {
    fc.assert(
      fc.property(keys, fc.constantFrom('', 'a=crypto:', 'crypto:'), (key, front) => {
        const secret = Buffer.concat([key.key, key.salt]).toString('base64');
        for (const form of ['', '|2^31', '|2^31|1:1', '|1:1']) {
          const read = parseCrypto(`${front}${key.tag} ${key.suite} inline:${secret}${form}`);
          expect(sameSdesKey(read, key)).toBe(true);
          expect(read?.tag).toBe(key.tag);
        }
      }),
    );
  });

  it('hold is a=inactive, a=sendonly or an address of zeros, and nothing else', () => {
    fc.assert(
      fc.property(offers('RTP/SAVP'), extras, fc.boolean(), fc.boolean(), (offer, extra, lineFeed, zeros) => {
        const text = written(zeros ? { ...offer, address: '0.0.0.0' } : offer, extra, lineFeed);
        expect(isHoldOffer(text)).toBe(zeros || offer.direction === 'inactive' || offer.direction === 'sendonly');
      }),
    );
  });

  it('an answer never sends to who does not listen: inactive is answered inactive, and answers fit in both directions', () => {
    fc.assert(
      fc.property(fc.constantFrom(...DIRECTIONS), fc.constantFrom(...DIRECTIONS), (offered, wanted) => {
        const answer = answerDirection(offered, wanted);
        const sends = (d: Direction) => d === 'sendrecv' || d === 'sendonly';
        const listens = (d: Direction) => d === 'sendrecv' || d === 'recvonly';
        expect(sends(answer)).toBe(sends(wanted) && listens(offered));
        expect(listens(answer)).toBe(listens(wanted) && sends(offered));
      }),
    );
  });
});

describe('offers to Teams', () => {
  it('SAVP with one suite of 80 bits is taken; a second suite, another profile, a payload twice or zeros are not', () => {
    fc.assert(
      fc.property(offers('RTP/SAVP'), keys, extras, (offer, second, extra) => {
        const text = written(offer, extra, false);
        expect(checkOffer(text)).toBeUndefined();
        expect(checkReoffer(text, text).refused).toBeUndefined();
        const rule = (changed: string) => checkOffer(changed)?.rule;
        expect(rule(formatAudio({ ...offer, crypto: [...offer.crypto, second] }))).toBe('crypto-several');
        expect(rule(text.replace('RTP/SAVP', 'RTP/AVP'))).toBe('srtp-missing');
        expect(rule(text.replace(/^a=crypto:.*\r\n/m, ''))).toBe('srtp-missing');
        expect(rule(text.replace('SHA1_80', 'SHA1_32'))).toBe('crypto-suite');
        expect(rule(text.replace(/^(m=audio .* )(\d+)$/m, '$1$2 $2'))).toBe('payload-duplicate');
        expect(rule(formatAudio({ ...offer, address: '0.0.0.0' }))).toBe('hold-zero-address');
      }),
    );
  });

  it('no record of a broken rule holds a key', () => {
    fc.assert(
      fc.property(offers('RTP/SAVP'), fc.constantFrom('inline:AAAA', 'inline:'), (offer, bad) => {
        const secret = /inline:(\S+)/.exec(formatAudio(offer))?.[1] ?? '';
        const broken = checkOffer(formatAudio(offer).replace(/inline:(\S{20})\S*/, `${bad}$1`));
        expect(broken?.rule).toBe('crypto-malformed');
        expect(JSON.stringify(broken)).not.toContain(secret.slice(0, 20));
      }),
    );
  });
});

describe('offers of carriers', () => {
  it('plain audio with a port is passed on; SRTP, no audio and what is too long are named', () => {
    fc.assert(
      fc.property(offers('RTP/AVP'), extras, (offer, extra) => {
        const text = written(offer, extra, false);
        expect(offerProblem(text)).toBeUndefined();
        expect(offerProblem(text.replace('RTP/AVP', 'RTP/SAVP'))).toContain('RTP/SAVP');
        expect(offerProblem(text.replace(/^m=audio \d+/m, 'm=audio 0'))).toContain('switched off');
        expect(offerProblem(text.replace('m=audio', 'm=video'))).toContain('no audio');
        const long = `${text}a=x:${'y'.repeat(MAX_SDP_BYTES)}\r\n`;
        expect([isTooLong(text), isTooLong(long)]).toEqual([false, true]);
        expect(offerProblem(long)).toContain('longer than');
      }),
    );
  });

  it('the codec of a call is the first of the media server’s answer', () => {
    fc.assert(
      fc.property(offers('RTP/AVP'), fc.constantFrom('PCMA', 'PCMU'), (offer, first) => {
        const codecs = [...CODECS].sort((a, b) => Number(b.name === first) - Number(a.name === first));
        expect(codecOf(formatAudio({ ...offer, codecs }))).toBe(first);
      }),
    );
  });

  it('any text at all is refused by name or read, and never throws anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 400 }),
          fc
            .tuple(offers('RTP/SAVP'), fc.nat(400), fc.string({ unit: 'binary', maxLength: 20 }))
            .map(([offer, at, noise]) => {
              const text = formatAudio(offer);
              return text.slice(0, at % text.length) + noise + text.slice(at % text.length);
            }),
        ),
        (text) => {
          offerProblem(text);
          isHoldOffer(text);
          codecOf(text);
          checkOffer(text);
          try {
            parseAudio(text);
          } catch (error) {
            expect(isSidekickError(error, 'SK_MEDIA_OFFER_REFUSED')).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
