import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('many callers share few agents', () => {
  const suite = labSuite({ agents: ['anna', 'ben'] });

  it('each is served in the order of arrival, no agent is rung twice at once, nobody is lost', async () => {
    const { lab } = suite;
    for (const name of ['anna', 'ben']) {
      lab.tenant.setScript(name, { kind: 'answer', afterMs: 100, hangUpAfterMs: 400 });
    }
    const calls = [];
    for (let i = 0; i < 10; i++) {
      const call = await lab.dial({ from: `+4917000001${String(i).padStart(2, '0')}` });
      await call.answered;
      await lab.story(call, ['call:waiting']);
      calls.push(call);
    }
    await Promise.all(calls.map((c) => c.ended));
    const served = lab.tenant
      .calls()
      .filter((c) => c.from.startsWith('+4917000001'))
      .sort((a, b) => a.startedAt - b.startedAt);
    expect(served).toHaveLength(calls.length);
    // Two agents may become free within the same millisecond, so what counts is that nobody was reserved before an earlier caller.
    const { rows } = await lab.database.db.query<{ from: string; at: number }>(
      `select c.caller_number as "from", extract(epoch from o.reserved_at) * 1000 as at from offers o join calls c on c.id = o.call_id
       where c.caller_number like '+4917000001%' order by c.caller_number`,
    );
    const reservedAt = rows.map((row) => row.at);
    expect(reservedAt).toEqual([...reservedAt].sort((a, b) => a - b));
    for (const name of ['anna', 'ben']) {
      const own = served.filter((c) => c.agent === name);
      for (let i = 1; i < own.length; i++) {
        expect(own[i]?.startedAt ?? 0).toBeGreaterThanOrEqual(own[i - 1]?.endedAt ?? Infinity);
      }
    }
    for (const call of calls) {
      expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
    }
  }, 60_000);

  it('a wrap-up holds the agent back for its time', async () => {
    const { lab } = suite;
    await lab.database.db.query(`update queues set wrap_up_seconds = 2`);
    await lab.database.db.query(
      `update agent_states set state = 'paused', reason = 'test' where agent_id = (select id from agents where name = 'ben')`,
    );
    const first = await lab.dial();
    await suite.bothHear(first, 'anna');
    await first.hangUp();
    await lab.ending(first);
    await eventually('wrap-up', async () => ((await lab.agent('anna')).state === 'wrap-up' ? true : undefined));
    const second = await lab.dial();
    await lab.story(second, ['call:waiting']);
    expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
    await suite.bothHear(second, 'anna');
    await second.hangUp();
    await lab.ending(second);
    await lab.database.db.query(`update queues set wrap_up_seconds = 0`);
  });
});
