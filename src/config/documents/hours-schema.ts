import { z } from 'zod';
import { parseWindow } from '../../flows/hours';
import { name, tenant, timeZone } from './schema-parts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const WINDOW = /^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/;

const window = z
  .string()
  .regex(WINDOW, {
    error: 'must be a window such as "08:00-18:00", midnight at the end of a day written as 24:00',
    abort: true,
  })
  .refine((text) => parseWindow(text) !== undefined, 'must not end when it begins');

const windows = z.array(window).refine((list) => {
  const sorted = list.flatMap((text) => parseWindow(text) ?? []).sort((a, b) => a.start - b.start);
  return sorted.every(({ start }, i) => i === 0 || (sorted[i - 1]?.end ?? 0) <= start);
}, 'must not overlap');

const weekday = windows.default([]);

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const holidaySchema = z.strictObject({
  date: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'must be a date such as 2026-12-24', abort: true })
    .refine(isDate, 'must be a day of the calendar')
    .describe('The day.'),
  name: z.string().min(1).max(200).describe('What the day is, for people.'),
  open: windows.optional().describe('Windows of that day. Default: closed all day.'),
});

export const hoursSchema = z.strictObject({
  name: name.describe('Name of the opening hours.'),
  tenant,
  timeZone: timeZone.optional().describe('Time zone, IANA. Default: that of the tenant.'),
  weekly: z
    .strictObject({
      mon: weekday.describe('Windows on Mondays.'),
      tue: weekday.describe('Windows on Tuesdays.'),
      wed: weekday.describe('Windows on Wednesdays.'),
      thu: weekday.describe('Windows on Thursdays.'),
      fri: weekday.describe('Windows on Fridays.'),
      sat: weekday.describe('Windows on Saturdays.'),
      sun: weekday.describe('Windows on Sundays.'),
    })
    .describe('Windows of the week, such as "08:00-12:00"; one such as "22:00-06:00" ends the next day.'),
  holidays: z
    .array(holidaySchema)
    .refine((days) => new Set(days.map((day) => day.date)).size === days.length, 'must name each date once')
    .default([])
    .describe('Days that differ from the week.'),
});
