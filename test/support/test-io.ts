import type { Io } from '../../src/cli/io';

/** A terminal that remembers, for commands run inside the test. */
export interface TestIo extends Io {
  out(): string;
  err(): string;
  readonly exits: number[];
  /** What Ctrl-C does. */
  signal(name: NodeJS.Signals): void;
}

export function testIo(
  options: { env?: Record<string, string>; cwd?: string; tty?: boolean; stdin?: string; answers?: string[] } = {},
): TestIo {
  let out = '';
  let err = '';
  const handlers = new Set<(signal: NodeJS.Signals) => void>();
  const exits: number[] = [];
  const answers = [...(options.answers ?? [])];
  return {
    stdout: { write: (text) => (out += text), isTTY: options.tty ?? false },
    stderr: { write: (text) => (err += text), isTTY: options.tty ?? false },
    env: options.env ?? {},
    cwd: options.cwd ?? '/nowhere',
    onSignal(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    stdin: { isTTY: options.tty ?? false },
    ask: (question) => {
      err += question;
      const answer = answers.shift() ?? '';
      err += `${answer}\n`;
      return Promise.resolve(answer);
    },
    askSecret: (question) => {
      err += `${question}\n`;
      return Promise.resolve(answers.shift() ?? '');
    },
    readStdin: () => Promise.resolve(options.stdin ?? ''),
    exit: (code) => exits.push(code),
    out: () => out,
    err: () => err,
    exits,
    signal: (name) => handlers.forEach((handler) => handler(name)),
  };
}
