export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
}

/** Wait before try number `attempt` (0 = the first retry), milliseconds; grows by `factor` up to `maxMs`. */
export function backoff(attempt: number, options: BackoffOptions): number {
  return Math.min(options.maxMs, options.firstMs * (options.factor ?? 2) ** attempt);
}
