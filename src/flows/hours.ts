/**
 * Opening hours: is it open at a moment, why, and when does that change. Pure; the time zone's rules come from the runtime (ICU).
 *
 * A window is wall-clock time of the time zone: `08:00-18:00`; `24:00` is midnight at the end of the day; an end at or before the
 * start is on the next day. A holiday replaces all windows of its date, and cuts off what the evening before would bring into it.
 * Where the clock is put forward, a time that does not exist is the moment of the change; where it is put back, a window starts
 * at the first and ends at the second of two equal times, so that it has no hole.
 */

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface Holiday {
  /** `YYYY-MM-DD` in the time zone of the hours. */
  readonly date: string;
  readonly name: string;
  /** Windows in which it is open all the same; none: closed the whole day. */
  readonly open?: readonly string[] | undefined;
}

export interface Hours {
  readonly name: string;
  /** IANA. */
  readonly timeZone: string;
  readonly weekly: { readonly [day in Weekday]?: readonly string[] | undefined };
  readonly holidays?: readonly Holiday[] | undefined;
}

export interface OpenState {
  readonly open: boolean;
  /** In words: the window, the holiday, or what day it is. */
  readonly reason: string;
  /** When `open` changes next, milliseconds; undefined: not within the next year. */
  readonly nextChangeAt: number | undefined;
}

const WINDOW = /^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1_440;
/** How far ahead the next change is looked for, days. */
const HORIZON_DAYS = 367;

/** Minutes since midnight, the end past 24 h where it is on the next day; undefined for text that is no window. */
export function parseWindow(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = WINDOW.exec(text);
  if (!match) {
    return undefined;
  }
  const [h1 = 0, m1 = 0, h2 = 0, m2 = 0] = match.slice(1).map(Number);
  const start = h1 * 60 + m1;
  const end = h2 * 60 + m2;
  if (start >= DAY_MINUTES || end > DAY_MINUTES || start === end) {
    return undefined;
  }
  return { start, end: end > start ? end : end + DAY_MINUTES };
}

/**
 * Whether `hours` are open at `at` (milliseconds since the epoch).
 * @throws RangeError for an unknown time zone
 */
export function isOpen(hours: Hours, at: number): OpenState {
  const zone = zoneOf(hours.timeZone);
  const today = zone.dayOf(at);
  const spans = mergedSpans(hours, zone, today - 1, today + 1);
  const now = spans.find((span) => span.from <= at && at < span.to);
  if (now) {
    return { open: true, reason: now.reason, nextChangeAt: endOf(hours, zone, now, today) };
  }
  return { open: false, reason: closedReason(hours, today), nextChangeAt: nextStart(hours, zone, at, today) };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Windows that touch are one: open from Monday 08:00 to Tuesday 18:00 does not change at midnight. */
function mergedSpans(hours: Hours, zone: Zone, firstDay: number, lastDay: number): Span[] {
  const spans: Span[] = [];
  for (let day = firstDay; day <= lastDay; day++) {
    spans.push(...spansOfDay(hours, zone, day));
  }
  spans.sort((a, b) => a.from - b.from || a.to - b.to);
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, span.to) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

function spansOfDay(hours: Hours, zone: Zone, day: number): Span[] {
  const holiday = holidayOf(hours, day);
  const windows = holiday ? (holiday.open ?? []) : (hours.weekly[weekdayOf(day)] ?? []);
  const nextIsHoliday = holidayOf(hours, day + 1) !== undefined;
  return windows.flatMap((text) => {
    const window = parseWindow(text);
    if (!window) {
      return [];
    }
    const end = nextIsHoliday ? Math.min(window.end, DAY_MINUTES) : window.end;
    const reason = holiday ? `${holiday.name}: open ${text}` : `${weekdayOf(day)} ${text}`;
    const span = { from: zone.instant(day, window.start, 'first'), to: zone.instant(day, end, 'last'), reason };
    return span.to > span.from ? [span] : [];
  });
}

function endOf(hours: Hours, zone: Zone, span: Span, today: number): number | undefined {
  let { to } = span;
  for (let day = today; day <= today + HORIZON_DAYS; day++) {
    const next = mergedSpans(hours, zone, day, day + 1).find((s) => s.from <= to && to < s.to);
    if (next) {
      to = next.to;
    } else if (zone.dayOf(to) < day) {
      return to;
    }
  }
  return undefined;
}

function nextStart(hours: Hours, zone: Zone, at: number, today: number): number | undefined {
  for (let day = today - 1; day <= today + HORIZON_DAYS; day++) {
    const next = mergedSpans(hours, zone, day, day).find((span) => span.from > at);
    if (next) {
      return next.from;
    }
  }
  return undefined;
}

function closedReason(hours: Hours, day: number): string {
  const holiday = holidayOf(hours, day);
  const windows = hours.weekly[weekdayOf(day)] ?? [];
  if (holiday) {
    return (holiday.open ?? []).length === 0 ? holiday.name : `${holiday.name}: outside ${holiday.open?.join(', ')}`;
  }
  return windows.length === 0 ? `closed on ${weekdayOf(day)}` : `outside ${weekdayOf(day)} ${windows.join(', ')}`;
}

function holidayOf(hours: Hours, day: number): Holiday | undefined {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  return hours.holidays?.find((holiday) => holiday.date === date);
}

/** Days count from 1970-01-01, a Thursday. */
function weekdayOf(day: number): Weekday {
  return WEEKDAYS[(((day + 4) % 7) + 7) % 7] ?? 'sun';
}

/** Wall clock of one time zone. A day is the number of days since 1970-01-01 on that clock. */
class Zone {
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  dayOf(at: number): number {
    return Math.floor((at + this.#offset(at)) / DAY_MS);
  }

  /** The moment at which the wall clock shows `minutes` past midnight of `day`. */
  instant(day: number, minutes: number, which: 'first' | 'last'): number {
    const wall = day * DAY_MS + minutes * MINUTE_MS;
    const before = wall - this.#offset(wall - DAY_MS);
    const after = wall - this.#offset(wall + DAY_MS);
    const valid = [before, after].filter((at) => at + this.#offset(at) === wall);
    if (valid.length > 0) {
      return which === 'first' ? Math.min(...valid) : Math.max(...valid);
    }
    return this.#changeBetween(Math.min(before, after), Math.max(before, after));
  }

  #changeBetween(low: number, high: number): number {
    const offset = this.#offset(low);
    while (high - low > 1_000) {
      const middle = Math.floor((low + high) / 2_000) * 1_000;
      if (this.#offset(middle) === offset) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** What the wall clock is ahead of UTC, milliseconds. */
  #offset(at: number): number {
    const parts = new Map(this.#format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
    const get = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const wall = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
    return wall - Math.floor(at / 1_000) * 1_000;
  }
}

const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone);
  if (!zone) {
    zone = new Zone(timeZone);
    zones.set(timeZone, zone);
  }
  return zone;
}
