import type { Announcements, Standing } from '../../../src/flows/announcements';
import { SessionLab, type SessionOptions } from '../../support/call-session';
import { settle } from '../../support/manual-clock';

const EVERY_20: Announcements = {
  firstAfterSeconds: 10,
  everySeconds: 20,
  rules: [
    { prompt: 'next', place: { to: 1 } },
    { prompt: 'later', place: { from: 2 } },
  ],
};
const NEXT = 'play next.wav';
const MUSIC = 'music q1-music';

const waiting = (announcements: Announcements | undefined, more: SessionOptions = {}): Promise<SessionLab> =>
  new SessionLab({ ...more, queues: { q1: { announcements }, ...more.queues } }).start();

describe('a caller who waits where places are announced', () => {
  it('hears the first after its time, then music, then one each time', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(9_999);
    expect(lab.heard).toEqual([MUSIC]);
    await lab.clock.advance(1);
    expect(lab.heard).toEqual([MUSIC, NEXT]);
    await lab.clock.advance(3_000);
    await lab.promptEnds();
    expect(lab.heard).toEqual([MUSIC, NEXT, MUSIC]);
    await lab.clock.advance(19_999);
    expect(lab.heard).toHaveLength(3);
    await lab.clock.advance(1);
    expect(lab.heard).toEqual([MUSIC, NEXT, MUSIC, NEXT]);
    expect(lab.events.filter((kind) => kind === 'call:announced')).toHaveLength(2);
  });

  it('hears nothing where no rule holds, and the place is asked for at each time', async () => {
    const lab = await waiting({ ...EVERY_20, rules: [{ prompt: 'later', place: { from: 2 } }] });
    await lab.clock.advance(31_000);
    expect(lab.heard).toEqual([MUSIC]);
    expect(lab.placesRead).toBe(2);
  });

  it('hears music when the place cannot be read, and the announcement of the next time', async () => {
    let away = true;
    const standing = (): Promise<Standing> =>
      away ? Promise.reject(new Error('the database is away')) : Promise.resolve({ place: 1 });
    const lab = await waiting(EVERY_20, { standing });
    await lab.clock.advance(15_000);
    expect(lab.heard).toEqual([MUSIC]);
    away = false;
    await lab.clock.advance(15_000);
    expect(lab.heard).toEqual([MUSIC, NEXT]);
  });

  it('hears music when the media server does not have the prompt, and the call says so', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(10_000);
    await lab.promptEnds(false);
    expect(lab.heard).toEqual([MUSIC, NEXT, MUSIC]);
    expect(lab.events.slice(-2)).toEqual(['call:announced', 'call:announcement-failed']);
  });

  it('keeps the music when configuration does not have the prompt any more', async () => {
    const lab = await waiting(EVERY_20, { missingPrompts: ['next'] });
    await lab.clock.advance(30_000);
    expect(lab.heard).toEqual([MUSIC]);
    expect(lab.events.filter((kind) => kind === 'call:announcement-failed')).toHaveLength(2);
  });

  it('is told a place again only once it is better, where the rule says so', async () => {
    let place = 3;
    const rules = [{ prompt: 'place', place: { to: 9 }, onlyIfBetter: true }];
    const lab = await waiting({ ...EVERY_20, rules }, { standing: () => Promise.resolve({ place }) });
    await lab.clock.advance(10_000);
    await lab.promptEnds();
    await lab.clock.advance(20_000);
    place = 4;
    await lab.clock.advance(20_000);
    expect(lab.heard).toEqual([MUSIC, 'play place.wav', MUSIC]);
    place = 2;
    await lab.clock.advance(20_000);
    expect(lab.heard.at(-1)).toBe('play place.wav');
  });

  it('hears what configuration says by then: begun, changed, ended', async () => {
    const lab = await waiting(undefined);
    await lab.clock.advance(60_000);
    expect(lab.heard).toEqual([MUSIC]);
    lab.queues['q1'] = { ...lab.queues['q1']!, announcements: EVERY_20 };
    await lab.clock.advance(5_000);
    expect(lab.heard.at(-1)).toBe(NEXT);
    await lab.promptEnds();
    lab.queues['q1'] = {
      ...lab.queues['q1'],
      announcements: { ...EVERY_20, everySeconds: 12, rules: [{ prompt: 'comfort' }] },
    };
    await lab.clock.advance(12_000);
    expect(lab.heard.at(-1)).toBe('play comfort.wav');
    await lab.promptEnds();
    lab.queues['q1'] = { ...lab.queues['q1'], announcements: undefined };
    await lab.clock.advance(120_000);
    expect(lab.heard.at(-1)).toBe(MUSIC);
  });
});

