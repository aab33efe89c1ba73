/** The `code` of a system error (`EADDRINUSE`) or of a Postgres error (`28P01`); undefined for anything without one. */
export function errorCodeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
