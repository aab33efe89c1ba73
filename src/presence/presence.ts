/** Presence as a node uses it: the Graph client and the poller together, with one state for /readyz. */
import type { GraphSettings } from '../config/settings';
import type { Clock } from '../lib/clock';
import type { Log } from '../lib/log';
import { createGraphClient } from './graph-client';
import type { TokenState } from './graph-client';
import type { PollIntervals } from './poll-plan';
import { PresencePoller } from './poller';
import type { PollerDeps, PollerState } from './poller';
import type { PresenceStore } from './ports';

export interface PresenceDeps {
  readonly store: PresenceStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervals: PollIntervals;
  readonly onRead?: PollerDeps['onRead'];
}

export interface PresenceLink {
  readonly up: boolean;
  /** One line for people; holds no token and no secret. */
  readonly detail: string;
}

export interface Presence {
  /** Reads these agents' presence now; resolves when the store has it. Errors: see PresencePoller.refresh. */
  refresh(agentIds: readonly string[]): Promise<void>;
  link(): PresenceLink;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Starts reading presence of one tenant. The first round begins at once. */
export function startPresence(graph: GraphSettings, deps: PresenceDeps): Presence {
  const log = deps.log.child({ room: 'presence' });
  const reader = createGraphClient(graph, { log, clock: deps.clock });
  const { store, clock, intervals, onRead } = deps;
  const poller = new PresencePoller({ store, reader, clock, log, intervals, ...(onRead ? { onRead } : {}) });
  poller.start();
  return {
    refresh: (agentIds) => poller.refresh(agentIds),
    link: () => presenceLink(poller.state(), reader.tokenState(), intervals, clock.now()),
    async close() {
      const closed = poller.close();
      reader.close();
      await closed;
    },
  };
}

/**
 * Up means: the last read succeeded, or there is nothing this node has to read. A single failed read does not make the link
 * down while the last success is younger than three rounds (30 s at least).
 */
export function presenceLink(
  poller: PollerState,
  token: TokenState,
  intervals: PollIntervals,
  now: number,
): PresenceLink {
  if (poller.mode === 'stopped') {
    return { up: false, detail: 'not polling' };
  }
  const tokenText = token.ok === false ? 'no token' : 'token ok';
  const age = poller.lastSuccessAt === undefined ? undefined : now - poller.lastSuccessAt;
  const read = age === undefined ? 'never read' : `last read ${(age / 1000).toFixed(1)} s ago`;
  if (poller.lastError !== undefined) {
    const recent = age !== undefined && age < Math.max(30_000, 3 * intervals.idleMs);
    return { up: recent, detail: `${tokenText}, ${read}, last error: ${poller.lastError}` };
  }
  if (poller.mode === 'standby') {
    return { up: true, detail: 'another node reads presence' };
  }
  if (age === undefined) {
    return poller.agents === 0
      ? { up: true, detail: 'no Teams agent to read' }
      : { up: false, detail: 'the first read is under way' };
  }
  return { up: true, detail: `${tokenText}, ${read}, ${poller.agents} agents` };
}