describe('while an agent rings', () => {
  it('nothing begins; it comes as soon as nobody rings', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(8_000);
    const leg = await lab.offer('o1');
    await lab.clock.advance(5_000);
    expect(lab.heard).toEqual([MUSIC]);
    leg.handlers.refused('declined', 603, '');
    leg.handlers.over();
    await settle();
    await lab.clock.advance(1_000);
    expect(lab.heard).toEqual([MUSIC, NEXT]);
  });

  it('it comes all the same once it has been due for ten seconds', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(8_000);
    await lab.offer('o1');
    await lab.clock.advance(11_999);
    expect(lab.heard).toEqual([MUSIC]);
    await lab.clock.advance(1);
    expect(lab.heard).toEqual([MUSIC, NEXT]);
  });

  it('who begins to ring while the place is read holds it up as well', async () => {
    let answer: (standing: Standing) => void = () => undefined;
    const standing = (): Promise<Standing> =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const lab = await waiting(EVERY_20, { standing });
    await lab.clock.advance(10_000);
    await lab.offer('o1');
    answer({ place: 1 });
    await settle();
    expect(lab.heard).toEqual([MUSIC]);
  });

  it('an agent who answers during the announcement is joined at once, and nothing comes after it', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(10_000);
    const leg = await lab.offer('o1');
    await lab.answer(leg);
    expect(lab.heard).toEqual([MUSIC, NEXT, 'joined o1']);
    await lab.promptEnds();
    await lab.clock.advance(60_000);
    expect(lab.heard).toEqual([MUSIC, NEXT, 'joined o1']);
  });
});

describe('who leaves and comes back', () => {
  it('after a talk hears music for the whole interval first', async () => {
    const lab = await waiting({ ...EVERY_20, firstAfterSeconds: 0 });
    await lab.promptEnds();
    const leg = await lab.offer('o1');
    await lab.answer(leg);
    await lab.clock.advance(60_000);
    leg.handlers.left({ lost: true });
    leg.handlers.over();
    await settle();
    lab.heard.length = 0;
    await lab.clock.advance(19_999);
    expect(lab.heard.filter((what) => what.startsWith('play'))).toEqual([]);
    await lab.clock.advance(1);
    expect(lab.heard.at(-1)).toBe(NEXT);
  });

  it('in another queue hears what that one announces, by its clock', async () => {
    const q2 = { announcements: { ...EVERY_20, firstAfterSeconds: 3, rules: [{ prompt: 'other' }] } };
    const keys = { 1: { queues: ['q2'] } };
    const lab = await waiting(EVERY_20, { queues: { q1: { announcements: EVERY_20, exits: { keys } }, q2 } });
    await lab.clock.advance(10_000);
    expect(lab.heard.at(-1)).toBe(NEXT);
    await lab.press('1');
    await lab.promptEnds();
    expect(lab.heard).toEqual([MUSIC, NEXT, 'music q2-music']);
    await lab.clock.advance(3_000);
    expect(lab.heard.at(-1)).toBe('play other.wav');
  });

  it('for good leaves nothing behind that would still speak', async () => {
    const lab = await waiting(EVERY_20);
    await lab.clock.advance(10_000);
    await lab.callerLeaves();
    await lab.promptEnds();
    await lab.clock.advance(60_000);
    expect(lab.heard.filter((what) => what.startsWith('play'))).toEqual([NEXT]);
    expect(lab.clock.pending).toBe(0);
    expect(lab.finished).toMatchObject({ reason: 'caller-gave-up-waiting' });
  });
});
