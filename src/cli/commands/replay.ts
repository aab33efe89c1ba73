/** `replay`: what today's rules, or a changed configuration, would have decided. */
import { replayDecision } from '../../simulation/replay';
import type { Difference, DifferenceReason } from '../../simulation/replay';
import { store } from '../../store';
import type { StoredDecision } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { findQueue } from '../find';
import { line } from '../io';
import { printData } from '../output/json';
import { isoTime, outputFormat, tableOf, visible } from '../output/list';
import { readFileOf } from './config';

export interface ReplayOptions extends ListOptions {
  readonly tenant?: string;
  /** Milliseconds since the epoch; undefined: a day ago. */
  readonly from?: number;
  /** Undefined: now. */
  readonly to?: number;
  readonly queue?: string;
  readonly config?: string;
  readonly limit: number;
}

interface Found extends Difference {
  readonly at: number;
}

const PAGE = 500;
const DAY_MS = 86_400_000;

/** Exit code 1: some would differ. @throws SidekickError SK_NOT_FOUND, SK_CONFIG_INVALID */
export async function replay(context: Context, options: ReplayOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const configuration = options.config === undefined ? undefined : await readFileOf(context, options.config);
  let decisions = 0;
  let differing = 0;
  const counts = new Map<DifferenceReason, number>();
  const shown: Found[] = [];
  await withDatabase(context, options, async (db) => {
    const queueId = options.queue === undefined ? undefined : (await findQueue(db, options.queue, options.tenant)).id;
    let last: StoredDecision | undefined;
    for (;;) {
      const page = await store.decisions(db, {
        from: options.from ?? Date.now() - DAY_MS,
        to: options.to ?? Date.now(),
        limit: PAGE,
        ...(queueId === undefined ? {} : { queueId }),
        ...(last === undefined ? {} : { after: { at: last.at, id: last.id } }),
      });
      for (const decision of page) {
        decisions++;
        const differences = replayDecision(decision, configuration);
        differing += differences.length > 0 ? 1 : 0;
        for (const difference of differences) {
          counts.set(difference.reason, (counts.get(difference.reason) ?? 0) + 1);
          if (shown.length < options.limit) {
            shown.push({ ...difference, at: decision.at });
          }
        }
      }
      last = page.at(-1);
      if (page.length < PAGE) {
        return;
      }
    }
  });
  print(context, format, { decisions, differing, counts, shown });
  return differing > 0 ? 1 : 0;
}

function print(
  context: Context,
  format: string,
  found: {
    readonly decisions: number;
    readonly differing: number;
    readonly counts: ReadonlyMap<DifferenceReason, number>;
    readonly shown: readonly Found[];
  },
): void {
  const { stdout } = context.io;
  const byReason = [...found.counts].sort((a, b) => b[1] - a[1]);
  const value = {
    decisions: found.decisions,
    differing: found.differing,
    reasons: Object.fromEntries(byReason),
    differences: found.shown.map(({ at, ...difference }) => ({ at: isoTime(at), ...difference })),
  };
  if (printData(context.io, format, value)) {
    return;
  }
  if (format === 'table' || format === 'wide') {
    line(stdout, `${found.decisions} decisions, ${found.differing} would differ`);
    byReason.forEach(([reason, count]) => line(stdout, `  ${count} ${REASONS[reason] ?? `because of ${reason}`}`));
    if (found.shown.length > 0) {
      line(stdout, tableOf(COLUMNS, found.shown));
    }
    return;
  }
  found.shown.forEach((one) => line(stdout, COLUMNS.map((c) => visible((c.plain ?? c.text)(one))).join('\t')));
}

const REASONS: Readonly<Partial<Record<DifferenceReason, string>>> = {
  order: 'because others come first now',
  'now-eligible': 'where somebody could take the call now',
  'leaves-the-queue': 'where the call leaves the queue now',
  'not-a-member': 'because the agent does not serve the queue any more',
};

const COLUMNS = [
  { title: 'at', text: (one: Found) => isoTime(one.at), plain: (one: Found) => isoTime(one.at) },
  { title: 'queue', text: (one: Found) => one.queue, plain: (one: Found) => one.queue },
  {
    title: 'was rung',
    text: (one: Found) => one.was.join(', ') || 'nobody',
    plain: (one: Found) => one.was.join(', '),
  },
  {
    title: 'would be',
    text: (one: Found) => one.would.join(', ') || 'nobody',
    plain: (one: Found) => one.would.join(', '),
  },
  { title: 'why', text: (one: Found) => one.reason, plain: (one: Found) => one.reason },
  { title: 'call', text: (one: Found) => one.callId, plain: (one: Found) => one.callId },
];
