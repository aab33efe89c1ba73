import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The real command in processes of its own, as a user runs it. */
const ROOT = path.join(__dirname, '../..');
const START_MS = 90_000;

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

class Sidekick {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  out = '';
  err = '';

  constructor(args: readonly string[], cwd: string) {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SIDEKICK_')));
    const tsx = path.join(ROOT, 'node_modules/tsx/dist/loader.mjs');
    this.process = spawn(process.execPath, ['--import', tsx, path.join(ROOT, 'src/main.ts'), ...args], { cwd, env });
    this.process.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.finished = new Promise((resolve) => {
      this.process.once('close', (code) => resolve({ code, out: this.out, err: this.err }));
    });
  }

  async says(text: string): Promise<void> {
    const ended = this.finished.then(() => true);
    while (!this.out.includes(text)) {
      if (await Promise.race([ended, new Promise<false>((resolve) => setTimeout(resolve, 50, false))])) {
        throw new Error(`it ended without saying "${text}":\n${this.out}\n${this.err}`);
      }
    }
  }
}

/** A port that is free for UDP now. */
/** Free for UDP and TCP, and below the range from which the system gives ports to others. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + randomInt(10_000);
    const socket = createSocket('udp4');
    const server = createServer();
    const bound = await Promise.all([
      new Promise<boolean>((resolve) => {
        socket.once('error', () => resolve(false)).bind(port, '127.0.0.1', () => resolve(true));
      }),
      new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
      }),
    ]);
    socket.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (bound.every(Boolean)) {
      return port;
    }
  }
}

describe('the demo', () => {
  jest.setTimeout(240_000);
  let dir: string;
  let ports: string[];
  const running: Sidekick[] = [];

  const run = (...args: string[]): Sidekick => {
    const sidekick = new Sidekick(args, dir);
    running.push(sidekick);
    return sidekick;
  };
  const demo = async (): Promise<Sidekick> => {
    const started = run('demo', ...ports);
    await Promise.race([
      started.says('Ctrl-C ends the demo'),
      new Promise((_resolve, reject) => setTimeout(reject, START_MS, new Error('not ready in time')).unref()),
    ]);
    return started;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'demo-'));
    ports = ['--sip', `127.0.0.1:${await freePort()}`, '--http', '127.0.0.1:0'];
  });
  afterAll(async () => {
    running.forEach((sidekick) => sidekick.process.kill('SIGKILL'));
    await Promise.all(running.map((sidekick) => sidekick.finished));
    rmSync(dir, { recursive: true, force: true });
  });

  it('starts, takes a call that both sides hear, refuses a second start, ends on Ctrl-C and finds its state again', async () => {
    const first = await demo();
    expect(first.out).toContain('+49301000100');
    expect(first.out).toContain('npx sidekick demo call');

    const second = await run('demo', ...ports).finished;
    expect(second.code).toBe(5);
    expect(second.err).toContain(`process ${first.process.pid}`);
    expect(existsSync(path.join(dir, '.sidekick/sidekick.log.1'))).toBe(false);

    const ready = await run('status', '-o', 'json').finished;
    expect(ready.code).toBe(0);
    expect(JSON.parse(ready.out)).toMatchObject({
      status: 'ready',
      links: { postgres: { up: true }, drachtio: { up: true }, graph: { up: true } },
    });

    const doctor = await run('doctor', '-o', 'json').finished;
    const { checks } = JSON.parse(doctor.out) as { checks: { step: string; verdict: string }[] };
    expect(checks.filter(({ verdict }) => verdict !== 'ok')).toMatchObject([{ step: 'carriers', verdict: 'warn' }]);
    expect(doctor.code).toBe(0);

    const paused = await run('agents', 'pause', 'Anna', '--reason', 'lunch').finished;
    expect([paused.code, paused.out]).toEqual([0, 'Anna is paused (lunch)\n']);

    const call = await run('demo', 'call', '--json', '--seconds', '1').finished;
    expect([call.code, call.err]).toEqual([0, '']);
    const lines = call.out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    const summary = lines.at(-1);
    expect(summary).toMatchObject({
      result: 'success',
      reason: 'caller-hung-up',
      callerHeardAgent: true,
      agentHeardCaller: true,
    });
    const names = summary.stages.map((s: { stage: string }) => s.stage);
    for (const stage of [
      'answered',
      'greeting',
      'waiting',
      'offered',
      'connected',
      'caller-heard-agent',
      'agent-heard-caller',
      'ended',
    ]) {
      expect(names).toContain(stage);
    }
    expect(summary.stages.find((s: { stage: string }) => s.stage === 'offered').agent).not.toBe('Anna');

    const shown = await run('calls', 'get', summary.callId).finished;
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('call:connected');

    const refused = await run('demo', 'call', '--to', '+49301999999', '--json').finished;
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out.trim().split('\n').at(-1)!)).toMatchObject({
      callId: null,
      result: 'refused',
      reason: expect.stringContaining('404'),
    });

    const many = await run('demo', 'call', '--count', '3', '--rate', '5', '--seconds', '1', '--json').finished;
    expect(many.code).toBe(0);
    expect(JSON.parse(many.out.trim().split('\n').at(-1)!)).toMatchObject({ summary: { calls: 3, bothHeard: 3 } });

    first.process.kill('SIGINT');
    first.process.kill('SIGINT');
    const ended = await first.finished;
    expect([ended.code, ended.err]).toEqual([0, expect.stringContaining('the state stays in .sidekick')]);
    expect(ended.err).not.toContain('left open');
    expect(existsSync(path.join(dir, '.sidekick/run.json'))).toBe(false);

    const again = await demo();
    expect(again.out).toContain('found again');
    const agents = await run('agents', 'list').finished;
    expect(agents.out).toMatch(/^Anna\tpaused \(lunch\)\t/m);
    const past = await run('calls', 'list', '--all', '-o', 'name').finished;
    expect(past.out).toContain(summary.callId);
    expect(readFileSync(path.join(dir, '.sidekick/sidekick.log'), 'utf8')).not.toContain('+4917');
    again.process.kill('SIGTERM');
    expect((await again.finished).code).toBe(0);
  });
});
