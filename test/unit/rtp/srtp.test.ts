import { ProtectionProfileAes128CmHmacSha1_80, RtpHeader, SrtpSession } from 'werift';
import { writeRtp } from '../../../src/embedded/rtp/packet';
import { SrtpStream, formatCrypto, newSdesKey, parseCrypto } from '../../../src/embedded/rtp/srtp';

const rtp = (sequence: number, text = 'some audio, longer than one block', ssrc = 99): Buffer =>
  writeRtp({
    payloadType: 8,
    marker: false,
    sequence: sequence & 0xffff,
    timestamp: sequence * 160,
    ssrc,
    payload: Buffer.from(text),
  });

function pair(): { a: SrtpStream; b: SrtpStream } {
  const [ka, kb] = [newSdesKey(), newSdesKey()];
  return { a: new SrtpStream(ka, kb), b: new SrtpStream(kb, ka) };
}

describe('a=crypto lines', () => {
  test('lifetime and MKI are read and written back', () => {
    const line = '7 AES_CM_128_HMAC_SHA1_80 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp|2^31|1:1';
    const crypto = parseCrypto(`a=crypto:${line}`);
    expect(crypto).toMatchObject({ tag: 7, lifetime: '2^31', mki: { value: 1, length: 1 } });
    expect(crypto?.key).toHaveLength(16);
    expect(crypto?.salt).toHaveLength(14);
    expect(formatCrypto(crypto!)).toBe(line);
    expect(
      parseCrypto('1 AES_CM_128_HMAC_SHA1_80 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp')?.lifetime,
    ).toBeUndefined();
  });

  test.each([
    '1 AES_CM_128_HMAC_SHA1_32 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp',
    '1 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
    '1 AES_CM_128_HMAC_SHA1_80 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp UNENCRYPTED_SRTP',
    '1 AES_CM_128_HMAC_SHA1_80 inline:tHP9vvaKFpF0cdvlW5prUl1w/OP3mX1ykReJUTZp|1:0',
    'AES_CM_128_HMAC_SHA1_80',
    '',
  ])('%p is not taken', (line) => {
    expect(parseCrypto(line)).toBeUndefined();
  });

  test('two new keys differ', () => {
    expect(newSdesKey().key).not.toEqual(newSdesKey().key);
  });
});

describe('SRTP', () => {
  test('packets of this side are read by werift and the other way round', () => {
    const [ka, kb] = [newSdesKey(), newSdesKey()];
    const ours = new SrtpStream(ka, kb);
    const theirs = new SrtpSession({
      keys: { localMasterKey: kb.key, localMasterSalt: kb.salt, remoteMasterKey: ka.key, remoteMasterSalt: ka.salt },
      profile: ProtectionProfileAes128CmHmacSha1_80,
    });
    for (const sequence of [65533, 65534, 65535, 65536, 65537]) {
      const plain = rtp(sequence);
      expect(theirs.decrypt(ours.protect(plain))).toEqual(plain);
      const header = RtpHeader.deSerialize(plain);
      expect(ours.unprotect(theirs.encrypt(plain.subarray(12), header))).toEqual(plain);
    }
    expect(ours.stats).toMatchObject({ protected: 5, unprotected: 5, authenticationFailures: 0 });
  });

  test('what is on the wire does not hold the audio', () => {
    expect(pair().a.protect(rtp(1)).includes('some audio')).toBe(false);
  });

  test('a wrong key, a changed byte and garbage are refused and counted, and the stream goes on', () => {
    const { a, b } = pair();
    const changed = a.protect(rtp(1));
    changed[20] = changed[20]! ^ 1;
    expect(b.unprotect(changed)).toBeUndefined();
    expect(b.unprotect(pair().a.protect(rtp(2)))).toBeUndefined();
    expect(b.unprotect(Buffer.from('nonsense'))).toBeUndefined();
    expect(b.unprotect(Buffer.alloc(60, 0x9f))).toBeUndefined();
    expect(b.stats).toMatchObject({ authenticationFailures: 2, malformed: 2, unprotected: 0 });
    expect(b.unprotect(a.protect(rtp(3)))).toEqual(rtp(3));
  });

  test('a packet is taken once, also out of order; one too old is refused', () => {
    const { a, b } = pair();
    const wire = Array.from({ length: 100 }, (_, i) => a.protect(rtp(65500 + i)));
    const order = [0, 2, 1, 40, 39, 3, 99];
    expect(order.map((i) => b.unprotect(Buffer.from(wire[i]!)) !== undefined)).toEqual(order.map(() => true));
    expect(b.unprotect(Buffer.from(wire[40]!))).toBeUndefined();
    expect(b.unprotect(Buffer.from(wire[20]!))).toBeUndefined();
    expect(b.unprotect(Buffer.from(wire[50]!))).toBeDefined();
    expect(b.stats).toMatchObject({ replays: 2, authenticationFailures: 0 });
  });

  test('a gap of thousands of packets across the rollover is bridged', () => {
    const { a, b } = pair();
    for (const sequence of [40000, 60000, 70000, 90000, 120000, 150000]) {
      expect(b.unprotect(a.protect(rtp(sequence)))).toEqual(rtp(sequence));
    }
  });

  test('an MKI is carried and must be there', () => {
    const [ka, kb] = [{ ...newSdesKey(), mki: { value: 1, length: 4 } }, newSdesKey()];
    const a = new SrtpStream(ka, kb);
    const wire = a.protect(rtp(1));
    expect(wire.subarray(-14, -10)).toEqual(Buffer.from([0, 0, 0, 1]));
    expect(new SrtpStream(kb, ka).unprotect(Buffer.from(wire))).toEqual(rtp(1));
    const without = new SrtpStream(kb, { ...ka, mki: { value: 2, length: 4 } });
    expect(without.unprotect(Buffer.from(wire))).toBeUndefined();
    expect(without.stats.authenticationFailures).toBe(1);
  });

  test('a packet without payload and one longer than usual go through', () => {
    const { a, b } = pair();
    for (const [i, text] of ['', 'x'.repeat(1400)].entries()) {
      expect(b.unprotect(a.protect(rtp(i, text)))).toEqual(rtp(i, text));
    }
  });
});
