/** What happened: calls, agents, members of queues, in one stream. */
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Database, EventCursor, EventFilter, EventReport } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { findAgent, findQueue } from '../find';
import type { Io } from '../io';
import { line } from '../io';
import { printJsonLine } from '../output/json';
import type { ListView, OutputFormat } from '../output/list';
import { isoTime, outputFormat, printList, visible } from '../output/list';
import { colored } from '../output/show-list';
import { repeatedly } from '../output/watch';

export interface EventsOptions extends ListOptions {
  /** Milliseconds. */
  readonly since: number;
  readonly queue?: string;
  readonly agent?: string;
  readonly call?: string;
  readonly tenant?: string;
  readonly limit: number;
}

/** How often new events are read while following, milliseconds. */
const FOLLOW_MS = 500;

const VIEW: ListView<EventReport> = {
  noun: 'events',
  columns: [
    { title: 'time', text: (e) => isoTime(e.at) },
    { title: 'event', text: (e) => e.kind },
    { title: 'queue', text: (e) => e.queue ?? '' },
    { title: 'agent', text: (e) => e.agent ?? '' },
    { title: 'call', text: (e) => e.callId?.slice(0, 8) ?? '', plain: (e) => e.callId ?? '' },
    { title: 'details', text: details },
  ],
  name: (e) => e.kind,
  json: eventJson,
  empty: 'nothing happened',
};

/** @throws SidekickError SK_NOT_FOUND for an unknown queue or agent */
export async function listEvents(context: Context, options: EventsOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  return withDatabase(context, options, async (db) => {
    const { events } = await store.listEvents(db, await filterOf(db, options));
    printList(context.io, VIEW, events, format, colored(context));
    return 0;
  });
}

/** First what happened since, then what happens, until Ctrl-C: exit code 130. @throws SidekickError SK_NOT_FOUND */
export async function tailEvents(context: Context, options: EventsOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  return withDatabase(context, options, async (db) => {
    const filter = await filterOf(db, options);
    const started = Date.now();
    // Of the two last reads: a row that has its number but is not being written yet counts as settled for an instant.
    let cursors: readonly EventCursor[] = [];
    let shown: ReadonlySet<string> = new Set();
    return repeatedly({ ...context, io: asPipe(context.io) }, FOLLOW_MS, format, async () => {
      const sinceMs = options.since + (Date.now() - started);
      const after = cursors[0];
      const read = await store.listEvents(db, {
        ...filter,
        sinceMs,
        ...(after === undefined ? {} : { after, limit: 10_000 }),
      });
      cursors = [...cursors, read.cursor].slice(-2);
      read.events.forEach((event, index) => {
        if (!shown.has(read.keys[index] ?? '')) {
          printEvent(context.io, event, format);
        }
      });
      shown = new Set(read.keys);
    });
  });
}

/** A stream is appended to, never redrawn. */
function asPipe(io: Io): Io {
  return { ...io, stdout: { write: (text) => io.stdout.write(text), isTTY: false } };
}

function printEvent(io: Io, event: EventReport, format: OutputFormat): void {
  switch (format) {
    case 'json':
    case 'yaml': {
      printJsonLine(io, { event: eventJson(event) });
      return;
    }
    case 'table':
    case 'wide': {
      const { queue, agent, callId } = event;
      const about = [queue, agent, format === 'wide' ? callId : callId?.slice(0, 8)].filter(
        (part) => part !== undefined,
      );
      line(
        io.stdout,
        visible(`${isoTime(event.at)}  ${event.kind.padEnd(18)} ${about.join(' ')}  ${details(event)}`).trimEnd(),
      );
      return;
    }
    default: {
      printList(io, VIEW, [event], format === 'csv' ? 'tsv' : format);
    }
  }
}

async function filterOf(db: Database, options: EventsOptions): Promise<EventFilter> {
  if (options.call !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(options.call)) {
    throw new SidekickError('SK_NOT_FOUND', `there is no call ${options.call}`, {
      why: 'the id of a call is a UUID',
      next: '`sidekick calls list --all` shows the ids',
    });
  }
  // A misspelt name would only show that nothing happened.
  const queue = options.queue === undefined ? undefined : (await findQueue(db, options.queue, options.tenant)).name;
  const agent = options.agent === undefined ? undefined : (await findAgent(db, options.agent, options.tenant)).name;
  return {
    sinceMs: options.since,
    limit: options.limit,
    ...(queue === undefined ? {} : { queue }),
    ...(agent === undefined ? {} : { agent }),
    ...(options.call === undefined ? {} : { callId: options.call }),
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
  };
}

function details({ data, queue, agent }: EventReport): string {
  return Object.entries(data)
    .filter(([key, value]) => value !== queue && value !== agent && key !== 'offerId')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function eventJson(event: EventReport): Record<string, unknown> {
  return {
    at: isoTime(event.at),
    kind: event.kind,
    tenant: event.tenant,
    callId: event.callId ?? null,
    queue: event.queue ?? null,
    agent: event.agent ?? null,
    data: event.data,
  };
}
