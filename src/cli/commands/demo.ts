import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import pino from 'pino';
import pc from 'picocolors';
import { formatHostPort } from '../../config/settings-values';
import { requireScenario } from '../../embedded/teams/scenarios';
import { createLog } from '../../lib/log';
import type { Log } from '../../lib/log';
import { openDatabase } from '../../store';
import type { CommonOptions, Context } from '../context';
import { ensureDemoConfiguration } from '../demo-configuration';
import type { DemoConfiguration } from '../demo-configuration';
import type { Io } from '../io';
import { line } from '../io';
import { EMBEDDED_PARTS } from '../ports';
import type { Embedded, RunningNode } from '../ports';
import { optionHostPort, requireNotRunning, runNode } from '../run-node';

export interface DemoCommandOptions extends CommonOptions {
  readonly sip: string;
  readonly http: string;
  /** Log on stderr instead of into a file. */
  readonly log?: boolean;
  /** What the simulated tenant is set up for. */
  readonly scenario?: string;
}

const DRAIN_MS = 2000;

/** Everything embedded, until Ctrl-C. */
export async function demo(context: Context, options: DemoCommandOptions): Promise<number> {
  const { io } = context;
  if (options.scenario !== undefined) {
    requireScenario(options.scenario);
  }
  const startedAt = Date.now();
  const dataDir = path.resolve(io.cwd, options.data);
  requireNotRunning(dataDir); // before its log is touched
  const log = openLog(dataDir, options.log === true, io.env['SIDEKICK_LOG_LEVEL'] ?? 'info');
  let configuration: DemoConfiguration = 'kept';
  const exitCode = await runNode(context, {
    command: 'demo',
    parts: EMBEDDED_PARTS,
    dataDir,
    sip: optionHostPort('--sip', options.sip),
    http: options.http,
    log: log.log,
    drainMs: DRAIN_MS,
    prepare: async ({ tenant }, settings) => {
      if (tenant === undefined) {
        return;
      }
      if (options.scenario !== undefined) {
        tenant.play(options.scenario);
      }
      const db = openDatabase({ url: settings.databaseUrl, log: log.log, max: 2, applicationName: 'sidekick-demo' });
      try {
        configuration = await ensureDemoConfiguration(db, tenant);
      } finally {
        await db.close();
      }
    },
    onStep: (what) => line(io.stderr, `starting ${what} …`),
    onReady: ({ node, embedded }) =>
      printReady(io, { node, embedded, dataDir, configuration, logFile: log.file, tookMs: Date.now() - startedAt }),
  });
  log.close();
  line(io.stderr, `ended; the state stays in ${shownPath(io, dataDir)}`);
  return exitCode;
}

interface Ready {
  readonly node: RunningNode;
  readonly embedded: Embedded;
  readonly dataDir: string;
  readonly configuration: DemoConfiguration;
  readonly logFile: string | undefined;
  readonly tookMs: number;
}

function printReady(io: Io, ready: Ready): void {
  const { node, embedded } = ready;
  const colour = pc.createColors(io.stdout.isTTY === true && pc.isColorSupported);
  const sip = embedded.sip ? formatHostPort(embedded.sip) : '';
  const http = node.http ? `http://${formatHostPort(node.http)}` : 'off';
  const agents = embedded.tenant?.agents.map((a) => a.displayName.split(' ')[0]).join(', ') ?? '';
  const row = (name: string, text: string): void => line(io.stdout, `  ${colour.bold(name.padEnd(8))} ${text}`);
  const kept = ready.configuration === 'made' ? 'new' : 'found again';
  line(io.stdout);
  line(io.stdout, colour.green(`Sidekick is ready (${(ready.tookMs / 1000).toFixed(1)} s).`));
  line(io.stdout);
  row('Calls', `sip:+49301000100@${sip}  support   (UDP and TCP, no registration)`);
  row('', `sip:+49301000101@${sip}  sales`);
  row('Agents', `${agents}: simulated Teams users, Available, they answer by themselves`);
  row('HTTP', `${http}/readyz  /metrics  /api/v1/calls`);
  row('Teams', `${embedded.tenant?.baseUrl ?? ''}/_sim/calls  what the simulated agents get and hear`);
  row(
    'State',
    `${shownPath(io, ready.dataDir)} (${kept})${ready.logFile === undefined ? '' : `, log in ${shownPath(io, ready.logFile)}`}`,
  );
  line(io.stdout);
  line(io.stdout, 'What to do next, in another terminal:');
  const next = [
    ['npx sidekick demo call', 'a call through the whole path, stage by stage'],
    ['npx sidekick agents list', 'who is ready, and what Teams says of them'],
    ['npx sidekick agents pause Anna', 'see the next call go to somebody else'],
    ['npx sidekick calls list --all', 'the calls so far'],
  ] as const;
  const data =
    path.basename(ready.dataDir) === '.sidekick' && path.dirname(ready.dataDir) === io.cwd
      ? ''
      : ` --data ${shownPath(io, ready.dataDir)}`;
  next.forEach(([command, what]) => line(io.stdout, `  ${(command + data).padEnd(32)} ${what}`));
  line(io.stdout);
  line(io.stdout, 'Or dial one of the numbers with any softphone. Ctrl-C ends the demo.');
}

function shownPath(io: Io, file: string): string {
  const relative = path.relative(io.cwd, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
}

interface OpenLog {
  readonly log: Log;
  readonly file: string | undefined;
  close(): void;
}

/** The log goes into `<data>/sidekick.log`; that of the start before is kept as `sidekick.log.1`. */
function openLog(dataDir: string, onStderr: boolean, level: string): OpenLog {
  if (onStderr) {
    return { log: createLog(level), file: undefined, close: () => undefined };
  }
  mkdirSync(dataDir, { recursive: true });
  const file = path.join(dataDir, 'sidekick.log');
  if (existsSync(file)) {
    renameSync(file, `${file}.1`);
  }
  const destination = pino.destination({ dest: file, sync: true });
  return { log: createLog(level, destination), file, close: () => destination.end() };
}
