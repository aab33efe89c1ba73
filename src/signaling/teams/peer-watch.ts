import { rootCertificates } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { checkCertificate } from '../../lib/certificate-check';
import type { Clock, TimerHandle } from '../../lib/clock';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import { Newest } from '../../lib/newest';
import type { Metrics } from '../../lib/metrics';
import { greetServer } from '../../lib/tls-hello';
import type { HelloPeer, ServerGreeting } from '../../lib/tls-hello';
import { TEAMS_HELLO } from '../../lib/tls-suites';
import { TEAMS_ROOTS } from './microsoft';
import type { NameCache } from './name-cache';
import type { TeamsProxy, TeamsTrunk } from './teams-trunk';

export interface PeerWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'teamsPeerTrusted' | 'teamsPeerGone'>;
  /** Addresses of the proxies, as they are known now. */
  readonly names: Pick<NameCache, 'get'>;
  /** Called when a proxy becomes trusted or stops being so. */
  readonly onChange: () => void;
  /** Default: a TLS greeting, see lib/tls-hello.ts. Undefined: the peer refused it. */
  readonly greet?: (at: { host: string; port: number; serverName: string }) => Promise<ServerGreeting | undefined>;
}

/** How often it is looked whether a proxy has an address that was not seen for an hour, milliseconds. */
const TICK_MS = 60_000;
const AGAIN_MS = 3_600_000;
const GREETING_MS = 5_000;

/** What is wrong with what a peer showed. `impostor`: it is not the one whose name it answers under. */
export interface PeerFault {
  readonly text: string;
  readonly impostor: boolean;
}

interface Seen {
  readonly at: number;
  readonly fault: PeerFault | undefined;
  /** False: nothing could be seen. */
  readonly read: boolean;
}

interface Watched {
  readonly trunk: string;
  readonly proxy: TeamsProxy;
  readonly seen: Map<string, Seen>;
}

/**
 * Checks what drachtio-server cannot: that the proxies of Direct Routing are who they say. drachtio holds a peer's certificate
 * against the roots of chain.pem and looks at no name, so any certificate of such a root would do. This opens a TLS greeting of its
 * own to each address that a proxy's name leads to, each hour, and wants a certificate with that name, the proof of its key, and a
 * chain to one of the roots that Microsoft lists. A proxy without name or proof gets no calls until it shows both. Another root or
 * an end that has passed is an alarm alone, since drachtio itself refuses those by chain.pem, which may know a newer root. What
 * cannot be seen (no connection from here) is told and counts as nothing.
 */
export class PeerWatch {
  readonly #deps: PeerWatchDeps;
  #watched: Watched[] = [];
  #timer: TimerHandle | undefined;
  readonly #looks = new Newest(() => this.#lookAtAll());
  #closed = false;

  constructor(deps: PeerWatchDeps) {
    this.#deps = deps;
  }

  /** Watches the proxies of these trunks from now on: those of form `direct`, which is where Microsoft itself is called. */
  load(trunks: readonly TeamsTrunk[]): void {
    const before = this.#watched;
    this.#watched = trunks
      .filter(({ form }) => form === 'direct')
      .flatMap(({ name, proxies }) =>
        proxies.map(
          (proxy) =>
            before.find((w) => w.trunk === name && isDeepStrictEqual(w.proxy, proxy)) ?? {
              trunk: name,
              proxy,
              seen: new Map<string, Seen>(),
            },
        ),
      );
    for (const { trunk, proxy } of before) {
      if (!this.#watched.some((w) => w.trunk === trunk && w.proxy.host === proxy.host)) {
        this.#deps.metrics.teamsPeerGone(trunk, proxy.host);
      }
    }
    this.#plan(0);
  }

  /** Why a proxy must not be called; undefined: nothing is known against it. */
  why(trunk: string, proxy: string): string | undefined {
    const watched = this.#watched.find((w) => w.trunk === trunk && w.proxy.host === proxy);
    return watched && [...watched.seen.values()].find(({ fault }) => fault?.impostor === true)?.fault?.text;
  }

  close(): void {
    this.#closed = true;
    this.#watched = [];
    this.#timer?.clear();
  }

  /** Looks at every address that is due, of all proxies that are watched now. */
  look(): Promise<void> {
    return this.#looks.run();
  }

