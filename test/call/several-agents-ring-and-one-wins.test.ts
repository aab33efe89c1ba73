import { AGENT_TONES, eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

const ELSEWHERE = 'Call completed elsewhere';

describe('a queue that rings all', () => {
  const suite = labSuite({
    agents: ['anna', 'ben', 'clara'],
    queue: { strategy: 'ring-all', maxParallel: 3, ringTimeoutSeconds: 3 },
  });
  const ringing = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      await eventually(`${name} rings`, () =>
        suite.lab.tenant.calls({ agent: name, active: true }).some((c) => c.state === 'ringing') ? true : undefined,
      );
    }
  };

  it('all ring at once; the first who answers has the caller, the others hear that it was completed elsewhere', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 1_000 });
    lab.tenant.setScript('clara', { kind: 'ring-out' });
    const call = await lab.dial();
    await ringing(['anna', 'ben', 'clara']);
    await suite.bothHear(call, 'ben');
    for (const name of ['anna', 'clara']) {
      const leg = await eventually(`the end at ${name}`, () =>
        lab.tenant.calls({ agent: name }).findLast((c) => c.state === 'ended'),
      );
      expect(leg).toMatchObject({ status: 487 });
      expect(leg.reason).toContain(ELSEWHERE);
      expect(lab.tenant.users().find((u) => u.name === name)?.missedCalls).toEqual([]);
      await eventually(`${name} is free`, async () => ((await lab.agent(name)).offer ? undefined : true));
      expect(await lab.agent(name)).toMatchObject({ state: 'ready', missedInRow: 0 });
    }
    expect(call.heardMs(AGENT_TONES['anna'] ?? 0) + call.heardMs(AGENT_TONES['clara'] ?? 0)).toBe(0);
    const closed = await eventually('three closed offers but one', async () => {
      const events = (await lab.events(call)).filter((e) => e.kind === 'offer:closed');
      return events.length === 2 ? events : undefined;
    });
    expect(closed.map((e) => e.data)).toEqual([
      expect.objectContaining({ kind: 'canceled', why: 'elsewhere' }),
      expect.objectContaining({ kind: 'canceled', why: 'elsewhere' }),
    ]);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('all answer in the same moment: one has the caller, the others are hung up, nobody else hears him', async () => {
    const { lab } = suite;
    const names = ['anna', 'ben', 'clara'];
    for (let round = 0; round < 3; round++) {
      for (const name of names) {
        lab.tenant.setScript(name, { kind: 'answer', afterMs: 300 });
      }
      const call = await lab.dial();
      const winner = await eventually('one is heard', () =>
        names.find((name) => call.heardMs(AGENT_TONES[name] ?? 0) > 200),
      );
      await eventually('the others are gone', () =>
        names.every((name) => name === winner || lab.tenant.calls({ agent: name, active: true }).length === 0)
          ? true
          : undefined,
      );
      const { rows } = await lab.database.db.query<{ winners: number }>(
        `select count(*)::int as winners from offers o join calls c on c.id = o.call_id
         where c.sip_call_id = $1 and o.answered_at is not null`,
        [call.sipCallId],
      );
      expect(rows[0]?.winners).toBe(1);
      await call.hangUp();
      await lab.ending(call);
      await lab.expectNothingLeft();
      await lab.readyAll();
    }
  }, 60_000);

  it('one declines: the others go on ringing', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'decline', afterMs: 200 });
    lab.tenant.setScript('ben', { kind: 'ring-out' });
    lab.tenant.setScript('clara', { kind: 'answer', afterMs: 1_500 });
    const call = await lab.dial();
    await ringing(['ben', 'clara']);
    await eventually('anna said no', async () => ((await lab.agent('anna')).state === 'not-ready' ? true : undefined));
    expect(lab.tenant.calls({ agent: 'ben', active: true })).toHaveLength(1);
    await suite.bothHear(call, 'clara');
    await call.hangUp();
    await lab.ending(call);
  });

  it('the caller leaves: everybody stops ringing, it costs nobody anything', async () => {
    const { lab } = suite;
    const names = ['anna', 'ben', 'clara'];
    for (const name of names) {
      lab.tenant.setScript(name, { kind: 'ring-out' });
    }
    const call = await lab.dial();
    await ringing(names);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-ringing' });
    await lab.expectNothingLeft();
    for (const name of names) {
      expect(await lab.agent(name)).toMatchObject({ state: 'ready', missedInRow: 0 });
    }
  });

  it('two callers are served at once, each by an agent of their own', async () => {
    const { lab } = suite;
    const first = await lab.dial({ from: '+491700000001' });
    const second = await lab.dial({ from: '+491700000002' });
    await eventually('both talk', () => {
      const heard = [first, second].map(
        (call) => Object.entries(AGENT_TONES).find(([, hz]) => call.heardMs(hz) > 200)?.[0],
      );
      return heard[0] !== undefined && heard[1] !== undefined && heard[0] !== heard[1] ? true : undefined;
    });
    await first.hangUp();
    await second.hangUp();
    await lab.ending(first);
    await lab.ending(second);
  });
});

describe('a queue that rings more and more', () => {
  const suite = labSuite({
    agents: ['anna', 'ben', 'clara'],
    queue: { strategy: 'ring-progressively', stepAgents: 1, stepSeconds: 1, maxParallel: 3, ringTimeoutSeconds: 8 },
  });

  it('adds an agent with each step while the earlier ones keep ringing, until one answers', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    lab.tenant.setScript('ben', { kind: 'ring-out' });
    lab.tenant.setScript('clara', { kind: 'answer', afterMs: 600 });
    const call = await lab.dial();
    await suite.bothHear(call, 'clara');
    const { rows } = await lab.database.db.query<{ name: string; ms: number; cancel: string | null }>(
      `select a.name, (extract(epoch from o.reserved_at - min(o.reserved_at) over ()) * 1000)::int as ms, o.cancel_reason as cancel
       from offers o join calls c on c.id = o.call_id join agents a on a.id = o.agent_id
       where c.sip_call_id = $1 order by o.reserved_at`,
      [call.sipCallId],
    );
    expect(rows.map((row) => row.name)).toEqual(['anna', 'ben', 'clara']);
    expect(rows[1]?.ms).toBeGreaterThan(900);
    expect(rows[1]?.ms).toBeLessThan(1_900);
    expect(rows[2]?.ms).toBeGreaterThan(1_900);
    await call.hangUp();
    await lab.ending(call);
    await lab.expectNothingLeft();
    for (const name of ['anna', 'ben']) {
      expect(lab.tenant.calls({ agent: name }).at(-1)?.reason).toContain(ELSEWHERE);
    }
  });
});
