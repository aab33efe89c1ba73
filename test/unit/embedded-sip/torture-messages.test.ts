import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSipMessage, SipParseError } from '../../../src/embedded/sip/message';
import { closeAll, peerOf, RawPeer, startAgent, until, uriOf } from './support';

const DIR = join(__dirname, '../../fixtures/torture');
const files = readdirSync(DIR);
const read = (name: string): Buffer => readFileSync(join(DIR, name));

/** Why each is refused; a fixture without a line here fails. */
const REASONS: Readonly<Record<string, [string, number]>> = {
  'invalid-content-length-too-large.sip': ['Content-Length is larger than the message', 400],
  'invalid-content-length-negative.sip': ['malformed or contradictory Content-Length', 400],
  'invalid-content-length-twice.sip': ['malformed or contradictory Content-Length', 400],
  'invalid-cseq-method-differs.sip': ['malformed CSeq header or method that differs from the start line', 400],
  'invalid-cseq-overflow.sip': ['malformed CSeq header or method that differs from the start line', 400],
  'invalid-no-from-tag.sip': ['From header without a tag', 400],
  'invalid-unclosed-quote.sip': ['malformed to header', 400],
  'invalid-two-callids.sip': ['more than one call-id header', 400],
  'invalid-no-via.sip': ['missing or malformed Via header', 400],
  'invalid-missing-callid.sip': ['missing call-id header', 400],
  'invalid-version.sip': ['SIP version is not 2.0', 505],
  'invalid-scheme.sip': ['unsupported URI scheme', 416],
  'invalid-uri-in-brackets.sip': ['malformed request URI', 400],
  'invalid-spaces-in-start-line.sip': ['start line is neither a request nor a response', 400],
  'invalid-space-in-uri.sip': ['start line is neither a request nor a response', 400],
  'invalid-max-forwards.sip': ['Max-Forwards is not a number from 0 to 255', 400],
  'invalid-via-port.sip': ['missing or malformed Via header', 400],
  'invalid-no-empty-line.sip': ['no empty line after the headers', 400],
  'invalid-status.sip': ['start line is neither a request nor a response', 400],
  'invalid-nul-in-header.sip': ['control character in start line or headers', 400],
  'invalid-bare-cr.sip': ['bare carriage return in a header', 400],
  'invalid-binary.sip': ['no empty line after the headers', 400],
  'invalid-only-blank-lines.sip': ['no empty line after the headers', 400],
  'invalid-too-many-headers.sip': ['too many headers', 413],
  'invalid-http.sip': ['start line is neither a request nor a response', 400],
};

afterEach(closeAll);

test.each(files.filter((name) => name.startsWith('valid-')))('%s is understood and survives a round trip', (name) => {
  const message = parseSipMessage(read(name));
  const again = parseSipMessage(message.serialise());
  expect(again.headers).toEqual(
    message.headers
      .map((h) => ({ ...h, ...(h.key === 'content-length' ? { value: String(message.bodyBytes.length) } : {}) }))
      .concat(
        message.has('content-length')
          ? []
          : [{ name: 'Content-Length', key: 'content-length', value: String(message.bodyBytes.length) }],
      ),
  );
  expect(again.bodyBytes).toEqual(message.bodyBytes);
});

test.each(files.filter((name) => name.startsWith('invalid-')))('%s is refused with its reason', (name) => {
  let error: unknown;
  try {
    parseSipMessage(read(name));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SipParseError);
  const { message, status } = error as SipParseError;
  expect([message, status]).toEqual(REASONS[name]);
});

test('folded, compact and oddly spaced headers are read as what they mean', () => {
  const message = parseSipMessage(read('valid-compact-and-folded.sip'));
  expect(message.getAll('via')).toHaveLength(2);
  expect(message.branch).toBe('z9hG4bKfolded');
  expect(message.fromTag).toBe('ab');
  expect(message.cseq).toEqual({ number: 2_147_483_647, method: 'INVITE' });
  expect(message.list('contact')).toHaveLength(2);
  expect(message.list('supported')).toEqual(['100rel', 'timer']);
  expect(message.body).toBe('a=b\r\n');
});

test('what follows the Content-Length of a datagram is not part of the message', () => {
  expect(parseSipMessage(read('valid-trailing-octets.sip')).body).toBe('v=0\r\n');
});

test('sent over the wire they are answered or dropped, counted, and the next request still works', async () => {
  const agent = await startAgent();
  const peer = await RawPeer.open();
  for (const name of files) {
    await new Promise<void>((resolve) => {
      peer.socket.send(read(name), peerOf(agent.stack).port, '127.0.0.1', () => {
        resolve();
      });
    });
  }
  await until(() => agent.stack.counters.received >= files.length);
  expect(agent.stack.counters.malformed).toBe(files.filter((name) => name.startsWith('invalid-')).length);
  expect(agent.stack.counters.handlerErrors).toBe(0);
  await until(() => peer.received.length >= 15);
  const statuses = peer.received.map((text) => Number(text.split(' ')[1]));
  expect(statuses.filter((status) => status === 505)).toHaveLength(1);
  expect(statuses.filter((status) => status === 416)).toHaveLength(1);
  expect(statuses.filter((status) => status === 400).length).toBeGreaterThanOrEqual(8);
  const other = await startAgent();
  expect((await other.request('OPTIONS', uriOf(agent))).status).toBe(200);
});
