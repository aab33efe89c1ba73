import type { Io } from './io';
import type { Runtime } from './ports';

/** What every command gets. */
export interface Context {
  readonly io: Io;
  readonly runtime: Runtime;
}

/** Options that every command knows. */
export interface CommonOptions {
  readonly data: string;
}

export interface ListOptions extends CommonOptions {
  readonly output?: string;
}
