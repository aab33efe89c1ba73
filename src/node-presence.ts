import type { Settings } from './config/settings';
import type { Clock } from './lib/clock';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import { startPresence } from './presence/presence';
import { store } from './store';
import type { Database } from './store';

export interface NodePresenceDeps {
  readonly settings: Settings;
  readonly db: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The presence of these agents changed. */
  readonly agentChanged: (agentIds: readonly string[]) => void;
}

/** The presence that this node reads, with the time of its last change between up and down. */
export interface NodePresence {
  refresh(agentIds: readonly string[]): Promise<void>;
  link(): { readonly up: boolean; readonly detail: string; readonly since: number };
  close(): Promise<void>;
}

/** Starts reading presence; undefined where the settings name no Graph. */
export function startNodePresence(deps: NodePresenceDeps): NodePresence | undefined {
  const { clock, db, log, metrics, nodeId, settings } = deps;
  if (!settings.graph) {
    return undefined;
  }
  const presence = startPresence(settings.graph, {
    store: {
      agentsToPoll: () => store.agentsToPoll(db),
      upsertPresences: async (readings) => {
        const changed = await store.upsertPresences(db, readings);
        deps.agentChanged(changed.map((c) => c.agentId));
      },
      holdPollLease: (forMs) => store.holdLease(db, 'presence', nodeId, forMs),
    },
    clock,
    log,
    intervals: { idleMs: settings.presencePollMs, waitingMs: settings.presencePollWaitingMs },
    onRead: (outcome, durationMs) => {
      metrics.presenceRead(outcome, durationMs);
    },
  });
  let since = Date.now();
  let wasUp: boolean | undefined;
  return {
    refresh: (agentIds) => presence.refresh(agentIds),
    link: () => {
      const { up, detail } = presence.link();
      if (up !== wasUp) {
        wasUp = up;
        since = Date.now();
      }
      return { up, detail, since };
    },
    close: () => presence.close(),
  };
}
