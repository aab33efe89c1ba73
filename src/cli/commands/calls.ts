import { store } from '../../store';
import type { CallRow, StoredCallEvent } from '../../store';
import type { Context, ListOptions, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import type { ListView } from '../output/list';
import { isoTime, outputFormat, shortDuration } from '../output/list';
import { showList } from '../output/show-list';
import { callView, eventView } from '../../store/call-view';
import { readCall } from './call-trace';

export interface CallsListOptions extends WatchedListOptions {
  readonly all?: boolean;
  readonly limit: number;
}

function view(now: number): ListView<CallRow> {
  const since = (call: CallRow): number => (call.endedAt ?? now) - call.createdAt;
  return {
    noun: 'calls',
    columns: [
      { title: 'id', text: (c) => c.id },
      { title: 'state', text: (c) => c.state },
      { title: 'from', text: (c) => c.callerNumber ?? 'anonymous' },
      { title: 'to', text: (c) => c.dialledNumber },
      { title: 'queue', text: (c) => c.queue ?? '' },
      { title: 'agent', text: (c) => c.agent ?? '' },
      { title: 'lasts', text: (c) => shortDuration(since(c)), plain: (c) => String(Math.round(since(c) / 1000)) },
      { title: 'began', text: (c) => `${shortDuration(now - c.createdAt)} ago`, plain: (c) => isoTime(c.createdAt) },
      { title: 'end', text: (c) => (c.result === undefined ? '' : `${c.result}: ${c.reason ?? ''}`) },
    ],
    name: (c) => c.id,
    json: callView,
    empty: 'no calls',
  };
}

export async function listCalls(context: Context, options: CallsListOptions): Promise<number> {
  return showList(context, options, view, (db) =>
    store.listCalls(db, { includeEnded: options.all === true, limit: options.limit }),
  );
}

/** @throws SidekickError SK_NOT_FOUND */
export async function getCall(context: Context, id: string, options: ListOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const found = await withDatabase(context, options, (db) => readCall(db, id));
  if (!printData(context.io, format, { call: callView(found.call), events: found.events.map(eventView) })) {
    printCall(context, found.call, found.events, format === 'table' || format === 'wide');
  }
  return 0;
}

function printCall({ io }: Context, call: CallRow, events: readonly StoredCallEvent[], forPeople: boolean): void {
  if (forPeople) {
    line(io.stdout, `${call.callerNumber ?? 'anonymous'} → ${call.dialledNumber}, ${call.state}`);
    line(io.stdout, call.result === undefined ? '' : `ended: ${call.result}, ${call.reason ?? ''}`);
  }
  for (const { at, kind, data } of events) {
    const details = Object.entries(data).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    const time = forPeople ? `${((at - call.createdAt) / 1000).toFixed(3).padStart(9)} s` : isoTime(at);
    line(
      io.stdout,
      forPeople ? `${time}  ${kind.padEnd(20)} ${details.join(' ')}`.trimEnd() : [time, kind, ...details].join('\t'),
    );
  }
}
