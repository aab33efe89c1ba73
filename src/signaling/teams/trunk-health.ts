import { isDeepStrictEqual } from 'node:util';
import { describeError } from '../../lib/errors';
import type { Metrics } from '../../lib/metrics';
import { Newest } from '../../lib/newest';
import type { InvitePeer } from '../agent-invite';
import type { DrachtioLink } from '../drachtio-link';
import type { NameCache } from './name-cache';
import { PeerWatch } from './peer-watch';
import { ProxyMonitor } from './proxy-monitor';
import type { ProxyMonitorDeps } from './proxy-monitor';
import { isUsable, orderProxies } from './proxy-state';
import type { ProxyState } from './proxy-state';
import type { TeamsTrunk } from './teams-trunk';

/** What is known of one proxy, for people and for the database. */
export interface ProxyView {
  readonly host: string;
  /** `untrusted`: its certificate is not the one that it should show; it gets no calls. */
  readonly state: ProxyState['kind'] | 'untrusted';
  readonly reason: string | undefined;
  readonly detail: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** How long its last answer to OPTIONS took, milliseconds. */
  readonly answerMs: number | undefined;
  readonly addresses: readonly string[];
}

export interface TrunkHealthView {
  readonly trunkId: string;
  readonly name: string;
  /** False: no proxy answers, so agents behind the trunk are not offered calls. */
  readonly up: boolean;
  readonly detail: string;
  readonly since: number;
  readonly proxies: readonly ProxyView[];
}

export interface TrunkHealthDeps extends Omit<ProxyMonitorDeps, 'onChange' | 'srf' | 'port'> {
  readonly link: DrachtioLink;
  readonly names: NameCache;
  readonly metrics: Pick<Metrics, 'teamsProxyUp' | 'teamsProxyGone' | 'teamsPeerTrusted' | 'teamsPeerGone'>;
  /** Stores a trunk's state; called when it changed and now and then. */
  readonly report: (view: TrunkHealthView) => Promise<void>;
}

/** A state that does not change is stored again after this, milliseconds, so that its age shows that somebody looks. */
const REPORT_MS = 60_000;

interface Watched {
  readonly trunk: TeamsTrunk;
  readonly monitors: readonly ProxyMonitor[];
  up: boolean;
  since: number;
}

/** Health of all Teams trunks of this node: which proxies answer, and in which order calls try them. */
export class TrunkHealth {
  readonly #deps: TrunkHealthDeps;
  #watched = new Map<string, Watched>();
  readonly #peers: PeerWatch;
  readonly #offs: (() => void)[];
  readonly #timer: NodeJS.Timeout;
  /** What stores the state of a trunk, by its id. */
  readonly #reports = new Map<string, Newest>();
  #closed = false;

