import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

const TOKEN = 'hush-0123456789abcdef';

describe('orders over HTTP are heard by the node that takes them', () => {
  const suite = labSuite({
    agents: ['anna'],
    env: { SIDEKICK_HTTP: '127.0.0.1:0', SIDEKICK_ADMIN_TOKEN: TOKEN },
  });

  const order = async (path: string, body: object): Promise<void> => {
    const { port } = suite.lab.node.http ?? { port: 0 };
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
  };
  /** Matches that only the sweep asked for. */
  const foundLate = async (): Promise<string[]> =>
    (await suite.lab.node.metrics.exposition()).text
      .split('\n')
      .filter((l) => /^sidekick_sweep_found_total\{.*"match"/.test(l));

  it.each([
    ['agents/lab/anna/state', { state: 'paused' }, { state: 'ready' }],
    ['queues/lab/support/members/anna', { state: 'paused' }, { state: 'resumed' }],
  ])('an agent who may take calls again by %s gets the caller who waits, and no sweep is needed', async (...given) => {
    const [path, away, back] = given;
    const { lab } = suite;
    await suite.allAvailable();
    await order(path, away);
    const before = await foundLate();
    const call = await lab.dial({ listenFor: [1_100] });
    await call.answered;
    await eventually('the caller waits', async () => ((await lab.row(call)).state === 'waiting' ? true : undefined));
    // Longer than what the sweep takes for on its way.
    await new Promise((resolve) => setTimeout(resolve, 700));
    await order(path, back);
    await suite.bothHear(call, 'anna');
    expect(await foundLate()).toEqual(before);
    await call.hangUp();
    await lab.ending(call);
  });
});
