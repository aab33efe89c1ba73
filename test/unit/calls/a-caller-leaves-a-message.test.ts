import { SessionLab } from '../../support/call-session';
import type { QueuePlan } from '../../../src/calls/ports';

const VOICEMAIL = {
  queue: 'q1',
  greetingUri: 'greeting.wav',
  thanksUri: 'thanks.wav',
  maxSeconds: 60,
  silenceSeconds: 3,
  minSeconds: 2,
  keepDays: 7,
};

/** A caller whose queue is closed and sends callers to its voicemail, up to the recording. */
async function recording(more: Partial<QueuePlan> = {}): Promise<SessionLab> {
  const lab = new SessionLab({
    queues: { q1: { hours: 'never', exits: { closed: { voicemail: 'q1' } }, voicemail: VOICEMAIL, ...more } },
  });
  await lab.start();
  await lab.promptEnds();
  await lab.promptEnds();
  return lab;
}

describe('a caller who leaves a message', () => {
  it('hears greeting and tone, is recorded, thanked and hung up; the row stands before the recording', async () => {
    const lab = await recording();
    expect(lab.heard).toEqual(['play greeting.wav', 'play tone_stream://%(300,0,1000)', 'record 60 3 #']);
    expect(lab.written.slice(-1)).toEqual(['begin message q1']);
    await lab.recorded({ lengthMs: 4_000, endedBySilence: false });
    expect(lab.heard.at(-1)).toBe('play thanks.wav');
    expect(lab.state).toMatchObject({ kind: 'closing', reason: 'voicemail-left' });
    await lab.promptEnds();
    expect(lab.written.slice(-2)).toEqual(['message of 4000 ms', 'end voicemail-left']);
    expect(lab.finished).toEqual({ result: 'success', reason: 'voicemail-left' });
  });

  it.each([
    ['shorter than a message', { lengthMs: 1_900, endedBySilence: false }],
    ['silence after less than a message', { lengthMs: 4_900, endedBySilence: true }],
    ['nothing', { lengthMs: 0, endedBySilence: false }],
  ])('%s: it is thrown away, and the call ends as what it was', async (_what, sound) => {
    const lab = await recording();
    await lab.recorded(sound);
    expect(lab.written.slice(-2)).toEqual(['message discarded', 'end queue-closed']);
    expect(lab.events).toContain('voicemail:discarded');
    expect(lab.finished).toEqual({ result: 'success', reason: 'queue-closed' });
  });

  it('hangs up: the recording is broken off, and its length says whether it is a message', async () => {
    const lab = await recording();
    await lab.callerLeaves();
    expect(lab.heard.at(-1)).toBe('stop');
    expect(lab.state.kind).toBe('recording');
    await lab.recorded({ lengthMs: 2_500, endedBySilence: false });
    expect(lab.finished).toEqual({ result: 'success', reason: 'voicemail-left' });
    expect(lab.written).toContain('message of 2500 ms');
  });

  it('hangs up, and the media server does not say how long it was: the clock does', async () => {
    const lab = await recording();
    await lab.clock.advance(5_000);
    await lab.callerLeaves();
    await lab.clock.advance(1_500);
    expect(lab.finished).toEqual({ result: 'success', reason: 'voicemail-left' });
    expect(lab.written).toContain('message of 5000 ms');
  });

  it('is ended by somebody else: what was said is kept all the same', async () => {
    const lab = await recording();
    lab.session.input({ kind: 'end', reason: 'ended-by-admin' });
    await lab.recorded({ lengthMs: 3_000, endedBySilence: false });
    expect(lab.written.slice(-2)).toEqual(['message of 3000 ms', 'end ended-by-admin']);
    expect(lab.finished).toEqual({ result: 'success', reason: 'ended-by-admin' });
  });

  it('and nothing can be recorded: the call ends as a failure, loudly, with no message', async () => {
    const lab = await recording();
    await lab.recorded(undefined);
    expect(lab.events).toContain('voicemail:failed');
    expect(lab.written.slice(-2)).toEqual(['message discarded', 'end exit-failed']);
  });

  it('# ends the greeting and nothing else', async () => {
    const lab = new SessionLab({
      queues: { q1: { hours: 'never', exits: { closed: { voicemail: 'q1' } }, voicemail: VOICEMAIL } },
    });
    await lab.start();
    await lab.press('1');
    expect(lab.heard).toEqual(['play greeting.wav']);
    await lab.press('#');
    expect(lab.heard.at(-1)).toBe('stop');
    await lab.promptEnds();
    expect(lab.heard.at(-1)).toContain('tone_stream');
    await lab.press('#');
    expect(lab.heard.filter((sound) => sound === 'stop')).toHaveLength(1);
  });

  it('for a queue that keeps none any more: the exit fails, and the call says so', async () => {
    const lab = new SessionLab({ queues: { q1: { hours: 'never', exits: { closed: { voicemail: 'q2' } } } } });
    await lab.start();
    expect(lab.events).toContain('call:exit-failed');
    expect(lab.finished).toEqual({ result: 'server-error', reason: 'exit-failed' });
  });
});
