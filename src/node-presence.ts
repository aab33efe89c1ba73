import type { Settings } from './config/settings';
import type { GraphNotifications } from './http/ports';
import type { Clock } from './lib/clock';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import { startPresence } from './presence/presence';
import type { PresenceScopeSetUp, ScopeStore } from './presence/presence';
import { store } from './store';
import type { Database, PresenceScope } from './store';

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

export interface PresenceLinkView {
  readonly up: boolean;
  readonly detail: string;
  readonly since: number;
  readonly needed: false;
}

/** The presence that this node reads, with the time of its last change between up and down. */
export interface NodePresence {
  refresh(agentIds: readonly string[]): Promise<void>;
  /** `graph` for the registration of the settings, `graph NAME` for that of a tenant. */
  links(): Readonly<Record<string, PresenceLinkView>>;
  /** undefined: Graph sends nothing by itself. */
  readonly notifications: GraphNotifications | undefined;
  close(): Promise<void>;
}

/**
 * Starts reading presence; undefined where the settings name no Graph.
 * @throws SidekickError SK_SETTINGS_INVALID
 */
export function startNodePresence(deps: NodePresenceDeps): NodePresence | undefined {
  const { clock, db, log, metrics, settings } = deps;
  const setUps = scopesOf(deps);
  if (setUps.length === 0) {
    return undefined;
  }
  const presence = startPresence(setUps, {
    clock,
    log,
    intervals: {
      idleMs: settings.presencePollMs,
      waitingMs: settings.presencePollWaitingMs,
      awayMs: settings.presencePollAwayMs,
    },
    ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
    findSubscription: (id) => store.findSubscription(db, id),
    subscriptionHeard: (id, what) => store.subscriptionHeard(db, id, what),
    figures: {
      read: (outcome, durationMs) => metrics.presenceRead(outcome, durationMs),
      lag: (scope, lagMs) => metrics.presenceLag(scope, lagMs),
      oldest: (scope, ageMs) => metrics.presenceOldest(scope, ageMs),
      write: (outcome) => metrics.presenceWrite(outcome),
      notification: (outcome) => metrics.presenceNotification(outcome),
    },
  });
  const changes = new Map<string, { readonly up: boolean; readonly since: number }>();
  return {
    refresh: (agentIds) => presence.refresh(agentIds),
    links: () =>
      Object.fromEntries(
        [...presence.links()].map(([scope, { up, detail }]) => {
          const last = changes.get(scope);
          const change = last?.up === up ? last : { up, since: clock.now() };
          changes.set(scope, change);
          return [scope === '*' ? 'graph' : `graph ${scope}`, { up, detail, since: change.since, needed: false }];
        }),
      ),
    notifications: presence.notifications,
    close: () => presence.close(),
  };
}

function scopesOf(deps: NodePresenceDeps): PresenceScopeSetUp[] {
  const { graph, graphTenants } = deps.settings;
  const own = graphTenants.map((registration) => ({
    name: registration.tenant,
    graph: registration,
    store: scopeStore(deps, registration.tenant, { only: [registration.tenant] }),
  }));
  const others = graphTenants.map(({ tenant }) => tenant);
  return graph === undefined ? own : [{ name: '*', graph, store: scopeStore(deps, '*', { except: others }) }, ...own];
}

function scopeStore({ db, nodeId, agentChanged }: NodePresenceDeps, name: string, scope: PresenceScope): ScopeStore {
  return {
    agentsToPoll: () => store.agentsToPoll(db, scope),
    upsertPresences: async (readings) => {
      const changed = await store.upsertPresences(db, readings);
      agentChanged(changed.map(({ agentId }) => agentId));
      return changed;
    },
    holdPollLease: (forMs) => store.holdPresenceLease(db, name, nodeId, forMs),
    notePause: (forMs) => store.pausePresenceScope(db, name, forMs),
    writes: {
      due: (on, renewMs, limit) => store.duePresenceWrites(db, { scope, on, renewMs, limit }),
      written: (agentId, forMs) => store.presenceWritten(db, agentId, forMs),
      notWritten: (agentId, retryMs, error) => store.presenceNotWritten(db, agentId, retryMs, error),
      count: () => store.countPresenceWrites(db, scope),
    },
    subscriptions: {
      list: () => store.subscriptions(db, name),
      save: (subscription) => store.saveSubscription(db, subscription),
      remove: (id) => store.deleteSubscription(db, id),
    },
    agentsOfUsers: (users) => store.agentsOfUsers(db, scope, users),
    report: (state) => store.reportPresenceScope(db, name, nodeId, state),
  };
}
