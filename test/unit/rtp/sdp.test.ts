import { answerDirection, formatAudio, parseAudio } from '../../../src/embedded/rtp/sdp';
import { parseCrypto } from '../../../src/embedded/rtp/srtp';
import { isSidekickError } from '../../../src/lib/errors';

const sdp = (...lines: string[]): string =>
  ['v=0', 'o=- 1 2 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...lines, ''].join('\r\n');
const KEY = 'tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp';

function refusal(text: string): string {
  try {
    parseAudio(text);
  } catch (error) {
    expect(isSidekickError(error, 'SK_MEDIA_OFFER_REFUSED')).toBe(true);
    return isSidekickError(error) ? `${error.message}: ${error.why ?? ''}` : '';
  }
  throw new Error('it was taken');
}

describe('audio in SDP', () => {
  test('codecs, static and mapped, telephone-event, ptime and direction are read', () => {
    const audio = parseAudio(
      sdp(
        'm=audio 4000 RTP/AVP 8 0 96 101 13',
        'a=rtpmap:96 opus/48000/2',
        'a=rtpmap:101 telephone-event/8000',
        'a=ptime:20',
        'a=sendonly',
      ),
    );
    expect(audio).toMatchObject({
      address: '192.0.2.1',
      port: 4000,
      profile: 'RTP/AVP',
      telephoneEvent: 101,
      direction: 'sendonly',
      ptime: 20,
      connectionHold: false,
    });
    expect(audio.codecs.map((c) => `${c.name}/${c.rate}`)).toEqual(['PCMA/8000', 'PCMU/8000', 'OPUS/48000', 'CN/8000']);
  });

  test('telephone-event at 48 kHz is not taken for the one at 8 kHz', () => {
    const audio = parseAudio(
      sdp('m=audio 4000 RTP/AVP 8 100 101', 'a=rtpmap:100 telephone-event/48000', 'a=rtpmap:101 telephone-event/8000'),
    );
    expect(audio.telephoneEvent).toBe(101);
    expect(audio.codecs.map((c) => c.name)).toEqual(['PCMA']);
  });

  test('crypto lines we speak are kept, others are named', () => {
    const audio = parseAudio(
      sdp(
        'm=audio 4000 RTP/SAVP 8',
        `a=crypto:1 AEAD_AES_256_GCM inline:${KEY}`,
        `a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^31`,
      ),
    );
    expect(audio.profile).toBe('RTP/SAVP');
    expect(audio.crypto.map((c) => c.tag)).toEqual([7]);
    expect(audio.otherSuites).toEqual(['AEAD_AES_256_GCM']);
  });

  test('direction of the session counts when the audio has none; address of the audio wins over the session', () => {
    const audio = parseAudio(sdp('a=inactive', 'm=audio 4000 RTP/AVP 0', 'c=IN IP4 192.0.2.9'));
    expect(audio.direction).toBe('inactive');
    expect(audio.address).toBe('192.0.2.9');
  });

  test('0.0.0.0 is hold', () => {
    expect(parseAudio(sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0')).connectionHold).toBe(true);
  });

  test('the first usable audio line is chosen and the answer refuses the others in their places', () => {
    const offer = parseAudio(
      sdp('m=video 5000 RTP/AVP 99', 'm=audio 0 RTP/SAVP 8', 'm=audio 4002 RTP/AVP 8', 'm=image 6000 udptl t38'),
    );
    expect(offer.port).toBe(4002);
    const answer = formatAudio({ ...offer, address: '127.0.0.1', port: 7000 });
    expect(answer.match(/^m=.*$/gm)).toEqual([
      'm=video 0 RTP/AVP 99',
      'm=audio 0 RTP/SAVP 8',
      'm=audio 7000 RTP/AVP 8',
      'm=image 0 udptl t38',
    ]);
  });

  test.each([
    ['no SDP', 'hello', 'no v=0 line'],
    ['no media', sdp(), 'no m= line'],
    ['video only', sdp('m=video 5000 RTP/AVP 99'), 'm=video 5000 RTP/AVP'],
    ['a browser profile', sdp('m=audio 9 UDP/TLS/RTP/SAVPF 111'), 'UDP/TLS/RTP/SAVPF'],
    ['a host name as address', sdp('m=audio 5000 RTP/AVP 8', 'c=IN IP4 phone.example'), 'phone.example'],
    ['a giant', `v=0\r\n${'a=x\r\n'.repeat(20000)}`, 'characters'],
  ])('%s is refused with the reason', (_name, text, why) => {
    expect(refusal(text)).toContain(why);
  });

  test('lines come in the order of FreeSWITCH', () => {
    const text = formatAudio({
      address: '127.0.0.1',
      port: 40050,
      profile: 'RTP/SAVP',
      codecs: [{ name: 'PCMA', payloadType: 8, rate: 8000 }],
      telephoneEvent: 101,
      direction: 'sendrecv',
      writeDirection: false,
      crypto: [parseCrypto(`7 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)!],
      ptime: 20,
      connectionHold: false,
      origin: { username: 'FreeSWITCH', sessionId: '1795336441', version: 1795336442, address: '127.0.0.1' },
    });
    expect(text.split('\r\n')).toEqual([
      'v=0',
      'o=FreeSWITCH 1795336441 1795336442 IN IP4 127.0.0.1',
      's=FreeSWITCH',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=audio 40050 RTP/SAVP 8 101',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      `a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
      'a=ptime:20',
      '',
    ]);
  });

  test.each([
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendonly', 'sendonly', 'inactive'],
  ] as const)('an offer %s to one who wants %s is answered %s', (offered, wanted, answer) => {
    expect(answerDirection(offered, wanted)).toBe(answer);
  });
});
