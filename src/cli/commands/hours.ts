/** Opening hours: what they say at a moment, and days on which they differ. */
import { readConfiguration } from '../../config/documents/export-document';
import { SidekickError } from '../../lib/errors';
import type { ChangeOptions } from '../configured/change';
import { putEntries, report } from '../configured/change';
import type { ItemOf } from '../configured/nouns';
import { openAt, zoneOf } from '../configured/nouns';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import { isoTime, outputFormat } from '../output/list';
import { pick } from './configured-list';

export interface HoursCheckOptions extends ListOptions {
  readonly tenant?: string;
  readonly at?: number;
}

export interface CloseOptions extends ChangeOptions {
  /** What the day is. */
  readonly name?: string;
  /** Windows that stay open, comma list. */
  readonly open?: string;
}

/** Exit code 0: open; 1: closed. @throws SidekickError SK_NOT_FOUND */
export async function checkHours(context: Context, name: string, options: HoursCheckOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const { hours, state, zone, queues } = await withDatabase(context, options, async (db) => {
    const document = await readConfiguration(db, ['tenants', 'hours', 'queues']);
    const found = pick('hours', document, name, options.tenant);
    return {
      hours: found,
      state: openAt(document, found, options.at ?? Date.now()),
      zone: zoneOf(document, found),
      queues: document.queues.filter((q) => q.hours === found.name && q.tenant === found.tenant).map((q) => q.name),
    };
  });
  const at = options.at ?? Date.now();
  const value = {
    hours: hours.name,
    at: isoTime(at),
    open: state.open,
    reason: state.reason,
    until: isoTime(state.nextChangeAt) || null,
    timeZone: zone,
    queues,
  };
  if (!printData(context.io, format, value)) {
    const until =
      state.nextChangeAt === undefined ? 'and stays so for a year' : `until ${inZone(state.nextChangeAt, zone)}`;
    line(
      context.io.stdout,
      `${hours.name} is ${state.open ? 'open' : 'closed'} at ${inZone(at, zone)} (${zone}), ${until}: ${state.reason}`,
    );
    if (format === 'table' || format === 'wide') {
      line(context.io.stdout, `   queues: ${queues.join(', ') || 'none'}`);
    }
  }
  return state.open ? 0 : 1;
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFIG_INVALID */
export async function closeOn(context: Context, name: string, date: string, options: CloseOptions): Promise<number> {
  const open = options.open === undefined ? {} : { open: options.open.split(',').map((window) => window.trim()) };
  return change(context, `hours close ${name} ${date}`, name, options, (hours) => [
    ...hours.holidays.filter((day) => day.date !== date),
    { date, name: options.name ?? 'closed', ...open },
  ]);
}

/** @throws SidekickError SK_NOT_FOUND for a date that does not differ from the week */
export async function reopenOn(context: Context, name: string, date: string, options: ChangeOptions): Promise<number> {
  return change(context, `hours reopen ${name} ${date}`, name, options, (hours) => {
    const rest = hours.holidays.filter((day) => day.date !== date);
    if (rest.length === hours.holidays.length) {
      throw new SidekickError('SK_NOT_FOUND', `${name} does not differ from the week on ${date}`, {
        why: `its days are ${hours.holidays.map((day) => day.date).join(', ') || 'none'}`,
        next: `\`sidekick hours get ${name}\` shows them`,
      });
    }
    return rest;
  });
}

async function change(
  context: Context,
  what: string,
  name: string,
  options: ChangeOptions,
  holidays: (hours: ItemOf<'hours'>) => readonly object[],
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const done = await putEntries(db, what, options, (document) => {
      const hours = pick('hours', document, name, options.tenant);
      return { hours: [{ ...hours, holidays: holidays(hours) }] };
    });
    report(context, options, done);
    return 0;
  });
}

/** `Thu 2026-12-24 08:00` on the wall clock of a time zone. */
export function inZone(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.find((part) => part.type === type)?.value ?? '';
  return `${get('weekday').replace('.', '')} ${get('year')}-${get('month')}-${get('day')} ${get('hour')}:${get('minute')}`;
}
