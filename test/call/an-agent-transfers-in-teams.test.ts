import { AGENT_TONES, eventually, SUPPORT } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { store } from '../../src/store';

const ANNA = AGENT_TONES['anna'] ?? 0;
const BEN = AGENT_TONES['ben'] ?? 0;

describe('an agent transfers in Teams: REFER', () => {
  const suite = labSuite({
    agents: ['anna', 'ben'],
    teams: { refer: true },
    queue: { strategy: 'top-down', wrapUpSeconds: 4 },
  });

  async function talkWithAnna(script: object): Promise<Awaited<ReturnType<typeof suite.lab.dial>>> {
    suite.lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, transferAfterMs: 800, ...script });
    await suite.allAvailable();
    const call = await suite.lab.dial();
    await eventually('anna is heard', () => (call.heardMs(ANNA) > 200 ? true : undefined));
    return call;
  }

  it('followed locally it would fail: the new INVITE goes back to Teams with Refer-To and Referred-By byte for byte', async () => {
    const { lab } = suite;
    const call = await talkWithAnna({ transferTo: 'clara' });
    const clara = AGENT_TONES['clara'] ?? 0;
    await eventually('the caller hears clara', () => (call.heardMs(clara) > 200 ? true : undefined));
    expect(lab.tenant.rulesBroken().filter((r) => r.section === '1.8')).toEqual([]);
    expect(lab.tenant.calls({ agent: 'clara' }).at(-1)).toMatchObject({ from: '+491700000001', status: 200 });
    await call.hangUp();
    await lab.ending(call);
  });

  it('BYE right after the 202 of a blind transfer does not take the caller away', async () => {
    const { lab } = suite;
    const call = await talkWithAnna({ transferTo: 'clara' });
    await eventually('anna has hung up', () =>
      lab.tenant.calls({ agent: 'anna' }).at(-1)?.endedBy === 'agent' ? true : undefined,
    );
    expect(call.state).not.toBe('ended');
    await eventually('the caller hears clara', () => (call.heardMs(1500) > 200 ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  });

  it('attended: NOTIFY tells how far it is, and anna leaves at the 200', async () => {
    const { lab } = suite;
    const call = await talkWithAnna({ transferTo: 'clara', transferKind: 'attended' });
    await eventually('the caller hears clara', () => (call.heardMs(1500) > 200 ? true : undefined));
    const anna = await eventually('anna has left', () => {
      const view = lab.tenant.calls({ agent: 'anna' }).at(-1);
      return view?.state === 'ended' ? view : undefined;
    });
    expect(anna.transfer).toMatchObject({ status: 202, invited: true });
    expect(anna.transfer?.notified.at(-1)).toBe(200);
    await call.hangUp();
    await lab.ending(call);
  });

  it('to the number of a queue: the caller is back in the queue and reaches the next agent, nothing goes out to Teams', async () => {
    const { lab } = suite;
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 1_500 });
    const call = await talkWithAnna({ transferTo: SUPPORT });
    await eventually('the caller hears ben', () => (call.heardMs(BEN) > 200 ? true : undefined));
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)?.transfer).toMatchObject({ invited: false });
    const kinds = await lab.story(call, ['transfer:done']);
    expect(kinds.filter((kind) => kind === 'call:arrived')).toHaveLength(1);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('to the queue that the caller came from: another agent has the caller, though who sent him on is ready before', async () => {
    const { lab } = suite;
    lab.tenant.setScript('ben', { kind: 'busy' });
    const call = await talkWithAnna({ transferTo: SUPPORT });
    await lab.story(call, ['transfer:done']);
    const { id } = await lab.agent('anna');
    await eventually('anna is free', async () => {
      await store.ready(lab.database.db, id, 'the test');
      return (await lab.agent('anna')).state === 'ready' ? true : undefined;
    });
    const rung = lab.tenant.calls({ agent: 'anna' }).length;
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 50 });
    await store.ready(lab.database.db, (await lab.agent('ben')).id, 'the test');
    await suite.bothHear(call, 'ben');
    expect(lab.tenant.calls({ agent: 'anna' })).toHaveLength(rung);
    await call.hangUp();
    await lab.ending(call);
  });

  it('REFER and BYE come from another address of Microsoft, on a new connection: they find their dialog', async () => {
    const { lab } = suite;
    lab.tenant.misbehave({ what: 'elsewhere', on: true });
    try {
      const call = await talkWithAnna({ transferTo: 'clara' });
      await eventually('the caller hears clara', () => (call.heardMs(1500) > 200 ? true : undefined));
      const clara = lab.tenant.calls({ agent: 'clara' }).at(-1);
      await lab.tenant.act(clara?.id ?? '', 'hang-up');
      expect((await call.ended).by).toBe('remote');
      await lab.ending(call);
    } finally {
      lab.tenant.misbehave({ what: 'reset' });
    }
  });
});

describe('an agent transfers in Teams: the trunk takes no REFER', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('Allow of ours holds no REFER, so Teams keeps the transfer to itself and the dialog stays', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, transferAfterMs: 500, transferTo: 'clara' });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)).toMatchObject({ state: 'answered', transfer: null });
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('an agent’s forwarding sends a queue call out again', () => {
  const suite = labSuite({ agents: ['anna', 'ben'], queue: { strategy: 'top-down', ringTimeoutSeconds: 3 } });

  it('the new INVITE on the trunk is recognised and refused; the queue offers the caller to the next agent', async () => {
    const { lab } = suite;
    await eventually('the trunk is watched by Teams', () => (lab.tenant.trunks()[0]?.active ? true : undefined));
    lab.tenant.setScript('anna', { kind: 'forward', to: '+491711234567' });
    const call = await lab.dial();
    await eventually('ben is heard', () => (call.heardMs(BEN) > 200 ? true : undefined));
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)?.forwardStatus).toBe(403);
    const { text } = await lab.node.metrics.exposition();
    expect(text).toContain('sidekick_teams_refused_total{reason="forwarded-call"} 1');
    await call.hangUp();
    await lab.ending(call);
  });
});
