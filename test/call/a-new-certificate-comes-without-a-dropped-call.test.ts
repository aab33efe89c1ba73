import { AGENT_TONES, eventually, REAL } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

const ANNA = AGENT_TONES['anna'] ?? 0;
const BEN = AGENT_TONES['ben'] ?? 0;
const SBC = 'sbc1.example.com';
/** Stands for "the new one": the certificate before has no such name. */
const RENEWED = 'renewed.example.com';

// drachtio-server reads its certificate at its start alone; so a second pair of drachtio and node takes over.
const story = REAL.drachtio && !REAL.nextDrachtio ? describe.skip : describe;

story('a new certificate comes without a dropped call', () => {
  const suite = labSuite({ agents: ['anna', 'ben'], queue: { strategy: 'top-down' } });

  it('a second pair with the new certificate takes the new calls; those of the first go on, hold included, until they are over', async () => {
    const { lab } = suite;
    await suite.allAvailable();
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    const old = await lab.dial();
    const talk = await suite.bothHear(old, 'anna');

    const pair = await lab.startPair([SBC, RENEWED]);
    if (!pair) {
      throw new Error('there is no second pair');
    }
    const drained = lab.node.close({ drainMs: 60_000 });
    // The carrier's second target is tried where the first one says 503.
    const refused = await lab.dial();
    expect(await refused.ended).toMatchObject({ by: 'remote' });
    expect(refused.report().status).toBe(503);
    const fresh = await lab.dial({ target: pair.udp });
    await eventually('the new caller hears ben', () => (fresh.heardMs(BEN) > 200 ? true : undefined));
    expect(lab.tenant.call(talk.id)?.certificateNames).not.toContain(RENEWED);
    expect(lab.tenant.calls({ agent: 'ben' }).at(-1)?.certificateNames).toEqual([SBC, RENEWED]);

    // Teams still reaches the old one for what began there.
    await lab.tenant.act(talk.id, 'hold');
    expect(lab.tenant.call(talk.id)?.state).toBe('held');
    await lab.tenant.act(talk.id, 'unhold');
    const before = old.heardMs(ANNA);
    await eventually('anna again', () => (old.heardMs(ANNA) > before + 300 ? true : undefined));
    expect(lab.tenant.call(talk.id)?.rulesBroken).toEqual([]);
    expect(lab.node.open().calls).toBe(1);

    await lab.tenant.act(talk.id, 'hang-up');
    expect((await old.ended).by).toBe('remote');
    expect(await lab.ending(old)).toEqual({ result: 'success', reason: 'agent-hung-up' });
    await drained;
    expect(fresh.state).not.toBe('ended');
    await fresh.hangUp();
    expect(await lab.ending(fresh)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    await eventually('nothing open', () => (pair.node.open().agentLegs === 0 ? true : undefined));
  }, 60_000);
});