  constructor(deps: TrunkHealthDeps) {
    this.#deps = deps;
    this.#peers = new PeerWatch({
      ...deps,
      onChange: () => {
        for (const watched of this.#watched.values()) {
          this.#changed(watched);
        }
      },
    });
    this.#offs = [
      deps.link.events.on('up', () => {
        this.#each((monitor) => monitor.start());
      }),
      deps.link.events.on('down', () => {
        this.#each((monitor) => monitor.stop());
      }),
    ];
    this.#timer = setInterval(() => {
      for (const trunkId of this.#watched.keys()) {
        this.#report(trunkId);
      }
    }, REPORT_MS);
  }

  /** Takes the trunks as configured now. One that did not change keeps its state. */
  load(trunks: readonly TeamsTrunk[]): void {
    const before = this.#watched;
    this.#watched = new Map();
    for (const trunk of trunks) {
      const known = before.get(trunk.id);
      before.delete(trunk.id);
      if (known && isDeepStrictEqual(known.trunk, trunk)) {
        this.#watched.set(trunk.id, known);
        continue;
      }
      this.#forget(known);
      this.#watch(trunk);
    }
    for (const gone of before.values()) {
      this.#forget(gone);
    }
    const direct = trunks.flatMap((trunk) => trunk.proxies.filter((proxy) => proxy.address === undefined));
    this.#deps.names.watch(direct.map((proxy) => proxy.host));
    this.#peers.load(trunks);
  }

  /** Indexes of a trunk's proxies in the order in which a call tries them, without those that are not to be trusted. */
  order(trunkId: string): readonly number[] | undefined {
    const watched = this.#watched.get(trunkId);
    return (
      watched &&
      orderProxies(watched.monitors.map((monitor) => monitor.state)).filter(
        (index) => this.#peers.why(watched.trunk.name, watched.monitors[index]?.name ?? '') === undefined,
      )
    );
  }

  peer(trunkId: string, index: number): InvitePeer | undefined {
    return this.#watched.get(trunkId)?.monitors[index];
  }

  views(): readonly TrunkHealthView[] {
    return [...this.#watched.values()].map((watched) => this.#view(watched));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const off of this.#offs) {
      off();
    }
    this.#each((monitor) => monitor.stop());
    this.#peers.close();
    this.#deps.names.close();
  }

  #watch(trunk: TeamsTrunk): void {
    const { link, clock, log } = this.#deps;
    const watched: Watched = {
      trunk,
      since: clock.now(),
      up: true,
      monitors: trunk.proxies.map(
        (proxy) =>
          new ProxyMonitor(trunk, proxy, {
            srf: link.srf,
            clock,
            log,
            port: (transport) => link.transports.find((t) => t.protocol === transport)?.port,
            onChange: () => {
              this.#changed(watched);
            },
          }),
      ),
    };
    this.#watched.set(trunk.id, watched);
    if (link.state.up) {
      for (const monitor of watched.monitors) {
        monitor.start();
      }
    }
  }

  #forget(watched: Watched | undefined): void {
    for (const monitor of watched?.monitors ?? []) {
      monitor.stop();
      this.#deps.metrics.teamsProxyGone(watched?.trunk.name ?? '', monitor.name);
    }
  }

  #each(action: (monitor: ProxyMonitor) => void): void {
    for (const { monitors } of this.#watched.values()) {
      for (const monitor of monitors) {
        action(monitor);
      }
    }
  }

  #changed(watched: Watched): void {
    const trusted = (monitor: ProxyMonitor): boolean => this.#peers.why(watched.trunk.name, monitor.name) === undefined;
    const up = watched.monitors.some((monitor) => isUsable(monitor.state) && trusted(monitor));
    if (up !== watched.up) {
      watched.up = up;
      watched.since = this.#deps.clock.now();
    }
    for (const monitor of watched.monitors) {
      this.#deps.metrics.teamsProxyUp(
        watched.trunk.name,
        monitor.name,
        monitor.state.kind !== 'down' && trusted(monitor),
      );
    }
    this.#report(watched.trunk.id);
  }

  #view({ trunk, monitors, up, since }: Watched): TrunkHealthView {
    const proxies = monitors.map(({ proxy, state, answerMs }) => {
      const why = this.#peers.why(trunk.name, proxy.host);
      return {
        host: proxy.host,
        state: why === undefined ? state.kind : ('untrusted' as const),
        reason: why === undefined && state.kind === 'down' ? state.reason : undefined,
        detail: why ?? state.detail,
        since: state.since,
        answerMs,
        addresses: this.#deps.names.get(proxy.host)?.addresses ?? [],
      };
    });
    const detail = proxies.map((p) => `${p.host}: ${p.state}, ${p.detail}`).join('; ');
    return { trunkId: trunk.id, name: trunk.name, up, detail, since, proxies };
  }

  #report(trunkId: string): void {
    let report = this.#reports.get(trunkId);
    if (!report) {
      report = new Newest(async () => {
        const watched = this.#watched.get(trunkId);
        if (watched && !this.#closed) {
          await this.#deps.report(this.#view(watched));
        }
      });
      this.#reports.set(trunkId, report);
    }
    report.run().catch((error: unknown) => {
      this.#deps.log.debug({ event: 'trunk_status_not_stored', trunkId, reason: describeError(error) });
    });
  }
}
