import { AnsweringPhone } from '../../src/embedded/phone/answering-phone';
import { SipStack } from '../../src/embedded/sip/stack';
import { UserAgent } from '../../src/embedded/sip/user-agent';
import { CALLER_TONE, CallLab, eventually, SUPPORT } from '../support/call-lab';

const PBX_TONE = 1_250;

interface Pbx {
  readonly phone: AnsweringPhone;
  readonly port: number;
  close(): Promise<void>;
}

async function startPbx(protocol: 'udp' | 'tcp', srtp: boolean): Promise<Pbx> {
  const stack = await SipStack.start({ listen: [{ protocol, host: '127.0.0.1', port: 0 }] });
  const ua = new UserAgent(stack, { userAgent: 'A PBX' });
  const phone = new AnsweringPhone({
    host: '127.0.0.1',
    srtp,
    sound: { kind: 'tone', hz: [PBX_TONE] },
    listenFor: [CALLER_TONE],
    script: { do: 'answer', afterMs: 100 },
  }).listen(ua);
  return {
    phone,
    port: stack.listening[0]?.port ?? 0,
    close: async () => {
      phone.close();
      ua.close();
      await stack.close();
    },
  };
}

function pbxOnly(port: number, transport: string, media: string): string {
  return `
apiVersion: sidekick/v1
tenants: [{name: lab, country: DE, timeZone: Europe/Berlin}]
trunks:
  - {name: carrier, kind: carrier, tenant: lab, sources: [127.0.0.0/8], country: DE}
  - {name: avaya, kind: pbx, tenant: lab, host: 127.0.0.1, port: ${port}, transport: ${transport}, media: ${media}}
queues: [{name: support, tenant: lab, wrapUpSeconds: 0, members: [{agent: otto}]}]
agents: [{name: otto, tenant: lab, signedIn: true, endpoints: [{kind: pbx, trunk: avaya, user: "4711"}]}]
numbers: [{number: "${SUPPORT}", tenant: lab, queue: support}]
`;
}

describe.each([
  ['udp', 'rtp'],
  ['tcp', 'rtp'],
  ['udp', 'srtp'],
  ['tcp', 'srtp'],
] as const)('a contact center with PBX agents only, SIP over %s and %s', (transport, media) => {
  let lab: CallLab;
  let pbx: Pbx;

  beforeAll(async () => {
    pbx = await startPbx(transport, media === 'srtp');
    lab = await CallLab.start({ document: () => pbxOnly(pbx.port, transport, media) });
  });

  afterEach(async () => {
    await lab.expectNothingLeft();
    expect(pbx.phone.live).toBe(0);
  });

  afterAll(async () => {
    await lab.close();
    await pbx.close();
  });

  it('both hear each other, and the caller ends it', async () => {
    const call = await lab.dial({ listenFor: [PBX_TONE] });
    await eventually('the caller hears the agent', () => (call.heardMs(PBX_TONE) > 200 ? true : undefined));
    const leg = pbx.phone.calls.at(-1);
    await eventually('the agent hears the caller', () =>
      (leg?.media.heardMs(CALLER_TONE) ?? 0) > 200 ? true : undefined,
    );
    expect(leg?.report()).toMatchObject({ srtp: media === 'srtp', srtpFailures: 0 });
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('the agent hangs up: the caller is hung up too', async () => {
    pbx.phone.script = { do: 'answer', afterMs: 0, hangUpAfterMs: 300 };
    const call = await lab.dial();
    expect((await call.ended).by).toBe('remote');
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
  });
});
