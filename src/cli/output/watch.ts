/** `--watch`: the same again every few seconds, redrawn on a terminal, one JSON object a line in a pipe. */
import { SidekickError } from '../../lib/errors';
import type { Context } from '../context';
import type { Io } from '../io';
import type { OutputFormat } from './list';

export const DEFAULT_WATCH_MS = 2000;
const LEAST_WATCH_MS = 200;

/** Reads `2`, `2s`, `500ms`, `1m`. @throws SidekickError SK_USAGE */
export function watchInterval(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  const unit = match?.[2] === 'ms' ? 1 : match?.[2] === 'm' ? 60_000 : 1000;
  const interval = Number(match?.[1] ?? NaN) * unit;
  if (!(interval >= LEAST_WATCH_MS && interval <= 3_600_000)) {
    throw new SidekickError('SK_USAGE', `--watch=${text} cannot be understood`, {
      why: 'it must be a time from 200ms to 60m, such as 2s',
      next: 'leave the time away for every 2 seconds',
    });
  }
  return interval;
}

/**
 * Draws once, or until Ctrl-C. `draw` writes to what it is given; `live` says that it must be one JSON object in one line.
 * @returns 0, or 130 after an interrupt
 */
export async function repeatedly(
  context: Context,
  watch: number | true | undefined,
  format: OutputFormat,
  draw: (io: Io, live: boolean) => Promise<void>,
): Promise<number> {
  const { io } = context;
  if (watch === undefined) {
    await draw(io, false);
    return 0;
  }
  const everyMs = watch === true ? DEFAULT_WATCH_MS : watch;
  const onScreen = io.stdout.isTTY === true && (format === 'table' || format === 'wide');
  const stop = new AbortController();
  const off = io.onSignal(() => stop.abort());
  try {
    while (!stop.signal.aborted) {
      if (onScreen) {
        await redraw(io, everyMs, draw);
      } else {
        await draw(io, true);
      }
      await pause(everyMs, stop.signal);
    }
    return 130;
  } finally {
    off();
  }
}

/** All at once, so that the screen does not flicker; from the top, deleting what is left of the last one. */
async function redraw(io: Io, everyMs: number, draw: (io: Io, live: boolean) => Promise<void>): Promise<void> {
  let text = '';
  const collect = { isTTY: true, write: (more: string) => (text += more) };
  await draw({ ...io, stdout: collect }, false);
  const rows = text.split('\n').map((row) => `${row}\u001b[K`);
  io.stdout.write(
    `\u001b[H${rows.join('\n')}\u001b[J${new Date().toISOString()}, every ${everyMs / 1000} s; Ctrl-C ends\u001b[K`,
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
