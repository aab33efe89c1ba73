import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** What a command sees of the world: handed in, so that tests run commands inside their own process. */
export interface OutStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Io {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly stdin: { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Calls back on SIGINT and SIGTERM; returns what stops that. */
  onSignal(handler: (signal: NodeJS.Signals) => void): () => void;
  readStdin(): Promise<string>;
  /** Shows a question on stderr and waits for a line; an empty one at the end of the input. */
  ask(question: string): Promise<string>;
  /** As `ask`, without showing what is typed. */
  askSecret(question: string): Promise<string>;
  /** Ends the process at once. */
  exit(code: number): void;
}

export function line(stream: OutStream, text = ''): void {
  stream.write(`${text}\n`);
}

/** The real process. */
export function processIo(): Io {
  // Whoever reads our output may have enough of it, as `head` does; what else goes wrong there is a fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onSignal(handler) {
      process.on('SIGINT', handler);
      process.on('SIGTERM', handler);
      return () => {
        process.off('SIGINT', handler);
        process.off('SIGTERM', handler);
      };
    },
    exit: (code) => process.exit(code),
    ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      return new Promise((resolve) => {
        lines.once('close', () => resolve(''));
        lines.question(question, (answer) => {
          resolve(answer);
          lines.close();
        });
      });
    },
    askSecret(question) {
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
      process.stderr.write(question);
      return new Promise((resolve) => {
        lines.once('close', () => resolve(''));
        lines.question('', (answer) => {
          process.stderr.write('\n');
          resolve(answer);
          lines.close();
        });
      });
    },
    async readStdin() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) {
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}
