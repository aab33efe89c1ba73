/** A stall of the machine that runs the tests makes a gap of its own; what lasts longer than this is a fault of the sound. */
const STALL_MS = 500;

/** Gaps in received audio that no stall of a busy machine explains. */
export function longGaps<T extends { readonly ms: number }>(gaps: readonly T[]): readonly T[] {
  return gaps.filter((gap) => gap.ms > STALL_MS);
}
