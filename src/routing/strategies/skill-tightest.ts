import { surplus } from '../skills';
import { compareByKey, type Strategy } from './strategy';

/** Who knows least beyond what the call asks for now, so that experts stay free. Ties: longest ready, position, name. */
export const skillTightest: Strategy = {
  key: (agent, _member, { needs }) => surplus(agent, needs),
  compare: compareByKey,
};
