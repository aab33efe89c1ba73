import type { Exit } from '../routing/types';
import type { SimAgent, SimCall } from './people';

/** What a matcher asks of the run. */
export interface MatchHost {
  readonly now: () => number;
  /** The agent is rung for the call. The matcher has taken both off its lists already. */
  readonly assign: (call: SimCall, agent: SimAgent) => void;
  /** The call leaves the queue by a rule of the queue. */
  readonly leave: (call: SimCall, exit: Exit) => void;
  /** Asks for `due(queue)` at that time. */
  readonly planDue: (queue: number, at: number) => void;
}

/**
 * Brings waiting calls and free agents together by the rules of `routing/`. It is told of every change, and whoever can be matched
 * is matched at once, so between two changes no call waits beside an agent who could take it.
 */
export interface Matcher {
  /** The call waits, anew or again. */
  waiting(call: SimCall): void;
  /** The call is gone, or was answered. */
  gone(call: SimCall): void;
  /** The agent could take a call. */
  free(agent: SimAgent): void;
  /** The agent could not any more, for another reason than an assignment. */
  busy(agent: SimAgent): void;
  /** Something about waiting calls of the queue may have changed by itself. */
  due(queue: number): void;
}
