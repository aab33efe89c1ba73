import { createHash } from 'node:crypto';
import { SipStack } from '../../src/embedded/sip/stack';
import { SipRejected, UserAgent } from '../../src/embedded/sip/user-agent';
import { parseDigest } from '../../src/signaling/carrier/digest';
import { SUPPORT } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

function authorization(challenge: string, password: string, uri: string): string {
  const { nonce = '', realm = '' } = Object.fromEntries(parseDigest(challenge));
  const ha1 = md5(`carrier-7:${realm}:${password}`);
  const response = md5(`${ha1}:${nonce}:00000001:0a4f:auth:${md5(`INVITE:${uri}`)}`);
  return `Digest username="carrier-7", realm="${realm}", nonce="${nonce}", uri="${uri}", qop=auth, nc=00000001, cnonce="0a4f", response="${response}"`;
}

async function rejection(answered: Promise<void>): Promise<SipRejected> {
  const error: unknown = await answered.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SipRejected)) {
    throw new Error('the call was not refused');
  }
  return error;
}

describe('a trunk with a password', () => {
  process.env['LAB_CARRIER_PASSWORD'] = 'correct horse';
  const suite = labSuite({
    agents: ['anna'],
    carrier: { digest: { username: 'carrier-7', passwordFrom: 'LAB_CARRIER_PASSWORD' } },
  });

  it('challenges, takes the right answer, and refuses a wrong one', async () => {
    const { lab } = suite;
    const uri = `sip:${SUPPORT}@${lab.udp.address}:${lab.udp.port}`;
    const first = await rejection((await lab.dial()).answered);
    expect(first.status).toBe(401);
    const challenge = first.response?.get('WWW-Authenticate') ?? '';
    const wrong = await lab.dial({ headers: { Authorization: authorization(challenge, 'battery staple', uri) } });
    expect((await rejection(wrong.answered)).status).toBe(403);
    const right = await lab.dial({ headers: { Authorization: authorization(challenge, 'correct horse', uri) } });
    await suite.bothHear(right, 'anna');
    await right.hangUp();
    expect(await lab.ending(right)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });
});

describe('OPTIONS', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('from a carrier is answered with 200 and what we allow', async () => {
    const { lab } = suite;
    const stack = await SipStack.start({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] });
    const ua = new UserAgent(stack, {});
    try {
      const response = await ua.request('OPTIONS', `sip:${lab.udp.address}:${lab.udp.port}`, { target: lab.udp });
      expect(response.status).toBe(200);
      expect(response.get('Allow')).toContain('INVITE');
    } finally {
      ua.close();
      await stack.close();
    }
  });
});
