import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { totalsOf, percentiles } from '../../src/cli/demo-call/figures';
import { randomCaller } from '../../src/cli/demo-call/caller';
import type { CallSummary } from '../../src/cli/demo-call/caller';
import { stagesOfEvents, stageText } from '../../src/cli/demo-call/stages';
import { outputFormat, printList, shortDuration } from '../../src/cli/output/list';
import type { ListView } from '../../src/cli/output/list';
import { portOwner, requireFreePort } from '../../src/cli/port-owner';
import { findRunning, processStart, readRunFile, removeRunFile, writeRunFile } from '../../src/cli/run-file';
import type { RunFile } from '../../src/cli/run-file';
import { StopSignal } from '../../src/cli/stop-signal';
import { testIo } from '../support/test-io';

interface Row {
  readonly name: string;
  readonly at: number;
}
const VIEW: ListView<Row> = {
  noun: 'things',
  columns: [
    { title: 'name', text: (r) => r.name },
    { title: 'age', text: (r) => `${r.at} s`, plain: (r) => String(r.at) },
  ],
  name: (r) => r.name,
  json: (r) => r,
  empty: 'no things',
};
const ROWS: Row[] = [
  { name: 'Anna', at: 1 },
  { name: 'B\tb\u001b[31m\n', at: 22 },
];

describe('a list', () => {
  const printed = (format: Parameters<typeof printList>[3], rows = ROWS): string => {
    const io = testIo();
    printList(io, VIEW, rows, format);
    return io.out();
  };

  it('is a table on a terminal, without what a terminal would obey', () => {
    expect(printed('table')).toBe('NAME       AGE\nAnna       1 s\nB b [31m   22 s\n');
  });
  it('is tab separated without a head in a pipe, one line a row whatever the names hold', () => {
    expect(printed('tsv')).toBe('Anna\t1\nB b [31m \t22\n');
  });
  it('is JSON with a version', () => {
    expect(JSON.parse(printed('json'))).toEqual({ apiVersion: 'sidekick/v1', things: ROWS });
  });
  it('is names alone for scripts', () => {
    expect(printed('name', [ROWS[0]!])).toBe('Anna\n');
  });
  it('says on a terminal that it is empty, and nothing in a pipe', () => {
    expect([printed('table', []), printed('tsv', [])]).toEqual(['no things\n', '']);
  });
  it('chooses its form by where it goes', () => {
    expect(outputFormat(testIo({ tty: true }), {})).toBe('table');
    expect(outputFormat(testIo(), {})).toBe('tsv');
    expect(outputFormat(testIo({ tty: true }), { output: 'json' })).toBe('json');
  });
  it.each([
    [400, '0 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [-5, '0 s'],
  ])('shows %d ms as %s', (ms, text) => expect(shortDuration(ms)).toBe(text));
});

describe('a port', () => {
  it('that is taken is named with its option and its owner', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const error: unknown = await requireFreePort('tcp', { host: '127.0.0.1', port }, '--http').catch(
        (e: unknown) => e,
      );
      expect(error).toMatchObject({ code: 'SK_PORT_TAKEN', next: expect.stringContaining('--http 127.0.0.1:') });
      expect((error as Error).message).toContain(`tcp port ${port} on 127.0.0.1`);
      if (process.platform === 'linux') {
        expect((error as { why: string }).why).toContain(`process ${process.pid} (`);
        expect(portOwner('tcp', port)?.pid).toBe(process.pid);
      }
      await expect(requireFreePort('udp', { host: '127.0.0.1', port }, '--sip')).resolves.toBeUndefined();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    await expect(requireFreePort('tcp', { host: '127.0.0.1', port }, '--http')).resolves.toBeUndefined();
  });

  it('is told apart by transport', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    try {
      await expect(requireFreePort('udp', { host: '127.0.0.1', port }, '--sip')).rejects.toMatchObject({
        code: 'SK_PORT_TAKEN',
      });
    } finally {
      socket.close();
    }
  });

  it('0 is always free, and an address of another machine is a usage error', async () => {
    await expect(requireFreePort('tcp', { host: '127.0.0.1', port: 0 }, '--http')).resolves.toBeUndefined();
    await expect(requireFreePort('tcp', { host: '203.0.113.5', port: 5060 }, '--sip')).rejects.toMatchObject({
      code: 'SK_USAGE',
    });
  });

  it('owner is unknown where /proc tells nothing', () => {
    expect(portOwner('tcp', 5060, '/does/not/exist')).toBeUndefined();
  });
});

