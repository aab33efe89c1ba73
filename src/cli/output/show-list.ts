import type { Database } from '../../store';
import type { Context, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { printJsonLine } from './json';
import type { ListView } from './list';
import { outputFormat, printList } from './list';
import { repeatedly } from './watch';

/** Reads a list from the database and prints it in the form that was asked for, again and again with `--watch`. */
export async function showList<Row>(
  context: Context,
  options: WatchedListOptions,
  view: (now: number) => ListView<Row>,
  read: (db: Database) => Promise<readonly Row[]>,
): Promise<number> {
  const format = outputFormat(context.io, options);
  return withDatabase(context, options, (db) =>
    repeatedly(context, options.watch, format, async (io, live) => {
      const rows = await read(db);
      const now = Date.now();
      const shown = view(now);
      if (live) {
        printJsonLine(io, { at: new Date(now).toISOString(), [shown.noun]: rows.map(shown.json) });
      } else {
        printList(io, shown, rows, format, colored(context));
      }
    }),
  );
}

/** Colours are for a terminal whose user wants them. */
export function colored({ io, global }: Context): boolean {
  return io.stdout.isTTY === true && global.color;
}
