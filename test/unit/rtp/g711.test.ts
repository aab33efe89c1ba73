import { PCMA, PCMU, g711, transcode } from '../../../src/embedded/rtp/g711';

describe('G.711', () => {
  test('known code words of ITU-T G.711 are made and read', () => {
    expect(PCMA.silence).toBe(0xd5);
    expect(PCMU.silence).toBe(0xff);
    expect([...PCMA.decode(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a))]).toEqual([8, -8, 32256, -32256]);
    expect([...PCMU.decode(Uint8Array.of(0xff, 0x7f, 0x80, 0x00))]).toEqual([0, 0, 32124, -32124]);
    expect([...PCMA.encode(Int16Array.of(32767, -32768, 0))]).toEqual([0xaa, 0x2a, 0xd5]);
    expect([...PCMU.encode(Int16Array.of(32767, -32768, 0))]).toEqual([0x80, 0x00, 0xff]);
  });

  test.each(['PCMA', 'PCMU'] as const)('every %s byte survives decoding and encoding', (name) => {
    const codec = g711(name);
    for (let byte = 0; byte < 256; byte++) {
      const again = codec.encode(codec.decode(Uint8Array.of(byte)))[0];
      // µ-law has two zeros.
      expect(again).toBe(name === 'PCMU' && byte === 0x7f ? 0xff : byte);
    }
  });

  test.each(['PCMA', 'PCMU'] as const)('%s keeps every sample within its step size and never changes order', (name) => {
    const codec = g711(name);
    let last = -Infinity;
    for (let sample = -32768; sample <= 32767; sample += 7) {
      const decoded = codec.decode(codec.encode(Int16Array.of(sample)))[0]!;
      expect(Math.abs(decoded - sample)).toBeLessThanOrEqual(Math.max(16, Math.abs(sample) / 16));
      expect(decoded).toBeGreaterThanOrEqual(last);
      last = decoded;
    }
  });

  test('going from one law to the other is the same as through samples, and the same law copies', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(transcode('PCMA', 'PCMU', bytes)).toEqual(PCMU.encode(PCMA.decode(bytes)));
    expect(transcode('PCMU', 'PCMA', bytes)).toEqual(PCMA.encode(PCMU.decode(bytes)));
    expect(transcode('PCMU', 'PCMU', bytes)).toEqual(bytes);
  });
});
