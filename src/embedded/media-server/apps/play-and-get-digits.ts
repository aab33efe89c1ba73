/** `play_and_get_digits`: prompt, keys, a pattern they must fit, another try (wire reference 4.4, 5.6). */
import { FRAME_MS } from '../media/audio-source';
import type { AppContext } from './app-context';
import { play } from './playback';

interface CollectOptions {
  readonly min: number;
  readonly max: number;
  readonly tries: number;
  readonly timeoutMs: number;
  readonly terminators: string;
  readonly prompt: string;
  readonly invalid: string;
  readonly variable: string;
  readonly pattern: RegExp | undefined;
  readonly digitTimeoutMs: number;
}

/** FreeSWITCH waits no shorter than this. */
const MIN_TIMEOUT_MS = 1000;

function parseOptions(arg: string): CollectOptions | undefined {
  const [min, max, tries, timeout, terminators, prompt, invalid, variable, pattern, digitTimeout] = arg
    .trim()
    .split(/\s+/);
  const [least, most] = [Number(min), Number(max)];
  if (!Number.isInteger(least) || !Number.isInteger(most) || prompt === undefined) {
    return undefined;
  }
  const timeoutMs = Math.max(MIN_TIMEOUT_MS, Number(timeout) || 5000);
  return {
    min: Math.max(0, least),
    max: Math.min(128, Math.max(least, most, 1)),
    tries: Math.max(1, Math.min(128, Number(tries) || 1)),
    timeoutMs,
    terminators: terminators === undefined || terminators === 'none' ? '' : terminators.replace(/^=/, ''),
    prompt,
    invalid: invalid ?? 'silence_stream://250',
    variable: variable ?? 'digits',
    pattern: compile(pattern),
    digitTimeoutMs: Math.max(MIN_TIMEOUT_MS, Number(digitTimeout) || timeoutMs),
  };
}

/** A pattern that cannot be compiled is matched as the text it is. */
function compile(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined || pattern === '') {
    return undefined;
  }
  try {
    return new RegExp(pattern.slice(0, 200));
  } catch (error) {
    if (error instanceof SyntaxError) {
      return new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    }
    throw error;
  }
}

type Collected = 'success' | 'timeout' | 'failure' | 'abort';

export async function playAndGetDigits(context: AppContext): Promise<string | undefined> {
  const { channel } = context;
  const options = parseOptions(context.arg);
  if (options === undefined) {
    return '-ERR invalid arguments';
  }
  channel.setVariable(`${options.variable}_invalid`, undefined);
  for (let round = 0; round < options.tries; round++) {
    const { digits, result } = await readKeys(context, options);
    if (result === 'abort') {
      return undefined;
    }
    if (digits === '' && options.min === 0 && channel.getVariable('read_terminator_used') !== undefined) {
      return undefined;
    }
    if (result === 'success' && digits !== '') {
      if (options.pattern === undefined || options.pattern.test(digits)) {
        return undefined;
      }
      channel.setVariable(options.variable, undefined);
      channel.setVariable(`${options.variable}_invalid`, digits);
    }
    const { outcome } = await play(context, options.invalid);
    if (outcome === 'abort') {
      return undefined;
    }
  }
  channel.setVariable(options.variable, undefined);
  return undefined;
}

/** One prompt and what was pressed during and after it. */
async function readKeys(context: AppContext, options: CollectOptions): Promise<{ digits: string; result: Collected }> {
  const { channel } = context;
  channel.setVariable('read_result', undefined);
  channel.setVariable(options.variable, undefined);
  let digits = '';
  let terminator = '';
  const take = (digit: string): boolean => {
    if (options.terminators.includes(digit)) {
      terminator = digit;
    } else if (digits.length < options.max) {
      digits += digit;
    }
    return true;
  };
  const complete = (): boolean => terminator !== '' || digits.length >= options.max;
  if (options.prompt !== 'silence') {
    const { outcome } = await play(context, options.prompt, { onKey: take });
    if (outcome === 'abort') {
      return { digits, result: 'abort' };
    }
  }
  let timedOut = false;
  if (!complete()) {
    let ticks = 0;
    let limitMs = digits === '' ? options.timeoutMs : options.digitTimeoutMs;
    const outcome = await context.frame.perform({
      key: (digit) => {
        ticks = 0;
        limitMs = options.digitTimeoutMs;
        return take(digit);
      },
      step: () => {
        timedOut = ++ticks * FRAME_MS >= limitMs;
        return timedOut || complete();
      },
    });
    if (outcome === 'abort') {
      return { digits, result: 'abort' };
    }
  }
  if (terminator !== '') {
    channel.setVariable('read_terminator_used', terminator);
  }
  const enough = digits.length >= options.min && (digits !== '' || !timedOut);
  const result: Collected = digits.length < options.min ? 'failure' : enough ? 'success' : 'timeout';
  channel.setVariable('read_result', timedOut && result === 'success' ? 'timeout' : result);
  channel.setVariable(options.variable, digits);
  return { digits, result };
}
