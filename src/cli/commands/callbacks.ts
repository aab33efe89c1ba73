import { store } from '../../store';
import type { CallbackRow } from '../../store';
import { SidekickError } from '../../lib/errors';
import { callbackView } from '../../store/callback-view';
import { confirm } from '../confirm';
import type { CommonOptions, Context, ListOptions, WatchedListOptions } from '../context';
import { byWhom, withDatabase } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import type { ListView } from '../output/list';
import { isoTime, outputFormat, shortDuration } from '../output/list';
import { showList } from '../output/show-list';
import { obey } from './call-control';

export interface CallbacksListOptions extends WatchedListOptions {
  readonly all?: boolean;
  readonly limit: number;
}

export interface CancelOptions extends CommonOptions {
  readonly yes?: boolean;
}

const CANCEL_WAIT_MS = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `waiting`, `calling` (an agent is on the line, the customer is rung), `talking`, `resting` or `ended`. */
function stateOf(callback: CallbackRow): string {
  if (callback.endedAt !== undefined) {
    return 'ended';
  }
  if (callback.reachedAt !== undefined) {
    return 'talking';
  }
  return callback.state === 'connected' ? 'calling' : callback.nextTryAt === undefined ? 'waiting' : 'resting';
}

function view(now: number): ListView<CallbackRow> {
  const waits = (row: CallbackRow): number => (row.endedAt ?? now) - (row.firstQueuedAt ?? row.createdAt);
  return {
    noun: 'callbacks',
    columns: [
      { title: 'id', text: (c) => c.id },
      { title: 'state', text: stateOf },
      { title: 'number', text: (c) => c.number },
      { title: 'queue', text: (c) => c.queue },
      { title: 'agent', text: (c) => c.agent ?? '' },
      { title: 'waits', text: (c) => shortDuration(waits(c)), plain: (c) => String(Math.round(waits(c) / 1000)) },
      { title: 'tries', text: (c) => String(c.tries) },
      {
        title: 'next try',
        text: (c) => (c.nextTryAt === undefined ? '' : `in ${shortDuration(Math.max(0, c.nextTryAt - now))}`),
        plain: (c) => (c.nextTryAt === undefined ? '' : isoTime(c.nextTryAt)),
      },
      { title: 'end', text: (c) => (c.result === undefined ? '' : `${c.result}: ${c.reason ?? ''}`) },
    ],
    name: (c) => c.id,
    json: (c) => callbackView(c, stateOf(c)),
    empty: 'no callbacks',
  };
}

export async function listCallbacks(context: Context, options: CallbacksListOptions): Promise<number> {
  return showList(context, options, view, (db) =>
    store.listCallbacks(db, { includeEnded: options.all === true, limit: options.limit }),
  );
}

async function find(db: Parameters<typeof store.findCallback>[0], id: string): Promise<CallbackRow> {
  const found = UUID.test(id) ? await store.findCallback(db, id) : undefined;
  if (!found) {
    throw new SidekickError('SK_NOT_FOUND', `there is no callback "${id}"`, {
      next: '`sidekick callbacks list --all` shows them',
    });
  }
  return found;
}

/** @throws SidekickError SK_NOT_FOUND */
export async function getCallback(context: Context, id: string, options: ListOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const found = await withDatabase(context, options, (db) => find(db, id));
  if (!printData(context.io, format, callbackView(found, stateOf(found)))) {
    for (const [key, value] of Object.entries(callbackView(found, stateOf(found)))) {
      line(context.io.stdout, `${key}\t${typeof value === 'string' || typeof value === 'number' ? value : ''}`);
    }
  }
  return 0;
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED, SK_CONFLICT, SK_NODE_UNREACHABLE */
export async function cancelCallback(context: Context, id: string, options: CancelOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const callback = await find(db, id);
    if (callback.endedAt === undefined) {
      await confirm(context, {
        action: `cancel callback ${id}`,
        touches: [`1 callback ends: ${callback.number} of queue ${callback.queue}, ${stateOf(callback)}`],
        yes: options.yes,
      });
    }
    await obey(context, db, { callId: id, kind: 'hangup', args: {}, by: byWhom() }, CANCEL_WAIT_MS);
    line(context.io.stdout, `callback ${id} is canceled`);
    return 0;
  });
}
