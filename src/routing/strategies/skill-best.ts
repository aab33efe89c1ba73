import { surplus } from '../skills';
import { compareByKey, type Strategy } from './strategy';

/** Who knows most beyond what the call asks for now, summed over the needs. Ties: longest ready, position, name. */
export const skillBest: Strategy = {
  key: (agent, _member, { needs }) => -surplus(agent, needs),
  compare: compareByKey,
};
