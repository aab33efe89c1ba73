import { replicate } from '../../../src/simulation/replicate';
import type { PlanReport } from '../../../src/simulation/replicate';
import { mmn, mmnM, mmnWithin } from '../../support/erlang';
import { singleQueue } from '../../support/simple-plan';

/** Ten runs give a 95 % interval; twice its half width is missed by a right simulation once in some hundred seeds, and seeds are fixed. */
function expectWithin(
  name: string,
  report: PlanReport,
  figure: 'asaMs' | 'abandoned' | 'atOnce' | 'serviceLevel',
  exact: number,
): void {
  const { mean, halfWidth } = report.queues.get('q')![figure];
  const off = Math.abs(mean - exact);
  if (!(off <= 2 * halfWidth) || !(halfWidth < 0.15 * Math.abs(exact) + 1e-9)) {
    throw new Error(`${name}, ${figure}: ${mean} ± ${halfWidth}, exact ${exact}`);
  }
}

describe('the simulation agrees with queueing theory', () => {
  it.each([
    { servers: 1, perSecond: 0.7 / 60, handlingSeconds: 60, hours: 600 },
    { servers: 10, perSecond: 8 / 180, handlingSeconds: 180, hours: 300 },
    { servers: 100, perSecond: 92 / 240, handlingSeconds: 240, hours: 60 },
  ])('Erlang C: $servers agents', (given) => {
    const exact = mmn(given.servers, given.perSecond, given.handlingSeconds);
    const report = replicate(singleQueue(given), { seed: 11, runs: 10 });
    expectWithin('Erlang C', report, 'atOnce', 1 - exact.waits);
    expectWithin('Erlang C', report, 'asaMs', exact.meanWait * 1000);
    expectWithin(
      'Erlang C',
      report,
      'serviceLevel',
      mmnWithin(given.servers, given.perSecond, given.handlingSeconds, 20),
    );
    expect(report.queues.get('q')!.abandoned.mean).toBe(0);
    const load = (given.perSecond * given.handlingSeconds) / given.servers;
    expect(Math.abs(report.occupancy.mean - load)).toBeLessThan(0.02);
  });

  it.each([
    { servers: 10, perSecond: 8 / 180, handlingSeconds: 180, patienceSeconds: 120, hours: 150 },
    { servers: 10, perSecond: 12 / 180, handlingSeconds: 180, patienceSeconds: 90, hours: 150 },
    { servers: 50, perSecond: 50 / 240, handlingSeconds: 240, patienceSeconds: 300, hours: 50 },
  ])('Erlang A: $servers agents, more load than they could serve included', (given) => {
    const exact = mmnM(given.servers, given.perSecond, given.handlingSeconds, given.patienceSeconds);
    const report = replicate(singleQueue(given), { seed: 12, runs: 10 });
    expectWithin('Erlang A', report, 'abandoned', exact.abandons);
  });
});
