import { store } from '../../store';
import type { QueueSummary } from '../../store';
import { confirm, count } from '../confirm';
import type { CommonOptions, Context, WatchedListOptions } from '../context';
import { say } from '../context';
import { byWhom, withDatabase } from '../database';
import { findQueue } from '../find';
import { line } from '../io';
import type { ListView } from '../output/list';
import { isoTime, shortDuration } from '../output/list';
import { showList } from '../output/show-list';

export interface QueueStateOptions extends CommonOptions {
  readonly tenant?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

const seconds = (ms: number | undefined): string => (ms === undefined ? '' : String(Math.round(ms / 1000)));

const VIEW: ListView<QueueSummary> = {
  noun: 'queues',
  columns: [
    { title: 'name', text: (q) => q.name },
    {
      title: 'waiting',
      text: (q) => String(q.waiting),
      tone: (q) => (q.waiting > 0 && q.ready === 0 ? 'bad' : undefined),
    },
    {
      title: 'longest',
      text: (q) => (q.waiting === 0 ? '-' : shortDuration(q.longestWaitMs)),
      plain: (q) => seconds(q.longestWaitMs),
    },
    { title: 'ready', text: (q) => String(q.ready) },
    { title: 'in call', text: (q) => String(q.inCall) },
    { title: 'signed in', text: (q) => String(q.signedIn) },
    { title: 'members', text: (q) => String(q.members) },
    { title: 'strategy', text: (q) => q.strategy },
    { title: 'tenant', text: (q) => q.tenant },
    {
      title: 'state',
      text: stateOf,
      plain: (q) => (q.paused === undefined ? 'open' : 'paused'),
      tone: (q) => (q.paused ? 'watch' : undefined),
    },
    { title: 'C', text: (q) => String(q.completed), wide: true },
    { title: 'A', text: (q) => String(q.abandoned), wide: true },
    { title: 'SL', text: (q) => serviceLevelText(q) ?? '-', plain: (q) => serviceLevelText(q) ?? '', wide: true },
    {
      title: 'hold',
      text: (q) => (q.holdMs === undefined ? '-' : shortDuration(q.holdMs)),
      plain: (q) => seconds(q.holdMs),
      wide: true,
    },
    {
      title: 'talk',
      text: (q) => (q.talkMs === undefined ? '-' : shortDuration(q.talkMs)),
      plain: (q) => seconds(q.talkMs),
      wide: true,
    },
    { title: 'messages', text: (q) => String(q.messages), wide: true },
    { title: 'hours', text: (q) => q.hours ?? '', wide: true },
  ],
  name: (q) => q.name,
  json: queueJson,
  empty: 'no queues; `sidekick config apply -f FILE` makes some',
};

export function listQueues(context: Context, options: WatchedListOptions): Promise<number> {
  return showList(
    context,
    options,
    () => VIEW,
    (db) => store.queueSummaries(db),
  );
}

/** The queue takes no new calls; those that wait stay. @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED */
export async function pauseQueue(context: Context, name: string, options: QueueStateOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const queue = await findQueue(db, name, options.tenant);
    if (queue.waiting > 0) {
      await confirm(context, {
        action: `pause queue ${queue.name}`,
        touches: [
          `${count(queue.waiting, 'call is', 'calls are')} waiting in "${queue.name}"; ${queue.waiting === 1 ? 'it goes' : 'they go'} on waiting`,
        ],
        yes: options.yes,
      });
    }
    const reason = options.reason === undefined ? {} : { reason: options.reason };
    const changed = await store.pauseQueue(db, queue.id, { by: byWhom(), ...reason });
    line(context.io.stdout, changed ? `${queue.name} is paused` : `${queue.name} is paused already`);
    say(
      context,
      `new calls go where exits.paused of the queue leads; \`sidekick queues resume ${queue.name}\` opens it`,
    );
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND */
export async function resumeQueue(context: Context, name: string, options: QueueStateOptions): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const queue = await findQueue(db, name, options.tenant);
    const changed = await store.resumeQueue(db, queue.id, byWhom());
    line(context.io.stdout, `${queue.name} takes calls${changed ? '' : ' already'}`);
    return 0;
  });
}

/** Share of the answered in time among those that were answered or hung up, percent; undefined: none yet. */
export function serviceLevel({ inTime, completed, abandoned }: QueueSummary): number | undefined {
  const total = completed + abandoned;
  return total === 0 ? undefined : (100 * inTime) / total;
}

export function serviceLevelText(queue: QueueSummary): string | undefined {
  const level = serviceLevel(queue);
  return level === undefined ? undefined : `${level.toFixed(1)}%`;
}

function stateOf({ paused }: QueueSummary): string {
  return paused === undefined ? 'open' : `paused${paused.reason === undefined ? '' : ` (${paused.reason})`}`;
}

export function queueJson(queue: QueueSummary): Record<string, unknown> {
  const { paused } = queue;
  const level = serviceLevel(queue);
  return {
    name: queue.name,
    tenant: queue.tenant,
    strategy: queue.strategy,
    weight: queue.weight,
    maxWaiting: queue.maxWaiting ?? null,
    hours: queue.hours ?? null,
    paused: paused === undefined ? null : { since: isoTime(paused.at), by: paused.by, reason: paused.reason ?? null },
    waiting: queue.waiting,
    longestWaitMs: Math.round(queue.longestWaitMs),
    members: queue.members,
    signedIn: queue.signedIn,
    ready: queue.ready,
    inCall: queue.inCall,
    messages: queue.messages,
    today: {
      completed: queue.completed,
      abandoned: queue.abandoned,
      sentOn: queue.sentOn,
      inTime: queue.inTime,
      serviceLevelPercent: level === undefined ? null : Math.round(level * 10) / 10,
      serviceLevelMs: queue.serviceLevelMs,
      holdMs: queue.holdMs === undefined ? null : Math.round(queue.holdMs),
      talkMs: queue.talkMs === undefined ? null : Math.round(queue.talkMs),
    },
  };
}
