import { longGaps } from '../../support/long-gaps';
import { ANNA, Sbc, makeMaterial, startTenant, until, type Material } from './sbc';
import type { TeamsTenant } from '../../../src/embedded/teams/tenant';
import { tickerRunning } from '../../../src/embedded/rtp/clock';

let material: Material;
let tenant: TeamsTenant;
let sbc: Sbc;

beforeAll(async () => {
  material = await makeMaterial();
});
beforeEach(async () => {
  tenant = await startTenant(material, { presenceLagMs: 0 });
  sbc = await Sbc.start(material, tenant.sipPort);
});
afterEach(async () => {
  await until('all calls gone at the tenant', () => tenant.live === 0);
  await sbc.close();
  await tenant.close();
  expect(tickerRunning()).toBe(false);
});

const onlyCall = () => {
  expect(tenant.calls()).toHaveLength(1);
  return tenant.calls()[0]!;
};

test('over TLS and SRTP both hear each other, and the hang-up of the trunk ends it', async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  await until('the caller hears Anna', () => call.media.heardMs(ANNA.toneHz) >= 300);
  await until('Anna hears the caller', () => onlyCall().heardTones.some((tone) => tone.hz === 700 && tone.ms >= 300));
  expect(onlyCall()).toMatchObject({
    from: '+4915112345678',
    fromName: 'Caller',
    to: ANNA.number,
    agent: 'anna',
    state: 'answered',
    status: 200,
    rulesBroken: [],
  });
  expect(tenant.users().find((user) => user.name === 'anna')).toMatchObject({
    calls: 1,
    presence: { availability: 'Busy', activity: 'InACall' },
  });
  await call.hangUp({ headers: { Reason: 'Q.850;cause=16' } });
  await until('the call has ended', () => onlyCall().state === 'ended');
  const { startedAt, ringingAt, answeredAt, endedAt, ...rest } = onlyCall();
  expect([startedAt, ringingAt, answeredAt, endedAt]).toEqual([...[startedAt, ringingAt, answeredAt, endedAt]].sort());
  expect(rest).toMatchObject({
    endedBy: 'sbc',
    reason: 'Q.850;cause=16',
    packets: { srtpFailures: 0, lost: 0 },
    gaps: [],
  });
  const heard = call.report();
  expect(heard).toMatchObject({ srtp: true, srtpFailures: 0, lost: 0, codec: 'PCMA' });
  expect(heard.tones.map((tone) => tone.hz)).toEqual([ANNA.toneHz]);
  expect(tenant.users()[0]!.presence.availability).toBe('Available');
});

