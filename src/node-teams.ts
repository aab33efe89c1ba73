import type { Clock } from './lib/clock';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import type { NodeConfig } from './node-config';
import type { DrachtioLink } from './signaling/drachtio-link';
import type { ReferPolicy } from './signaling/agent-refer';
import { CertificateWatch } from './signaling/teams/certificate-watch';
import { NameCache } from './signaling/teams/name-cache';
import { referPolicy } from './signaling/teams/refer-policy';
import { TeamsInbound } from './signaling/teams/teams-inbound';
import type { TeamsTrunk } from './signaling/teams/teams-trunk';
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
  /** True once the node takes no new calls. */
  readonly stopping: () => boolean;
  /** The database says otherwise now whether a trunk is up for this node, whose own hints of it are not told to it. */
  readonly trunkChanged: () => void;
}

/** What a node does about Teams beside calls: watches the proxies of its trunks. */
export interface NodeTeams {
  readonly health: TrunkHealth;
  readonly inbound: TeamsInbound;
  /** What REFER of an agent may do on a trunk. */
  refer(trunk: TeamsTrunk): ReferPolicy;
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
      if (await store.reportTrunk(db, { nodeId, trunkId, up, detail, proxies })) {
        deps.trunkChanged();
      }
    },
  });
  const inbound = new TeamsInbound({ metrics, log, stopping: deps.stopping });
  const certificates = new CertificateWatch({
    log,
    metrics,
    now: () => clock.now(),
    address: () => link.transports.find((t) => t.protocol === 'tls'),
  });
  const watchCertificates = (): void => {
    certificates.load(config.teamsTrunks().flatMap((trunk) => (trunk.form === 'direct' ? [trunk.sbcName] : [])));
  };
  // Before the first connection nothing is known of the SIP server's transports.
  const offUp = link.events.on('up', watchCertificates);
  const reload = (): void => {
    const trunks = config.teamsTrunks();
    health.load(trunks);
    inbound.load(trunks);
    if (link.state.up) {
      watchCertificates();
    }
  };
  reload();
  return {
    health,
    inbound,
    refer: (trunk) => referPolicy(trunk, (e164) => config.queueOfNumber(e164, trunk.id)),
    reload,
    links: () =>
      Object.fromEntries(
        health.views().map(({ name, up, detail, since }) => [`teams ${name}`, { up, detail, since, needed: false }]),
      ),
    close: () => {
      offUp();
      certificates.close();
      health.close();
    },
  };
}
