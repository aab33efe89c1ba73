import type { Clock } from './lib/clock';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import type { NodeConfig } from './node-config';
import type { DrachtioLink } from './signaling/drachtio-link';
import { NameCache } from './signaling/teams/name-cache';
import { TrunkHealth } from './signaling/teams/trunk-health';
import { store } from './store';
import type { Database } from './store';

export interface NodeTeamsDeps {
  readonly db: Database;
  readonly nodeId: string;
  readonly link: DrachtioLink;
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What a node does about Teams beside calls: watches the proxies of its trunks. */
export interface NodeTeams {
  readonly health: TrunkHealth;
  /** To be called when the configuration was loaded again. */
  reload(): void;
  /** One line per trunk for `/readyz`. A trunk that is down keeps the node ready: callers of others, and queues, go on. */
  links(): Readonly<
    Record<string, { readonly up: boolean; readonly detail: string; readonly since: number; readonly needed: false }>
  >;
  close(): void;
}

export function startNodeTeams(deps: NodeTeamsDeps): NodeTeams {
  const { clock, config, db, link, log, metrics, nodeId } = deps;
  const health = new TrunkHealth({
    link,
    clock,
    log,
    metrics,
    names: new NameCache({ clock, log }),
    report: async ({ trunkId, up, detail, proxies }) => {
      await store.reportTrunk(db, { nodeId, trunkId, up, detail, proxies });
    },
  });
  const reload = (): void => {
    health.load(config.teamsTrunks());
  };
  reload();
  return {
    health,
    reload,
    links: () =>
      Object.fromEntries(
        health.views().map(({ name, up, detail, since }) => [`teams ${name}`, { up, detail, since, needed: false }]),
      ),
    close: () => {
      health.close();
    },
  };
}
