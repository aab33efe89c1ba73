/** Runs embedded parts and a node until a signal comes, then ends them in reverse order. What `serve` and `demo` share. */
import { readSettings } from '../config/settings';
import type { HostPort, Settings } from '../config/settings';
import { hostPortOrOff } from '../config/settings-values';
import { describeError, SidekickError } from '../lib/errors';
import { guardProcess } from '../lib/guard-process';
import type { Log } from '../lib/log';
import { migrate } from '../store';
import type { Context } from './context';
import { line } from './io';
import { requireFreePort } from './port-owner';
import type { Embedded, EmbeddedPart, RunningNode } from './ports';
import { findRunning, processStart, removeRunFile, writeRunFile } from './run-file';
import { StopSignal } from './stop-signal';

export interface NodePlan {
  readonly command: 'demo' | 'serve';
  readonly parts: readonly EmbeddedPart[];
  readonly dataDir: string;
  /** Where the embedded SIP server takes calls. */
  readonly sip: HostPort;
  /** As given on the command line; undefined: as the environment says. */
  readonly http: string | undefined;
  readonly log: Log;
  /** Milliseconds that calls get when the node stops; undefined: as the settings say. */
  readonly drainMs?: number;
  /** After the embedded parts, before the node: for configuration that the node is to find. */
  readonly prepare?: (embedded: Embedded, settings: Settings) => Promise<void>;
  readonly onStep?: (what: string) => void;
  readonly onReady: (running: { node: RunningNode; embedded: Embedded; settings: Settings }) => void;
}

/** @returns exit code 0 after a signal, 3 if a part was lost, 130 if it was interrupted while starting */
export async function runNode(context: Context, plan: NodePlan): Promise<number> {
  await checkBeforeStart(context, plan);
  const stop = new StopSignal(context.io);
  const run = new Run(context, plan, stop);
  try {
    await run.start();
    return await run.untilStopped();
  } catch (error) {
    if (stop.isAsked) {
      line(context.io.stderr, 'stopped before it was ready');
      return 130;
    }
    throw error;
  } finally {
    await run.close();
    stop.close();
  }
}

/**
 * Everything that can be known to be wrong before anything is started.
 * @throws SidekickError SK_CONFLICT, SK_PORT_TAKEN, SK_SETTINGS_INVALID
 */
async function checkBeforeStart({ io }: Context, plan: NodePlan): Promise<void> {
  if (plan.parts.length > 0) {
    requireNotRunning(plan.dataDir);
  }
  const settings = readSettings(io.env, { ...standIns(plan.parts), SIDEKICK_HTTP: plan.http });
  if (plan.parts.includes('sip')) {
    await requireFreePort('udp', plan.sip, '--sip');
    await requireFreePort('tcp', plan.sip, '--sip');
  }
  if (settings.http !== undefined) {
    await requireFreePort('tcp', settings.http, '--http');
  }
}

/** @throws SidekickError SK_CONFLICT if a Sidekick keeps its state in this folder now. */
export function requireNotRunning(dataDir: string): void {
  const running = findRunning(dataDir);
  if (running === undefined) {
    return;
  }
  throw new SidekickError('SK_CONFLICT', `a sidekick ${running.command} runs here already`, {
    why: `process ${running.pid} has kept its state in ${dataDir} since ${running.startedAt}`,
    next: `use it, or end it with Ctrl-C or \`kill ${running.pid}\`; a second one needs its own --data, --sip and --http`,
  });
}

/** Settings that embedded parts will give, so that the others can be checked before they run. */
function standIns(parts: readonly EmbeddedPart[]): Record<string, string> {
  const values: Record<EmbeddedPart, Record<string, string>> = {
    postgres: { SIDEKICK_DATABASE_URL: 'postgres://127.0.0.1/sidekick' },
    sip: { SIDEKICK_DRACHTIO: '127.0.0.1:9022:none' },
    media: { SIDEKICK_FREESWITCH: '127.0.0.1:8021:none' },
    teams: {
      SIDEKICK_GRAPH_TENANT_ID: 'none',
      SIDEKICK_GRAPH_CLIENT_ID: 'none',
      SIDEKICK_GRAPH_CLIENT_SECRET: 'none',
      SIDEKICK_GRAPH_BASE_URL: 'http://127.0.0.1:9',
      SIDEKICK_GRAPH_AUTHORITY: 'http://127.0.0.1:9',
    },
  };
  return Object.assign({}, ...parts.map((part) => values[part])) as Record<string, string>;
}

