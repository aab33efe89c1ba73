import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SidekickError } from '../lib/errors';

const ownerFile = (folder: string): string => path.join(folder, 'owner');

/** True while a process of that id runs (zombies do not count where /proc tells). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return startedAt(pid) !== 'zombie';
}

/** Tells two processes that had the same id apart; empty where the system does not say. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? '');
  } catch {
    return ''; // no /proc on this system, or the process has just gone
  }
}

/**
 * Makes this process the owner of a data folder, which is made if need be, until `releaseFolder`. The mark of an owner that no longer runs is taken over.
 * @throws SK_CONFLICT while another living process owns it
 */
export function claimFolder(folder: string): void {
  const mark = `${process.pid} ${startedAt(process.pid)}\n`;
  for (;;) {
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(ownerFile(folder), mark, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      const { code, path: at } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST' || at !== ownerFile(folder)) {
        throw new SidekickError('SK_SETTINGS_INVALID', `The data folder ${folder} cannot be written`, {
          why: (error as Error).message,
          next: 'give the folder to the user who starts Sidekick, or name another one with --data',
          cause: error,
        });
      }
    }
    const owner = livingOwner(folder);
    if (owner !== undefined) {
      throw new SidekickError('SK_CONFLICT', `The data folder ${folder} is in use`, {
        why: `process ${owner} runs an embedded Postgres on it`,
        next: `stop process ${owner}, or name another folder with --data`,
      });
    }
    rmSync(ownerFile(folder), { force: true });
  }
}

function livingOwner(folder: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(ownerFile(folder), 'utf8');
  } catch {
    return undefined; // released in this moment
  }
  const [pidText = '', started = ''] = text.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) {
    return undefined;
  }
  return started === '' || startedAt(pid) === started ? pid : undefined;
}

export function releaseFolder(folder: string): void {
  rmSync(ownerFile(folder), { force: true });
}
