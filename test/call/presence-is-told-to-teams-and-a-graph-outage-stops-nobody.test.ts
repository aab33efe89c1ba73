import { AnsweringPhone } from '../../src/embedded/phone/answering-phone';
import { SipStack } from '../../src/embedded/sip/stack';
import { UserAgent } from '../../src/embedded/sip/user-agent';
import { demoUsers } from '../../src/embedded/teams/users';
import { AGENT_TONES, CALLER_TONE, CallLab, eventually, SUPPORT } from '../support/call-lab';

const PBX_TONE = 1_250;
const [anna, ben] = demoUsers();

/** What the simulated Teams shows of a user. */
const shownOf = (lab: CallLab, name: string): string => {
  const { presence } = lab.tenant.users().find((user) => user.name === name)!;
  return `${presence.availability}/${presence.activity}`;
};

describe('an agent who takes calls on the PBX and is in Teams as well', () => {
  let lab: CallLab;
  let stack: SipStack;
  let ua: UserAgent;
  let phone: AnsweringPhone;

  beforeAll(async () => {
    stack = await SipStack.start({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] });
    ua = new UserAgent(stack, { userAgent: 'A PBX' });
    phone = new AnsweringPhone({
      host: '127.0.0.1',
      sound: { kind: 'tone', hz: [PBX_TONE] },
      listenFor: [CALLER_TONE],
      script: { do: 'answer', afterMs: 100 },
    }).listen(ua);
    lab = await CallLab.start({
      env: { SIDEKICK_GRAPH_WRITE_BACK: 'on' },
      document: () => `
apiVersion: sidekick/v1
tenants: [{name: lab, country: DE, timeZone: Europe/Berlin}]
trunks:
  - {name: carrier, kind: carrier, tenant: lab, sources: [127.0.0.0/8], country: DE}
  - {name: avaya, kind: pbx, tenant: lab, host: 127.0.0.1, port: ${stack.listening[0]!.port}}
queues: [{name: support, tenant: lab, wrapUpSeconds: 3, members: [{agent: anna}]}]
agents:
  - {name: anna, tenant: lab, signedIn: true, endpoints: [{kind: pbx, trunk: avaya, user: "4711", entraUserId: ${anna!.entraUserId}}]}
numbers: [{number: "${SUPPORT}", tenant: lab, queue: support}]
`,
    });
  });

  afterEach(async () => {
    lab.tenant.setPresence('anna', { availability: 'Available', activity: 'Available' });
    await lab.cleanUp();
    await lab.expectNothingLeft();
    expect(phone.live).toBe(0);
  });

  afterAll(async () => {
    await lab.close();
    phone.close();
    ua.close();
    await stack.close();
  });

  it('is shown as busy in Teams while talking and resting, and no longer after that', async () => {
    const call = await lab.dial({ listenFor: [PBX_TONE] });
    await eventually('the caller hears the agent', () => (call.heardMs(PBX_TONE) > 200 ? true : undefined));
    await eventually('busy in Teams', () => (shownOf(lab, 'anna') === 'Busy/InACall' ? true : undefined));
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    await eventually('the agent rests', async () => ((await lab.agent('anna')).state === 'wrap-up' ? true : undefined));
    expect(shownOf(lab, 'anna')).toBe('Busy/InACall');
    await eventually('free in Teams', () => (shownOf(lab, 'anna') === 'Available/Available' ? true : undefined));
    expect(lab.tenant.graphRulesBroken()).toEqual([]);
  });

  it('gets the next call at once, although Graph still shows the last one', async () => {
    const first = await lab.dial({ listenFor: [PBX_TONE] });
    await eventually('busy in Teams', () => (shownOf(lab, 'anna') === 'Busy/InACall' ? true : undefined));
    await eventually('busy in the database', async () => {
      const { presence } = await lab.agent('anna');
      return typeof presence !== 'string' && presence.activity === 'InACall' ? true : undefined;
    });
    const second = await lab.dial({ from: '+491700000002', listenFor: [PBX_TONE] });
    await first.hangUp();
    await eventually('the second caller hears the agent', () => (second.heardMs(PBX_TONE) > 200 ? true : undefined));
    await second.hangUp();
    await eventually(
      'free in Teams',
      () => (shownOf(lab, 'anna') === 'Available/Available' ? true : undefined),
      15_000,
    );
  });

  it('is not rung on the PBX while Teams shows a private call', async () => {
    const known = async (value: string): Promise<true | undefined> => {
      const { presence } = await lab.agent('anna');
      return typeof presence !== 'string' && presence.availability === value ? true : undefined;
    };
    await eventually('free in the database', () => known('Available'));
    lab.tenant.setPresence('anna', { availability: 'Busy', activity: 'InACall' });
    await eventually('busy in the database', () => known('Busy'));
    const before = phone.calls.length;
    const call = await lab.dial({ listenFor: [PBX_TONE] });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(phone.calls.length).toBe(before);
    lab.tenant.setPresence('anna', { availability: 'Available', activity: 'Available' });
    await eventually('the caller hears the agent', () => (call.heardMs(PBX_TONE) > 200 ? true : undefined));
    await call.hangUp();
    await eventually(
      'free in Teams',
      () => (shownOf(lab, 'anna') === 'Available/Available' ? true : undefined),
      15_000,
    );
  });

  it('keeps the presence that was chosen in Teams', async () => {
    const call = await lab.dial({ listenFor: [PBX_TONE] });
    await eventually('busy in Teams', () => (shownOf(lab, 'anna') === 'Busy/InACall' ? true : undefined));
    lab.tenant.setPresence('anna', { availability: 'DoNotDisturb', activity: 'DoNotDisturb' });
    expect(shownOf(lab, 'anna')).toBe('DoNotDisturb/DoNotDisturb');
    await call.hangUp();
    await lab.ending(call);
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(shownOf(lab, 'anna')).toBe('DoNotDisturb/DoNotDisturb');
  });
});

