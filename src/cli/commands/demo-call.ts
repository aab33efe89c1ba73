import path from 'node:path';
import pc from 'picocolors';
import { startCarrier } from '../../embedded/carrier/carrier';
import { sleep } from '../../lib/clock';
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { CommonOptions, Context } from '../context';
import { withDatabase } from '../database';
import { placeCall } from '../demo-call/caller';
import type { CallerDeps, CallerPlan, CallSummary } from '../demo-call/caller';
import { totalsOf } from '../demo-call/figures';
import { TenantView } from '../demo-call/simulated-tenant';
import { stageText } from '../demo-call/stages';
import type { Stage } from '../demo-call/stages';
import type { Io } from '../io';
import { line } from '../io';
import { findRunning } from '../run-file';
import type { RunFile } from '../run-file';
import { StopSignal } from '../stop-signal';

export interface DemoCallOptions extends CommonOptions {
  readonly to: string;
  readonly seconds: number;
  readonly count: number;
  readonly rate: number;
  readonly wait: number;
  readonly json?: boolean;
}

const WATCH_ONE_MS = 50;
const WATCH_MANY_MS = 1000;
const PROGRESS_MS = 1000;

/** @returns 0 if in every call both sides heard the other's tone, 1 if not, 130 if interrupted */
export async function demoCall(context: Context, options: DemoCallOptions): Promise<number> {
  const running = requireDemo(context, options);
  const stop = new StopSignal(context.io);
  const carrier = await startCarrier({ host: running.sip.host, port: 0, protocol: 'udp' });
  try {
    const tenant = new TenantView(running.teams);
    const voices = await tenant.users();
    const interrupted = new AbortController();
    void stop.asked.then(() => interrupted.abort());
    const calls = await withDatabase(databaseOf(context, running), options, (db) =>
      placeAll(context, options, running, {
        carrier,
        tenant,
        voices,
        signal: interrupted.signal,
        findCall: (sipCallId) => store.findCallBySipCallId(db, sipCallId),
        callEvents: (callId) => store.callEvents(db, callId),
      }),
    );
    return stop.isAsked ? 130 : calls.every(bothHeard) ? 0 : 1;
  } finally {
    await carrier.close();
    stop.close();
  }
}

type Shared = Omit<CallerDeps, 'onStage'>;

async function placeAll(
  { io }: Context,
  options: DemoCallOptions,
  running: Demo,
  shared: Shared,
): Promise<readonly CallSummary[]> {
  const plan: CallerPlan = {
    to: options.to,
    target: running.sip,
    talkMs: options.seconds * 1000,
    waitMs: options.wait * 1000,
    watchMs: options.count === 1 ? WATCH_ONE_MS : WATCH_MANY_MS,
  };
  if (options.count === 1) {
    return [await placeOne(io, options.json === true, plan, shared)];
  }
  return placeMany(io, options, plan, shared);
}

async function placeOne(io: Io, json: boolean, plan: CallerPlan, shared: Shared): Promise<CallSummary> {
  const colour = pc.createColors(io.stdout.isTTY === true && pc.isColorSupported);
  if (!json) {
    line(io.stdout, `dialling ${plan.to} at ${plan.target.host}:${plan.target.port}`);
  }
  const summary = await placeCall(plan, {
    ...shared,
    onStage: (stage, callId) => {
      line(io.stdout, json ? JSON.stringify(stageJson(stage, callId)) : personLine(stage));
    },
  });
  if (json) {
    line(io.stdout, JSON.stringify(summaryJson(summary)));
    return summary;
  }
  const good = bothHeard(summary);
  const verdict = `caller heard agent: ${yes(summary.callerHeardAgent)}, agent heard caller: ${yes(summary.agentHeardCaller)}`;
  line(io.stdout, good ? colour.green(verdict) : colour.red(verdict));
  if (!good) {
    line(io.stdout, `${summary.result}: ${summary.reason}`);
  }
  if (summary.callId !== null) {
    line(io.stdout, `all that happened: npx sidekick calls get ${summary.callId}`);
  }
  return summary;
}

