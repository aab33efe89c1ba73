import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { SidekickError } from '../lib/errors';

const exec = promisify(execFile);

/** The operating system account that Postgres runs as. Undefined ids: our own, since we are not root. */
export interface Account {
  readonly name: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Postgres refuses to run as root. As root, the system user `postgres` is taken, or made where there is none; where that
 * is not possible `nobody` is.
 * @throws SK_SETTINGS_INVALID when no such user can be had
 */
export async function postgresAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) {
    return { name: '', uid: undefined, gid: undefined };
  }
  const known = await lookUp('postgres');
  if (known) {
    return known;
  }
  try {
    await exec('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (error) {
    const nobody = await lookUp('nobody');
    if (nobody) {
      return nobody;
    }
    throw new SidekickError('SK_SETTINGS_INVALID', 'The embedded Postgres has no account to run as', {
      why: 'Postgres refuses to run as root, and a system user could not be made',
      next: 'start Sidekick as an ordinary user, or make a system user named postgres',
      cause: error,
    });
  }
  const made = await lookUp('postgres');
  if (!made) {
    throw new SidekickError('SK_INTERNAL', 'The system user postgres was made but is not found');
  }
  return made;
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([exec('id', ['-u', name]), exec('id', ['-g', name])]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined; // `id` fails exactly when there is no such user
  }
}

/**
 * How `file` is started as `account`. Where util-linux's setpriv is there, the process also ends when ours does, however
 * ours ends, and may pass through folders that are closed to its account (a checkout below /root).
 * @throws SK_SETTINGS_INVALID when the account cannot reach one of `paths`
 */
export function commandAs(
  account: Account,
  file: string,
  args: readonly string[],
  paths: readonly string[],
  endWithUs: boolean,
): Command {
  const setpriv = findOnPath('setpriv');
  const { uid, gid } = account;
  if (uid === undefined || gid === undefined) {
    return setpriv && endWithUs ? { file: setpriv, args: ['--pdeathsig', 'INT', file, ...args] } : { file, args };
  }
  const closed = [file, ...paths].map((p) => closedFolder(p, uid, gid)).find((folder) => folder !== undefined);
  if (!setpriv) {
    if (closed !== undefined) {
      throw new SidekickError('SK_SETTINGS_INVALID', `The embedded Postgres cannot reach ${closed}`, {
        why: `it runs as the user ${account.name}, who may not enter that folder, and setpriv is not installed`,
        next: 'start Sidekick as an ordinary user, put project and data elsewhere, or install util-linux',
      });
    }
    return { file, args, uid, gid };
  }
  const flags = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  if (endWithUs) {
    flags.push('--pdeathsig', 'INT');
  }
  if (closed !== undefined) {
    flags.push('--inh-caps', '+dac_override', '--ambient-caps', '+dac_override');
  }
  return { file: setpriv, args: [...flags, file, ...args] };
}

/** The first folder on the way to `target` that the account may not enter. */
function closedFolder(target: string, uid: number, gid: number): string | undefined {
  const root = path.parse(target).root;
  for (let folder = path.dirname(path.resolve(target)); ; folder = path.dirname(folder)) {
    const { mode, uid: owner, gid: group } = statSync(folder);
    const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      return folder;
    }
    if (folder === root) {
      return undefined;
    }
  }
}

function findOnPath(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue; // not in this folder
    }
  }
  return undefined;
}
