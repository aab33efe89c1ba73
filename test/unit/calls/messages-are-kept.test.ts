import { VoicemailKeeper } from '../../../src/calls/voicemail-keeper';
import type { KeptFile, VoicemailStore } from '../../../src/calls/voicemail-keeper';
import type { HeardSound } from '../../../src/calls/ports';
import { silentLog } from '../../../src/lib/log';
import { ManualClock } from '../../support/manual-clock';

const DAY_MS = 86_400_000;
const kept = (voicemailId: string): KeptFile => ({ voicemailId, mediaServer: 'fs1', file: `${voicemailId}.wav` });

/** What one round did. */
async function round(options: {
  readonly lost?: readonly string[];
  readonly old?: Readonly<Record<string, number>>;
  readonly heard?: (file: string) => HeardSound | undefined;
  readonly removes?: (file: string) => boolean;
}): Promise<readonly string[]> {
  const done: string[] = [];
  const store: VoicemailStore = {
    lostVoicemails: async () => Promise.resolve((options.lost ?? []).map(kept)),
    endVoicemail: async (id, { lengthMs, kept: keep }) => {
      done.push(`${id} ${keep ? 'kept' : 'discarded'} ${lengthMs ?? 'unknown'}`);
      return Promise.resolve();
    },
    voicemailsToDelete: async () =>
      Promise.resolve(Object.entries(options.old ?? {}).map(([id, overdueMs]) => ({ ...kept(id), overdueMs }))),
    forgetVoicemail: async (id) => {
      done.push(`${id} forgotten`);
      return Promise.resolve();
    },
  };
  const keeper = new VoicemailKeeper({
    store,
    media: { listenTo: async (_server, file) => Promise.resolve(options.heard?.(file)) },
    remove: async (_server, file) => Promise.resolve(options.removes?.(file) ?? false),
    clock: new ManualClock(),
    log: silentLog(),
  });
  await keeper.round();
  return done;
}

describe('messages of callers are kept', () => {
  it('when their node died: what has sound, and what cannot be heard here', async () => {
    const lengths: Readonly<Record<string, HeardSound>> = {
      'a.wav': { lengthMs: 4_000.4, soundMs: 900, lastSoundMs: 3_000 },
      'b.wav': { lengthMs: 6_000, soundMs: 0, lastSoundMs: 0 },
    };
    expect(await round({ lost: ['a', 'b', 'c'], heard: (file) => lengths[file] })).toEqual([
      'a kept 4000',
      'b discarded 6000',
      'c kept unknown',
    ]);
  });

  it('until their time: the row goes after its file, or a day later where no node has that', async () => {
    const old = { here: 0, elsewhere: DAY_MS - 1, nowhere: DAY_MS };
    expect(await round({ old, removes: (file) => file === 'here.wav' })).toEqual([
      'here forgotten',
      'nowhere forgotten',
    ]);
  });

  it('one that fails stops none of the others', async () => {
    const fails = (file: string): never => {
      throw new Error(file);
    };
    const done = await round({
      lost: ['a'],
      heard: fails,
      old: { b: 0, c: 0 },
      removes: (file) => (file === 'b.wav' ? fails(file) : true),
    });
    expect(done).toEqual(['c forgotten']);
  });
});
