import type { Peer } from '../../../src/embedded/sip/types';
import { closeAll, onClose, RawApp, RawPeer, SDP, SECRET, startServer } from './support';

/**
 * The words with which drachtio-server refuses a command; drachtio-srf puts them into the Error that an application gets. With
 * SIDEKICK_TEST_DRACHTIO=host:port:secret the same tests ask the real server.
 */
const REAL = process.env['SIDEKICK_TEST_DRACHTIO']?.split(':');

interface Bench {
  readonly app: RawApp;
  readonly udp: Peer;
}

let serial = 0;

function udpIn(hostports: string): Peer {
  const [, address = '', port = ''] = /udp\/([\d.]+):(\d+)/.exec(hostports) ?? [];
  return { protocol: 'udp', address, port: Number(port) };
}

async function bench(): Promise<Bench> {
  const server = REAL ? { admin: { host: REAL[0] ?? '', port: Number(REAL[1]) } } : await startServer();
  const app = await RawApp.connect(server);
  const hello = await app.ask('hello', `authenticate|${REAL?.[2] ?? SECRET}|`);
  expect(hello).toMatch(/^OK\|/);
  await app.ask('route', 'route|invite');
  return { app, udp: udpIn(hello) };
}

function invite(to: Peer, from: { readonly port: number }, id: string): string {
  return [
    `INVITE sip:bob@${to.address}:${to.port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from.port};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 70',
    `From: <sip:alice@127.0.0.1>;tag=from-${id}`,
    'To: <sip:bob@127.0.0.1>',
    `Call-ID: ${id}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:alice@127.0.0.1:${from.port}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** An INVITE that has reached the application; gives its transaction id. */
async function called({ app, udp }: Bench) {
  const id = `words-${process.pid}-${++serial}`;
  const peer = await RawPeer.open();
  peer.send(invite(udp, peer, id), udp);
  const frame = await app.next((payload) => payload.includes(`Call-ID: ${id}`) && payload.includes('INVITE sip:'));
  return { id, peer, transaction: frame.split('\r\n')[0]?.split('|')[8] ?? '' };
}

/** A call that is answered; gives its dialog id. */
async function inDialog(at: Bench) {
  const { id, peer, transaction } = await called(at);
  expect(await at.app.ask(`answer-${id}`, `sip|${transaction}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)).toMatch(/^OK\|/);
  const answer = await peer.next((text) => text.startsWith('SIP/2.0 200'));
  const to = /^To: .*$/m.exec(answer)?.[0].trim() ?? '';
  const ack = invite(at.udp, peer, id).replaceAll('INVITE', 'ACK').replace('z9hG4bK', 'z9hG4bK-ack-');
  peer.send(ack.replace(/^To: .*$/m, to), at.udp);
  await at.app.next((payload) => payload.includes('\r\nACK sip:') && payload.includes(id));
  onClose(async () => {
    await at.app.ask(`bye-${id}`, `sip||${id};from-tag=from-${id}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
  });
  return { id, peer, dialogId: `${id};from-tag=from-${id}` };
}

afterEach(closeAll);

test.each([
  ['an answer to nothing', 'sip|no-such-id|\r\nSIP/2.0 200 OK\r\n\r\n', 'Response not sent due to unknown transaction'],
  [
    'a CANCEL of nothing',
    'sip|no-such-id|\r\nCANCEL sip:placeholder SIP/2.0\r\n\r\n',
    'unable to cancel unknown transaction id: no-such-id',
  ],
  [
    'a dialog that is not there',
    'sip||nobody;from-tag=1\r\nINFO sip:placeholder SIP/2.0\r\n\r\n',
    'Server error: unable to find dialog for dialog id provided',
  ],
  [
    'a proxy of nothing',
    'proxy|no-such-id||||serial|||sip:b@127.0.0.1:9\r\nINVITE sip:b SIP/2.0\r\n\r\n',
    'Unknown transaction id: no-such-id',
  ],
  ['a body of unknown type', 'sip||\r\nMESSAGE sip:bob@127.0.0.1:9 SIP/2.0\r\n\r\nhello', 'missing content-type'],
  [
    'a transport that is not there',
    'sip||\r\nOPTIONS sip:bob@127.0.0.1:9;transport=wss SIP/2.0\r\n\r\n',
    'requested protocol/transport not available',
  ],
  ['a start line that is none', 'sip||\r\nOPTIONS here SIP/2.0\r\n\r\n', 'invalid request-uri: OPTIONS here SIP/2.0'],
])('%s', async (_, command, words) => {
  const { app } = await bench();
  expect(await app.ask('asked', command)).toBe(`NOK|${words}`);
});

test('a request to the server itself', async () => {
  const { app, udp } = await bench();
  const uri = `sip:bob@${udp.address}:${udp.port}`;
  expect(await app.ask('asked', `sip||\r\nOPTIONS ${uri} SIP/2.0\r\n\r\n`)).toBe('NOK|can not send request to myself');
});

test('a reliable provisional for a caller who cannot', async () => {
  const at = await bench();
  const { transaction } = await called(at);
  const answer = `sip|${transaction}|\r\nSIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\n${SDP}`;
  expect(await at.app.ask('asked', answer)).toBe('NOK|Remote endpoint does not support 100rel');
  await at.app.ask('no', `sip|${transaction}|\r\nSIP/2.0 486 Busy Here\r\n\r\n`);
});

test('a proxied call that has gone through enough hands', async () => {
  const at = await bench();
  const id = `words-${process.pid}-${++serial}`;
  const peer = await RawPeer.open();
  peer.send(invite(at.udp, peer, id).replace('Max-Forwards: 70', 'Max-Forwards: 0'), at.udp);
  const frame = await at.app.next((payload) => payload.includes(`Call-ID: ${id}`));
  const transaction = frame.split('\r\n')[0]?.split('|')[8] ?? '';
  const command = `proxy|${transaction}||||serial|||sip:b@127.0.0.1:9\r\nINVITE sip:b@127.0.0.1:9 SIP/2.0\r\n\r\n`;
  expect(await at.app.ask('asked', command)).toBe('NOK|Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
});

test('in a call that is answered: a PRACK, and a body without its type', async () => {
  const at = await bench();
  const { dialogId } = await inDialog(at);
  const inside = (id: string, text: string) => at.app.ask(id, `sip||${dialogId}\r\n${text}`);
  expect(await inside('prack', 'PRACK sip:placeholder SIP/2.0\r\nRAck: 1 1 INVITE\r\n\r\n')).toBe(
    'NOK|Server error: unable to find IIP when sending PRACK',
  );
  expect(await inside('info', 'INFO sip:placeholder SIP/2.0\r\n\r\nhello')).toBe(
    'NOK|Server error: missing content-type',
  );
});
