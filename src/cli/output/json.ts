import type { Io } from '../io';
import { line } from '../io';

/** Version of the JSON that commands print: what is in it stays in it. */
export const API_VERSION = 'sidekick/v1';

export function printJson(io: Io, value: Readonly<Record<string, unknown>>): void {
  line(io.stdout, JSON.stringify({ apiVersion: API_VERSION, ...value }, null, 2));
}