test('the requests of Teams come on a connection that Teams opened', async () => {
  tenant.setScript('anna', { kind: 'answer', afterMs: 0, hangUpAfterMs: 100 });
  const call = await sbc.call(ANNA.number);
  const end = await call.ended;
  expect(end).toMatchObject({ by: 'remote', status: 200 });
  expect(end.reason).toMatch(/^Q\.850;cause=16;text="[0-9a-f-]{36};/);
  const bye = sbc.wire.find(({ message }) => message.method === 'BYE')!;
  const answer = sbc.wire.find(({ direction, message }) => direction === 'in' && message.status === 200)!;
  expect(answer.peer.port).toBe(tenant.sipPort);
  expect(bye.peer.port).not.toBe(tenant.sipPort);
  expect(onlyCall()).toMatchObject({ endedBy: 'agent' });
});

test('several devices ring under tags of their own, and the 200 can come from one that did not', async () => {
  tenant.setScript('anna', { kind: 'answer', afterMs: 200, devices: 3, answerFromUnseenFork: true });
  const call = await sbc.call(ANNA.number);
  await call.answered;
  const tags = sbc.wire
    .filter(({ direction, message }) => direction === 'in' && message.status >= 180 && message.cseq.method === 'INVITE')
    .map(({ message }) => [message.status, message.toTag]);
  expect(tags.map(([status]) => status)).toEqual([180, 180, 180, 200]);
  expect(new Set(tags.map(([, tag]) => tag)).size).toBe(4);
  await until('sound', () => call.media.heardMs(ANNA.toneHz) > 0);
  await call.hangUp();
});

test('early media is heard before the answer and goes on after it', async () => {
  tenant.setScript('anna', { kind: 'answer', afterMs: 300, earlyMedia: true });
  const call = await sbc.call(ANNA.number);
  const statuses: number[] = [];
  call.events.on('ringing', (status) => statuses.push(status));
  await call.answered;
  expect(statuses).toContain(183);
  await until('sound', () => call.media.heardMs(ANNA.toneHz) > 0);
  expect(call.report().srtpFailures).toBe(0);
  await call.hangUp();
});

test.each(['lifetime', 'lifetime-mki'] as const)('an answer whose key is written with %s is heard', async (form) => {
  tenant.misbehave({ what: 'crypto-form', form });
  const call = await sbc.call(ANNA.number);
  await call.answered;
  const crypto = /a=crypto:.*/.exec(call.session.remoteSdp!)![0];
  expect(crypto).toContain(form === 'lifetime' ? '|2^31' : '|2^31|1:1');
  await until('sound', () => call.media.heardMs(ANNA.toneHz) > 0);
  await until('sound there', () => onlyCall().heardTones.length > 0);
  expect(call.report().srtpFailures).toBe(0);
  await call.hangUp();
});

test('an answer in plain RTP is refused by the phone, which hangs up', async () => {
  tenant.misbehave({ what: 'answer-plain-rtp', on: true });
  const call = await sbc.call(ANNA.number);
  await expect(call.answered).rejects.toMatchObject({ code: 'SK_MEDIA_OFFER_REFUSED' });
  await until('the call has ended', () => onlyCall().state === 'ended');
});

test('hold is a=inactive, nothing is sent meanwhile, and unhold brings both back', async () => {
  tenant.setScript('anna', { kind: 'answer', afterMs: 0, holdAfterMs: 300, holdForMs: 400 });
  const call = await sbc.call(ANNA.number);
  const holds: boolean[] = [];
  call.events.on('held', (held) => holds.push(held));
  await call.answered;
  await until('held', () => onlyCall().state === 'held');
  const offer = sbc.wire.filter(({ direction, message }) => direction === 'in' && message.method === 'INVITE')[0]!;
  expect(offer.message.body).toContain('a=inactive');
  await until('taken back', () => onlyCall().state === 'answered' && holds.length === 2);
  expect(holds).toEqual([true, false]);
  const before = call.media.heardMs(ANNA.toneHz);
  await until('Anna is heard again', () => call.media.heardMs(ANNA.toneHz) > before + 200);
  expect(longGaps(call.report().gaps)).toEqual([]);
  expect(onlyCall().rulesBroken).toEqual([]);
  expect(longGaps(onlyCall().gaps)).toEqual([]);
  await call.hangUp();
});

test('a session refresh keeps the media, and a trunk that refuses it or moves is recorded', async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  const { id } = onlyCall();
  await tenant.act(id, 'refresh');
  expect(onlyCall().rulesBroken).toEqual([]);
  call.session.onReinvite((request) => {
    const body = call.session.localSdp!.replace(/m=audio \d+/, 'm=audio 40000');
    request.respond(200, undefined, { body });
  });
  await tenant.act(id, 'refresh');
  call.session.onReinvite((request) => request.respond(488));
  await tenant.act(id, 'refresh');
  expect(onlyCall().rulesBroken.map((b) => b.rule)).toEqual(['refresh-changed', 'refresh-refused']);
  await call.hangUp();
});

test('a hold that the trunk answers with another direction is recorded', async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  call.session.onReinvite((request) => request.respond(200, undefined, { body: call.session.localSdp! }));
  await tenant.act(onlyCall().id, 'hold');
  expect(onlyCall().rulesBroken).toEqual([expect.objectContaining({ rule: 'hold-answer', offending: 'a=sendrecv' })]);
  await call.hangUp();
});

test("the trunk's re-INVITE that moves media is answered, but Teams goes on sending to the first target", async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  await until('sound', () => call.media.heardMs(ANNA.toneHz) > 100);
  const moved = call.session.localSdp!.replace(/m=audio \d+/, 'm=audio 40000');
  expect((await call.session.reinvite(moved)).status).toBe(200);
  const before = call.media.heardMs(ANNA.toneHz);
  await until('Anna is still heard at the first port', () => call.media.heardMs(ANNA.toneHz) > before + 200);
  expect(onlyCall().rulesBroken.map((b) => b.rule)).toEqual(['media-moved']);
  const zero = moved.replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0');
  const refused = await call.session.reinvite(zero);
  expect(refused.status).toBe(488);
  expect(refused.get('reason')).toMatch(/^Q\.850;cause=79;text="[0-9a-f-]{36};/);
  expect(onlyCall()).toMatchObject({ state: 'answered' });
  await call.hangUp();
});

test('DTMF of the caller reaches the agent', async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  call.press('1#');
  await until('digits', () => onlyCall().digits === '1#');
  await call.hangUp();
});

test('a required 100rel is served', async () => {
  tenant.setScript('anna', { kind: 'answer', afterMs: 300, devices: 2 });
  const call = await sbc.call(ANNA.number, { headers: { Require: '100rel' } });
  await call.answered;
  const pracks = sbc.wire.filter(({ message }) => message.method === 'PRACK');
  expect(pracks).toHaveLength(1);
  await call.hangUp();
});

test('a missing ACK is recorded and ends the call', async () => {
  await sbc.close();
  await tenant.close();
  tenant = await startTenant(material, { timers: { t1: 20, t2: 80, t4: 100 } });
  sbc = await Sbc.start(material, tenant.sipPort);
  jest.spyOn(sbc.stack, 'sendStateless').mockImplementation(() => () => undefined);
  const call = await sbc.call(ANNA.number);
  await call.answered;
  await until('ended', () => onlyCall().state === 'ended');
  expect(onlyCall().rulesBroken.map((b) => b.rule)).toEqual(['ack-missing']);
  expect((await call.ended).by).toBe('remote');
});
