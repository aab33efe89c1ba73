import fc from 'fast-check';
import { PCMA } from '../../src/embedded/rtp/g711';
import { EslCommandReader, EslFramingError } from '../../src/embedded/media-server/esl/command-reader';
import { urlEncode } from '../../src/embedded/media-server/esl/encode';
import { parseOriginate } from '../../src/embedded/media-server/api/originate';
import { FRAME } from '../../src/embedded/media-server/media/audio-source';
import { JitterBuffer } from '../../src/embedded/media-server/media/jitter-buffer';
import { ToneStreamSource, parseToneStream } from '../../src/embedded/media-server/media/tone-stream';

const word = fc.stringMatching(/^[A-Za-z0-9_:./-]{1,20}$/);

describe('media server, any input', () => {
  test('commands are the same however the stream is cut', () => {
    const command = fc.record({
      line: word,
      headers: fc.dictionary(word, word, { maxKeys: 3 }),
      body: fc.string({ maxLength: 30 }),
    });
    fc.assert(
      fc.property(
        fc.array(command, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (commands, cuts) => {
          const text = commands
            .map(({ line, headers, body }) => {
              const lines = Object.entries(headers)
                .filter(([k]) => k.toLowerCase() !== 'content-length' && !k.includes(':'))
                .map(([k, v]) => `${k}: ${v}\n`);
              return `${line}\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\n\n${body}`;
            })
            .join('\n');
          const whole = new EslCommandReader().push(Buffer.from(text));
          expect(whole.map((c) => [c.line, c.body])).toEqual(commands.map((c) => [c.line, c.body]));
          const reader = new EslCommandReader();
          const pieces = [];
          let rest = Buffer.from(text);
          for (const cut of cuts) {
            pieces.push(...reader.push(rest.subarray(0, cut)));
            rest = rest.subarray(cut);
          }
          pieces.push(...reader.push(rest));
          expect(pieces).toEqual(whole);
        },
      ),
    );
  });

  test('any bytes are taken or refused by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          new EslCommandReader().push(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(EslFramingError);
        }
      }),
    );
  });

  test('header values survive encoding, as clients decode them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) =>
        expect(decodeURIComponent(urlEncode(text))).toBe(Buffer.from(text, 'utf8').toString('utf8')),
      ),
    );
  });

  test('any tone text is played to an end or refused', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '%(100,50,440)',
        '%(0,0,1)',
        'v=-7',
        'l=3',
        'd=10',
        '12#',
        'loops=2',
        '%(1,1,9999)',
        '%(1e9,0,1)',
      ),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const program = parseToneStream(parts.join(';'));
        if (program === undefined) {
          return;
        }
        const source = new ToneStreamSource('x', program);
        for (let i = 0; i < 50 && source.next(PCMA) !== undefined; i++) {
          expect(source.position).toBeLessThanOrEqual((i + 1) * FRAME);
        }
      }),
    );
  });

  test('any originate is understood or answered with an error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.boolean(), (text, shaped) => {
        const result = parseOriginate(
          shaped ? `{${text}}sofia/drachtio_mrf/a@b &park()` : text,
          ['PCMA'],
          () => undefined,
        );
        expect(typeof result === 'string' ? result.startsWith('-') : result.timeoutMs > 0).toBe(true);
      }),
    );
  });

  test('the jitter buffer gives whole frames or nothing, whatever comes, and in order what came in time', () => {
    const packet = fc.record({
      timestamp: fc.oneof(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 20 }).map((n) => n * 160),
      ),
      ssrc: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 0, max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(fc.option(packet), { maxLength: 60 }), (steps) => {
        const buffer = new JitterBuffer();
        for (const step of steps) {
          if (step !== null) {
            buffer.put(step.timestamp, step.ssrc, new Uint8Array(step.length).fill(7));
          }
          const frame = buffer.take(PCMA.silence);
          expect(
            frame === undefined || (frame.length === FRAME && frame.every((b) => b === 7 || b === PCMA.silence)),
          ).toBe(true);
        }
      }),
    );
    const buffer = new JitterBuffer();
    const heard: number[] = [];
    for (let n = 0; n < 200; n++) {
      buffer.put((0xffffff00 + n * 160) >>> 0, 9, new Uint8Array(160).fill((n % 100) + 1));
      const frame = buffer.take(0);
      if (frame !== undefined) {
        heard.push(frame[159]!);
      }
    }
    expect(buffer.stats).toMatchObject({ concealed: 0, late: 0 });
    expect(heard.slice(1).every((b, i) => b === heard[i]! + 1 || b === 1)).toBe(true);
  });
});
