import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import type { Peer } from '../../../src/embedded/sip/types';
import { freePorts } from './free-ports';
import { installed } from './installed';
import type { PeerRoom } from './peer-process';

const SCENARIOS = path.join(__dirname, '..', 'sipp');
const LOG_SHOWN = 6_000;

export interface SippOptions {
  /** Name of a file in test/interop/sipp, without `.xml`. */
  readonly scenario: string;
  /** Words `@name@` in the scenario are replaced by these before it is run. */
  readonly words?: Readonly<Record<string, string | number>>;
  /** Where it calls. */
  readonly target: Peer;
  readonly number: string;
  readonly calls?: number;
  readonly perSecond?: number;
  /** Length of pauses without a length of their own, milliseconds: mostly the length of the call. */
  readonly pauseMs?: number;
  /** Of every hundred messages so many are lost, in both directions. */
  readonly lostPercent?: number;
  /** Port for the audio in the offer; default: a port where nobody listens. */
  readonly audioPort?: number;
  readonly rtpEcho?: boolean;
  readonly timeoutSeconds?: number;
}

export interface SippResult {
  readonly succeeded: number;
  readonly failed: number;
  /** Messages it sent again. */
  readonly retransmissions: number;
}

export interface SippOutcome extends SippResult {
  /** How often a message came that the pattern fits, those that came again too. */
  received(pattern: RegExp): number;
}

export interface SippRun {
  /** Resolves when all calls are over; rejects with its logs if one of them failed. */
  readonly done: Promise<SippOutcome>;
  readonly audioPort: number;
}

/** Starts sipp as a carrier. Its calls follow the scenario to the letter: anything unexpected fails the call. */
export async function startSipp(room: PeerRoom, options: SippOptions): Promise<SippRun> {
  const { file } = installed('sipp');
  if (file === undefined) {
    throw new Error('sipp is not installed');
  }
  const folder = room.folder();
  const scenario = path.join(folder, 'scenario.xml');
  writeFileSync(scenario, fill(readFileSync(path.join(SCENARIOS, `${options.scenario}.xml`), 'utf8'), options.words));
  const port = await freePorts(6);
  const audioPort = options.audioPort ?? port + 2;
  const peer = room.start(
    file,
    [
      `${options.target.address}:${options.target.port}`,
      ...['-sf', scenario, '-t', options.target.protocol === 'tcp' ? 't1' : 'u1'],
      ...['-i', '127.0.0.1', '-p', String(port), '-bind_local', '-ci', '127.0.0.1', '-cp', String(port + 1)],
      ...['-mi', '127.0.0.1', '-mp', String(port + 2), ...(options.rtpEcho === true ? ['-rtp_echo'] : [])],
      ...['-s', options.number, '-key', 'audio_port', String(audioPort)],
      ...['-m', String(options.calls ?? 1), '-r', String(options.perSecond ?? 10), '-l', String(options.calls ?? 1)],
      ...['-d', String(options.pauseMs ?? 1_000), '-lost', String(options.lostPercent ?? 0)],
      ...['-nostdin', '-timeout', `${options.timeoutSeconds ?? 30}s`, '-timeout_error'],
      ...['-trace_err', '-error_file', path.join(folder, 'errors.log')],
      ...['-trace_msg', '-message_file', path.join(folder, 'messages.log')],
      ...['-trace_stat', '-stf', path.join(folder, 'stat.csv'), '-fd', '1'],
    ],
    folder,
  );
  const done = peer.ended.then(({ code, signal }) => {
    const result = readResult(path.join(folder, 'stat.csv'));
    if (code === 0 && result) {
      const messages = incoming(path.join(folder, 'messages.log'));
      return { ...result, received: (pattern: RegExp) => messages.filter((message) => pattern.test(message)).length };
    }
    throw new Error(
      [
        `sipp ${options.scenario} ended with ${code ?? signal ?? 'nothing'}: ${JSON.stringify(result)}`,
        tail(path.join(folder, 'errors.log')),
        tail(path.join(folder, 'messages.log')),
        result ? '' : peer.output,
      ].join('\n'),
    );
  });
  // Whoever awaits it still sees the failure.
  done.catch(() => undefined);
  return { done, audioPort };
}

/** Runs sipp to its end. @throws Error with its logs if a call failed */
export async function runSipp(room: PeerRoom, options: SippOptions): Promise<SippOutcome> {
  const run = await startSipp(room, options);
  return await run.done;
}

/** Puts the words in; a word that is asked for and not given is a mistake of the test. */
export function fill(text: string, words: Readonly<Record<string, string | number>> = {}): string {
  return text.replaceAll(/@([a-z]+)@/g, (_, name: string) => {
    const word = words[name];
    if (word === undefined) {
      throw new Error(`the scenario wants a word for @${name}@`);
    }
    return String(word);
  });
}

/** Reads the last line of sipp's statistics. */
export function parseStatistics(text: string): SippResult | undefined {
  const [head, ...rows] = text.split('\n').filter((line) => line.trim() !== '');
  const last = rows.at(-1);
  if (head === undefined || last === undefined) {
    return undefined;
  }
  const names = head.split(';');
  const cells = last.split(';');
  const number = (name: string): number => {
    const value = Number(cells[names.indexOf(name)]);
    if (!Number.isInteger(value)) {
      throw new Error(`sipp's statistics have no number for ${name}`);
    }
    return value;
  };
  return {
    succeeded: number('SuccessfulCall(C)'),
    failed: number('FailedCall(C)'),
    retransmissions: number('Retransmissions(C)'),
  };
}

function readResult(file: string): SippResult | undefined {
  return parseStatistics(read(file));
}

/** The messages of the log that came in. */
function incoming(file: string): readonly string[] {
  return read(file)
    .split(/^-{20,}.*$/m)
    .filter((entry) => /message received/.test(entry));
}

function tail(file: string): string {
  return read(file).slice(-LOG_SHOWN);
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'latin1') : '';
}
