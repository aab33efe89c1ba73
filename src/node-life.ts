import { describeError } from './lib/errors';
import type { Log } from './lib/log';
import type { Store } from './store/api';
import type { Queryable } from './store/types';

export interface NodeLifeDeps {
  readonly store: Store;
  readonly db: Queryable;
  readonly name: string;
  readonly log: Log;
  /** The other nodes gave this one up. */
  readonly onLost: () => void;
  /** Default: every two seconds, and fifteen. */
  readonly lease?: NodeLease;
}

export interface NodeLease {
  readonly heartbeatMs: number;
  /** A node whose heartbeat is older than this is taken for dead, and its work is released, milliseconds. */
  readonly deadAfterMs: number;
}

const LEASE: NodeLease = { heartbeatMs: 2_000, deadAfterMs: 15_000 };

/** A node's row: heartbeat, and the release of what dead nodes left. */
export class NodeLife {
  readonly nodeId: string;
  readonly #deps: NodeLifeDeps;
  readonly #lease: NodeLease;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #stopped = false;
  #up = true;
  #since = Date.now();
  #detail = 'connected';

  private constructor(deps: NodeLifeDeps, nodeId: string) {
    this.#deps = deps;
    this.#lease = deps.lease ?? LEASE;
    this.nodeId = nodeId;
  }

  static async start(deps: NodeLifeDeps): Promise<NodeLife> {
    // A node that starts under a name was not stopped properly if its row still runs: what it left is released at once.
    for (const node of await deps.store.deadNodes(deps.db, 0)) {
      if (node.name === deps.name) {
        await deps.store.releaseDeadNode(deps.db, node.id, 0);
        deps.log.warn({ event: 'former_self_released', node: node.name });
      }
    }
    const { nodeId } = await deps.store.registerNode(deps.db, { name: deps.name });
    const life = new NodeLife(deps, nodeId);
    await life.#releaseDead();
    life.#schedule();
    return life;
  }

  /** Whether Postgres answers, as /readyz shows it. */
  get link(): { readonly up: boolean; readonly detail: string; readonly since: number } {
    return { up: this.#up, detail: this.#detail, since: this.#since };
  }

  /** Says that the node ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#beating;
    try {
      await this.#deps.store.stopNode(this.#deps.db, this.nodeId);
    } catch (error) {
      this.#deps.log.warn({ event: 'node_stop_not_stored', reason: describeError(error) });
    }
  }

  #schedule(): void {
    if (!this.#stopped) {
      this.#timer = setTimeout(() => {
        this.#beating = this.#beat().finally(() => {
          this.#schedule();
        });
      }, this.#lease.heartbeatMs);
    }
  }

  async #beat(): Promise<void> {
    try {
      const startedAt = Date.now();
      const alive = await this.#deps.store.heartbeat(this.#deps.db, this.nodeId);
      this.#setLink(true, `heartbeat took ${Date.now() - startedAt} ms`);
      if (!alive) {
        this.#deps.onLost();
      }
      await this.#releaseDead();
    } catch (error) {
      this.#setLink(false, describeError(error));
      this.#deps.log.warn({ event: 'heartbeat_failed', reason: describeError(error) });
    }
  }

  async #releaseDead(): Promise<void> {
    const { deadAfterMs } = this.#lease;
    for (const node of await this.#deps.store.deadNodes(this.#deps.db, deadAfterMs)) {
      if (node.id === this.nodeId) {
        continue;
      }
      const released = await this.#deps.store.releaseDeadNode(this.#deps.db, node.id, deadAfterMs);
      if (released) {
        this.#deps.log.error({ event: 'dead_node_released', node: node.name, ...released });
      }
    }
  }

  #setLink(up: boolean, detail: string): void {
    if (up !== this.#up) {
      this.#since = Date.now();
    }
    this.#up = up;
    this.#detail = detail;
  }
}
