/**
 * What one decision costs: `npm run bench:routing`. Pure code, no database; the snapshot is there already. Two loads: most agents busy,
 * as when calls queue up, and everybody free, as after an outage. Prints a table; `--json` for machines, `--quick` for fewer rounds.
 */
import { decide } from '../src/routing/decide';
import { explain } from '../src/routing/explain';
import { compareCalls } from '../src/routing/order-calls';
import type { Candidate, QueueRules, Snapshot, StrategyName, WaitingCall } from '../src/routing/types';
import { runCompiled } from './compile';
import { percentile } from './statistics';

const GOAL = { agents: 10_000, calls: 1_000, ms: 2 };
const NOW = 1_900_000_000_000;
const AGENTS = [100, 1_000, 10_000];
const CALLS = [10, 1_000, 5_000];
const MIN_ROUNDS = 15;

interface Load {
  readonly name: string;
  /** One agent of so many is free. */
  readonly freeOneIn: number;
  readonly strategy: StrategyName;
  /** Queues that share the agents. */
  readonly queues: number;
  readonly skills?: true;
}

const LOADS: readonly Load[] = [
  { name: '2 % free', freeOneIn: 50, strategy: 'longest-idle', queues: 1 },
  { name: 'all free', freeOneIn: 1, strategy: 'longest-idle', queues: 1 },
  { name: '2 % free, 20 queues shared', freeOneIn: 50, strategy: 'longest-idle', queues: 20 },
  { name: '2 % free, skills and levels', freeOneIn: 50, strategy: 'skill-tightest', queues: 1, skills: true },
];

function uuid(kind: number, n: number): string {
  return `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${((n * 2_654_435_761) % 0x1_0000_0000).toString(16).padStart(12, '0')}`;
}

function snapshotOf(load: Load, agents: number, calls: number): Snapshot {
  const queues = Array.from({ length: load.queues }, (_, i) => rules(load, i));
  return {
    now: NOW,
    queueId: queues[0]?.queueId ?? '',
    seed: 7,
    queues,
    agents: Array.from({ length: agents }, (_, i) => agent(load, i)),
    // In the order of service, as the store gives them.
    calls: Array.from({ length: calls }, (_, i) => call(load, i)).sort((a, b) => compareCalls(a, b, NOW)),
  };
}

function rules(load: Load, i: number): QueueRules {
  return {
    queueId: uuid(1, i),
    name: `queue-${i}`,
    strategy: load.strategy,
    weight: i % 3,
    levels: 'strict',
    ...(load.skills ? { levelAfterMs: { 2: 20_000, 3: 60_000 }, relaxations: [{ afterMs: 90_000, skill: 's0' }] } : {}),
    skipEmptyLevels: true,
    presence: { accept: ['Available', 'AvailableIdle'], staleAfterMs: 30_000, unknown: 'refuse', graceMs: 15_000 },
    maxParallel: 5,
    stepAgents: 1,
    stepMs: 5_000,
    spareScarceAgents: false,
  };
}

function agent(load: Load, i: number): Candidate {
  const free = i % load.freeOneIn === 0;
  const queues = load.queues === 1 ? [0] : [i % load.queues, (i * 7 + 3) % load.queues, (i * 13 + 5) % load.queues];
  return {
    agentId: uuid(2, i),
    name: `agent-${i}`,
    memberships: [...new Set(queues)].map((q, n) => ({
      queueId: uuid(1, q),
      level: 1 + (i % 3),
      position: i,
      priority: 1 + n,
    })),
    workState: i % 5 === 1 && !free ? { kind: 'wrap-up', until: NOW + (i % 9_000) } : { kind: 'ready' },
    readySince: NOW - ((i * 7_919) % 3_600_000),
    ...(free ? {} : { openOffer: { offerId: uuid(4, i), callId: uuid(5, i), connected: true } }),
    endpoint: { kind: 'teams', trunk: 'teams', up: true },
    presence: {
      availability: 'Available',
      activity: 'Available',
      readAt: NOW - (i % 9_000),
      changedAt: NOW - 90_000,
      source: 'graph-poll',
    },
    ...(load.skills ? { skills: { [`s${i % 10}`]: 5, [`s${(i * 3) % 10}`]: 7 } } : {}),
  };
}

function call(load: Load, i: number): WaitingCall {
  const queuedAt = NOW - ((i * 104_729) % 300_000);
  return {
    callId: uuid(3, i),
    queueId: uuid(1, i % load.queues),
    nodeId: 'node',
    class: i % 50 === 0 ? 5 : 0,
    headStartMs: 0,
    firstQueuedAt: queuedAt,
    queuedAt,
    ...(load.skills ? { needs: [{ skill: `s${i % 10}`, atLeast: 4 }] } : {}),
    ...(i % 100 === 7 ? { excluded: [{ agentId: uuid(2, i), until: NOW + 10_000 }] } : {}),
  };
}

function time(run: () => unknown, budgetMs: number): { readonly p50: number; readonly p95: number } {
  const warm = performance.now();
  while (performance.now() - warm < budgetMs / 3) {
    run();
  }
  const took: number[] = [];
  const began = performance.now();
  while (took.length < MIN_ROUNDS || performance.now() - began < budgetMs) {
    const at = performance.now();
    run();
    took.push(performance.now() - at);
  }
  took.sort((a, b) => a - b);
  return { p50: percentile(took, 50), p95: percentile(took, 95) };
}

function main(args: readonly string[]): void {
  const budgetMs = args.includes('--quick') ? 60 : 400;
  const rows: Record<string, unknown>[] = [];
  for (const load of LOADS) {
    for (const agents of AGENTS) {
      for (const calls of CALLS) {
        const snapshot = snapshotOf(load, agents, calls);
        const decision = decide(snapshot);
        const { p50, p95 } = time(() => decide(snapshot), budgetMs);
        rows.push({ load: load.name, agents, calls, assigned: decision.assignments.length, p50, p95 });
      }
    }
  }
  const snapshot = snapshotOf(LOADS[0] as Load, GOAL.agents, GOAL.calls);
  const decision = decide(snapshot);
  const explained = time(() => explain(snapshot, decision, snapshot.calls[0]?.callId ?? ''), budgetMs);
  if (args.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ goal: GOAL, rows, explain: explained }, undefined, 2)}\n`);
    return;
  }
  const lines = rows.map((row) =>
    [
      String(row['load']).padEnd(30),
      String(row['agents']).padStart(7),
      String(row['calls']).padStart(7),
      String(row['assigned']).padStart(9),
      (row['p50'] as number).toFixed(3).padStart(9),
      (row['p95'] as number).toFixed(3).padStart(9),
      verdict(row),
    ].join(' '),
  );
  const head = `${'load'.padEnd(30)}  agents   calls  assigned  p50 (ms)  p95 (ms)`;
  const one = `explain one call among ${GOAL.agents} agents: p50 ${explained.p50.toFixed(1)} ms, p95 ${explained.p95.toFixed(1)} ms`;
  process.stdout.write(`${[head, ...lines, '', one].join('\n')}\n`);
}

/** The goal is for the typical load: agents are short. */
function verdict(row: Readonly<Record<string, unknown>>): string {
  if (row['agents'] !== GOAL.agents || row['calls'] !== GOAL.calls) {
    return '';
  }
  const met = (row['p50'] as number) < GOAL.ms;
  return `  goal < ${GOAL.ms} ms: ${met ? 'met' : 'missed'}`;
}

void runCompiled(__filename, main);
