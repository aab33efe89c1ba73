import { applyDocument } from '../../config/documents/apply-document';
import { afterApply } from '../../config/documents/canonical';
import { currentConfiguration } from '../../config/documents/history';
import { impactOf } from '../../config/documents/impact';
import type { Document } from '../../config/documents/schema';
import { sleep } from '../../lib/clock';
import { SidekickError } from '../../lib/errors';
import type { Database } from '../../store';
import type { Context } from '../context';
import { byWhom } from '../database';
import { line } from '../io';
import type { Wish } from './config-change';

const LOOK_EVERY_MS = 500;

/**
 * Lets what is to be removed run empty: the numbers go to their new places first, so that nobody new comes in, and the queues
 * and agents that will go stay until their calls are over. Returns the version that the removal is then based on.
 * @throws SK_NOT_CONFIRMED when interrupted; the configuration is then as the history says
 */
export async function drain(
  context: Context,
  db: Database,
  wish: Wish,
  target: Document,
  version: number,
): Promise<number> {
  const { io } = context;
  const stopped = { now: false };
  const off = io.onSignal(() => {
    stopped.now = true;
  });
  try {
    const base = await leadAway(db, wish, target, version);
    let said = '';
    for (;;) {
      const current = await currentConfiguration(db);
      const blocked = (await impactOf(db, current.document, target)).filter(({ blocks }) => blocks);
      if (blocked.length === 0) {
        return base;
      }
      const text = `waiting: ${blocked.map((impact) => impact.text).join('; ')}`;
      if (text !== said) {
        said = text;
        line(io.stderr, text);
      }
      if (stopped.now) {
        throw new SidekickError('SK_NOT_CONFIRMED', 'Interrupted while waiting for calls', {
          why: `version ${base} is in force: new calls go where the document says, nothing was removed`,
          next: 'apply again with --drain, or `sidekick config rollback` to undo it',
        });
      }
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    off();
  }
}

/** Everything that the document says, and of what will go only the numbers. */
async function leadAway(db: Database, wish: Wish, target: Document, version: number): Promise<number> {
  const { document: now } = await currentConfiguration(db);
  const kept = afterApply(now, target, false);
  const named = new Set(target.numbers.map(({ number }) => number));
  const document = { ...kept, numbers: kept.numbers.filter(({ number }) => named.has(number)) };
  const result = await applyDocument(db, document, {
    by: byWhom(),
    what: `${wish.what}, waiting for calls`,
    prune: true,
    expectedVersion: version,
  });
  return result.version;
}
