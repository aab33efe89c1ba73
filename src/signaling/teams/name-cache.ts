import { Resolver } from 'node:dns/promises';
import type { Clock, TimerHandle } from '../../lib/clock';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';

export interface ResolvedName {
  readonly addresses: readonly string[];
  /** When it was looked up, milliseconds since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  /** Why the last look-up failed, if it did; the addresses are then those of before. */
  readonly failure: string | undefined;
}

export interface NameCacheDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** IPv4 addresses with their time to live, seconds. Default: the name servers of the system. */
  readonly resolve?: (name: string) => Promise<readonly { readonly address: string; readonly ttl: number }[]>;
}

/** Asked again at least and at most this often, milliseconds; in between the records' time to live counts. */
const MIN_MS = 10_000;
const MAX_MS = 60_000;
/** A look-up that takes longer than this costs the next caller; it is logged. */
const SLOW_MS = 500;

/**
 * Keeps the names of the proxies looked up, so that the resolver that drachtio asks too always has them at hand, and remembers
 * what it saw for `doctor`. A name that fails keeps its last addresses.
 */
export class NameCache {
  readonly #deps: NameCacheDeps;
  readonly #resolve: NonNullable<NameCacheDeps['resolve']>;
  readonly #known = new Map<string, ResolvedName>();
  readonly #timers = new Map<string, TimerHandle>();
  #names: ReadonlySet<string> = new Set();
  /** Which look-up of a name counts: one that was begun before the name was forgotten and watched again says nothing any more. */
  readonly #looking = new Map<string, symbol>();

  constructor(deps: NameCacheDeps) {
    this.#deps = deps;
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    this.#resolve = deps.resolve ?? ((name) => resolver.resolve4(name, { ttl: true }));
  }

  /** Follows these names from now on; others are forgotten. */
  watch(names: Iterable<string>): void {
    const wanted = new Set(names);
    for (const name of this.#names) {
      if (!wanted.has(name)) {
        this.#timers.get(name)?.clear();
        this.#timers.delete(name);
        this.#known.delete(name);
        this.#looking.delete(name);
      }
    }
    const fresh = [...wanted].filter((name) => !this.#names.has(name));
    this.#names = wanted;
    for (const name of fresh) {
      void this.#look(name);
    }
  }

  get(name: string): ResolvedName | undefined {
    return this.#known.get(name);
  }

  close(): void {
    this.watch([]);
  }

  async #look(name: string): Promise<void> {
    const { clock, log } = this.#deps;
    const began = clock.now();
    const mine = Symbol(name);
    this.#looking.set(name, mine);
    const counts = (): boolean => this.#looking.get(name) === mine;
    let next = MIN_MS;
    const before = this.#known.get(name);
    try {
      const records = await this.#resolve(name);
      if (!counts()) {
        return;
      }
      const tookMs = clock.now() - began;
      this.#known.set(name, { addresses: records.map((r) => r.address), at: began, tookMs, failure: undefined });
      next = Math.min(MAX_MS, Math.max(MIN_MS, Math.min(...records.map((r) => r.ttl * 1_000), MAX_MS)));
      if (tookMs > SLOW_MS) {
        log.warn({ event: 'name_slow', name, tookMs });
      }
    } catch (error) {
      if (!counts()) {
        return;
      }
      const failure = describeError(error);
      const tookMs = clock.now() - began;
      this.#known.set(name, { addresses: before?.addresses ?? [], at: before?.at ?? began, tookMs, failure });
      if (before?.failure !== failure) {
        log.warn({ event: 'name_not_found', name, reason: failure });
      }
    }
    this.#timers.set(
      name,
      clock.setTimeout(() => void this.#look(name), next),
    );
  }
}
