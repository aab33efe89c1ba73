/**
 * `<data>/run.json`: where a Sidekick that keeps its state in this folder listens, for the other commands. Written when it is
 * ready, readable by its owner only (it holds passwords of the embedded parts), removed when it ends.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SidekickError } from '../lib/errors';
import { errorCodeOf } from '../lib/errno';
import { newToken } from '../lib/ids';

export interface RunFile {
  readonly pid: number;
  /** When that process began, as the system counts it: tells a later process with the same pid apart. */
  readonly processStart: string | undefined;
  readonly startedAt: string;
  readonly command: 'demo' | 'serve';
  readonly databaseUrl: string;
  /** Settings that point at the embedded parts, their passwords included; drawn anew at each start. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly sip: { readonly host: string; readonly port: number } | undefined;
  readonly http: { readonly host: string; readonly port: number } | undefined;
  /** Base of the simulated tenant's HTTP, with the observation API under /_sim. */
  readonly teams: string | undefined;
}

export const RUN_FILE = 'run.json';

export function writeRunFile(dataDir: string, run: RunFile): void {
  mkdirSync(dataDir, { recursive: true });
  const file = path.join(dataDir, RUN_FILE);
  const half = `${file}.${newToken(4)}`;
  writeFileSync(half, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  renameSync(half, file);
}

/** Removes the file if it is this process's own. */
export function removeRunFile(dataDir: string, pid = process.pid): void {
  if (readRunFile(dataDir)?.pid === pid) {
    rmSync(path.join(dataDir, RUN_FILE), { force: true });
  }
}

/** What the file says, whether its process lives or not; undefined without a (readable) file. */
export function readRunFile(dataDir: string): RunFile | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(dataDir, RUN_FILE), 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || errorCodeOf(error) === 'ENOTDIR') {
      return undefined;
    }
    throw new SidekickError('SK_NODE_UNREACHABLE', 'the file that says where sidekick runs cannot be read', {
      why: `${path.join(dataDir, RUN_FILE)}: ${errorCodeOf(error) ?? 'unreadable'}`,
      next: 'run the command as the user who started sidekick',
      cause: error,
    });
  }
  try {
    const run = JSON.parse(text) as Partial<RunFile> | null;
    return typeof run?.pid === 'number' && typeof run.databaseUrl === 'string' ? (run as RunFile) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as Error).name === 'SyntaxError') {
      return undefined; // half a file of an older crash: nothing runs by it
    }
    throw error;
  }
}

/** The Sidekick that runs on this folder now, if any. */
export function findRunning(dataDir: string): RunFile | undefined {
  const run = readRunFile(dataDir);
  return run !== undefined && isAlive(run) ? run : undefined;
}

/** When a process began, as /proc tells; undefined where there is no /proc or no such process. */
export function processStart(pid: number): string | undefined {
  return processStat(pid)?.start;
}

/** State and start time from /proc/<pid>/stat (proc(5), fields 3 and 22). */
function processStat(pid: number): { readonly state: string; readonly start: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses and may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', start: fields[19] ?? '' };
  } catch {
    return undefined; // no /proc, or the process is gone
  }
}

function isAlive(run: RunFile): boolean {
  try {
    process.kill(run.pid, 0);
  } catch (error) {
    if (errorCodeOf(error) !== 'EPERM') {
      return false;
    }
  }
  const stat = processStat(run.pid);
  if (stat === undefined) {
    // Without /proc the signal is all there is to go by; with it, the process has just gone.
    return run.processStart === undefined;
  }
  // A killed process that nobody has waited for (Z) takes signals like a living one, in containers for ever.
  const dead = stat.state === 'Z' || stat.state === 'X';
  return !dead && (run.processStart === undefined || stat.start === run.processStart);
}