  #plan(inMs: number): void {
    this.#timer?.clear();
    if (this.#closed || this.#watched.length === 0) {
      return;
    }
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      void this.look().then(() => {
        // Planned already where other proxies came while this look lasted: they are not left for later.
        if (!this.#timer) {
          this.#plan(TICK_MS);
        }
      });
    }, inMs);
  }

  async #lookAtAll(): Promise<void> {
    await Promise.all(this.#watched.map((watched) => this.#lookAt(watched)));
  }

  async #lookAt(watched: Watched): Promise<void> {
    const { clock, metrics, names } = this.#deps;
    const { proxy, seen, trunk } = watched;
    const resolved = names.get(proxy.host)?.addresses ?? [];
    const places = proxy.address !== undefined ? [proxy.address] : resolved.length > 0 ? resolved : [proxy.host];
    const before = this.why(trunk, proxy.host);
    for (const place of seen.keys()) {
      if (!places.includes(place)) {
        seen.delete(place);
      }
    }
    for (const place of places) {
      if (clock.now() - (seen.get(place)?.at ?? -Infinity) >= AGAIN_MS) {
        seen.set(place, await this.#see(watched, place));
      }
    }
    // Its trunk may be gone, or another now, since the look began.
    if (this.#closed || !this.#watched.includes(watched)) {
      return;
    }
    const all = [...seen.values()];
    if (all.some(({ read }) => read)) {
      metrics.teamsPeerTrusted(
        trunk,
        proxy.host,
        all.every(({ fault }) => fault === undefined),
      );
    }
    if (this.why(trunk, proxy.host) !== before) {
      this.#deps.onChange();
    }
  }

  async #see({ proxy, trunk }: Watched, place: string): Promise<Seen> {
    const { clock, log, greet = greetProxy } = this.#deps;
    const at = clock.now();
    try {
      const greeting = await greet({ ...placeOf(place, proxy.port), serverName: proxy.host });
      if (greeting === undefined) {
        throw new Error('it refuses the suites of Direct Routing');
      }
      // An address of one's own is not a place of Microsoft's; whose authority vouches for it is between the operator and drachtio.
      const fault = judgePeer(greeting, proxy.host, { at, anyRoot: proxy.address !== undefined });
      if (fault !== undefined) {
        const { text: reason, impostor } = fault;
        log.error({ event: 'teams_peer_untrusted', trunk, proxy: proxy.host, at: place, reason, calls: !impostor });
      }
      return { at, fault, read: true };
    } catch (error) {
      log.warn({ event: 'teams_peer_not_read', trunk, proxy: proxy.host, at: place, reason: describeError(error) });
      return { at, fault: undefined, read: false };
    }
  }
}

/** What is wrong with what a proxy showed; undefined where it is as it should be. */
export function judgePeer(
  { certificates, proven }: Pick<ServerGreeting, 'certificates' | 'proven'>,
  name: string,
  { at, anyRoot, roots = listedRoots() }: { at: number; anyRoot: boolean; roots?: readonly X509Certificate[] },
): PeerFault | undefined {
  if (!proven) {
    return { text: 'the peer did not prove that it holds the key of its certificate', impostor: true };
  }
  const findings = checkCertificate({ certificates, names: [name], now: at, roots });
  const failed = (check: string) => findings.find((f) => f.check === check && f.verdict === 'fail');
  const wrongName = failed('name');
  if (wrongName) {
    return { text: wrongName.found, impostor: true };
  }
  const [leaf] = certificates;
  const other = (anyRoot ? undefined : failed('chain')) ?? (ended(leaf, at) ? failed('expiry') : undefined);
  return other && { text: other.found, impostor: false };
}

/** A certificate that ends in three days is its owner's business; one that has ended is ours. */
function ended(certificate: X509Certificate | undefined, at: number): boolean {
  return certificate !== undefined && (Date.parse(certificate.validTo) <= at || Date.parse(certificate.validFrom) > at);
}

/** The roots that Microsoft lists for Direct Routing, as they come with Node. */
function listedRoots(): X509Certificate[] {
  known ??= rootCertificates
    .map((pem) => new X509Certificate(pem))
    .filter(({ fingerprint }) => Object.values(TEAMS_ROOTS).includes(fingerprint.replaceAll(':', '')));
  return known;
}

let known: X509Certificate[] | undefined;

/** The TLS greeting of a proxy. Undefined: it refused. @throws Error where nobody answers in time */
export const greetProxy = (at: HelloPeer, timeoutMs = GREETING_MS): Promise<ServerGreeting | undefined> =>
  greetServer(at, TEAMS_HELLO, timeoutMs);

/** `host:port`, or a host or address alone. */
export function placeOf(place: string, port: number): { host: string; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(place);
  return match?.[1] !== undefined && !match[1].includes(':')
    ? { host: match[1], port: Number(match[2]) }
    : { host: place, port };
}
