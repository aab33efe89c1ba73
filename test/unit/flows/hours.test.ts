import fc from 'fast-check';
import { isOpen, parseWindow } from '../../../src/flows/hours';
import type { Hours } from '../../../src/flows/hours';

const BERLIN: Hours = {
  name: 'office',
  timeZone: 'Europe/Berlin',
  weekly: {
    mon: ['08:00-12:00', '13:00-18:00'],
    tue: ['08:00-18:00'],
    wed: ['08:00-18:00'],
    thu: ['08:00-18:00'],
    fri: ['08:00-16:00'],
  },
  holidays: [
    { date: '2026-12-24', name: 'Christmas Eve', open: ['08:00-12:00'] },
    { date: '2026-12-25', name: 'Christmas Day' },
  ],
};
const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('opening hours', () => {
  it.each([
    // Monday 23 November 2026, UTC+1
    ['2026-11-23T07:00:00+01:00', false, 'outside mon 08:00-12:00, 13:00-18:00', '2026-11-23T07:00:00.000Z'],
    ['2026-11-23T08:00:00+01:00', true, 'mon 08:00-12:00', '2026-11-23T11:00:00.000Z'],
    ['2026-11-23T11:59:59+01:00', true, 'mon 08:00-12:00', '2026-11-23T11:00:00.000Z'],
    ['2026-11-23T12:00:00+01:00', false, 'outside mon 08:00-12:00, 13:00-18:00', '2026-11-23T12:00:00.000Z'],
    ['2026-11-28T12:00:00+01:00', false, 'closed on sat', '2026-11-30T07:00:00.000Z'],
    ['2026-12-24T09:00:00+01:00', true, 'Christmas Eve: open 08:00-12:00', '2026-12-24T11:00:00.000Z'],
    ['2026-12-24T13:00:00+01:00', false, 'Christmas Eve: outside 08:00-12:00', '2026-12-28T07:00:00.000Z'],
    ['2026-12-25T10:00:00+01:00', false, 'Christmas Day', '2026-12-28T07:00:00.000Z'],
  ])('at %s: open %s, %s', (when, open, reason, next) => {
    const state = isOpen(BERLIN, at(when));
    expect({ ...state, nextChangeAt: iso(state.nextChangeAt) }).toEqual({ open, reason, nextChangeAt: next });
  });

  it('reads the clock of its own time zone, in summer and in winter', () => {
    const tokyo = { ...BERLIN, timeZone: 'Asia/Tokyo' };
    expect(isOpen(tokyo, at('2026-11-23T08:30:00+09:00')).open).toBe(true);
    expect(isOpen(BERLIN, at('2026-07-21T08:00:00+02:00')).open).toBe(true);
    expect(isOpen(BERLIN, at('2026-07-21T07:59:59+02:00')).open).toBe(false);
  });

  it('a window past midnight belongs to the day on which it begins, and a holiday cuts it off', () => {
    const night: Hours = {
      name: 'night',
      timeZone: 'Europe/Berlin',
      weekly: { wed: ['22:00-06:00'], fri: ['22:00-06:00'] },
      holidays: [{ date: '2026-12-24', name: 'Christmas Eve' }],
    };
    expect(isOpen(night, at('2026-11-28T05:59:00+01:00'))).toMatchObject({ open: true, reason: 'fri 22:00-06:00' });
    expect(isOpen(night, at('2026-11-28T06:00:00+01:00')).open).toBe(false);
    // Wednesday 23 December into the holiday.
    expect(iso(isOpen(night, at('2026-12-23T23:00:00+01:00')).nextChangeAt)).toBe('2026-12-23T23:00:00.000Z');
    expect(isOpen(night, at('2026-12-24T01:00:00+01:00')).open).toBe(false);
  });

  it('windows that touch are one: the change is named where it really changes', () => {
    const always: Hours = {
      name: 'always',
      timeZone: 'UTC',
      weekly: Object.fromEntries(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((d) => [d, ['00:00-24:00']])),
    };
    expect(isOpen(always, at('2026-11-23T12:00:00Z'))).toMatchObject({ open: true, nextChangeAt: undefined });
    const holiday = { ...always, holidays: [{ date: '2026-11-26', name: 'Day off' }] };
    expect(iso(isOpen(holiday, at('2026-11-23T12:00:00Z')).nextChangeAt)).toBe('2026-11-26T00:00:00.000Z');
  });

  it('never opens where nothing is named', () => {
    const never: Hours = { name: 'never', timeZone: 'UTC', weekly: {} };
    expect(isOpen(never, at('2026-11-23T12:00:00Z'))).toEqual({
      open: false,
      reason: 'closed on mon',
      nextChangeAt: undefined,
    });
  });

  it('a time that the clock skips is the moment of the change', () => {
    // 29 March 2026, 02:00 becomes 03:00 in Berlin.
    const hours: Hours = { name: 'n', timeZone: 'Europe/Berlin', weekly: { sun: ['02:30-05:00'] } };
    expect(isOpen(hours, at('2026-03-29T00:59:59Z'))).toMatchObject({
      open: false,
      nextChangeAt: at('2026-03-29T01:00:00Z'),
    });
    expect(isOpen(hours, at('2026-03-29T01:00:00Z'))).toMatchObject({
      open: true,
      nextChangeAt: at('2026-03-29T03:00:00Z'),
    });
  });

  it('an hour that comes twice is open twice', () => {
    // 25 October 2026, 03:00 becomes 02:00 in Berlin.
    const hours: Hours = { name: 'n', timeZone: 'Europe/Berlin', weekly: { sun: ['02:00-02:30'] } };
    expect(isOpen(hours, at('2026-10-25T00:00:00Z'))).toMatchObject({
      open: true,
      nextChangeAt: at('2026-10-25T01:30:00Z'),
    });
    expect(isOpen(hours, at('2026-10-25T00:45:00Z')).open).toBe(true);
    expect(isOpen(hours, at('2026-10-25T01:30:00Z')).open).toBe(false);
  });

  it('what it names as the next change is the next change', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];
    fc.assert(
      fc.property(
        fc.integer({ min: at('2026-01-01T00:00:00Z') / 60_000, max: at('2027-01-01T00:00:00Z') / 60_000 }),
        fc.constantFrom(...zones),
        (minute, timeZone) => {
          const when = minute * 60_000;
          const hours = { ...BERLIN, timeZone };
          const state = isOpen(hours, when);
          expect(state.nextChangeAt).toBeGreaterThan(when);
          const next = state.nextChangeAt ?? 0;
          expect(isOpen(hours, next).open).toBe(!state.open);
          expect(isOpen(hours, next - 1).open).toBe(state.open);
          expect(isOpen(hours, Math.floor((when + next) / 2)).open).toBe(state.open);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a window', () => {
  it.each([
    ['08:00-18:00', { start: 480, end: 1080 }],
    ['00:00-24:00', { start: 0, end: 1440 }],
    ['22:00-06:00', { start: 1320, end: 1800 }],
    ['08:00-08:00', undefined],
    ['24:00-06:00', undefined],
    ['8:00-18:00', undefined],
    ['08:00-24:30', undefined],
    ['08:00 - 18:00', undefined],
  ])('%s', (text, window) => {
    expect(parseWindow(text)).toEqual(window);
  });
});
