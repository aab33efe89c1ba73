import { SipRejected } from '../../../src/embedded/sip/user-agent';
import { ANNA, Sbc, makeMaterial, startTenant, until, type Material } from './sbc';
import type { TeamsTenant } from '../../../src/embedded/teams/tenant';
import type { AgentScriptInput } from '../../../src/embedded/teams/scripts';
import type { PhoneCall } from '../../../src/embedded/phone/phone-call';
import { VOICEMAIL_TONE_HZ } from '../../../src/embedded/teams/agent-call';
import { tickerRunning } from '../../../src/embedded/rtp/clock';

let material: Material;
let tenant: TeamsTenant;
let sbc: Sbc;

beforeAll(async () => {
  material = await makeMaterial();
});
beforeEach(async () => {
  tenant = await startTenant(material);
  sbc = await Sbc.start(material, tenant.sipPort);
});
afterEach(async () => {
  await until('all calls gone at the tenant', () => tenant.live === 0);
  await sbc.close();
  await tenant.close();
  expect(tickerRunning()).toBe(false);
});

const anna = () => tenant.users().find((user) => user.name === 'anna')!;
const onlyCall = () => {
  expect(tenant.calls()).toHaveLength(1);
  return tenant.calls()[0]!;
};
const ringing = (call: PhoneCall) => until('ringing', () => call.ringingAt !== undefined);

