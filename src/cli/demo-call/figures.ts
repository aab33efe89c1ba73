/** What many demo calls add up to. */
import type { CallSummary } from './caller';
import type { StageName } from './stages';

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface Totals {
  readonly calls: number;
  readonly bothHeard: number;
  readonly callerHeardAgent: number;
  readonly agentHeardCaller: number;
  readonly results: Readonly<Record<string, number>>;
  /** Milliseconds from the INVITE to the first of each stage; only calls that got there. */
  readonly stages: Readonly<Partial<Record<StageName, Percentiles>>>;
}

const SHOWN: readonly StageName[] = [
  'answered',
  'waiting',
  'offered',
  'connected',
  'caller-heard-agent',
  'agent-heard-caller',
];

export function totalsOf(calls: readonly CallSummary[]): Totals {
  const results: Record<string, number> = {};
  for (const { result, reason } of calls) {
    const key = `${result}: ${reason}`;
    results[key] = (results[key] ?? 0) + 1;
  }
  const stages: Partial<Record<StageName, Percentiles>> = {};
  for (const name of SHOWN) {
    const values = calls.flatMap((call) => call.stages.find((s) => s.stage === name)?.ms ?? []);
    if (values.length > 0) {
      stages[name] = percentiles(values);
    }
  }
  return {
    calls: calls.length,
    bothHeard: calls.filter((c) => c.callerHeardAgent && c.agentHeardCaller).length,
    callerHeardAgent: calls.filter((c) => c.callerHeardAgent).length,
    agentHeardCaller: calls.filter((c) => c.agentHeardCaller).length,
    results,
    stages,
  };
}

/** Nearest rank: the smallest value that at least p per cent of the values do not exceed. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (p: number): number => sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? 0;
  return { p50: rank(50), p95: rank(95), max: rank(100) };
}
