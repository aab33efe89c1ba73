/** `sidekick simulate`: a simulation file, or the last week of a queue, run and compared. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { currentConfiguration } from '../../config/documents/history';
import { readDocument } from '../../config/documents/parse-document';
import type { Document } from '../../config/documents/schema';
import { errorCodeOf } from '../../lib/errno';
import { describeError, SidekickError } from '../../lib/errors';
import type { Plan } from '../../simulation/plan';
import { compare, replicate } from '../../simulation/replicate';
import type { PlanReport } from '../../simulation/replicate';
import { reportPage } from '../../simulation/report-page';
import { parseScenario } from '../../simulation/scenario/parse';
import { plansOf, planOn } from '../../simulation/scenario/to-plan';
import { planOfTraffic } from '../../simulation/recorded';
import { store } from '../../store';
import { say } from '../context';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { findQueue } from '../find';
import { outputFormat } from '../output/list';
import { printComparisons } from '../output/simulation';

export interface SimulateOptions extends ListOptions {
  readonly tenant?: string;
  readonly lastWeek?: string;
  readonly config?: string;
  readonly compare?: string;
  readonly runs?: number;
  readonly seed?: number;
  readonly html?: string;
}

interface Work {
  readonly plans: readonly Plan[];
  readonly runs: number;
  readonly seed: number;
}

/** Exit code 0. @throws SK_CONFIG_INVALID, SK_USAGE, SK_NOT_FOUND */
export async function simulate(context: Context, file: string | undefined, options: SimulateOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const work = await toDo(context, file, options);
  const progress = progressLine(context);
  const reports = work.plans.map((plan, i) =>
    replicate(plan, {
      seed: work.seed,
      runs: work.runs,
      onProgress: (share) => {
        progress.show((i + share) / work.plans.length, plan.name);
      },
    }),
  );
  progress.done();
  const [base, ...others] = reports as [PlanReport, ...PlanReport[]];
  const comparisons = others.map((variant) => compare(base, variant));
  printComparisons(context, work.plans, base, comparisons, format);
  if (options.html !== undefined) {
    write(context, options.html, reportPage(work.plans, base, comparisons));
    say(context, `plots are in ${options.html}`);
  }
  return 0;
}

async function toDo(context: Context, file: string | undefined, options: SimulateOptions): Promise<Work> {
  if ((file === undefined) === (options.lastWeek === undefined)) {
    throw new SidekickError('SK_USAGE', 'nothing to simulate', {
      why: file === undefined ? 'neither a file nor --last-week is given' : 'a file and --last-week are given',
      next: 'give a simulation file (docs/simulation.md), or --last-week and the name of a queue',
    });
  }
  return file === undefined ? await lastWeek(context, options.lastWeek ?? '', options) : ofFile(context, file, options);
}

function ofFile(context: Context, file: string, options: SimulateOptions): Work {
  const scenario = parseScenario(read(context, file), file);
  const named = options.config ?? scenario.configuration;
  const configuration =
    named === undefined
      ? undefined
      : document(context, options.config === undefined ? path.join(path.dirname(file), named) : named);
  const { base, variants } = plansOf(scenario, configuration);
  return {
    plans: [
      base,
      ...variants,
      ...(options.compare === undefined ? [] : [planOn(scenario, options.compare, document(context, options.compare))]),
    ],
    runs: options.runs ?? scenario.runs,
    seed: options.seed ?? scenario.seed,
  };
}

const WEEK_MS = 7 * 24 * 3_600_000;

async function lastWeek(context: Context, queueName: string, options: SimulateOptions): Promise<Work> {
  const { traffic, inForce } = await withDatabase(context, options, async (db) => {
    const queue = await findQueue(db, queueName, options.tenant);
    return {
      traffic: await store.recordedTraffic(db, queue.id, WEEK_MS),
      inForce: (await currentConfiguration(db)).document,
    };
  });
  const base = options.config === undefined ? inForce : document(context, options.config);
  return {
    plans: [
      planOfTraffic(`${queueName}, last week`, traffic, base),
      ...(options.compare === undefined
        ? []
        : [planOfTraffic(options.compare, traffic, document(context, options.compare))]),
    ],
    runs: options.runs ?? 10,
    seed: options.seed ?? 1,
  };
}

function document(context: Context, file: string): Document {
  return readDocument(read(context, file), file);
}

function read(context: Context, file: string): string {
  try {
    return readFileSync(path.resolve(context.io.cwd, file), 'utf8');
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be read`, {
      why: errorCodeOf(error) === 'ENOENT' ? 'there is no such file' : describeError(error),
      next: 'check the path',
      cause: error,
    });
  }
}

function write(context: Context, file: string, text: string): void {
  try {
    writeFileSync(path.resolve(context.io.cwd, file), text);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be written`, {
      why: describeError(error),
      next: 'give --html the path of a file in a folder that exists',
      cause: error,
    });
  }
}

/** One line on a terminal, redrawn; nothing in a pipe. */
function progressLine(context: Context): { show(share: number, name: string): void; done(): void } {
  const { stderr } = context.io;
  if (stderr.isTTY !== true || context.global.quiet) {
    return { show: () => undefined, done: () => undefined };
  }
  let shown = -1;
  return {
    show: (share, name) => {
      const percent = Math.floor(share * 100);
      if (percent !== shown) {
        shown = percent;
        stderr.write(`\r${String(percent).padStart(3)} %  ${name.slice(0, 60).padEnd(60)}`);
      }
    },
    done: () => {
      stderr.write(`\r${' '.repeat(68)}\r`);
    },
  };
}