async function rejected(call: PhoneCall): Promise<SipRejected> {
  const error: unknown = await call.answered.then(
    () => new Error('the call was answered'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SipRejected);
  return error as SipRejected;
}

test.each<[string, AgentScriptInput, number, RegExp, number]>([
  ['declines', { kind: 'decline', afterMs: 50 }, 603, /cause=21/, 1],
  ['is busy', { kind: 'busy' }, 486, /cause=34/, 0],
  ['is signed out', { kind: 'signed-out' }, 480, /10037/, 1],
  ['never takes it, with voicemail off', { kind: 'ring-out', giveUpAfterMs: 100 }, 480, /10191/, 1],
  ['sits in a busy data centre', { kind: 'unavailable', retryAfterSeconds: 3 }, 503, /10320/, 0],
  ['is refused for another reason', { kind: 'refuse', status: 500, reason: 'Loop' }, 500, /Loop/, 0],
])('an agent who %s gives the documented code', async (_what, script, status, reason, missed) => {
  tenant.setScript('anna', script);
  const call = await sbc.call(ANNA.number);
  const { response } = await rejected(call);
  expect(response?.status).toBe(status);
  expect(response?.get('reason')).toMatch(/^Q\.850;cause=\d+;text="[0-9a-f]{8}-[0-9a-f-]{27};.*"$/);
  expect(response?.get('reason')).toMatch(reason);
  expect(response?.get('retry-after')).toBe(status === 503 ? '3' : undefined);
  expect(onlyCall()).toMatchObject({ state: 'ended', status });
  expect(anna().missedCalls).toHaveLength(missed);
});

test('the mailbox answers at once without ringing, or after the unanswered delay, with its own tone', async () => {
  tenant.setScript('anna', { kind: 'voicemail', afterMs: 0 });
  const fast = await sbc.call(ANNA.number);
  await fast.answered;
  expect(fast.ringingAt).toBeUndefined();
  await until('the mailbox speaks', () => fast.media.heardMs(VOICEMAIL_TONE_HZ) > 100);
  expect(onlyCall()).toMatchObject({ voicemail: true, ringingAt: null });
  expect(anna().presence.availability).toBe('Available');
  await fast.hangUp();
  tenant.setScript('anna', { kind: 'voicemail', afterMs: 150 });
  const slow = await sbc.call(ANNA.number);
  await slow.answered;
  expect(slow.answeredAt! - slow.ringingAt!).toBeGreaterThan(100);
  await slow.hangUp();
});

test('opaque=app:voicemail goes to the mailbox whatever the agent does', async () => {
  const uri = `sip:${ANNA.number}@sip.pstnhub.microsoft.com;user=phone;opaque=app:voicemail;transport=tls`;
  const call = await sbc.call(ANNA.number, { uri });
  await call.answered;
  expect(onlyCall().voicemail).toBe(true);
  await call.hangUp();
});

describe('when the trunk gives up', () => {
  test('without a Reason the agent finds a missed call', async () => {
    tenant.setScript('anna', { kind: 'ring-out' });
    const call = await sbc.call(ANNA.number);
    await ringing(call);
    call.cancel();
    expect((await rejected(call)).status).toBe(487);
    expect(onlyCall()).toMatchObject({ state: 'ended', endedBy: 'sbc', status: 487 });
    expect(anna().missedCalls).toEqual([
      { at: expect.stringMatching(/^\d{4}-.*Z$/), from: '+4915112345678', sipCallId: call.session.callId },
    ]);
  });

  test('with "Call completed elsewhere" there is none', async () => {
    tenant.setScript('anna', { kind: 'ring-out' });
    const call = await sbc.call(ANNA.number);
    await ringing(call);
    const reason = 'SIP;cause=200;text="Call completed elsewhere"';
    call.cancel({ headers: { Reason: reason } });
    await rejected(call);
    expect(onlyCall().reason).toBe(reason);
    expect(anna().missedCalls).toEqual([]);
  });

  test('with another cause there is one', async () => {
    tenant.setScript('anna', { kind: 'ring-out' });
    const call = await sbc.call(ANNA.number);
    await ringing(call);
    call.cancel({ headers: { Reason: 'SIP;cause=487;text="ORIGINATOR_CANCEL"' } });
    await rejected(call);
    expect(anna().missedCalls).toHaveLength(1);
  });

  test('a 200 can cross the CANCEL: it is acknowledged and ended by BYE', async () => {
    tenant.setScript('anna', { kind: 'answer-on-cancel' });
    const call = await sbc.call(ANNA.number);
    await ringing(call);
    call.cancel();
    await call.ended;
    await until('the call has ended', () => onlyCall().state === 'ended');
    expect(onlyCall()).toMatchObject({ status: 200, endedBy: 'sbc' });
    const mine = sbc.wire.filter(({ direction }) => direction === 'out').map(({ message }) => message.method);
    expect(mine).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    const finals = sbc.wire.filter(({ message }) => message.cseq.method === 'INVITE' && message.status >= 200);
    expect(finals.map(({ message }) => message.status)).toEqual([200]);
    expect(anna().missedCalls).toEqual([]);
  });
});

test('a proxy that says nothing more after 100 leaves the call to the ring timer of the trunk', async () => {
  tenant.setScript('anna', { kind: 'silent' });
  const call = await sbc.call(ANNA.number);
  await until('the call is there', () => tenant.calls().length === 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(call.ringingAt).toBeUndefined();
  expect(onlyCall()).toMatchObject({ state: 'offered', status: 0 });
  call.cancel();
  expect((await rejected(call)).status).toBe(487);
  expect(anna().missedCalls).toEqual([]);
});

describe('a transfer', () => {
  test('is a REFER to the proxy with the identity of the agent, and BYE after the 202', async () => {
    tenant.setScript('anna', { kind: 'answer', afterMs: 0, transferAfterMs: 50, transferTo: '+49301234567' });
    const call = await sbc.call(ANNA.number);
    let refer: string[] = [];
    call.session.onRequest((request) => {
      refer = [request.message.get('refer-to') ?? '', request.message.get('referred-by') ?? ''];
      request.respond(202);
    });
    const end = await call.ended;
    expect(refer[0]).toBe(
      `<sip:+49301234567@sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:${ANNA.entraUserId};x-t=8e0bd3c4-1111-4222-8333-0123456789ab>`,
    );
    expect(refer[1]).toContain(`x-m=8:orgid:${ANNA.entraUserId}`);
    expect(end.by).toBe('remote');
    expect(onlyCall().endedBy).toBe('agent');
  });

  test('does not reach a trunk that has no REFER in Allow', async () => {
    tenant.setScript('anna', { kind: 'answer', afterMs: 0, transferAfterMs: 20, transferTo: '+49301234567' });
    const call = await sbc.call(ANNA.number, { headers: { Allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY' } });
    await call.answered;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sbc.wire.some(({ message }) => message.method === 'REFER')).toBe(false);
    expect(call.state).toBe('confirmed');
    await call.hangUp();
  });
});

test('an agent can be in several calls, and presence goes back only after the last', async () => {
  tenant.misbehave({ what: 'presence-lag', ms: 0 });
  const [first, second] = await Promise.all([sbc.call(ANNA.number), sbc.call(ANNA.number)]);
  await Promise.all([first.answered, second.answered]);
  expect(anna()).toMatchObject({ calls: 2, presence: { availability: 'Busy' } });
  await first.hangUp();
  expect(anna()).toMatchObject({ calls: 1, presence: { availability: 'Busy' } });
  await second.hangUp();
  expect(anna()).toMatchObject({ calls: 0, presence: { availability: 'Available' } });
});

test('events tell each stage of a call as it happens', async () => {
  const seen: string[] = [];
  for (const stage of ['ringing', 'answered', 'heard', 'ended'] as const) {
    tenant.events.on(`call:${stage}`, (call) => seen.push(`${stage} ${call.state} ${call.heardTones.length}`));
  }
  const call = await sbc.call(ANNA.number);
  await call.answered;
  await until('heard', () => seen.some((stage) => stage.startsWith('heard')));
  await call.hangUp();
  expect(seen).toEqual(['ringing ringing 0', 'answered answered 0', 'heard answered 1', 'ended ended 1']);
});
