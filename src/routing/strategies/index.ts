import type { StrategyName } from '../types';
import { fewestCalls } from './fewest-calls';
import { leastOccupied } from './least-occupied';
import { longestIdle } from './longest-idle';
import { ringAll } from './ring-all';
import { ringProgressively } from './ring-progressively';
import { roundRobin } from './round-robin';
import { skillBest } from './skill-best';
import { skillTightest } from './skill-tightest';
import type { Strategy } from './strategy';
import { topDown } from './top-down';
import { weightedRandom } from './weighted-random';

export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  'longest-idle': longestIdle,
  'round-robin': roundRobin,
  'top-down': topDown,
  'fewest-calls': fewestCalls,
  'least-occupied': leastOccupied,
  'skill-best': skillBest,
  'skill-tightest': skillTightest,
  'weighted-random': weightedRandom,
  'ring-all': ringAll,
  'ring-progressively': ringProgressively,
};
