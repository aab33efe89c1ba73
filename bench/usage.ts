/** CPU time of the parts between two moments. */
import { cpuMs, machineBusyMs } from './processes';
import type { Part } from './processes';

export interface CpuUse {
  /** Milliseconds of CPU by part. */
  readonly byPart: ReadonlyMap<string, number>;
  readonly totalMs: number;
  /** The benchmark's own process: carrier and agents. */
  readonly peersMs: number;
  /** Everything else that ran on the machine meanwhile. */
  readonly othersMs: number;
  readonly wallMs: number;
}

/** Starts counting; the returned function gives what was used since. */
export function startCpu(parts: readonly Part[]): () => CpuUse {
  const before = new Map(parts.map((part) => [part.name, cpuMs(part)]));
  const own = process.cpuUsage();
  const machine = machineBusyMs();
  const at = performance.now();
  return () => {
    const byPart = new Map(parts.map((part) => [part.name, cpuMs(part) - (before.get(part.name) ?? 0)]));
    const totalMs = [...byPart.values()].reduce((a, b) => a + b, 0);
    const { user, system } = process.cpuUsage(own);
    const peersMs = (user + system) / 1000;
    return {
      byPart,
      totalMs,
      peersMs,
      othersMs: Math.max(0, machineBusyMs() - machine - totalMs - peersMs),
      wallMs: performance.now() - at,
    };
  };
}

/** Share of one core, as text. */
export function coreShare(ms: number, wallMs: number): string {
  return `${Math.round((100 * ms) / wallMs)} %`;
}
