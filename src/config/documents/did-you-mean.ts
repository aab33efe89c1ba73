/** Number of letters to insert, delete, replace or swap with the neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? at(i - 2, j - 2) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}

/** The candidate that was probably meant: at most a third of its letters off, or one that begins or ends with what was written. */
export function didYouMean(written: string, candidates: readonly string[]): string | undefined {
  const low = written.toLowerCase();
  const scored = candidates
    .map((candidate) => {
      const other = candidate.toLowerCase();
      const part = low.length >= 3 && (other.startsWith(low) || other.endsWith(low));
      return { candidate, distance: part ? 1 : editDistance(low, other) };
    })
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((x, y) => x.distance - y.distance || (x.candidate < y.candidate ? -1 : 1));
  return scored[0]?.candidate;
}
