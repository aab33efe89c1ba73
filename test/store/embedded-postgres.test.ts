import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres';
import { isAlive } from '../../src/embedded/postgres-owner';
import { silentLog } from '../../src/lib/log';

let base: string;
let folder: string;
const running = new Set<EmbeddedPostgres>();

beforeAll(async () => {
  base = mkdtempSync(path.join(tmpdir(), 'sidekick-pg-base-'));
  await (await startEmbeddedPostgres({ dataDir: base, log: silentLog(), durable: false })).close();
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sidekick-pg-'));
});
afterEach(async () => {
  await Promise.all([...running].map((postgres) => postgres.close()));
  running.clear();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  options: { port?: number; dataDir?: string; onUnexpectedExit?: (why: string) => void } = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog(), durable: false, ...options });
  running.add(postgres);
  return postgres;
}

/** A folder as a first start leaves it; making one anew takes much longer than copying it with its owners. */
function startedBefore(): void {
  execFileSync('cp', ['-a', `${base}/.`, folder]);
}

/** Starts Postgres from another process, which is then killed. The pid of Postgres. */
async function startAndKill(searchPath: string): Promise<number> {
  const script = `
    const { startEmbeddedPostgres } = require(${JSON.stringify(path.resolve(__dirname, '../../src/embedded/postgres.ts'))});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    startEmbeddedPostgres({ dataDir: ${JSON.stringify(folder)}, log, durable: false })
      .then((postgres) => console.log(postgres.pid), (error) => console.log(error));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
    cwd: path.resolve(__dirname, '../..'),
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PATH: searchPath },
  });
  const text = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
    }),
  );
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  const pid = Number(text);
  expect(text.trim()).toMatch(/^[0-9]+$/);
  return pid;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function untilGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 500 && isAlive(pid); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return !isAlive(pid);
}

// Each test starts a server or two, on a machine that may be busy with other tests.
jest.setTimeout(90_000);

describe('the embedded Postgres', () => {
  it('starts, finds its data again, and leaves nothing running', async () => {
    const listeners =
      process.listenerCount('exit') + process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    expect(await query(first.url, 'show server_version_num')).toMatchObject([
      { server_version_num: expect.stringMatching(/^18/) },
    ]);
    expect(statSync(path.join(folder, 'password')).mode & 0o777).toBe(0o600);
    await first.close();
    await first.close();
    expect(isAlive(first.pid)).toBe(false);
    expect(existsSync(path.join(folder, 'owner'))).toBe(false);
    expect(process.listenerCount('exit') + process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).toBe(
      listeners,
    );

    const second = await start();
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
  });

  it('listens on 127.0.0.1 only, and asks for the password', async () => {
    startedBefore();
    const postgres = await start();
    expect(
      await query(
        postgres.url,
        `select string_agg(setting, ',' order by name) as s from pg_settings where name in ('listen_addresses', 'unix_socket_directories')`,
      ),
    ).toEqual([{ s: '127.0.0.1,' }]);
    const wrong = new URL(postgres.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('is not started twice on one folder', async () => {
    startedBefore();
    await start();
    await expect(start()).rejects.toMatchObject({
      code: 'SK_CONFLICT',
      why: expect.stringContaining(`process ${process.pid}`),
    });
  });

  it('names a port that is taken, and leaves the folder free', async () => {
    startedBefore();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({ code: 'SK_PORT_TAKEN', context: { port } });
    await new Promise((resolve) => server.close(resolve));
    expect((await start({ port })).port).toBe(port);
  });

  it('that was killed starts again from what it had written', async () => {
    startedBefore();
    let told = '';
    const first = await start({ onUnexpectedExit: (why) => (told = why) });
    await query(first.url, 'create table kept as select 1 as n');
    await query(first.url, 'checkpoint');
    process.kill(first.pid, 'SIGKILL');
    await untilGone(first.pid);
    for (let i = 0; i < 500 && told === ''; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(told).toContain('SIGKILL');
    expect(existsSync(path.join(folder, 'data', 'postmaster.pid'))).toBe(true);
    await first.close();
    const second = await start();
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  it('ends when the process that started it is killed', async () => {
    startedBefore();
    const pid = await startAndKill(process.env['PATH'] ?? '');
    expect(await untilGone(pid)).toBe(true);
    expect(await query((await start()).url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('that was left behind where setpriv is missing is stopped by the next start', async () => {
    startedBefore();
    // Without setpriv the account of Postgres needs a way into the folder.
    chmodSync(folder, 0o755);
    const bin = mkdtempSync(path.join(tmpdir(), 'sidekick-bin-'));
    symlinkSync(execFileSync('which', ['id']).toString().trim(), path.join(bin, 'id'));
    const pid = await startAndKill(bin);
    rmSync(bin, { recursive: true });
    expect(isAlive(pid)).toBe(true);
    const second = await start();
    expect(isAlive(pid)).toBe(false);
    expect(await query(second.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('says what is wrong with its folder', async () => {
    startedBefore();
    const first = await start();
    await first.close();
    rmSync(path.join(folder, 'password'));
    await expect(start()).rejects.toMatchObject({
      code: 'SK_SETTINGS_INVALID',
      message: expect.stringContaining('password'),
    });
    writeFileSync(path.join(folder, 'password'), `${'0'.repeat(48)}\n`);
    chmodSync(path.join(folder, 'password'), 0o600);
    await expect(start()).rejects.toMatchObject({ code: 'SK_POSTGRES_UNREACHABLE' });
    const version = path.join(folder, 'data', 'PG_VERSION');
    writeFileSync(version, '15\n');
    await expect(start()).rejects.toMatchObject({
      code: 'SK_SETTINGS_INVALID',
      message: expect.stringContaining('Postgres 15'),
    });
    writeFileSync(version, readFileSync(version, 'utf8').replace('15', '18'));
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    await expect(start({ dataDir: path.join(file, 'below') })).rejects.toMatchObject({ code: 'SK_SETTINGS_INVALID' });
  });

  it('throws away what an interrupted first start left', async () => {
    const half = path.join(folder, 'data.new');
    mkdirSync(half);
    writeFileSync(path.join(half, 'PG_VERSION'), '18\n');
    const postgres = await start();
    expect(await query(postgres.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(existsSync(half)).toBe(false);
  });
});
