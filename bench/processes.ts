/** What the processes of a run cost, from /proc (Linux only). */
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Clock ticks of /proc per second: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** One part of the system under test: a process, for Postgres with those that it started. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  /** Counts the children too. */
  readonly withChildren?: boolean;
}

export interface Memory {
  /** Resident now, megabytes. Of a part with children: the shares of shared pages (PSS), so that nothing counts twice. */
  readonly nowMb: number;
  /** Highest so far (VmHWM), megabytes; undefined for a part with children, whose peaks cannot be added. */
  readonly peakMb: number | undefined;
}

/** CPU time used so far by a part, milliseconds, in steps of 10. */
export function cpuMs(part: Part): number {
  const own = statOf(part.pid);
  if (!own) {
    return 0;
  }
  if (part.withChildren !== true) {
    return ticksToMs(own.user + own.system);
  }
  // Children that ended are in the parent's own account; the living are added.
  const living = childrenOf(part.pid).map((pid) => statOf(pid));
  const sum = living.reduce((total, stat) => total + (stat ? stat.user + stat.system : 0), 0);
  return ticksToMs(own.user + own.system + own.childrenUser + own.childrenSystem + sum);
}

export function memoryOf(part: Part): Memory {
  if (part.withChildren === true) {
    const sizes = [part.pid, ...childrenOf(part.pid)].map((pid) => kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss'));
    return { nowMb: sizes.reduce((a, b) => a + b, 0) / 1024, peakMb: undefined };
  }
  const status = `/proc/${part.pid}/status`;
  return { nowMb: kilobytes(status, 'VmRSS') / 1024, peakMb: kilobytes(status, 'VmHWM') / 1024 };
}

/** Processes whose parent is `pid`, and theirs. */
export function childrenOf(pid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry)) {
      const parent = statOf(Number(entry))?.parent;
      if (parent !== undefined) {
        parents.set(parent, [...(parents.get(parent) ?? []), Number(entry)]);
      }
    }
  }
  const found: number[] = [];
  const queue = [...(parents.get(pid) ?? [])];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    found.push(next);
    queue.push(...(parents.get(next) ?? []));
  }
  return found;
}

/** The process that listens on a TCP port of this machine; undefined if there is none that we may look into. */
export function pidListeningOn(port: number): number | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (read(table) ?? '').split('\n')) {
      const fields = line.trim().split(/\s+/);
      // 0A = LISTEN.
      if (fields[1]?.endsWith(`:${hex}`) === true && fields[3] === '0A' && fields[9] !== undefined) {
        inodes.add(`socket:[${fields[9]}]`);
      }
    }
  }
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => openFiles(pid).some((file) => inodes.has(file)));
}

/** Load average of the last minute. */
export function loadAverage(): number {
  return Number((read('/proc/loadavg') ?? '0').split(' ')[0]);
}

/**
 * Gives a process and its session another priority. Linux may schedule whole sessions against each other (autogroups); then the
 * priority of a single process means nothing outside its session.
 * @throws Error if the system does not allow it
 */
export function raisePriority(pid: number, priority: number): void {
  const group = `/proc/${pid}/autogroup`;
  if (existsSync(group)) {
    writeFileSync(group, String(priority));
  }
  setPriority(pid, priority);
}

/** CPU time that all processes of the machine used so far, milliseconds; with it a run can tell how much was not its own. */
export function machineBusyMs(): number {
  const fields = (read('/proc/stat') ?? '').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return ticksToMs(user + nice + system + irq + softirq + steal);
}

interface Stat {
  readonly parent: number;
  readonly user: number;
  readonly system: number;
  readonly childrenUser: number;
  readonly childrenSystem: number;
}

function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) {
    return undefined;
  }
  // The name may hold spaces and brackets; what follows the last bracket starts with the state, field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (n: number): number => Number(fields[n - 3] ?? 0);
  return {
    parent: field(4),
    user: field(14),
    system: field(15),
    childrenUser: field(16),
    childrenSystem: field(17),
  };
}

function ticksToMs(ticks: number): number {
  return (ticks * 1000) / TICKS_PER_SECOND;
}

function kilobytes(file: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(read(file) ?? '');
  return Number(match?.[1] ?? 0);
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ''; // Closed meanwhile.
      }
    });
  } catch {
    return []; // Ended meanwhile, or not ours to look into.
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // Ended meanwhile, or not ours to look into.
  }
}