describe('while Graph is away', () => {
  let lab: CallLab;

  const connects = async (name: string): Promise<void> => {
    const call = await lab.dial();
    await eventually(`the caller hears ${name}`, () => (call.heardMs(AGENT_TONES[name]!) > 200 ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  };

  afterEach(async () => {
    lab.tenant.misbehave({ what: 'reset' });
    await lab.cleanUp();
    await lab.expectNothingLeft();
    await lab.close();
  });

  it.each(['cut', 'hang'] as const)('a queue that accepts unknown presence goes on (connections %s)', async (how) => {
    lab = await CallLab.start({ queue: { presence: { staleAfterSeconds: 1, unknown: 'accept' } } });
    lab.tenant.misbehave({ what: 'graph-outage', how });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await connects('anna');
  });

  it('a queue that refuses it keeps its callers, and rings again by itself when Graph is back', async () => {
    lab = await CallLab.start({ queue: { presence: { staleAfterSeconds: 1, unknown: 'refuse' } } });
    lab.tenant.misbehave({ what: 'graph-outage', how: 'cut' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const call = await lab.dial();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(lab.tenant.calls()).toEqual([]);
    lab.tenant.misbehave({ what: 'graph-outage', how: 'off' });
    await eventually(
      'the caller hears anna',
      () => (call.heardMs(AGENT_TONES['anna']!) > 200 ? true : undefined),
      20_000,
    );
    await call.hangUp();
    await lab.ending(call);
  });

  it('a node is ready for calls all the same, and says what is missing', async () => {
    lab = await CallLab.start();
    lab.tenant.misbehave({ what: 'graph-outage', how: 'cut' });
    await eventually('the link to say so', () =>
      lab.node.links()['graph']!.detail.includes('last error') ? true : undefined,
    );
    expect(lab.node.links()['graph']!.needed).toBe(false);
    await connects('anna');
  });
});

it('an agent with a private call that Graph shows late costs the caller nothing but a moment', async () => {
  const lab = await CallLab.start({ agents: ['anna', 'ben'] });
  lab.tenant.misbehave({ what: 'presence-lag', ms: 10_000, all: true });
  lab.tenant.setScript('anna', { kind: 'busy' });
  lab.tenant.setPresence('anna', { availability: 'Busy', activity: 'InACall' });
  const call = await lab.dial();
  await eventually('the caller hears ben', () => (call.heardMs(AGENT_TONES['ben']!) > 200 ? true : undefined));
  expect(ben!.name).toBe('ben');
  await call.hangUp();
  await lab.ending(call);
  await lab.expectNothingLeft();
  await lab.close();
});
