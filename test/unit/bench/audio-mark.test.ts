import fc from 'fast-check';
import { FRAME_BYTES, readMark, writeMark } from '../../../bench/audio-mark';
import { g711 } from '../../../src/embedded/rtp/g711';

describe('marks in the audio', () => {
  const marks = fc.record({
    sender: fc.integer({ min: 0, max: 0xffff }),
    frame: fc.integer({ min: 0, max: 0xff_ffff }),
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        const payload = new Uint8Array(FRAME_BYTES);
        writeMark(payload, mark.sender, mark.frame);
        expect(readMark(payload)).toEqual(mark);
      }),
    );
  });

  it('survive a server that decodes and encodes A-law again', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        const payload = new Uint8Array(FRAME_BYTES);
        writeMark(payload, mark.sender, mark.frame);
        const codec = g711('PCMA');
        expect(readMark(Uint8Array.from(codec.encode(codec.decode(payload))))).toEqual(mark);
      }),
    );
  });

  it('are found when the frame was cut elsewhere', () => {
    const payload = new Uint8Array(FRAME_BYTES);
    writeMark(payload, 5, 77);
    expect(readMark(payload.subarray(3))).toEqual({ sender: 5, frame: 77 });
  });

  it('are not seen in other sound', () => {
    expect(readMark(new Uint8Array(FRAME_BYTES).fill(0xd5))).toBeUndefined();
    expect(readMark(new Uint8Array(0))).toBeUndefined();
    const spoilt = new Uint8Array(FRAME_BYTES);
    writeMark(spoilt, 5, 77);
    for (let at = 5; at < spoilt.length; at += 8) {
      spoilt[at] = 1 ^ (spoilt[at] ?? 0);
    }
    expect(readMark(spoilt)).toBeUndefined();
  });
});
