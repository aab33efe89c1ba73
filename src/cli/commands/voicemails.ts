/** `voicemails`: messages that callers left for queues. Their sound is fetched over the API. */
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Queryable, VoicemailRow, VoicemailState } from '../../store';
import { voicemailView } from '../../store/voicemail-view';
import { actingAs } from '../acting-as';
import { confirm } from '../confirm';
import type { CommonOptions, Context, ListOptions, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { findQueue } from '../find';
import { line } from '../io';
import { printData } from '../output/json';
import type { ListView } from '../output/list';
import { isoTime, outputFormat, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface VoicemailsListOptions extends WatchedListOptions {
  readonly queue?: string;
  readonly tenant?: string;
  readonly state?: VoicemailState;
  readonly all?: boolean;
  readonly limit: number;
}

export interface DeleteVoicemailOptions extends CommonOptions {
  readonly yes?: boolean;
}

/** What somebody still has to hear or see to. */
const OPEN: readonly VoicemailState[] = ['new', 'heard'];

function view(now: number): ListView<VoicemailRow> {
  return {
    noun: 'voicemails',
    columns: [
      { title: 'id', text: (v) => v.id },
      { title: 'state', text: (v) => v.state },
      { title: 'queue', text: (v) => v.queue },
      { title: 'from', text: (v) => v.callerNumber ?? 'anonymous' },
      { title: 'left', text: (v) => `${shortDuration(now - v.leftAt)} ago`, plain: (v) => isoTime(v.leftAt) },
      { title: 'length', text: length, plain: (v) => (v.lengthMs === undefined ? '' : String(v.lengthMs)) },
      { title: 'by', text: (v) => v.changedBy ?? '' },
      { title: 'tenant', text: (v) => v.tenant, wide: true },
      { title: 'call', text: (v) => v.callId ?? '', wide: true },
    ],
    name: (v) => v.id,
    json: voicemailView,
    empty: 'no messages',
  };
}

const length = ({ lengthMs }: VoicemailRow): string =>
  lengthMs === undefined ? 'unknown' : `${(lengthMs / 1000).toFixed(1)} s`;

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT for a queue that is not there, or is there twice */
export function listVoicemails(context: Context, options: VoicemailsListOptions): Promise<number> {
  const { queue, tenant, state, all, limit } = options;
  const states = state === undefined ? (all === true ? undefined : OPEN) : [state];
  return showList(context, options, view, async (db) => {
    const found = queue === undefined ? undefined : await findQueue(db, queue, tenant);
    const owner = found?.tenant ?? tenant;
    return store.listVoicemails(db, {
      limit,
      ...(found === undefined ? {} : { queue: found.name }),
      ...(owner === undefined ? {} : { tenant: owner }),
      ...(states === undefined ? {} : { states }),
    });
  });
}

/** @throws SidekickError SK_NOT_FOUND */
export async function getVoicemail(context: Context, id: string, options: ListOptions): Promise<number> {
  const { io } = context;
  const format = outputFormat(io, options);
  const found = await withDatabase(context, options, (db) => find(db, id));
  if (!printData(io, format, { voicemail: voicemailView(found) })) {
    const forPeople = format === 'table' || format === 'wide';
    for (const [key, value] of Object.entries(voicemailView(found))) {
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      line(io.stdout, forPeople ? `${key.padEnd(12)}  ${text}`.trimEnd() : `${key}\t${text}`);
    }
  }
  return 0;
}

/** @throws SidekickError SK_NOT_FOUND */
export async function setVoicemailState(
  context: Context,
  id: string,
  state: VoicemailState,
  options: CommonOptions,
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    await find(db, id);
    const changed = await actingAs(db, (tx, by) => store.setVoicemailState(tx, id, state, by));
    line(context.io.stdout, changed ? `message ${id} is ${state}` : `message ${id} was ${state} already`);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function deleteVoicemail(context: Context, id: string, options: DeleteVoicemailOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const found = await find(db, id);
    await confirm(context, {
      action: `delete message ${id}`,
      touches: [
        `1 message of ${length(found)} in "${found.queue}" is lost, ${found.state}, from ${isoTime(found.leftAt)}`,
      ],
      yes: options.yes,
    });
    await actingAs(db, (tx, by) => store.removeVoicemail(tx, id, by));
    line(context.io.stdout, `message ${id} is deleted; a node deletes its file`);
    return 0;
  });
}

async function find(db: Queryable, id: string): Promise<VoicemailRow> {
  const found = await store.findVoicemail(db, id);
  if (found === undefined) {
    throw new SidekickError('SK_NOT_FOUND', `there is no message ${id}`, {
      why: 'none of that id stands: it was deleted, its time is over, or it never was one',
      next: '`sidekick voicemails list --all` shows the ids',
    });
  }
  return found;
}
