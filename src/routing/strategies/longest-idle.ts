import { compareByKey, readyAt, type Strategy } from './strategy';

/** Who has been ready longest. Ties: position, name. */
export const longestIdle: Strategy = { key: readyAt, compare: compareByKey };