describe('the run file', () => {
  let dir: string;
  const run = (more: Partial<RunFile> = {}): RunFile => ({
    pid: process.pid,
    processStart: processStart(process.pid),
    startedAt: '2026-01-01T00:00:00.000Z',
    command: 'demo',
    databaseUrl: 'postgres://u:p@127.0.0.1/x',
    sip: { host: '127.0.0.1', port: 5060 },
    http: undefined,
    teams: undefined,
    ...more,
  });
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'run-file-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is found while its process lives, and only its owner can read it', () => {
    writeRunFile(dir, run());
    expect(findRunning(dir)).toMatchObject({ pid: process.pid, sip: { port: 5060 } });
    expect(statSync(path.join(dir, 'run.json')).mode & 0o777).toBe(0o600);
  });
  it('of a process that is gone is nobody’s, also when another process has its number now', () => {
    writeRunFile(dir, run({ pid: 2 ** 22 + 1 }));
    expect(findRunning(dir)).toBeUndefined();
    if (process.platform === 'linux') {
      writeRunFile(dir, run({ processStart: '1' }));
      expect(findRunning(dir)).toBeUndefined();
    }
    expect(readRunFile(dir)).toBeDefined();
  });
  (process.platform === 'linux' ? it : it.skip)(
    'of a killed process that nobody has waited for is nobody’s',
    async () => {
      // The shell becomes `sleep`, which never waits for the child that the shell had started.
      const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
        const born = processStart(pid);
        writeRunFile(dir, run({ pid, processStart: born }));
        expect(findRunning(dir)).toBeDefined();
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(() => process.kill(pid, 0)).not.toThrow();
        expect(findRunning(dir)).toBeUndefined();
      } finally {
        parent.kill('SIGKILL');
        await once(parent, 'close');
      }
    },
  );
  it('is removed by its own process only', () => {
    writeRunFile(dir, run({ pid: process.pid + 1 }));
    removeRunFile(dir);
    expect(readRunFile(dir)).toBeDefined();
    writeRunFile(dir, run());
    removeRunFile(dir);
    expect(readRunFile(dir)).toBeUndefined();
    removeRunFile(dir);
  });
  it.each(['', '{"pid":', '[]', '{"pid":"x"}', 'null'])('that holds %p counts as none', (text) => {
    writeFileSync(path.join(dir, 'run.json'), text);
    expect(findRunning(dir)).toBeUndefined();
  });
});

describe('Ctrl-C', () => {
  afterEach(() => jest.useRealTimers());

  it('asks once to stop; npm’s copy of the same key press does not end the process, a later one does', async () => {
    jest.useFakeTimers({ now: 1000 });
    const io = testIo();
    const stop = new StopSignal(io);
    expect(() => stop.throwIfAsked()).not.toThrow();
    io.signal('SIGINT');
    await stop.asked;
    io.signal('SIGINT');
    expect(io.exits).toEqual([]);
    expect(() => stop.throwIfAsked()).toThrow(/SK_STOPPING/);
    jest.setSystemTime(1800);
    io.signal('SIGINT');
    expect(io.exits).toEqual([130]);
    stop.close();
    io.signal('SIGINT');
    expect(io.exits).toEqual([130]);
  });
});

describe('demo call', () => {
  it('makes stages of what the node wrote, with the agent of each offer', () => {
    const events = [
      { at: 1000, kind: 'call:arrived', data: {} },
      { at: 1100, kind: 'call:greeting', data: {} },
      { at: 3000, kind: 'call:waiting', data: { queue: 'support', position: 2 } },
      { at: 3010, kind: 'call:offered', data: { offerId: 'a', agent: 'Ben', presence: 'Available' } },
      { at: 5000, kind: 'offer:closed', data: { offerId: 'a', kind: 'refused', outcome: 'declined' } },
      { at: 5010, kind: 'call:offered', data: { offerId: 'b', agent: 'Anna', presence: undefined } },
      { at: 5200, kind: 'call:connected', data: { offerId: 'b' } },
      { at: 9000, kind: 'offer:closed', data: { offerId: 'b', kind: 'connection-ended' } },
      { at: 9001, kind: 'call:ended', data: { result: 'success', reason: 'caller-hung-up' } },
    ];
    expect(stagesOfEvents(events, 1000).map((s) => `${s.ms} ${stageText(s)}`)).toEqual([
      '100 greeting',
      '2000 waiting as 2nd in support',
      '2010 offered to Ben (Available)',
      '4000 Ben did not take it: declined',
      '4010 offered to Anna',
      '4200 connected to Anna after 4.2 s',
      '8001 ended: success, caller-hung-up',
    ]);
  });

  it.each([
    [1, '1st'],
    [2, '2nd'],
    [3, '3rd'],
    [4, '4th'],
    [11, '11th'],
    [12, '12th'],
    [21, '21st'],
    [112, '112th'],
  ])('says %d as %s', (position, text) => {
    expect(stageText({ stage: 'waiting', ms: 0, data: { position, queue: 'q' } })).toBe(`waiting as ${text} in q`);
  });

  it('calls from German mobile numbers', () => {
    for (let i = 0; i < 200; i++) {
      expect(randomCaller()).toMatch(/^\+4917\d{9}$/);
    }
  });

  it('takes percentiles by nearest rank', () => {
    expect(percentiles([5])).toEqual({ p50: 5, p95: 5, max: 5 });
    expect(percentiles(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ p50: 50, p95: 95, max: 100 });
  });

  it('adds up many calls: one that was not heard both ways is no success', () => {
    const call = (heard: [boolean, boolean], ms: number, reason = 'caller-hung-up'): CallSummary => ({
      callId: 'x',
      sipCallId: 'y',
      from: 'f',
      to: 't',
      result: 'success',
      reason,
      agent: 'Anna',
      callerHeardAgent: heard[0],
      agentHeardCaller: heard[1],
      stages: [
        { stage: 'answered', ms, data: {} },
        { stage: 'offered', ms: ms + 1, data: {} },
        { stage: 'offered', ms: ms + 500, data: {} },
      ],
    });
    const totals = totalsOf([
      call([true, true], 10),
      call([true, false], 20),
      call([false, true], 30, 'agent-hung-up'),
    ]);
    expect(totals).toEqual({
      calls: 3,
      bothHeard: 1,
      callerHeardAgent: 2,
      agentHeardCaller: 2,
      results: { 'success: caller-hung-up': 2, 'success: agent-hung-up': 1 },
      stages: { answered: { p50: 20, p95: 30, max: 30 }, offered: { p50: 21, p95: 31, max: 31 } },
    });
  });
});
