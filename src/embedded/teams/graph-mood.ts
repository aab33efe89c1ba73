/** Ways in which Graph itself can be made to go wrong, beside the ones that count requests. */
export interface GraphMood {
  /** Nothing is answered: the connection is cut, or the request hangs. */
  outage: 'off' | 'cut' | 'hang';
  /** Share of the requests that get a 429, 0–1, and what it asks for. */
  storm: { share: number; retryAfterSeconds: number };
  /** Every n-th batch (0 = none) is answered by a front end that lags `ms` behind, with older sequence numbers. */
  stale: { every: number; ms: number };
  /** How sequence numbers are told. */
  sequence: 'right' | 'missing';
  /** How values are spelt: as documented, in lower case, or with words that no page names. */
  values: 'documented' | 'lower-case' | 'new';
}

export const goodGraph = (): GraphMood => ({
  outage: 'off',
  storm: { share: 0, retryAfterSeconds: 1 },
  stale: { every: 0, ms: 20_000 },
  sequence: 'right',
  values: 'documented',
});

/** A value as the mood spells it. */
export function spelt(value: string, mood: GraphMood): string {
  switch (mood.values) {
    case 'documented': {
      return value;
    }
    case 'lower-case': {
      return value.toLowerCase();
    }
    case 'new': {
      return `${value}Somehow`;
    }
  }
}