async function placeMany(
  io: Io,
  options: DemoCallOptions,
  plan: CallerPlan,
  shared: Shared,
): Promise<readonly CallSummary[]> {
  const done: CallSummary[] = [];
  const running: Promise<void>[] = [];
  const failures: unknown[] = [];
  const json = options.json === true;
  const progress = new Progress(io, options.count);
  const startedAt = Date.now();
  for (let i = 0; i < options.count && !shared.signal.aborted; i++) {
    await sleepUntil(startedAt + (i * 1000) / options.rate, shared.signal);
    const call = placeCall(plan, { ...shared, onStage: () => undefined }).then((summary) => {
      done.push(summary);
      if (json) {
        line(io.stdout, JSON.stringify(summaryJson(summary)));
      }
    });
    running.push(call.catch((error: unknown) => void failures.push(error)));
    progress.show(i + 1, done);
  }
  const all = Promise.all(running);
  while (!(await Promise.race([all.then(() => true), sleep(PROGRESS_MS).then(() => false)]))) {
    progress.show(running.length, done);
  }
  progress.end(running.length, done);
  printTotals(io, done, json);
  if (failures.length > 0) {
    throw failures[0];
  }
  return done;
}

/** One line that is rewritten on a terminal; elsewhere a line every five seconds. On stderr: stdout is for results. */
class Progress {
  readonly #io: Io;
  readonly #count: number;
  #shownAt = 0;

  constructor(io: Io, count: number) {
    this.#io = io;
    this.#count = count;
  }

  show(placed: number, done: readonly CallSummary[]): void {
    const tty = this.#io.stderr.isTTY === true;
    if (Date.now() - this.#shownAt < (tty ? 200 : 5000)) {
      return;
    }
    this.#shownAt = Date.now();
    const text = this.#text(placed, done);
    this.#io.stderr.write(tty ? `\r${text}` : `${text}\n`);
  }

  end(placed: number, done: readonly CallSummary[]): void {
    this.#io.stderr.write(`${this.#io.stderr.isTTY === true ? '\r' : ''}${this.#text(placed, done)}\n`);
  }

  #text(placed: number, done: readonly CallSummary[]): string {
    return `${placed}/${this.#count} placed, ${placed - done.length} running, ${done.length} done, ${done.filter(bothHeard).length} heard both ways`;
  }
}

function printTotals(io: Io, calls: readonly CallSummary[], json: boolean): void {
  const totals = totalsOf(calls);
  if (json) {
    line(io.stdout, JSON.stringify({ summary: totals }));
    return;
  }
  line(io.stdout, `${totals.calls} calls, ${totals.bothHeard} heard both ways`);
  Object.entries(totals.results).forEach(([result, count]) => line(io.stdout, `  ${count}  ${result}`));
  line(io.stdout, 'milliseconds after the INVITE    p50    p95    max');
  for (const [stage, { p50, p95, max }] of Object.entries(totals.stages)) {
    line(io.stdout, `  ${stage.padEnd(28)}${[p50, p95, max].map((n) => String(n).padStart(7)).join('')}`);
  }
}

interface Demo extends RunFile {
  readonly sip: NonNullable<RunFile['sip']>;
  readonly teams: string;
}

/** @throws SidekickError SK_NODE_UNREACHABLE, SK_USAGE */
function requireDemo({ io }: Context, { data }: CommonOptions): Demo {
  const dataDir = path.resolve(io.cwd, data);
  const running = findRunning(dataDir);
  if (running === undefined) {
    throw new SidekickError('SK_NODE_UNREACHABLE', 'no demo is running here', {
      why: `no sidekick keeps its state in ${dataDir}`,
      next: 'start it with `npx sidekick demo` in another terminal; if it has another folder, name it with --data',
    });
  }
  const { sip, teams } = running;
  if (sip === undefined || teams === undefined) {
    throw new SidekickError('SK_USAGE', 'this sidekick takes no demo calls', {
      why: 'it runs without the embedded SIP server or without the simulated Teams tenant',
      next: 'start `sidekick demo`, or `sidekick serve --embed sip,teams,…`',
    });
  }
  return { ...running, sip, teams };
}

/** The demo's own database, whatever the environment names for other commands. */
function databaseOf(context: Context, running: RunFile): Context {
  return { ...context, io: { ...context.io, env: { ...context.io.env, SIDEKICK_DATABASE_URL: running.databaseUrl } } };
}

function personLine(stage: Stage): string {
  return `${(stage.ms / 1000).toFixed(3).padStart(8)} s  ${stageText(stage)}`;
}

function stageJson({ stage, ms, data }: Stage, callId: string | undefined): unknown {
  return { stage, ms, callId: callId ?? null, ...data };
}

function summaryJson({ stages, ...summary }: CallSummary): unknown {
  return { ...summary, stages: stages.map(({ stage, ms, data }) => ({ stage, ms, ...data })) };
}

function bothHeard(call: CallSummary): boolean {
  return call.callerHeardAgent && call.agentHeardCaller;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

async function sleepUntil(at: number, signal: AbortSignal): Promise<void> {
  while (Date.now() < at && !signal.aborted) {
    await sleep(Math.min(50, Math.max(1, at - Date.now())));
  }
}
