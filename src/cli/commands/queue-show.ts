/** `queues show` and `queues watch`: a queue with its members and callers, in the words that operators know from Asterisk. */
import { isOpen } from '../../flows/hours';
import { store } from '../../store';
import type { Database, QueueCaller, QueueMember, QueueSummary } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { findQueue } from '../find';
import type { Io } from '../io';
import { line } from '../io';
import { printData, printJsonLine } from '../output/json';
import type { Column, OutputFormat, Tone } from '../output/list';
import { csvRow, isoTime, outputFormat, painted, shortDuration, tableOf, visible } from '../output/list';
import { colored } from '../output/show-list';
import { repeatedly } from '../output/watch';
import { endpointText, presenceName, presenceText } from './agent-text';
import { queueJson, serviceLevelText } from './queues';

export interface QueueShowOptions extends WatchedListOptions {
  readonly tenant?: string;
}

export interface QueueDetail {
  readonly queue: QueueSummary;
  readonly opening:
    { readonly open: boolean; readonly reason: string; readonly nextChangeAt: number | undefined } | undefined;
  readonly members: readonly QueueMember[];
  readonly callers: readonly QueueCaller[];
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function showQueue(context: Context, name: string, options: QueueShowOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  return withDatabase(context, options, (db) =>
    repeatedly(context, options.watch, format, async (io, live) => {
      const detail = await readDetail(db, name, options.tenant);
      const now = Date.now();
      if (live) {
        printJsonLine(io, { at: isoTime(now), ...detailJson(detail) });
      } else {
        printDetail(io, detail, format, now, colored(context));
      }
    }),
  );
}

async function readDetail(db: Database, name: string, tenant: string | undefined): Promise<QueueDetail> {
  const queue = await findQueue(db, name, tenant);
  const [members, callers, hours] = await Promise.all([
    store.queueMembers(db, queue.id),
    store.queueCallers(db, queue.id),
    queue.hours === undefined ? [] : store.loadHours(db),
  ]);
  const tenants = queue.hours === undefined ? [] : await store.loadTenants(db);
  const owner = tenants.find((t) => t.name === queue.tenant);
  const own = hours.find((h) => h.name === queue.hours && h.tenantId === owner?.id);
  return { queue, members, callers, opening: own && isOpen(own, Date.now()) };
}

function printDetail(io: Io, detail: QueueDetail, format: OutputFormat, now: number, color: boolean): void {
  if (printData(io, format, detailJson(detail))) {
    return;
  }
  switch (format) {
    case 'name': {
      detail.members.forEach((member) => line(io.stdout, member.agent));
      return;
    }
    case 'csv': {
      records(detail).forEach((record) => io.stdout.write(csvRow(record)));
      return;
    }
    case 'tsv': {
      records(detail).forEach((record) => line(io.stdout, record.map(visible).join('\t')));
      return;
    }
    default: {
      printForPeople(io, detail, format === 'wide', now, color);
    }
  }
}

function printForPeople(io: Io, detail: QueueDetail, wide: boolean, now: number, color: boolean): void {
  const { queue, opening, members, callers } = detail;
  line(io.stdout, headLine(queue));
  if (queue.paused !== undefined) {
    const { at, by, reason } = queue.paused;
    const why = reason === undefined ? '' : `: ${reason}`;
    line(
      io.stdout,
      `   ${painted('PAUSED', color ? 'watch' : undefined)} for ${shortDuration(now - at)} by ${by}${why}`,
    );
  }
  if (opening !== undefined) {
    const until = opening.nextChangeAt === undefined ? '' : ` until ${isoTime(opening.nextChangeAt)}`;
    line(io.stdout, `   ${opening.open ? 'open' : 'CLOSED'}${until} (${queue.hours ?? ''}: ${opening.reason})`);
  }
  line(io.stdout, members.length === 0 ? '   No Members' : '   Members:');
  if (members.length > 0) {
    line(
      io.stdout,
      indented(
        tableOf(
          memberColumns(now).filter((c) => wide || c.wide !== true),
          members,
          color,
        ),
      ),
    );
  }
  line(io.stdout, callers.length === 0 ? '   No Callers' : '   Callers:');
  for (const caller of callers) {
    const rings = caller.ringing.length === 0 ? '' : `, rings at ${caller.ringing.join(', ')}`;
    const who = caller.callerNumber ?? 'anonymous';
    line(
      io.stdout,
      `      ${caller.position}. ${visible(who)} (wait: ${minutes(caller.waitedMs)}, prio: ${caller.class}) ${caller.callId}${caller.callback ? ', to be called back' : ''}${rings}`,
    );
  }
}

/** `sales has 2 calls (max unlimited) in 'longest-idle' strategy (12s holdtime, 184s talktime), W:0, C:10, A:2, SL:83.3% within 20s` */
function headLine(queue: QueueSummary): string {
  const seconds = (ms: number | undefined): string => `${Math.round((ms ?? 0) / 1000)}s`;
  const limit = queue.maxWaiting ?? 'unlimited';
  return (
    `${queue.name} has ${queue.waiting} ${queue.waiting === 1 ? 'call' : 'calls'} (max ${limit}) in '${queue.strategy}' strategy ` +
    `(${seconds(queue.holdMs)} holdtime, ${seconds(queue.talkMs)} talktime), W:${queue.weight}, C:${queue.completed}, A:${queue.abandoned}, ` +
    `SL:${serviceLevelText(queue) ?? '-'} within ${seconds(queue.serviceLevelMs)}`
  );
}

function memberColumns(now: number): readonly Column<QueueMember>[] {
  return [
    { title: 'member', text: (m) => m.agent },
    { title: 'level', text: (m) => String(m.level) },
    { title: 'state', text: (m) => memberState(m).text, tone: (m) => memberState(m).tone },
    { title: 'since', text: (m) => shortDuration(now - memberState(m).since) },
    { title: 'presence', text: (m) => presenceText(m.presence, now) },
    { title: 'calls', text: (m) => String(m.callsToday) },
    {
      title: 'last call',
      text: (m) => (m.lastCallEndedAt === undefined ? 'never' : `${shortDuration(now - m.lastCallEndedAt)} ago`),
    },
    { title: 'position', text: (m) => String(m.position), wide: true },
    { title: 'priority', text: (m) => String(m.priority), wide: true },
    { title: 'weight', text: (m) => String(m.weight), wide: true },
    { title: 'endpoint', text: (m) => endpointText(m.endpoint), wide: true },
    { title: 'call', text: (m) => m.offer?.callId ?? '', wide: true },
  ];
}

interface MemberState {
  readonly text: string;
  readonly since: number;
  readonly tone: Tone | undefined;
}

/** What the member does as far as this queue is concerned; the first of these that holds. */
export function memberState(member: QueueMember): MemberState {
  const { offer, state, reason } = member;
  if (offer !== undefined) {
    const word = offer.state === 'connected' ? 'in call' : offer.state === 'ringing' ? 'ringing' : 'reserved';
    return { text: word, since: offer.since, tone: 'watch' };
  }
  if (state !== 'signed-out' && !member.signedIn) {
    return { text: 'signed out here', since: member.memberChangedAt, tone: undefined };
  }
  if (state === 'ready' && member.pauseReason !== undefined) {
    return { text: `paused here (${member.pauseReason})`, since: member.memberChangedAt, tone: 'watch' };
  }
  const by = member.forcedBy === undefined ? '' : ` by ${member.forcedBy}`;
  const text = reason === undefined ? state : `${state} (${reason}${by})`;
  return {
    text,
    since: member.changedAt,
    tone: state === 'ready' ? 'good' : state === 'not-ready' ? 'bad' : undefined,
  };
}

/** For scripts: what the record is stands in its first field. */
function records({ queue, members, callers }: QueueDetail): string[][] {
  return [
    [
      'queue',
      queue.name,
      queue.paused === undefined ? 'open' : 'paused',
      ...[queue.waiting, queue.completed, queue.abandoned].map(String),
      serviceLevelText(queue) ?? '',
    ],
    ...members.map((m) => [
      'member',
      m.agent,
      String(m.level),
      memberState(m).text,
      isoTime(memberState(m).since),
      presenceName(m.presence),
      String(m.callsToday),
      m.offer?.callId ?? '',
    ]),
    ...callers.map((c) => [
      c.callback ? 'callback' : 'caller',
      c.callId,
      String(c.position),
      String(Math.round(c.waitedMs / 1000)),
      c.callerNumber ?? '',
      c.ringing.join(' '),
    ]),
  ];
}

function detailJson({ queue, opening, members, callers }: QueueDetail): Record<string, unknown> {
  return {
    queue: {
      ...queueJson(queue),
      open:
        opening === undefined
          ? null
          : { open: opening.open, reason: opening.reason, until: isoTime(opening.nextChangeAt) || null },
    },
    members: members.map((m) => ({
      agent: m.agent,
      displayName: m.displayName,
      level: m.level,
      position: m.position,
      priority: m.priority,
      weight: m.weight,
      state: memberState(m).text,
      since: isoTime(memberState(m).since),
      presence: typeof m.presence === 'string' ? m.presence : { ...m.presence, readAt: isoTime(m.presence.readAt) },
      callsToday: m.callsToday,
      lastCallEndedAt: isoTime(m.lastCallEndedAt) || null,
      callId: m.offer?.callId ?? null,
    })),
    callers: callers.map((c) => ({
      callId: c.callId,
      position: c.position,
      callerNumber: c.callerNumber ?? null,
      callback: c.callback,
      waitedMs: Math.round(c.waitedMs),
      class: c.class,
      ringing: c.ringing,
    })),
  };
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((row) => `      ${row}`)
    .join('\n');
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
