import type { Path } from './yaml-source';

/** Something about a document that its schema cannot see. Places are paths, so that it holds for files and for rows. */
export interface Finding {
  readonly path: Path;
  readonly what: string;
  /** What is allowed, or what was probably meant. */
  readonly hint?: string | undefined;
  /** Where the other one stands, for what may be there once. */
  readonly firstAt?: Path;
  /** A warning is said and does not stop anybody: it would work, but hardly as meant. */
  readonly warning?: true;
}
