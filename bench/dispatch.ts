/**
 * `npm run bench:dispatch`: how long from an agent who is free to the next offer's committed row, and how many matches nodes
 * make a second over one Postgres. Nothing rings; everything that is decided and stored is the product's. See docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import type { ReservedOffer } from '../src/calls/ports';
import { startEmbeddedPostgres } from '../src/embedded/postgres';
import { newId } from '../src/lib/ids';
import { createLog } from '../src/lib/log';
import { sleep } from '../src/lib/clock';
import { migrate, openDatabase, store } from '../src/store';
import { runCompiled } from './compile';
import { makeFloor, type Floor } from './dispatch/floor';
import { PaperNode } from './dispatch/paper-node';
import { summarise } from './statistics';

interface Options {
  readonly agents: number;
  readonly queues: number;
  readonly queuesEach: number;
  readonly waiting: number;
  readonly seconds: number;
  readonly nodes: readonly number[];
}

const SETTLE_SECONDS = 2;

/** One floor at work: everybody talks, callers wait, and whenever somebody hangs up the next call is offered and answered. */
class Bench {
  readonly #floor: Floor;
  readonly #nodes: PaperNode[] = [];
  /** Agents who talk, with the offer and the node of their call. */
  readonly #talking: { offer: ReservedOffer; node: PaperNode }[] = [];
  readonly #freedAt = new Map<string, number>();
  readonly free: number[] = [];
  offers = 0;
  matches = 0;
  swept = 0;

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  async start(url: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const node: PaperNode = await PaperNode.start({
        url,
        name: `bench-${i}`,
        log: createLog('error'),
        onOffer: (offer) => {
          void this.#answer(node, offer);
          return 'taken';
        },
        onMatch: ({ offers }) => {
          this.matches++;
          const now = performance.now();
          for (const offer of offers) {
            this.offers++;
            const freedAt = this.#freedAt.get(offer.target.agentId);
            if (freedAt !== undefined) {
              this.free.push(now - freedAt);
              this.#freedAt.delete(offer.target.agentId);
            }
          }
        },
        onSweepFound: () => {
          this.swept++;
        },
      });
      this.#nodes.push(node);
    }
  }

  async #answer(node: PaperNode, offer: ReservedOffer): Promise<void> {
    await node.store.markRinging(offer.offerId, 'bench');
    if (await node.store.claim(offer.offerId, 'dialog')) {
      this.#talking.push({ offer, node });
    }
  }

  /** A caller arrives at a node and waits in a queue. */
  async arrive(n: number): Promise<void> {
    const node = this.#nodes[n % this.#nodes.length];
    const queueId = this.#floor.queueIds[n % this.#floor.queueIds.length];
    if (!node || queueId === undefined) {
      return;
    }
    const callId = newId();
    await store.insertCall(node.db, {
      id: callId,
      tenantId: this.#floor.tenantId,
      nodeId: node.nodeId,
      callerNumber: `+4930${String(1_000_000 + (n % 9_000_000))}`,
      dialledNumber: '+49301000100',
      sipCallId: callId,
    });
    await store.updateCall(node.db, callId, { mediaServer: 'bench' });
    await node.store.enqueue(callId, queueId, {});
    node.dispatcher.requestMatch(queueId);
  }

  /** Somebody hangs up; the agent is free. False: nobody talks at the moment. */
  async hangUp(): Promise<boolean> {
    const index = Math.floor(Math.random() * this.#talking.length);
    const talk = this.#talking[index];
    if (!talk) {
      return false;
    }
    this.#talking.splice(index, 1);
    const { offer, node } = talk;
    this.#freedAt.set(offer.target.agentId, performance.now());
    await node.store.closeOffer(offer.offerId, { kind: 'connection-ended', endedBy: 'agent' });
    node.dispatcher.requestMatch(offer.queueId);
    node.dispatcher.agentChanged([offer.target.agentId]);
    void node.store.endCall(offer.callId, { result: 'success', reason: 'agent-hung-up' });
    return true;
  }

  get talking(): number {
    return this.#talking.length;
  }

  reset(): void {
    this.free.length = 0;
    this.offers = 0;
    this.matches = 0;
    this.swept = 0;
    this.#freedAt.clear();
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) {
      await node.stop();
    }
  }
}

