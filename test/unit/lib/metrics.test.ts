import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createMetrics, METRICS } from '../../../src/lib/metrics';
import { tableRows } from '../../support/markdown-table';

const read = async (metrics: ReturnType<typeof createMetrics>) => (await metrics.exposition()).text;

describe('metrics', () => {
  it('are documented in docs/metrics.md with type, labels and meaning, and nothing else is', () => {
    const doc = readFileSync(path.join(__dirname, '../../../docs/metrics.md'), 'utf8');
    const expected = METRICS.map((m) => [m.name, m.type, m.labels.join(', ') || '-', m.help]);
    expect(tableRows(doc, 'name')).toEqual(expected);
  });

  it('are all exposed under their documented names', async () => {
    const text = await read(createMetrics({ processMetrics: false }));
    const exposed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((m) => [m[1], m[2]]);
    expect(exposed).toEqual(METRICS.map((m) => [m.name, m.type]));
  });

  it('count calls, and a started call is active until it ends', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.callStarted();
    metrics.callStarted();
    metrics.callEnded('success', 'caller-hung-up', 61_000);
    const text = await read(metrics);
    expect(text).toContain('sidekick_calls_active 1\n');
    expect(text).toContain('sidekick_calls_total{result="success",reason="caller-hung-up"} 1\n');
    expect(text).toContain('sidekick_call_duration_seconds_bucket{le="60",result="success"} 0\n');
    expect(text).toContain('sidekick_call_duration_seconds_bucket{le="90",result="success"} 1\n');
  });

  it('take milliseconds and show seconds', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.callStage('bridge', 12);
    metrics.offerEnded('no-answer', 15_000);
    metrics.offerEnded('unreachable', undefined);
    metrics.queueWaited('support', 'answered', 2500);
    metrics.presenceRead('ok', 250);
    const text = await read(metrics);
    expect(text).toContain('sidekick_call_stage_seconds_sum{stage="bridge"} 0.012\n');
    expect(text).toContain('sidekick_offer_ring_seconds_sum{outcome="no-answer"} 15\n');
    expect(text).toContain('sidekick_offers_total{outcome="unreachable"} 1\n');
    expect(text).not.toContain('sidekick_offer_ring_seconds_sum{outcome="unreachable"}');
    expect(text).toContain('sidekick_queue_wait_seconds_sum{queue="support",outcome="answered"} 2.5\n');
    expect(text).toContain('sidekick_presence_read_seconds_sum 0.25\n');
  });

  it('forget a queue that is gone, and show links as 0 and 1', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.queueWaiting('support', 3);
    metrics.queueWaiting('old', 1);
    metrics.queueGone('old');
    metrics.linkUp('postgres', true);
    metrics.linkUp('graph', false);
    metrics.carrierRefused('source');
    metrics.sweepFound('queue', 2);
    metrics.ignoredInput('call');
    const text = await read(metrics);
    expect(text).toContain('sidekick_queue_waiting{queue="support"} 3\n');
    expect(text).not.toContain('queue="old"');
    expect(text).toContain('sidekick_link_up{link="postgres"} 1\n');
    expect(text).toContain('sidekick_link_up{link="graph"} 0\n');
    expect(text).toContain('sidekick_carrier_refused_total{reason="source"} 1\n');
    expect(text).toContain('sidekick_sweep_found_total{what="queue"} 2\n');
    expect(text).toContain('sidekick_ignored_inputs_total{machine="call"} 1\n');
  });

  it('hold those of the process too, and two sets do not disturb each other', async () => {
    const [a, b] = [createMetrics(), createMetrics()];
    a.callStarted();
    expect(await read(a)).toContain('process_cpu_seconds_total');
    expect(await read(b)).toContain('sidekick_calls_active 0\n');
  });
});
