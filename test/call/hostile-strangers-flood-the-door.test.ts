import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { memoryInUse, offer, pause, RawUdp, sipRequest, undisturbed } from './hostile-peers';

const FLOOD = 3_000;
const MEGABYTE = 1024 * 1024;

describe('thousands of INVITEs from a source that is not allowed', () => {
  const suite = labSuite({ agents: ['anna'], carrier: { sources: ['127.0.0.1/32'] } });
  let stranger: RawUdp;
  beforeEach(async () => {
    stranger = await RawUdp.open('127.0.0.2');
  });
  afterEach(() => {
    stranger.close();
  });

  async function refused(): Promise<number> {
    const { text } = await suite.lab.node.metrics.exposition();
    return Number(/sidekick_carrier_refused_total\{reason="source"\} (\d+)/.exec(text)?.[1] ?? 0);
  }

  it('are refused with 403 and counted; the call in progress goes on, and another carrier call gets in', async () => {
    const { lab } = suite;
    await undisturbed(suite, async () => {
      const flood = stranger.flood(FLOOD, 600, lab.udp, () => sipRequest(stranger, { body: offer() }));
      await pause(1_500);
      const friend = await lab.dial();
      await friend.answered;
      await friend.hangUp();
      await lab.ending(friend);
      await flood;
    });
    await eventually('nearly all refused', async () => ((await refused()) >= FLOOD * 0.95 ? true : undefined));
    expect(stranger.count(403)).toBeGreaterThanOrEqual(FLOOD * 0.95);
    expect(stranger.count(200)).toBe(0);
    expect(await lab.calls()).toHaveLength(2);
  }, 60_000);

  it('leave no memory behind once their transactions are over', async () => {
    const { lab } = suite;
    const before = memoryInUse();
    const refusedBefore = await refused();
    await stranger.flood(FLOOD, 1_000, lab.udp, () => sipRequest(stranger, { body: offer() }));
    await eventually('nearly all refused', async () =>
      (await refused()) - refusedBefore >= FLOOD * 0.95 ? true : undefined,
    );
    expect(memoryInUse() - before).toBeLessThan(100 * MEGABYTE);
    // The refusals are sent again until timer H, 64 T1 (RFC 3261 17.2.1), as nobody acknowledges them.
    await pause(36_000);
    expect(memoryInUse() - before).toBeLessThan(8 * MEGABYTE);
  }, 90_000);

  it('get the same no with a forged identity, and OPTIONS too', async () => {
    const { lab } = suite;
    const before = await refused();
    const trusted = { address: '127.0.0.1', port: lab.udp.port };
    await stranger.send(
      sipRequest(trusted, { body: offer(), headers: ['P-Asserted-Identity: <sip:+491@127.0.0.1>'] }),
      lab.udp,
    );
    await eventually('refused', async () => ((await refused()) > before ? true : undefined));
    await stranger.send(sipRequest(stranger, { method: 'OPTIONS' }), lab.udp);
    await eventually('403 to OPTIONS', () => (stranger.count(403) > 0 ? true : undefined));
  });
});
