import type { ReservedOffer } from '../../src/calls/ports';
import { Dispatcher } from '../../src/dispatch/dispatcher';
import { systemClock } from '../../src/lib/clock';
import type { Log } from '../../src/lib/log';
import { NodeLife, type NodeLease } from '../../src/node-life';
import { Listener, openDatabase, store, type Database } from '../../src/store';
import { NodeStore } from '../../src/store/node-store';
import type { MatchResult } from '../../src/dispatch/ports';

export interface PaperNodeOptions {
  readonly url: string;
  readonly name: string;
  readonly log: Log;
  /** Connections of the pool, default 8. */
  readonly max?: number;
  /** An agent is to be rung for a call of this node. */
  readonly onOffer: (offer: ReservedOffer) => 'taken' | 'known' | 'no-call';
  readonly onSweepFound?: (what: string) => void;
  /** A match made these offers, which are committed. */
  readonly onMatch?: (result: MatchResult) => void;
  /** How often the node says that it lives, and how long the others wait for that, milliseconds; default as in production. */
  readonly lease?: NodeLease;
}

class WatchedStore extends NodeStore {
  onMatch: ((result: MatchResult) => void) | undefined;

  override async match(...args: Parameters<NodeStore['match']>): ReturnType<NodeStore['match']> {
    const result = await super.match(...args);
    if (result) {
      this.onMatch?.(result);
    }
    return result;
  }
}

/** A node with all that decides and stores, and nothing that rings: heartbeat, listener, dispatcher, the store of a node. */
export class PaperNode {
  readonly nodeId: string;
  readonly store: NodeStore;
  readonly dispatcher: Dispatcher;
  readonly db: Database;
  readonly #lifeDb: Database;
  readonly #life: NodeLife;
  readonly #listener: Listener;
  #dead = false;

  private constructor(options: PaperNodeOptions, parts: { db: Database; lifeDb: Database; life: NodeLife }) {
    const { log, url } = options;
    this.db = parts.db;
    this.#lifeDb = parts.lifeDb;
    this.#life = parts.life;
    this.nodeId = parts.life.nodeId;
    const watched = new WatchedStore(store, this.db, this.nodeId, { decisionsMs: 86_400_000 }, log);
    watched.onMatch = (result) => options.onMatch?.(result);
    this.store = watched;
    this.dispatcher = new Dispatcher({
      store: watched,
      clock: systemClock,
      log,
      nodeId: this.nodeId,
      // A process that was killed does nothing any more, whatever its database still answers.
      onOffer: (offer) => (this.#dead ? 'known' : options.onOffer(offer)),
      onOrphan: (offer) => {
        void watched.closeOffer(offer.offerId, { kind: 'canceled', why: 'caller-gone' }).then(
          () => {
            this.dispatcher.requestMatch(offer.queueId);
          },
          () => undefined, // the sweep of the node that is alive finds it
        );
      },
      refreshPresence: () => Promise.resolve(false),
      onSweepFound: (what) => {
        if (!this.#dead) {
          options.onSweepFound?.(what);
        }
      },
    });
    watched.travelWith(this.dispatcher);
    this.#listener = new Listener({ url, log, ignore: (processId) => this.db.owns(processId) });
    this.#listener.on('notification', (n) => {
      if (n.k === 'queue' && (n.node === undefined || n.node === this.nodeId)) {
        this.dispatcher.requestMatch(n.id);
      } else if (n.k === 'agent') {
        this.dispatcher.agentChanged([n.id]);
      } else if (n.k === 'offer' && n.node === this.nodeId) {
        this.dispatcher.offerReserved(n.id);
      }
    });
    this.#listener.on('connected', () => {
      void this.dispatcher.sweep().catch(() => undefined); // the next sweep comes in a second
    });
  }

  static async start(options: PaperNodeOptions): Promise<PaperNode> {
    const { log, url, name } = options;
    const db = openDatabase({ url, log, max: options.max ?? 8, runsMatches: true, applicationName: name });
    const lifeDb = openDatabase({ url, log, max: 1, applicationName: name });
    const started: { node?: PaperNode } = {};
    const life = await NodeLife.start({
      store,
      db: lifeDb,
      name,
      log,
      onLost: () => void started.node?.kill(),
      ...(options.lease ? { lease: options.lease } : {}),
    });
    const node = new PaperNode(options, { db, lifeDb, life });
    started.node = node;
    await node.#listener.start();
    node.dispatcher.start();
    return node;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Ends as a process that is killed does: nothing is released, nothing is said. */
  async kill(): Promise<void> {
    this.#dead = true;
    await this.#end();
  }

  async stop(): Promise<void> {
    await this.dispatcher.stop();
    await this.store.close();
    await this.#life.stop();
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#listener.close();
    await Promise.all([this.db.close(), this.#lifeDb.close()]);
    // Their connections are gone: what they still want to write fails and is forgotten.
    await Promise.all([this.dispatcher.stop(), this.#life.stop()]);
  }
}
