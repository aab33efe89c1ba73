import { SipMessage } from '../../../src/embedded/sip/message';
import { orderForWire } from '../../../src/embedded/sip-server/wire-order';

/** As captured from a real server that was given these headers in another order. */
const CAPTURED =
  'Via Max-Forwards From To Call-ID CSeq Contact Expires Date Retry-After Subject Call-Info Organization Server User-Agent Accept Allow Require Supported Referred-By Session-Expires Min-SE Reason Privacy Content-Type Content-Disposition Content-Length X-one Diversion History-Info Foo-Bar Identity P-Charging-Vector Join Alert-Info Reply-To Remote-Party-ID P-Asserted-Identity'.split(
    ' ',
  );

/** Those whose order among themselves is the application's. */
const FREE = 'X-one Diversion History-Info Foo-Bar Identity P-Charging-Vector Join'.split(' ');

test('headers stand on the wire in the order of the real server', () => {
  const message = SipMessage.request('INVITE', 'sip:bob@127.0.0.1');
  for (const name of [...FREE, ...[...CAPTURED].reverse().filter((n) => !FREE.includes(n))]) {
    message.add(name === 'Foo-Bar' ? 'foo-bar' : name, 'x');
  }
  expect(orderForWire(message).headers.map((header) => header.name)).toEqual(CAPTURED);
});
