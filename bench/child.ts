/** A process of the system under test, seen from the benchmark. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';
import type { PartMessage, PartOrder, PartReply, PartStats } from './part-messages';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ChildOptions {
  /** Folder with the compiled sources. */
  readonly js: string;
  /** Folder for the process's log. */
  readonly logs: string;
  readonly cpuProfile: string | undefined;
}

export class Child {
  readonly name: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly #process: ChildProcess;

  private constructor(name: string, child: ChildProcess, info: Readonly<Record<string, unknown>>) {
    this.name = name;
    this.#process = child;
    this.info = info;
  }

  /** Starts a part and waits until it is ready. @throws Error with what the part said, when it cannot start */
  static async start(order: PartOrder, options: ChildOptions): Promise<Child> {
    const log = openSync(path.join(options.logs, `${order.part}.log`), 'a');
    const child = fork(path.join(options.js, 'bench', 'part.js'), [], {
      stdio: ['ignore', log, log, 'ipc'],
      execArgv: [
        '--expose-gc',
        ...(options.cpuProfile === undefined
          ? []
          : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfile}`, `--cpu-prof-name=${order.part}.cpuprofile`]),
      ],
    });
    const first = nextReply(child, START_TIMEOUT_MS);
    send(child, { kind: 'start', order });
    const reply = await first;
    if (reply.kind !== 'ready') {
      child.kill();
      throw new Error(`${order.part} did not start: ${reply.kind === 'failed' ? reply.reason : reply.kind}`);
    }
    return new Child(order.part, child, reply.info);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async stats(options: { readonly collect?: boolean } = {}): Promise<PartStats> {
    const next = nextReply(this.#process, START_TIMEOUT_MS);
    send(this.#process, { kind: 'stats', collect: options.collect ?? false });
    const reply = await next;
    if (reply.kind !== 'stats') {
      throw new Error(`${this.name} answered ${reply.kind} instead of its figures`);
    }
    return reply.stats;
  }

  /** Ends it, at last by force. Idempotent. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      child.once('exit', () => {
        clearTimeout(force);
        resolve();
      });
      send(child, { kind: 'stop' });
    });
  }
}

function send(child: ChildProcess, message: PartMessage): void {
  if (child.connected) {
    child.send(message);
  }
}

function nextReply(child: ChildProcess, timeoutMs: number): Promise<PartReply> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle();
    };
    const onMessage = (message: unknown): void => {
      done(() => {
        resolve(message as PartReply);
      });
    };
    const onExit = (code: number | null): void => {
      done(() => {
        reject(new Error(`a process under test ended with ${String(code)}; see its log`));
      });
    };
    const timer = setTimeout(() => {
      done(() => {
        reject(new Error(`a process under test did not answer within ${timeoutMs} ms`));
      });
    }, timeoutMs);
    child.once('message', onMessage);
    child.once('exit', onExit);
  });
}
