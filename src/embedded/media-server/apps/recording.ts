/** `record`, `record_session` and their like, and the same for the api `uuid_record` (wire reference 6). */
import type { Channel } from '../channel/channel';
import { FRAME_MS, NoiseSource } from '../media/audio-source';
import { Recorder } from '../media/recorder';
import type { AppContext, AppServices } from './app-context';

/** Starts a recording that goes on beside everything else. False if the name is no WAV file or it is recorded already. */
export function startRecording(
  channel: Channel,
  path: string,
  services: Pick<AppServices, 'recordingProblem'>,
): boolean {
  if (!Recorder.accepts(path) || channel.recorders.has(path) || channel.ended) {
    return false;
  }
  const recorder = new Recorder(path, {
    stereo: channel.isTrue('RECORD_STEREO') || channel.isTrue('RECORD_STEREO_SWAP'),
    swap: channel.isTrue('RECORD_STEREO_SWAP'),
    readOnly: channel.isTrue('RECORD_READ_ONLY'),
    writeOnly: channel.isTrue('RECORD_WRITE_ONLY'),
    append: channel.isTrue('RECORD_APPEND'),
    onError: (error) => {
      services.recordingProblem(channel, path, error);
    },
  });
  channel.recorders.set(path, recorder);
  channel.emit('MEDIA_BUG_START', { 'Media-Bug-Function': 'session_record', 'Media-Bug-Target': path });
  channel.emit('RECORD_START', { 'Record-File-Path': path });
  return true;
}

/** Stops one recording, or `all`. False if there is none of that name. */
export function stopRecording(channel: Channel, path: string): boolean {
  const paths = path === 'all' ? [...channel.recorders.keys()] : [path];
  let stopped = false;
  for (const each of paths) {
    const recorder = channel.recorders.get(each);
    if (recorder === undefined) {
      continue;
    }
    stopped = true;
    channel.recorders.delete(each);
    channel.setVariable('record_ms', String(recorder.samples / 8));
    channel.setVariable('record_samples', String(recorder.samples));
    channel.setVariable('record_seconds', String(Math.floor(recorder.samples / 8000)));
    channel.emit('MEDIA_BUG_STOP', { 'Media-Bug-Function': 'session_record', 'Media-Bug-Target': each });
    void recorder.stop().then(() => {
      channel.emit('RECORD_STOP', { 'Record-File-Path': each, 'Record-Completion-Cause': 'success' });
    });
  }
  return stopped;
}

export function setRecording(channel: Channel, path: string, action: 'pause' | 'resume' | 'mask' | 'unmask'): boolean {
  const recorder = channel.recorders.get(path);
  if (recorder === undefined) {
    return false;
  }
  if (action === 'pause' || action === 'resume') {
    recorder.paused = action === 'pause';
  } else {
    recorder.masked = action === 'mask';
  }
  return true;
}

/** What the peer hears meanwhile (`record_waste_resources`), and what `record_fill_cng` puts where he sends nothing. */
const NOISE_DIVISOR = 1400;
/** Silence that ends a recording where only the threshold is given, seconds. */
const DEFAULT_SILENCE_SECONDS = 3;

/**
 * `record file [limit [threshold [hits]]]`: what the peer says, until the limit, a key or silence. The limit is passed when the
 * clock shows more whole seconds than that. A file that cannot be made ends the channel.
 */
export async function record(context: AppContext): Promise<string | undefined> {
  const { channel, frame } = context;
  const [path = '', limit, threshold, hits] = wordsOf(context.arg);
  const recorder = new Recorder(path, {
    readOnly: true,
    makesFolder: false,
    onError: (error) => context.services.recordingProblem(channel, path, error),
  });
  if (!Recorder.accepts(path) || !(await recorder.opened)) {
    channel.hangup('DESTINATION_OUT_OF_ORDER');
    return undefined;
  }
  const keys = channel.getVariable('playback_terminators') ?? '*';
  const fill = channel.isTrue('record_fill_cng') ? new NoiseSource(NOISE_DIVISOR) : undefined;
  const noise = new NoiseSource(NOISE_DIVISOR);
  const limitSeconds = Number(limit) || 0;
  const loudness = Number(threshold) || 0;
  const silentLimit = (Number(hits) || DEFAULT_SILENCE_SECONDS) * (1000 / FRAME_MS);
  const startSecond = epochSecond();
  let silentTicks = 0;
  let ended = false;
  channel.setVariable('playback_terminator_used', '');
  channel.setVariable('silence_hits_exhausted', 'false');
  channel.emit('RECORD_START', { 'Record-File-Path': path });
  await frame.perform({
    output: (codec) => noise.next(codec),
    key: (digit) => {
      if (keys !== 'none' && keys.includes(digit)) {
        channel.setVariable('playback_terminator_used', digit);
        ended = true;
      }
      return true;
    },
    step: () => {
      if (ended || (limitSeconds > 0 && epochSecond() - startSecond > limitSeconds)) {
        return true;
      }
      const heard = channel.incoming;
      silentTicks = heard !== undefined && average(channel, heard) >= loudness ? 0 : silentTicks + 1;
      if (loudness > 0 && silentTicks >= silentLimit) {
        channel.setVariable('silence_hits_exhausted', 'true');
        return true;
      }
      const written = heard ?? fill?.next(channel.media.codec);
      if (written !== undefined) {
        recorder.beat(written, undefined, channel.media.codec);
      }
      return false;
    },
  });
  await recorder.stop();
  channel.setVariable('record_ms', String(recorder.samples / 8));
  channel.setVariable('record_samples', String(recorder.samples));
  channel.setVariable('record_seconds', String(Math.floor(recorder.samples / 8000)));
  channel.emit('RECORD_STOP', { 'Record-File-Path': path });
  return undefined;
}

const epochSecond = (): number => Math.floor(Date.now() / 1000);

/** Words with spaces between them; single quotes hold one together. */
function wordsOf(arg: string): readonly string[] {
  return [...arg.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function average(channel: Channel, bytes: Uint8Array): number {
  const pcm = channel.media.codec.decode(bytes);
  let sum = 0;
  for (const sample of pcm) {
    sum += Math.abs(sample);
  }
  return sum / Math.max(1, pcm.length);
}
