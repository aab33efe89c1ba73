import { AnsweringPhone } from '../../src/embedded/phone/answering-phone';
import type { SipMessage } from '../../src/embedded/sip/message';
import { SipStack } from '../../src/embedded/sip/stack';
import { UserAgent } from '../../src/embedded/sip/user-agent';
import { store } from '../../src/store';
import { CALLER_TONE, CallLab, eventually, SUPPORT } from '../support/call-lab';

const AGENT_TONE = 1_250;

/** A certified SBC: takes calls as we send them. What it does toward Microsoft is its own. */
class FrontSbc {
  private constructor(
    readonly seen: readonly SipMessage[],
    readonly stack: SipStack,
    readonly ua: UserAgent,
    readonly phone: AnsweringPhone,
  ) {}

  static async start(srtp: boolean): Promise<FrontSbc> {
    const wire: SipMessage[] = [];
    const stack = await SipStack.start({
      listen: [{ protocol: 'tcp', host: '127.0.0.1', port: 0 }],
      onWire: (direction, message) => direction === 'in' && wire.push(message.clone()),
    });
    const ua = new UserAgent(stack, { userAgent: 'A certified SBC' });
    const phone = new AnsweringPhone({
      host: '127.0.0.1',
      srtp,
      sound: { kind: 'tone', hz: [AGENT_TONE] },
      listenFor: [CALLER_TONE],
    }).listen(ua);
    return new FrontSbc(wire, stack, ua, phone);
  }

  get port(): number {
    return this.stack.listening[0]?.port ?? 0;
  }

  last(method: string): SipMessage | undefined {
    return this.seen.findLast((message) => message.isRequest && message.method === method);
  }

  async close(): Promise<void> {
    this.phone.close();
    this.ua.close();
    await this.stack.close();
  }
}

describe.each(['rtp', 'srtp'] as const)('a certified SBC stands in front of Teams, media as %s', (media) => {
  let lab: CallLab;
  let first: FrontSbc;
  let second: FrontSbc;

  beforeAll(async () => {
    first = await FrontSbc.start(media === 'srtp');
    second = await FrontSbc.start(media === 'srtp');
    lab = await CallLab.start({
      document: () => `
apiVersion: sidekick/v1
tenants: [{name: lab, country: DE, timeZone: Europe/Berlin}]
trunks:
  - {name: carrier, kind: carrier, tenant: lab, sources: [127.0.0.2/32, 127.0.0.1/32], country: DE}
  - name: teams
    kind: teams
    tenant: lab
    form: behind-sbc
    sbcName: acd.example.com
    transport: tcp
    media: ${media}
    sources: [127.0.0.1/32]
    optionsSeconds: 1
    proxies:
      - {host: sbc-a.example.net, port: 5060, address: '127.0.0.1:${first.port}'}
      - {host: sbc-b.example.net, port: 5060, address: '127.0.0.1:${second.port}'}
queues:
  - {name: support, tenant: lab, wrapUpSeconds: 0, ringTimeoutSeconds: 5, presence: {unknown: accept}, members: [{agent: anna}]}
agents:
  - {name: anna, tenant: lab, signedIn: true, endpoints: [{kind: teams, trunk: teams, number: "+49301000201", entraUserId: 11111111-2222-4333-8444-555555000201}]}
numbers: [{number: "${SUPPORT}", tenant: lab, queue: support}]
`,
    });
    await eventually('both SBCs answer', async () =>
      (await store.trunkStatus(lab.database.db))[0]?.proxies.every(({ state }) => state === 'active')
        ? true
        : undefined,
    );
  });

  afterEach(async () => {
    await lab.expectNothingLeft();
    await lab.readyAll();
    first.phone.script = { do: 'answer', afterMs: 100 };
  });

  afterAll(async () => {
    await lab.close();
    await first.close();
    await second.close();
  });

  async function talk() {
    const call = await lab.dial({ listenFor: [AGENT_TONE] });
    await eventually('the caller hears the agent', () => (call.heardMs(AGENT_TONE) > 200 ? true : undefined));
    return call;
  }

  it('gets OPTIONS and an INVITE with +E.164 and the caller; both hear each other, and the caller ends it', async () => {
    const call = await talk();
    const leg = first.phone.calls.at(-1);
    await eventually('the agent hears the caller', () =>
      (leg?.media.heardMs(CALLER_TONE) ?? 0) > 200 ? true : undefined,
    );
    expect(leg?.report()).toMatchObject({ srtp: media === 'srtp', srtpFailures: 0 });
    const invite = first.last('INVITE');
    expect(invite?.uri).toBe('sip:+49301000201@sbc-a.example.net:5060;user=phone;transport=tcp');
    expect(invite?.get('from')).toContain('<sip:+491700000001@acd.example.com;transport=tcp;user=phone>');
    expect(invite?.get('contact')).toMatch(/^<sip:\+491700000001@acd\.example\.com:\d+;transport=tcp>$/);
    expect(first.last('OPTIONS')?.get('contact')).toMatch(/^<sip:acd\.example\.com:\d+;transport=tcp>$/);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('the agent’s hold and return pass through, and the agent ends it', async () => {
    const call = await talk();
    const leg = first.phone.calls.at(-1);
    await leg?.hold();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const held = call.heardMs(AGENT_TONE);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(call.heardMs(AGENT_TONE) - held).toBeLessThan(100);
    await leg?.unhold();
    await eventually('again', () => (call.heardMs(AGENT_TONE) > held + 300 ? true : undefined));
    await leg?.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
  });

  it('the caller leaves while the agent is rung: the CANCEL says completed elsewhere, for the SBC to pass on', async () => {
    first.phone.script = { do: 'ring' };
    const call = await lab.dial();
    await lab.story(call, ['offer:ringing']);
    await call.hangUp();
    expect(await lab.ending(call)).toMatchObject({ result: 'abandoned' });
    await eventually('CANCEL', () => first.last('CANCEL'));
    expect(first.last('CANCEL')?.get('reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
  });

  it('one that is busy is passed over for the second; a refusal of the user is final', async () => {
    first.phone.script = { do: 'reject', status: 503 };
    const call = await talk();
    expect(second.last('INVITE')?.uri).toContain('@sbc-b.example.net:5060');
    await call.hangUp();
    await lab.ending(call);
    first.phone.script = { do: 'reject', status: 486 };
    await eventually('the first one is back', async () =>
      (await store.trunkStatus(lab.database.db))[0]?.proxies[0]?.state === 'active' ? true : undefined,
    );
    const before = second.phone.calls.length;
    const again = await lab.dial();
    const refused = await eventually('a refusal', async () =>
      (await lab.events(again)).find(({ kind }) => kind === 'offer:refused'),
    );
    expect(refused.data).toMatchObject({ outcome: 'busy', sipStatus: 486 });
    expect(second.phone.calls.length).toBe(before);
    await again.hangUp();
    await lab.ending(again);
  });
});
