import { compareByKey, readyAt, type Strategy } from './strategy';

/** The first `maxParallel` by longest idle ring at once; the first who answers has the call. Ties: position, name. */
export const ringAll: Strategy = { key: readyAt, compare: compareByKey, rings: 'all' };