const fixed = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function analyse(url: string): Promise<void> {
  const db = openDatabase({ url, log: createLog('error'), max: 1 });
  await db.query('analyze');
  await db.close();
}

/** One agent at a time is free, some twenty a second. Returns the number of the next caller. */
async function unhurried(bench: Bench, arrivals: number, seconds: number): Promise<number> {
  let next = arrivals;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    await bench.hangUp();
    await bench.arrive(next++);
    await sleep(30);
  }
  return next;
}

async function run(url: string, floor: Floor, count: number, options: Options): Promise<void> {
  const bench = new Bench(floor);
  await bench.start(url, count);
  let arrivals = 0;
  for (; arrivals < options.agents + options.waiting; arrivals++) {
    await bench.arrive(arrivals);
  }
  for (let i = 0; i < 100 && bench.talking < options.agents; i++) {
    await sleep(50);
  }
  // As autovacuum does once tables have grown. Until then their statistics are those of empty tables.
  await analyse(url);
  // Each connection plans its statements anew after that; counted is what comes afterwards.
  arrivals = await unhurried(bench, arrivals, SETTLE_SECONDS);
  bench.reset();
  arrivals = await unhurried(bench, arrivals, options.seconds);
  const latency = summarise(bench.free);
  const found = bench.swept;
  line(
    `${count} node(s), unhurried: agent free → offer committed p50 ${fixed(latency?.p50)} p95 ${fixed(latency?.p95)} p99 ${fixed(latency?.p99)} ms, n ${latency?.n ?? 0}, found by the sweep ${found}`,
  );
  // As fast as it goes: several hang up at once on each node. The first seconds open and warm all connections.
  let began = performance.now();
  const end = began + (SETTLE_SECONDS + options.seconds) * 1000;
  const settled = sleep(SETTLE_SECONDS * 1000).then(() => {
    bench.reset();
    began = performance.now();
  });
  const lanes = Array.from({ length: count * 3 }, async () => {
    while (performance.now() < end) {
      if (await bench.hangUp()) {
        await bench.arrive(arrivals++);
      } else {
        await sleep(2);
      }
    }
  });
  await Promise.all([settled, ...lanes]);
  const seconds = (performance.now() - began) / 1000;
  const busy = summarise(bench.free);
  line(
    `${count} node(s), sustained: ${(bench.offers / seconds).toFixed(0)} offers/s from ${(bench.matches / seconds).toFixed(0)} matches/s; agent free → offer committed p50 ${fixed(busy?.p50)} p95 ${fixed(busy?.p95)} p99 ${fixed(busy?.p99)} ms, found by the sweep ${bench.swept}`,
  );
  await bench.stop();
}

function parse(args: readonly string[]): Options {
  const number = (name: string, fallback: number): number => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? fallback : Number(args[at + 1]);
  };
  const nodes = args.indexOf('--nodes');
  return {
    agents: number('agents', 200),
    queues: number('queues', 20),
    queuesEach: number('queues-each', 3),
    waiting: number('waiting', 60),
    seconds: number('seconds', 8),
    nodes: nodes === -1 ? [1, 3] : (args[nodes + 1] ?? '').split(',').map(Number),
  };
}

async function main(args: readonly string[]): Promise<void> {
  const options = parse(args);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sidekick-bench-dispatch-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: createLog('error') });
  try {
    await migrate(postgres.url);
    line(
      `${options.agents} agents in ${options.queues} queues, ${options.queuesEach} each; ${options.waiting} callers wait; every commit on disk; load ${fixed(loadavg()[0])}`,
    );
    for (const count of options.nodes) {
      const db = openDatabase({ url: postgres.url, log: createLog('error'), max: 2 });
      await db.query('truncate tenants, nodes, config_versions restart identity cascade');
      const floor = await makeFloor(db, { ...options, queue: { wrap_up_seconds: 0 } });
      await db.close();
      await run(postgres.url, floor, count, options);
    }
    line(`load at the end ${fixed(loadavg()[0])}`);
  } finally {
    await postgres.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

void runCompiled(__filename, main);
