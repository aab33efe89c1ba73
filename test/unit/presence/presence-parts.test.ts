import { presenceLink } from '../../../src/presence/presence';
import { activityOf, availabilityOf } from '../../../src/presence/presence-values';
import { retryAfterMs } from '../../../src/presence/retry-after';

describe('presence values', () => {
  it.each([
    ['Available', 'Available'],
    ['availableidle', 'AvailableIdle'],
    ['DONOTDISTURB', 'DoNotDisturb'],
    [' Busy ', 'Busy'],
    ['SomethingNew', 'SomethingNew'],
    ['', 'PresenceUnknown'],
    [undefined, 'PresenceUnknown'],
    [42, 'PresenceUnknown'],
    ['x'.repeat(65), 'PresenceUnknown'],
  ])('%p is kept as %p', (given, expected) => {
    expect(availabilityOf(given)).toBe(expected);
  });

  it('know activities apart from availabilities', () => {
    expect(activityOf('inaconferencecall')).toBe('InAConferenceCall');
  });
});

describe('Retry-After', () => {
  it.each([
    ['3', 3000],
    ['0', 0],
    ['1.5', 1500],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 5000],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
    ['-5', undefined],
  ])('%p at second five means %p ms', (header, expected) => {
    expect(retryAfterMs(header, 5000)).toBe(expected);
  });
});

describe('the presence link', () => {
  const intervals = { idleMs: 10_000, waitingMs: 2000 };
  const poller = {
    mode: 'polling',
    agents: 5,
    lastSuccessAt: 95_000,
    lastError: undefined,
    failures: 0,
    pausedUntil: undefined,
    oldestMs: undefined,
  } as const;
  const token = { ok: true, at: 1, error: undefined };
  const link = (p: object, t: object = token) =>
    presenceLink({ ...poller, ...p }, { ...token, ...t }, intervals, 100_000);

  it('is up after a good read and says how old it is', () => {
    expect(link({})).toEqual({ up: true, detail: 'token ok, last read 5.0 s ago, 5 agents' });
  });
  it('is down until the first read, unless there is nobody to read', () => {
    expect(link({ lastSuccessAt: undefined }).up).toBe(false);
    expect(link({ lastSuccessAt: undefined, agents: 0 }).up).toBe(true);
  });
  it('survives a failed read for 30 s, not longer', () => {
    expect(link({ lastError: 'busy', lastSuccessAt: 75_000 })).toMatchObject({
      up: true,
      detail: expect.stringContaining('busy'),
    });
    expect(link({ lastError: 'busy', lastSuccessAt: 69_000 }).up).toBe(false);
  });
  it('is down with the reason when there was never a token', () => {
    const down = link({ lastError: 'AADSTS7000215', lastSuccessAt: undefined }, { ok: false });
    expect(down).toEqual({ up: false, detail: 'no token, never read, last error: AADSTS7000215' });
  });
  it('is up on standby, and down when stopped', () => {
    expect(link({ mode: 'standby', lastSuccessAt: undefined }).up).toBe(true);
    expect(link({ mode: 'stopped' }).up).toBe(false);
  });
});
