import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Of a program's output so much is kept for the message of a failing test, characters. */
const OUTPUT_KEPT = 20_000;
const TERM_MS = 3_000;

export interface PeerEnd {
  /** Undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A program of somebody else that takes part in a test. Ended by its process id, never by its name. */
export class PeerProcess {
  readonly ended: Promise<PeerEnd>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(file: string, args: readonly string[], folder: string) {
    this.#child = spawn(file, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: peerEnv(folder) });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-OUTPUT_KEPT);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        resolve({ code: code ?? undefined, signal: signal ?? undefined });
      });
    });
    // Whoever awaits it still sees the failure; a test that has failed before must not end the run with it.
    this.ended.catch(() => undefined);
  }

  /** What it printed, the end of it. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** Asks it to end, and ends it if it does not. Idempotent. */
  async stop(): Promise<void> {
    if (!this.running) {
      return;
    }
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), TERM_MS);
    try {
      await this.ended;
    } finally {
      clearTimeout(hard);
    }
  }
}

/** Nothing of the developer's own settings reaches a peer. */
function peerEnv(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '', HOME: folder, LANG: 'C', TERM: 'dumb' };
}

/** The peers of one test file. After each test they are ended and their folders removed. */
export class PeerRoom {
  readonly #peers: PeerProcess[] = [];
  readonly #closers: (() => void)[] = [];
  readonly #folders: string[] = [];

  folder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidekick-peer-'));
    this.#folders.push(folder);
    return folder;
  }

  start(file: string, args: readonly string[], folder: string): PeerProcess {
    const peer = new PeerProcess(file, args, folder);
    this.#peers.push(peer);
    return peer;
  }

  /** Something else that has to be closed after the test. */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  async clear(): Promise<void> {
    for (const close of this.#closers.splice(0)) {
      close();
    }
    await Promise.all(this.#peers.splice(0).map((peer) => peer.stop()));
    for (const folder of this.#folders.splice(0)) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** A room for the peers of this test file, cleared after each test. To be called before `labSuite`, whose check comes last. */
export function peerRoom(): PeerRoom {
  const room = new PeerRoom();
  afterEach(() => room.clear());
  return room;
}
