import { parseRtp, sequenceDelta, timestampDelta, writeRtp } from '../../../src/embedded/rtp/packet';

const packet = {
  payloadType: 8,
  marker: true,
  sequence: 65535,
  timestamp: 0xfffffff0,
  ssrc: 0xdeadbeef,
  payload: Buffer.from('abc'),
};

describe('RTP packets', () => {
  test('what is written is read back', () => {
    expect(parseRtp(writeRtp(packet))).toEqual(packet);
  });

  test('CSRC list, header extension and padding are stepped over', () => {
    const plain = writeRtp(packet);
    const full = Buffer.concat([
      plain.subarray(0, 12),
      Buffer.alloc(8, 1),
      Buffer.from([0xbe, 0xde, 0, 2]),
      Buffer.alloc(8, 2),
      packet.payload,
      Buffer.from([0, 0, 3]),
    ]);
    full[0] = 0x80 | 0x20 | 0x10 | 2;
    expect(parseRtp(full)?.payload.toString()).toBe('abc');
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['too short', Buffer.alloc(11, 0x80)],
    ['version 1', Buffer.concat([Buffer.from([0x40]), Buffer.alloc(20)])],
    ['CSRC list longer than the packet', Buffer.concat([Buffer.from([0x8f]), Buffer.alloc(20)])],
    [
      'extension longer than the packet',
      Buffer.concat([Buffer.from([0x90]), Buffer.alloc(13), Buffer.from([0xff, 0xff])]),
    ],
    ['cut off inside the extension header', Buffer.concat([Buffer.from([0x90]), Buffer.alloc(13)])],
    ['padding longer than the packet', Buffer.concat([Buffer.from([0xa0]), Buffer.alloc(12), Buffer.from([200])])],
    ['padding of no length', Buffer.concat([Buffer.from([0xa0]), Buffer.alloc(13)])],
  ])('%s is refused', (_name, buffer) => {
    expect(parseRtp(buffer)).toBeUndefined();
  });

  test('distances wrap around', () => {
    expect(sequenceDelta(65535, 1)).toBe(2);
    expect(sequenceDelta(1, 65535)).toBe(-2);
    expect(timestampDelta(0xffffffff, 159)).toBe(160);
  });
});
