import { asText, goalsMet } from '../../../bench/report';
import type { Report } from '../../../bench/report';
import { percentile, summarise, timing } from '../../../bench/statistics';

describe('percentiles', () => {
  it('are the nearest rank, whatever the order of the values', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(summarise(values)).toEqual({ n: 100, p50: 50, p95: 95, p99: 99, max: 100 });
  });

  it('of one value are that value', () => {
    expect(summarise([7])).toEqual({ n: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  });

  it('of few values do not hide the worst', () => {
    expect(percentile([1, 2, 3, 400], 95)).toBe(400);
  });

  it('of nothing do not exist', () => {
    expect(summarise([])).toBeUndefined();
  });
});

describe('a figure with a goal', () => {
  it('meets it at the limit and misses it past the limit', () => {
    expect(timing('x', [1, 20], { p95: 20 }).goal).toEqual({ text: 'p95 ≤ 20 ms', met: true });
    expect(timing('x', [1, 20.1], { p95: 20 }).goal?.met).toBe(false);
  });

  it('misses it when nothing was measured', () => {
    expect(timing('x', [], { p95: 20 }).goal?.met).toBe(false);
  });
});

describe('a report', () => {
  const report = (met: boolean): Report => ({
    servers: 'embedded',
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 12,
    node: '20.0.0',
    cores: 2,
    loadBefore: 0.5,
    loadAfter: 1.25,
    sections: {
      latency: {
        figures: [timing('caller BYE → agent BYE', [3, 4, met ? 5 : 50], { p95: 20, peers: 'app_queue 2 / 4' })],
        tables: [],
        goals: [{ name: 'answered callers', text: 'nobody is lost', met: true }],
      },
    },
    memory: { title: 'Memory', columns: ['process', 'peak'], rows: [['node', '100']], notes: [] },
  });

  it('says of each goal whether it was met', () => {
    expect(asText(report(true))).toMatch(/caller BYE → agent BYE.*4\.0 ms.*p95 ≤ 20 ms.*met.*app_queue/);
    expect(asText(report(false))).toMatch(/caller BYE → agent BYE.*MISSED/);
    expect(goalsMet(report(true))).toBe(true);
    expect(goalsMet(report(false))).toBe(false);
  });
});
