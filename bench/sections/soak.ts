/** Memory over 2,000 calls. */
import { memoryOf } from '../processes';
import { countOutcomes, runShortCalls } from '../short-calls';
import type { SectionResult } from '../statistics';
import type { System } from '../system';
import { sleep, until } from '../wait';

const FIRST_CALLS = 200;
/** Used memory after garbage collection may differ by so much without anything being kept: compiled code, caches, buffers. */
const HEAP_ALLOWANCE_MB = 4;
/** Processes whose heap cannot be asked: growth of what is resident. */
const RESIDENT_ALLOWANCE = 0.1;

interface Look {
  readonly residentMb: number;
  readonly peakMb: number | undefined;
  readonly heapMb: number | undefined;
}

export async function measureSoak(
  system: System,
  options: { readonly calls: number; readonly perSecond: number },
): Promise<SectionResult> {
  const { perSecond } = options;
  const first = Math.min(FIRST_CALLS, Math.floor(options.calls / 2));
  const early = await runShortCalls(system, { perSecond, calls: first });
  const before = await look(system);
  const late = await runShortCalls(system, { perSecond, calls: options.calls - first });
  const after = await look(system);
  const connected = countOutcomes([...early, ...late]).connected;
  const rows = system.parts.map((part) => ({
    name: part.name,
    before: before.get(part.name),
    after: after.get(part.name),
  }));
  const mb = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));
  return {
    figures: [],
    tables: [
      {
        title: `Memory, MB, after ${first} and after ${options.calls} calls at ${perSecond}/s (${connected} connected)`,
        columns: [
          'process',
          `resident after ${first}`,
          `after ${options.calls}`,
          `heap after ${first}`,
          `after ${options.calls}`,
          'peak',
        ],
        rows: rows.map(({ name, before: b, after: a }) => [
          name,
          mb(b?.residentMb),
          mb(a?.residentMb),
          mb(b?.heapMb),
          mb(a?.heapMb),
          mb(a?.peakMb),
        ]),
        notes: [
          'heaps are after garbage collection; of Postgres the shares of shared pages are added up (PSS); it keeps the rows of the calls',
        ],
      },
    ],
    goals: [
      {
        name: 'calls of the memory run',
        text: `at least 95 % of ${options.calls} connected, else the figures say nothing (${connected})`,
        met: connected >= options.calls * 0.95,
      },
      ...rows
        .filter(({ name }) => name !== 'postgres')
        .map(({ name, before: b, after: a }) => ({ name: `memory of ${name}`, ...growth(b, a, options.calls) })),
    ],
  };
}

function growth(before: Look | undefined, after: Look | undefined, calls: number): { text: string; met: boolean } {
  const text = `no growth over ${calls} calls`;
  if (!before || !after) {
    return { text: `${text} (not measured)`, met: false };
  }
  if (before.heapMb !== undefined && after.heapMb !== undefined) {
    const grown = after.heapMb - before.heapMb;
    return { text: `${text} (heap ${grown >= 0 ? '+' : ''}${grown.toFixed(1)} MB)`, met: grown <= HEAP_ALLOWANCE_MB };
  }
  const grown = after.residentMb - before.residentMb;
  return {
    text: `${text} (resident ${grown >= 0 ? '+' : ''}${grown.toFixed(1)} MB)`,
    met: grown <= before.residentMb * RESIDENT_ALLOWANCE,
  };
}

async function look(system: System): Promise<ReadonlyMap<string, Look>> {
  await until(() => system.peers.live === 0, 15_000);
  // Transactions and ended dialogs are kept for the time that RFC 3261 asks for: 32 s (timers B, F, H, J).
  await sleep(35_000);
  const heaps = new Map<string, number>();
  for (const child of system.children) {
    heaps.set(child.name, (await child.stats({ collect: true })).heapMb);
  }
  return new Map(
    system.parts.map((part) => {
      const { nowMb, peakMb } = memoryOf(part);
      return [part.name, { residentMb: nowMb, peakMb, heapMb: heaps.get(part.name) }];
    }),
  );
}
