/** `npm run bench:call`: what a call costs, and how many the system carries. See docs/benchmarks.md. */
import { cpus } from 'node:os';
import path from 'node:path';
import { FEW_AGENTS } from './document';
import { parseOptions, USAGE } from './options';
import type { BenchOptions, SectionName } from './options';
import { loadAverage, memoryOf } from './processes';
import { asJson, asText } from './report';
import type { Report } from './report';
import { measureCapacity } from './sections/capacity';
import { measureLatency } from './sections/latency';
import { measureNext } from './sections/next';
import { measureRate } from './sections/rate';
import { measureSoak } from './sections/soak';
import type { SectionResult, StepTable } from './statistics';
import { startSystem } from './system';
import type { System } from './system';

const ROOT = path.resolve(__dirname, '..');
const RATES = { full: [10, 20, 40, 60, 80, 100], quick: [10, 40] };
const LOADS = { full: [10, 25, 50, 75, 100, 150], quick: [10, 50] };
/** Agents beyond the largest step, so that nobody waits for one. */
const SPARE_AGENTS = 20;

function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

async function measure(system: System, name: SectionName, options: BenchOptions): Promise<SectionResult> {
  const { quick } = options;
  switch (name) {
    case 'latency': {
      return await measureLatency(system, quick ? 12 : 100);
    }
    case 'next': {
      return await measureNext(system, quick ? 25 : 200);
    }
    case 'rate': {
      const rates = options.rates ?? (quick ? RATES.quick : RATES.full);
      return await measureRate(system, { rates, seconds: quick ? 3 : 10 });
    }
    case 'capacity': {
      const loads = options.loads ?? (quick ? LOADS.quick : LOADS.full);
      return await measureCapacity(system, { loads, seconds: quick ? 3 : 10 });
    }
    case 'soak': {
      return await measureSoak(system, { calls: quick ? 100 : 2_000, perSecond: 20 });
    }
  }
}

function peakMemory(system: System): StepTable {
  return {
    title: 'Memory, MB, at the end of the run',
    columns: ['process', 'resident', 'peak'],
    rows: system.parts.map((part) => {
      const { nowMb, peakMb } = memoryOf(part);
      return [part.name, nowMb.toFixed(0), peakMb?.toFixed(0) ?? '–'];
    }),
    notes: ['of Postgres the shares of shared pages are added up (PSS)'],
  };
}

async function run(options: BenchOptions): Promise<Report> {
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const loadBefore = loadAverage();
  const largest = Math.max(...(options.loads ?? LOADS.full), ...(options.rates ?? RATES.full));
  const agents = FEW_AGENTS + largest + SPARE_AGENTS;
  progress('starting');
  const system = await startSystem({ root: ROOT, agents, cpuProfile: options.cpuProfile, priority: options.priority });
  const stop = (): void => {
    progress('stopped by a signal');
    void system.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const sections: Record<string, SectionResult> = {};
    for (const name of options.sections) {
      progress(`${system.servers} servers: ${name}`);
      sections[name] = await measure(system, name, options);
    }
    return {
      servers: system.servers,
      startedAt,
      seconds: (performance.now() - started) / 1000,
      node: process.versions.node,
      cores: cpus().length,
      loadBefore,
      loadAfter: loadAverage(),
      sections,
      memory: peakMemory(system),
    };
  } finally {
    progress(`logs of the processes: ${system.directory}`);
    await system.close();
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const report = await run(options);
  process.stdout.write(options.json ? `${asJson(report)}\n` : asText(report));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
