import { PCMA } from '../../../src/embedded/rtp/g711';
import { ToneGenerator } from '../../../src/embedded/rtp/tone';
import { Listener } from '../../../src/embedded/phone/listener';
import { DtmfSender } from '../../../src/embedded/rtp/dtmf';

/** A stream that is fed packet by packet, with a clock of its own. */
class Stream {
  now = 1_000_000;
  readonly heard: [number, number][] = [];
  readonly digits: string[] = [];
  readonly listener = new Listener({
    tones: [700, 1100],
    now: () => this.now,
    onTone: (hz, at) => this.heard.push([hz, at]),
    onDigit: (digit) => this.digits.push(digit),
  });
  #generator = new ToneGenerator([700]);
  #sequence = 65_530;

  tone(hz: readonly number[]): this {
    this.#generator = new ToneGenerator(hz);
    return this;
  }

  packet(sequence = this.#sequence++, ssrc = 7) {
    return {
      payloadType: 8,
      marker: false,
      sequence: sequence & 0xffff,
      timestamp: 0,
      ssrc,
      payload: PCMA.encode(this.#generator.next(160)),
    };
  }

  send(count: number, ssrc?: number): this {
    for (let i = 0; i < count; i++) {
      this.listener.hear(this.packet(undefined, ssrc), 'PCMA');
      this.now += 20;
    }
    return this;
  }

  lose(count: number): this {
    this.#sequence += count;
    this.now += 20 * count;
    return this;
  }

  get sequence(): number {
    return this.#sequence;
  }
}

test('a tone is reported once, with the time at which it began', () => {
  const stream = new Stream().tone([]).send(10).tone([700]).send(20);
  expect(stream.heard).toHaveLength(1);
  const [hz, at] = stream.heard[0]!;
  expect(hz).toBe(700);
  expect(Math.abs(at - 1_000_200)).toBeLessThanOrEqual(60);
  expect(stream.listener.report()).toMatchObject({ firstPacketAt: 1_000_000, firstSoundAt: 1_000_200, soundMs: 400 });
  expect(stream.listener.current).toEqual([700]);
});

test('two tones at once are both heard, and a third is not', () => {
  const stream = new Stream().tone([700, 1100]).send(20);
  expect(
    stream.listener
      .report()
      .tones.map((tone) => tone.hz)
      .sort(),
  ).toEqual([1100, 700]);
  const other = new Stream().tone([1900]).send(20);
  expect(other.listener.report().tones).toEqual([]);
});

test('lost packets are counted over the wrap of sequence numbers, and their time is a gap', () => {
  const stream = new Stream().send(10).lose(5).send(10);
  expect(stream.listener.report()).toMatchObject({
    received: 20,
    lost: 5,
    late: 0,
    gaps: [{ at: 1_000_180, ms: 120 }],
  });
});

test('a late packet is no loss and is not played, a duplicate is neither', () => {
  const stream = new Stream().send(5);
  const late = stream.packet(stream.sequence);
  stream.lose(1).send(2);
  stream.listener.hear(late, 'PCMA');
  stream.listener.hear(late, 'PCMA');
  expect(stream.listener.report()).toMatchObject({ received: 8, lost: 0, late: 1, duplicates: 1, soundMs: 140 });
});

test('a new source starts its own count', () => {
  const stream = new Stream().send(5).lose(2).send(1);
  stream.lose(500).send(5, 8);
  expect(stream.listener.report()).toMatchObject({ received: 11, lost: 2 });
});

test('hold is no gap, and silence in the sound is told apart from missing packets', () => {
  const stream = new Stream().send(10);
  stream.listener.pause();
  stream.now += 5000;
  stream.listener.resume();
  stream.send(10).tone([]).send(10).tone([700]).send(10);
  const { gaps, silences } = stream.listener.report();
  expect(gaps).toEqual([]);
  expect(silences).toHaveLength(1);
  expect(silences[0]!.ms).toBe(220);
});

test('packets of a payload type that was not agreed on are counted and not heard', () => {
  const stream = new Stream();
  stream.listener.hear(stream.packet(), undefined);
  expect(stream.listener.report()).toMatchObject({ received: 0, unexpectedPayload: 1, soundMs: 0 });
});

test('keys are reported once each', () => {
  const stream = new Stream();
  const sender = new DtmfSender();
  sender.send('5*');
  for (let i = 0, timestamp = 0; i < 60; i++, timestamp += 160) {
    for (const frame of sender.next(timestamp)) {
      const { marker, timestamp: at, payload } = frame;
      const packet = { ...stream.packet(), payloadType: 101, marker, timestamp: at, payload };
      stream.listener.hear(packet, 'telephone-event');
    }
    stream.now += 20;
  }
  expect(stream.digits).toEqual(['5', '*']);
  expect(stream.listener.report().digits).toBe('5*');
});
