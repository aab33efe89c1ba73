/** `playback` and everything else that plays (wire reference 4.4, 5.6, 6). */
import { FRAME_MS } from '../media/audio-source';
import type { AudioSource } from '../media/audio-source';
import type { Outcome } from '../channel/app-runner';
import type { AppContext } from './app-context';

export interface PlayResult {
  readonly response: 'FILE PLAYED' | 'FILE NOT FOUND' | 'PLAYBACK ERROR';
  readonly outcome: Outcome;
}

export interface PlayOptions {
  /** A key was pressed: true ends the playback. */
  readonly onKey?: (digit: string) => boolean;
}

/** Plays one file or a list of them, one after the other. */
export async function play(context: AppContext, text: string, options: PlayOptions = {}): Promise<PlayResult> {
  let response: PlayResult['response'] = 'FILE NOT FOUND';
  for (const path of fileList(context, text)) {
    const source = await context.services.sounds.open(path);
    if (source === undefined) {
      response = 'FILE NOT FOUND';
      continue;
    }
    const outcome = await playSource(context, source, options);
    // What is broken off because the channel leaves for a bridge or a transfer counts as an error; uuid_break does not.
    response = outcome === 'abort' ? 'PLAYBACK ERROR' : 'FILE PLAYED';
    if (outcome !== 'done') {
      return { response, outcome };
    }
  }
  return { response, outcome: 'done' };
}

function fileList({ channel }: AppContext, text: string): string[] {
  const [, strung] = /^file_string:\/\/([^]*)$/.exec(text) ?? [];
  const delimiter = strung === undefined ? channel.getVariable('playback_delimiter') : '!';
  const list = delimiter === undefined ? [strung ?? text] : (strung ?? text).split(delimiter);
  return list.map((path) => path.trim()).filter((path) => path !== '');
}

async function playSource({ channel, frame }: AppContext, source: AudioSource, options: PlayOptions): Promise<Outcome> {
  const about = {
    ...(source.fileType === undefined ? {} : { 'Playback-File-Type': source.fileType }),
    'Playback-File-Path': source.path,
  };
  const startedAt = source.position;
  const limitSeconds = Number(channel.getVariable('playback_timeout_sec') ?? 0);
  let ticksLeft = limitSeconds > 0 ? (limitSeconds * 1000) / FRAME_MS : Infinity;
  let stoppedByKey = false;
  channel.emit('PLAYBACK_START', about);
  const outcome = await frame.perform({
    output: (codec, tick) => (stoppedByKey || ticksLeft-- <= 0 ? undefined : source.next(codec, tick)),
    key: (digit) => {
      stoppedByKey ||= options.onKey?.(digit) === true;
      return options.onKey !== undefined;
    },
  });
  const samples = source.position - startedAt;
  channel.setVariable('playback_seconds', String(Math.floor(samples / 8000)));
  channel.setVariable('playback_ms', String(Math.floor(samples / 8)));
  channel.setVariable('playback_samples', String(samples));
  channel.setVariable('playback_last_offset_pos', String(source.position));
  const broken = outcome !== 'done' || stoppedByKey;
  channel.emit('PLAYBACK_STOP', { ...about, 'Playback-Status': broken ? 'break' : 'done' });
  return stoppedByKey && outcome === 'done' ? 'break' : outcome;
}

/** The application: keys in `playback_terminators` end it (`*` if it is not set, `none` for no key). */
export async function playback(context: AppContext): Promise<string> {
  const { channel, arg } = context;
  const keys = channel.getVariable('playback_terminators') ?? '*';
  channel.setVariable('playback_terminator_used', undefined);
  const onKey = (digit: string): boolean => {
    const terminates = keys !== 'none' && keys.includes(digit);
    if (terminates) {
      channel.setVariable('playback_terminator_used', digit);
    }
    return terminates;
  };
  // With no keys to listen for, they go on to the other side of a bridge.
  return (await play(context, arg, keys === 'none' ? {} : { onKey })).response;
}
