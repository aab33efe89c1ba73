import fc from 'fast-check';
import { FrameReader, encodeFrame } from '../../src/embedded/sip-server/admin-frame';
import { parseAppMessage } from '../../src/embedded/sip-server/app-message';
import { parseCSeq, parseVia, tagOf } from '../../src/embedded/sip/header-values';
import { parseSipMessage, SipMessage, SipParseError } from '../../src/embedded/sip/message';
import { StreamFramer } from '../../src/embedded/sip/stream-framer';
import { formatUri, parseNameAddr, parseUri } from '../../src/embedded/sip/uri';

const INVITE = [
  'INVITE sip:bob@127.0.0.1:5060;transport=tcp SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:26006;branch=z9hG4bKas1;rport',
  'Max-Forwards: 70',
  'From: "Alice" <sip:alice@127.0.0.1>;tag=at',
  'To: <sip:bob@127.0.0.1>',
  'Call-ID: call-1',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@127.0.0.1:26006>',
  'Content-Length: 4',
  '',
  'v=0\n',
].join('\r\n');

function parses(data: Buffer): SipMessage | SipParseError {
  try {
    return parseSipMessage(data);
  } catch (error) {
    if (error instanceof SipParseError) {
      return error;
    }
    throw error;
  }
}

test('any bytes give a message or a reason, never another error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      parses(Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('an INVITE with some bytes changed, removed or doubled gives a message or a reason', () => {
  const original = Buffer.from(INVITE);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 6 }),
      (changes) => {
        let data = Buffer.from(original);
        for (const [at, byte, kind] of changes) {
          const i = Math.min(at, data.length - 1);
          const middle = kind === 0 ? [byte] : kind === 1 ? [] : [data[i] ?? 0, byte];
          data = Buffer.concat([data.subarray(0, i), Buffer.from(middle), data.subarray(i + 1)]);
        }
        const result = parses(data);
        if (result instanceof SipMessage) {
          expect(parses(result.serialise())).toBeInstanceOf(SipMessage);
        } else {
          expect(result.message).not.toBe('');
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('header values set by a program can never add a line to the message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (value, body) => {
      const message = parseSipMessage(Buffer.from(INVITE));
      const lines = message.head().split('\r\n').length;
      message.set('X-Value', value);
      message.body = body;
      expect(message.head().split('\r\n')).toHaveLength(lines + 1);
      expect(message.head()).not.toMatch(/[^\r]\n|\r[^\n]/);
    }),
  );
});

test('a stream cut anywhere gives the same messages', () => {
  const stream = Buffer.from(`\r\n${INVITE}\r\n\r\n${INVITE}${INVITE}`);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (cuts) => {
      const framer = new StreamFramer(65_535);
      const points = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const frames = points.slice(1).flatMap((end, i) => framer.push(stream.subarray(points[i], end)));
      expect(frames.filter((frame) => frame.type === 'message').map((frame) => frame.data.toString())).toEqual([
        INVITE,
        INVITE,
        INVITE,
      ]);
      expect(frames.filter((frame) => frame.type === 'ping')).toHaveLength(1);
      expect(framer.partial).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('a stream of anything never makes the framer keep more than its limit', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 20 }), (chunks) => {
      const framer = new StreamFramer(4096);
      let failed = false;
      for (const chunk of chunks) {
        failed = framer.push(Buffer.from(chunk)).some((frame) => frame.type === 'error') || failed;
      }
      if (failed) {
        expect(framer.partial).toBe(false);
        expect(framer.push(Buffer.from(INVITE))).toEqual([]);
      }
    }),
  );
});

test('URIs, name-addrs, Via, CSeq and application messages survive any string', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((s) => `sip:${s}`),
      ),
      (text) => {
        const uri = parseUri(text);
        if (uri !== undefined) {
          expect(formatUri(parseUri(formatUri(uri)) ?? uri)).toBe(formatUri(uri));
        }
        parseNameAddr(text);
        parseVia(`SIP/2.0/UDP ${text}`);
        parseCSeq(text);
        tagOf(text);
        parseAppMessage(text);
      },
    ),
    { numRuns: 3000 },
  );
});

test('admin frames glued and cut in any way give the same payloads', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 8 }),
      fc.array(fc.nat(400)),
      (payloads, cuts) => {
        const stream = Buffer.from(payloads.map(encodeFrame).join(''));
        const reader = new FrameReader();
        const points = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length];
        const out = points
          .slice(1)
          .flatMap((end, i) => reader.push(Buffer.from(stream.subarray(points[i], end))) ?? ['broken']);
        expect(out).toEqual(payloads.map((payload) => Buffer.from(payload).toString()));
      },
    ),
  );
});

test('bytes that are no admin frame end the link or wait within bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 9, maxLength: 200 }), (bytes) => {
      const digits = /^\d{1,7}#/.test(Buffer.from(bytes).toString('latin1'));
      const result = new FrameReader().push(Buffer.from(bytes));
      expect(digits || result === undefined).toBe(true);
    }),
  );
});
