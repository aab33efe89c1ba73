import { compareByKey, readyAt, type Strategy } from './strategy';

/** As `ring-all`, but `stepAgents` more every `stepMs`; those who ring already keep ringing. Ties: position, name. */
export const ringProgressively: Strategy = { key: readyAt, compare: compareByKey, rings: 'progressively' };
