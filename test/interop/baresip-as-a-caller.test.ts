import { AGENT_TONES, CALLER_TONE, eventually, SUPPORT } from '../support/call-lab';
import type { CallLab } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { Baresip } from './peers/baresip';
import { describeIf, installed } from './peers/installed';
import { peerRoom } from './peers/peer-process';

const ANNA = AGENT_TONES['anna'] ?? 0;

async function lastEnd(lab: CallLab): Promise<unknown> {
  return await eventually('the end of the call', async () => {
    const [last] = await lab.calls();
    return last?.endedAt === undefined ? undefined : { result: last.result, reason: last.reason };
  });
}

describeIf(installed('baresip'))('baresip as a caller', () => {
  const room = peerRoom();
  const suite = labSuite({ agents: ['anna'] });

  function heardByAnna(): number {
    const call = suite.lab.tenant.calls({ agent: 'anna' }).findLast((c) => c.state !== 'ended');
    return call?.heardTones.find((tone) => tone.hz === CALLER_TONE)?.ms ?? 0;
  }

  it.each([
    ['udp', 'PCMA'],
    ['tcp', 'PCMU'],
  ] as const)('over %s with %s: both hear each other, and the caller hangs up', async (transport, codec) => {
    const { lab } = suite;
    const phone = await Baresip.start(room, { user: '+491700000002', toneHz: CALLER_TONE, transport, codec });
    phone.dial(`sip:${SUPPORT}@127.0.0.1:${lab[transport].port};transport=${transport}`);
    await phone.event('CALL_ESTABLISHED');
    await eventually('anna hears the caller', () => (heardByAnna() > 1_500 ? true : undefined), 20_000);
    phone.hangUp();
    expect(await lastEnd(lab)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    expect(phone.output).toMatch(new RegExp(`Set audio encoder: ${codec} 8000Hz`));
    expect(phone.heard([ANNA]).get(ANNA)).toBeGreaterThan(300);
  });

  it('is hung up on by the agent', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 100, hangUpAfterMs: 1_500 });
    const phone = await Baresip.start(room, { user: '+491700000002', toneHz: CALLER_TONE });
    phone.dial(`sip:${SUPPORT}@127.0.0.1:${lab.udp.port}`);
    await phone.event('CALL_CLOSED');
    expect(await lastEnd(lab)).toEqual({ result: 'success', reason: 'agent-hung-up' });
    expect(phone.heard([ANNA]).get(ANNA)).toBeGreaterThan(300);
  });

  it('holds, takes back, and is heard again', async () => {
    const { lab } = suite;
    const phone = await Baresip.start(room, { user: '+491700000002', toneHz: CALLER_TONE });
    phone.dial(`sip:${SUPPORT}@127.0.0.1:${lab.udp.port}`);
    await phone.event('CALL_ESTABLISHED');
    await eventually('anna hears the caller', () => (heardByAnna() > 300 ? true : undefined));
    phone.hold();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const held = heardByAnna();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(heardByAnna() - held).toBeLessThan(100);
    phone.resume();
    await eventually('anna hears the caller again', () => (heardByAnna() > held + 500 ? true : undefined));
    phone.hangUp();
    expect(await lastEnd(lab)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });
});
