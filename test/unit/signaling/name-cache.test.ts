import pino from 'pino';
import { NameCache } from '../../../src/signaling/teams/name-cache';
import { ManualClock } from '../../support/manual-clock';

const SIP = 'sip.pstnhub.microsoft.com';

type Answer = { readonly afterMs: number; readonly addresses: readonly string[]; readonly ttl: number } | Error;

/** A cache whose name server does as it is told. */
function cache(answer: () => Answer) {
  const clock = new ManualClock();
  const events: string[] = [];
  const asked: number[] = [];
  const names = new NameCache({
    clock,
    log: pino(
      { level: 'warn' },
      { write: (line: string) => events.push((JSON.parse(line) as { event: string }).event) },
    ),
    resolve: async () => {
      asked.push(clock.now());
      const said = answer();
      if (said instanceof Error) {
        throw said;
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, said.afterMs));
      return said.addresses.map((address) => ({ address, ttl: said.ttl }));
    },
  });
  return { clock, events, asked, names };
}

describe('the names of proxies', () => {
  it('are looked up before anybody calls, and again each time their time to live ends', async () => {
    const { clock, names, asked } = cache(() => ({ afterMs: 5, addresses: ['52.112.0.1'], ttl: 30 }));
    names.watch([SIP]);
    await clock.advance(5);
    expect(names.get(SIP)).toMatchObject({ addresses: ['52.112.0.1'], tookMs: 5, failure: undefined });
    await clock.advance(90_000);
    expect(asked.slice(1).map((at, i) => at - (asked[i] ?? 0))).toEqual(Array(2).fill(30_005));
    names.close();
    expect(clock.pending).toBe(0);
  });

  it.each([
    [1, 10_000],
    [3_600, 60_000],
  ])('a time to live of %d s: asked again after %d ms', async (ttl, ms) => {
    const { clock, names, asked } = cache(() => ({ afterMs: 0, addresses: ['52.112.0.1'], ttl }));
    names.watch([SIP]);
    await clock.advance(0);
    await clock.advance(ms - 1);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    names.close();
  });

  it('slow DNS is told, and what was known stays known while it is asked', async () => {
    let afterMs = 5;
    const { clock, names, events } = cache(() => ({ afterMs, addresses: ['52.112.0.1'], ttl: 10 }));
    names.watch([SIP]);
    await clock.advance(5);
    afterMs = 2_000;
    await clock.advance(11_000);
    expect(names.get(SIP)?.addresses).toEqual(['52.112.0.1']);
    expect(events).toEqual([]);
    await clock.advance(1_000);
    expect(events).toEqual(['name_slow']);
    expect(names.get(SIP)?.tookMs).toBe(2_000);
    names.close();
  });

  it('failing DNS costs no address: told once, tried every ten seconds, and over by itself', async () => {
    let answer: Answer = { afterMs: 0, addresses: ['52.112.0.1', '52.112.0.2'], ttl: 10 };
    const { clock, names, events, asked } = cache(() => answer);
    names.watch([SIP]);
    await clock.advance(0);
    answer = new Error('queryA ESERVFAIL');
    await clock.advance(60_000);
    expect(names.get(SIP)).toMatchObject({
      addresses: ['52.112.0.1', '52.112.0.2'],
      failure: expect.stringContaining('ESERVFAIL'),
    });
    expect(events).toEqual(['name_not_found']);
    expect(asked).toHaveLength(7);
    answer = { afterMs: 0, addresses: ['52.112.0.9'], ttl: 10 };
    await clock.advance(10_000);
    expect(names.get(SIP)).toMatchObject({ addresses: ['52.112.0.9'], failure: undefined });
    names.close();
  });

  it('a name that is no longer watched is forgotten, also while it is being asked', async () => {
    const { clock, names } = cache(() => ({ afterMs: 50, addresses: ['52.112.0.1'], ttl: 10 }));
    names.watch([SIP]);
    await clock.advance(10);
    names.watch([]);
    await clock.advance(100);
    expect(names.get(SIP)).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('a name that is forgotten and watched again is asked for once each time, and an answer of before says nothing', async () => {
    let answer: Answer = { afterMs: 5_000, addresses: ['52.112.0.1'], ttl: 60 };
    const { clock, names, asked } = cache(() => answer);
    names.watch([SIP]);
    await clock.advance(10);
    names.watch([]);
    answer = { afterMs: 5, addresses: ['52.112.0.2'], ttl: 60 };
    names.watch([SIP]);
    await clock.advance(10_000);
    expect(names.get(SIP)?.addresses).toEqual(['52.112.0.2']);
    await clock.advance(120_000);
    expect(asked).toHaveLength(4);
    names.close();
    expect(clock.pending).toBe(0);
  });
});
