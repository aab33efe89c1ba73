import { DtmfReceiver, DtmfSender } from '../../../src/embedded/rtp/dtmf';
import type { DtmfDigit } from '../../../src/embedded/rtp/dtmf';
import type { RtpPacket } from '../../../src/embedded/rtp/packet';

function play(digits: string, duration: number): RtpPacket[] {
  const sender = new DtmfSender();
  sender.send(digits, duration);
  const packets: RtpPacket[] = [];
  let sequence = 0;
  for (let timestamp = 1000; sender.active; timestamp += 160) {
    for (const frame of sender.next(timestamp)) {
      packets.push({ ...frame, payloadType: 101, ssrc: 7, sequence: sequence++ });
    }
  }
  return packets;
}

function hear(packets: readonly RtpPacket[], receiver = new DtmfReceiver()): DtmfDigit[] {
  return packets.flatMap((p, i) => [...receiver.receive(p, i * 20)]);
}

const isEnd = (p: RtpPacket): boolean => (p.payload[1]! & 0x80) !== 0;

describe('keys by RFC 4733', () => {
  test('the first packet carries the marker, each step grows by 20 ms, the end goes out three times', () => {
    const packets = play('5', 800);
    expect(packets.map((p) => p.marker)).toEqual([true, false, false, false, false, false, false]);
    expect(new Set(packets.map((p) => p.timestamp))).toEqual(new Set([1000]));
    expect(packets.map((p) => (p.payload[2]! << 8) | p.payload[3]!)).toEqual([160, 320, 480, 640, 800, 800, 800]);
    expect(packets.map(isEnd)).toEqual([false, false, false, false, true, true, true]);
  });

  test('each key is heard once, with its duration', () => {
    expect(hear(play('0*#D', 800))).toEqual(Array.from('0*#D').map((digit) => ({ digit, durationSamples: 800 })));
  });

  test('the same key twice is two keys', () => {
    expect(hear(play('11', 800)).map((d) => d.digit)).toEqual(['1', '1']);
  });

  test('any one packet lost changes nothing but the duration', () => {
    const packets = play('42', 800);
    for (let lost = 0; lost < packets.length; lost++) {
      expect(hear(packets.filter((_, i) => i !== lost)).map((d) => d.digit)).toEqual(['4', '2']);
    }
  });

  test('a key whose end packets were all lost is reported when the next begins, or after a while of nothing', () => {
    const receiver = new DtmfReceiver({ releaseAfterMs: 100 });
    const packets = play('42', 800).filter((p) => !isEnd(p));
    expect(hear(packets, receiver)).toEqual([{ digit: '4', durationSamples: 640 }]);
    const lastMs = (packets.length - 1) * 20;
    expect(receiver.expire(lastMs + 99)).toEqual([]);
    expect(receiver.keyDown).toBe(true);
    expect(receiver.expire(lastMs + 100)).toEqual([{ digit: '2', durationSamples: 640 }]);
    expect(receiver.expire(lastMs + 1000)).toEqual([]);
  });

  test('late and repeated packets of a key already reported say nothing', () => {
    const receiver = new DtmfReceiver();
    const packets = play('42', 800);
    expect(hear([...packets, ...packets.slice(0, 5), packets.at(-1)!], receiver)).toHaveLength(2);
  });

  test('a key held longer than one packet can state is one key', () => {
    const long = (timestamp: number, duration: number, end: boolean, marker = false): RtpPacket => ({
      payloadType: 101,
      marker,
      sequence: 0,
      timestamp,
      ssrc: 7,
      payload: Uint8Array.of(3, end ? 0x8d : 0x0d, duration >> 8, duration & 0xff),
    });
    const packets = [
      long(0, 160, false, true),
      long(0, 0xffff, false),
      long(0xffff, 160, false),
      long(0xffff, 465, true),
    ];
    expect(hear(packets)).toEqual([{ digit: '3', durationSamples: 0xffff + 465 }]);
  });

  test('a sender that starts anew with another SSRC is heard', () => {
    const receiver = new DtmfReceiver();
    hear(play('4', 800), receiver);
    const again = play('5', 800).map((p) => ({ ...p, ssrc: 8 }));
    expect(hear(again, receiver).map((d) => d.digit)).toEqual(['5']);
  });

  test('events that are no keys, and cut packets, are ignored', () => {
    const base = { payloadType: 101, marker: true, sequence: 1, timestamp: 1, ssrc: 1 };
    const receiver = new DtmfReceiver();
    expect(receiver.receive({ ...base, payload: Uint8Array.of(16, 0x80, 0, 160) }, 0)).toEqual([]);
    expect(receiver.receive({ ...base, payload: Uint8Array.of(1, 0x80, 0) }, 0)).toEqual([]);
    expect(receiver.keyDown).toBe(false);
  });

  test('characters that are no keys are not sent', () => {
    const sender = new DtmfSender();
    expect(sender.send('1x, 2')).toBe(2);
  });
});
