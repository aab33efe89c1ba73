import { compareByKey, type Strategy } from './strategy';

/** Whose share of today's signed-in time went into handling calls least, over all queues. Ties: longest ready, position, name. */
export const leastOccupied: Strategy = {
  key: ({ handlingMsToday = 0, signedInMsToday = 0 }) =>
    signedInMsToday > 0 ? Math.min(1, handlingMsToday / signedInMsToday) : 0,
  compare: compareByKey,
};