class Run {
  readonly #context: Context;
  readonly #plan: NodePlan;
  readonly #stop: StopSignal;
  readonly #lost: Promise<string>;
  #reportLost: (why: string) => void = () => undefined;
  #embedded: Embedded | undefined;
  #node: RunningNode | undefined;
  #settings: Settings | undefined;
  #unguard: () => void = () => undefined;

  constructor(context: Context, plan: NodePlan, stop: StopSignal) {
    this.#context = context;
    this.#plan = plan;
    this.#stop = stop;
    this.#lost = new Promise((resolve) => {
      this.#reportLost = resolve;
    });
  }

  async start(): Promise<void> {
    const { parts, dataDir, sip, log, onStep } = this.#plan;
    if (parts.length > 0) {
      onStep?.(parts.join(', '));
    }
    this.#embedded = await this.#context.runtime.startEmbedded({
      parts,
      dataDir,
      sip,
      log,
      onFailure: (part, why) => this.#reportLost(`the embedded ${part} ended: ${why}`),
    });
    this.#stop.throwIfAsked();
    const settings = readSettings(this.#context.io.env, {
      ...this.#embedded.settings,
      SIDEKICK_HTTP: this.#plan.http,
    });
    this.#settings = settings;
    if (parts.includes('postgres')) {
      onStep?.('tables');
      await migrate(settings.databaseUrl);
    }
    this.#stop.throwIfAsked();
    await this.#plan.prepare?.(this.#embedded, settings);
    this.#stop.throwIfAsked();
    onStep?.('node');
    this.#node = await this.#context.runtime.startNode(settings, {
      log,
      onLost: () => this.#reportLost('the other nodes took this one for dead'),
    });
    const { metrics } = this.#node;
    this.#unguard = guardProcess((kind, error) => {
      metrics.unexpectedError(kind);
      log.fatal({ event: 'unexpected_error', kind, err: error }, 'an error that nothing provided for');
    });
    this.#announce(settings, this.#embedded, this.#node);
  }

  #announce(settings: Settings, embedded: Embedded, node: RunningNode): void {
    if (this.#plan.parts.length > 0) {
      writeRunFile(this.#plan.dataDir, {
        pid: process.pid,
        processStart: processStart(process.pid),
        startedAt: new Date().toISOString(),
        command: this.#plan.command,
        databaseUrl: settings.databaseUrl,
        settings: embedded.settings,
        sip: embedded.sip,
        http: node.http,
        teams: embedded.tenant?.baseUrl,
      });
    }
    this.#plan.onReady({ node, embedded, settings });
  }

  /** Waits for a signal, or for a part that is lost. */
  async untilStopped(): Promise<number> {
    const why = await Promise.race([this.#stop.asked, this.#lost]);
    if (typeof why === 'string') {
      line(this.#context.io.stderr, `error: sidekick cannot go on\n  why:  ${why}\n  next: start it again`);
      return 3;
    }
    const seconds = Math.round((this.#plan.drainMs ?? this.#settings?.drainMs ?? 0) / 1000);
    line(this.#context.io.stderr, `stopping; calls get up to ${seconds} s to end (press Ctrl-C again to end at once)`);
    return 0;
  }

  /** Ends whatever was started. Every part gets its turn even if one before it fails. */
  async close(): Promise<void> {
    const drainMs = this.#plan.drainMs;
    await this.#closed('node', () => this.#node?.close(drainMs === undefined ? {} : { drainMs }));
    removeRunFile(this.#plan.dataDir);
    await this.#closed('embedded parts', () => this.#embedded?.close());
    this.#unguard();
  }

  async #closed(what: string, close: () => Promise<void> | undefined): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.#plan.log.error({ event: 'stop:failed', what, error: describeError(error) }, 'closing failed');
      line(this.#context.io.stderr, `warning: the ${what} did not close cleanly: ${describeError(error)}`);
    }
  }
}

/** @throws SidekickError SK_USAGE */
export function optionHostPort(option: string, text: string): HostPort {
  let value: HostPort | undefined;
  try {
    value = hostPortOrOff(text);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${option} cannot be understood`, {
      why: `it ${describeError(error)}`,
      next: `write ${option} 127.0.0.1:5060`,
      cause: error,
    });
  }
  if (value === undefined) {
    throw new SidekickError('SK_USAGE', `${option} cannot be off`, { next: `write ${option} 127.0.0.1:5060` });
  }
  return value;
}
