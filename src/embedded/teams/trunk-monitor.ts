import type { Clock, TimerHandle } from '../../lib/clock';
import type { SipMessage } from '../sip/message';
import type { Peer } from '../sip/types';
import type { UserAgent } from '../sip/user-agent';
import type { TrunkView } from './control-routes';
import { uriOf } from './sip-rules';

interface Trunk {
  readonly name: string;
  target: Peer;
  uri: string;
  lastOptionsAt: number;
  ownStatus: number | null;
  ownAt: number | null;
  timer: TimerHandle | undefined;
}

/** A trunk whose OPTIONS did not come for this long is demoted (1.4). */
const DEMOTE_MS = 5 * 60_000;

/** OPTIONS in the other direction: once a trunk's OPTIONS was answered, Teams begins its own to the FQDN in Contact (1.4). */
export class TrunkMonitor {
  readonly #trunks = new Map<string, Trunk>();
  readonly #ua: UserAgent;
  readonly #clock: Clock;
  readonly #periodMs: number;
  #closed = false;

  constructor(ua: UserAgent, clock: Clock, periodMs: number) {
    this.#ua = ua;
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** A trunk's OPTIONS was in order and has been answered. */
  seen(options: SipMessage, source: Peer): void {
    const contact = uriOf(options.list('contact')[0]);
    if (!contact || this.#closed) {
      return;
    }
    const name = contact.host.toLowerCase();
    const port = contact.port ?? 5061;
    const target: Peer = { protocol: 'tls', address: source.address, port, serverName: name };
    const uri = `sip:${name}:${port};transport=tls`;
    const known = this.#trunks.get(name);
    if (known) {
      Object.assign(known, { target, uri, lastOptionsAt: this.#clock.now() });
      if (!known.timer) {
        this.#probe(known);
      }

      return;
    }
    const trunk: Trunk = {
      name,
      target,
      uri,
      lastOptionsAt: this.#clock.now(),
      ownStatus: null,
      ownAt: null,
      timer: undefined,
    };
    this.#trunks.set(name, trunk);
    this.#probe(trunk);
  }

  /** Where requests to a trunk go; undefined for one that was not seen yet. */
  targetOf(name: string): Peer | undefined {
    return this.#trunks.get(name.toLowerCase())?.target;
  }

  views(): TrunkView[] {
    const now = this.#clock.now();

    return [...this.#trunks.values()].map((trunk) => ({
      name: trunk.name,
      lastOptionsAt: trunk.lastOptionsAt,
      ownOptionsStatus: trunk.ownStatus,
      ownOptionsAt: trunk.ownAt,
      active: trunk.ownStatus === 200 && now - trunk.lastOptionsAt < DEMOTE_MS,
    }));
  }

  close(): void {
    this.#closed = true;
    for (const trunk of this.#trunks.values()) {
      trunk.timer?.clear();
      trunk.timer = undefined;
    }
  }

  #probe(trunk: Trunk): void {
    trunk.timer = this.#clock.setTimeout(() => {
      trunk.timer = undefined;
      // A trunk that has gone silent is asked again when its own OPTIONS come back.
      if (this.#clock.now() - trunk.lastOptionsAt < DEMOTE_MS) {
        this.#probe(trunk);
      }
    }, this.#periodMs);
    void this.#ua
      .request('OPTIONS', trunk.uri, {
        target: trunk.target,
        from: '<sip:sip.pstnhub.microsoft.com:5061;transport=tls>',
        to: `<${trunk.uri}>`,
      })
      .then((response) => {
        trunk.ownStatus = response.status;
        trunk.ownAt = this.#clock.now();
      });
  }
}
