/** Figures as people read them. */

export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
