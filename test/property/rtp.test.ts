import fc from 'fast-check';
import { DtmfReceiver, DtmfSender } from '../../src/embedded/rtp/dtmf';
import { parseRtp, writeRtp } from '../../src/embedded/rtp/packet';
import type { RtpPacket } from '../../src/embedded/rtp/packet';
import { formatAudio, parseAudio } from '../../src/embedded/rtp/sdp';
import { SrtpStream, newSdesKey, parseCrypto } from '../../src/embedded/rtp/srtp';
import { readWav, writeWav } from '../../src/embedded/rtp/wav';
import { isSidekickError } from '../../src/lib/errors';

const packets = fc.record({
  payloadType: fc.integer({ min: 0, max: 127 }),
  marker: fc.boolean(),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffffffff }),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }),
  payload: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
});

function onlyRefusals<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isSidekickError(error)) {
      throw error;
    }
    return undefined;
  }
}

describe('RTP library, any input', () => {
  test('any packet survives being written and read', () => {
    fc.assert(fc.property(packets, (p) => expect(parseRtp(writeRtp(p))).toEqual(p)));
  });

  test('any bytes are read without an error, and the payload lies inside them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        const packet = parseRtp(buffer);
        expect(packet === undefined || packet.payload.length <= buffer.length - 12).toBe(true);
      }),
    );
  });

  test('any packet survives SRTP, in any order within the window', () => {
    const [a, b] = [newSdesKey(), newSdesKey()];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.shuffledSubarray([...Array(40).keys()], { minLength: 1 }),
        (start, order) => {
          const [send, receive] = [new SrtpStream(a, b), new SrtpStream(b, a)];
          const plain = Array.from({ length: 41 }, (_, i) =>
            writeRtp({
              payloadType: 0,
              marker: false,
              sequence: (start + i) & 0xffff,
              timestamp: i,
              ssrc: 5,
              payload: Buffer.alloc(160, i),
            }),
          );
          const wire = plain.map((p) => send.protect(p));
          expect(receive.unprotect(wire[0]!)).toEqual(plain[0]);
          for (const i of order) {
            expect(receive.unprotect(wire[i + 1]!)).toEqual(plain[i + 1]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('any bytes are refused by SRTP without an error', () => {
    const stream = new SrtpStream(newSdesKey(), newSdesKey());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        expect(stream.unprotect(Buffer.from(bytes))).toBeUndefined(),
      ),
    );
  });

  test('keys are heard in order whatever packets are lost, as long as one of each key comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'0123456789*#'.split('')), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.boolean()),
        (digits, lost) => {
          const sender = new DtmfSender();
          sender.send(digits.join(''), 640);
          const byKey = new Map<number, RtpPacket[]>();
          for (let t = 0; sender.active; t += 160) {
            for (const frame of sender.next(t)) {
              byKey.set(frame.timestamp, [
                ...(byKey.get(frame.timestamp) ?? []),
                { ...frame, payloadType: 101, ssrc: 1, sequence: 0 },
              ]);
            }
          }
          const receiver = new DtmfReceiver();
          const heard: string[] = [];
          for (const group of byKey.values()) {
            const kept = group.filter(() => !lost.next().value);
            for (const p of kept.length === 0 ? group.slice(0, 1) : kept) {
              heard.push(...receiver.receive(p, p.timestamp / 8).map((d) => d.digit));
            }
          }
          heard.push(...receiver.expire(1e9).map((d) => d.digit));
          expect(heard).toEqual(digits);
        },
      ),
    );
  });

  test('any text is read as SDP or refused with a reason', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom(
        'm=audio 4000 RTP/AVP 8 0 101',
        'm=audio 4000 RTP/SAVP 8',
        'c=IN IP4 192.0.2.1',
        'a=sendonly',
        'a=rtpmap:8 PCMA/8000',
      ),
      fc.string({ maxLength: 40 }).map((s) => `a=crypto:${s}`),
      fc.string({ maxLength: 40 }).map((s) => `m=${s}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const audio = onlyRefusals(() => parseAudio(`v=0\r\n${lines.join('\r\n')}\r\n`));
        if (audio !== undefined) {
          const again = parseAudio(formatAudio(audio));
          expect(again).toMatchObject({ port: audio.port, profile: audio.profile, direction: audio.direction });
        }
      }),
    );
  });

  test('any text is read as a=crypto or refused', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(() => parseCrypto(text)).not.toThrow()));
  });

  test('any samples survive a WAV file; any bytes are read or refused with a reason', () => {
    fc.assert(fc.property(fc.int16Array({ maxLength: 500 }), (pcm) => expect(readWav(writeWav(pcm)).pcm).toEqual(pcm)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat({ max: 43 }), (bytes, at) => {
        const file = writeWav(Int16Array.of(1, 2, 3));
        file.set(bytes.slice(0, file.length - at), at);
        onlyRefusals(() => readWav(file));
      }),
    );
  });
});
