import { PaperNode } from '../../bench/dispatch/paper-node';
import { persist } from '../../src/calls/persist';
import type { ReservedOffer } from '../../src/calls/ports';
import type { OfferClosing } from '../../src/calls/offer-state';
import type { Termination } from '../../src/calls/termination';
import { sleep, systemClock } from '../../src/lib/clock';
import { newId } from '../../src/lib/ids';
import { silentLog } from '../../src/lib/log';
import { store, type Database } from '../../src/store';
import type { Floor } from '../../bench/dispatch/floor';

const LEASE = { heartbeatMs: 300, deadAfterMs: 2_500 };
/** For so long after something was killed the sweep may find what was lost with it, milliseconds: the lease, and a round. */
const AFTERMATH_MS = LEASE.deadAfterMs + 1_300;

interface PaperCall {
  readonly callId: string;
  readonly queueId: string;
  readonly offers: Map<string, ReservedOffer>;
  /** Offers that are being taken back or ended. */
  readonly closing: Set<string>;
  over: boolean;
}

interface Station {
  readonly node: PaperNode;
  readonly calls: Map<string, PaperCall>;
}

const between = (low: number, high: number): number => low + Math.random() * (high - low);
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

/**
 * Nodes over one database, callers who come, wait, talk and give up, agents who answer, decline, let it ring, pause and go home.
 * Behind each call stands the smallest thing that treats its offers as a call session does.
 */
export class ChaosFloor {
  readonly #url: string;
  readonly #db: Database;
  readonly #floor: Floor;
  readonly #stations: Station[] = [];
  readonly #work = new Set<Promise<unknown>>();
  /** Who is being rung or talks, by the word of the nodes that live: agent → offer. */
  readonly #busy = new Map<string, { offerId: string; station: Station }>();
  readonly #rung = new Set<string>();
  readonly faults: string[] = [];
  #killedAt = -Infinity;
  readonly #began = performance.now();
  /** Time in which the sweep may have found nothing, milliseconds. */
  calmMs = 0;
  #names = 0;
  arrived = 0;
  answered = 0;
  kills = 0;
  cuts = 0;

  constructor(url: string, db: Database, floor: Floor) {
    this.#url = url;
    this.#db = db;
    this.#floor = floor;
  }

  async addNode(): Promise<void> {
    const calls = new Map<string, PaperCall>();
    const holder: { station?: Station } = {};
    const node = await PaperNode.start({
      url: this.#url,
      name: `chaos-${this.#names++}`,
      log: silentLog(),
      max: 6,
      lease: LEASE,
      onOffer: (offer) => (holder.station ? this.#offered(holder.station, offer) : 'known'),
      onSweepFound: (what) => {
        if (performance.now() - this.#killedAt > AFTERMATH_MS) {
          this.faults.push(
            `the sweep found ${what}, ${Math.round(performance.now() - this.#killedAt)} ms after a kill`,
          );
        }
      },
    });
    holder.station = { node, calls };
    this.#stations.push(holder.station);
  }

  get alive(): readonly Station[] {
    return this.#stations.filter(({ node }) => !node.dead);
  }

  /** A caller arrives at some node and waits in some queue; may give up later. */
  arrive(): void {
    const station = pick(this.alive);
    const call: PaperCall = {
      callId: newId(),
      queueId: pick(this.#floor.queueIds),
      offers: new Map(),
      closing: new Set(),
      over: false,
    };
    this.arrived++;
    this.#track(this.#live(station, call));
  }

  async #live(station: Station, call: PaperCall): Promise<void> {
    const { node, calls } = station;
    const { callId } = call;
    calls.set(callId, call);
    const written = await this.#persist(station, 'insert', async () => {
      await store.insertCall(node.db, {
        id: callId,
        tenantId: this.#floor.tenantId,
        nodeId: node.nodeId,
        dialledNumber: '+49301000100',
        sipCallId: callId,
      });
      await store.updateCall(node.db, callId, { mediaServer: 'paper' });
    });
    if (!written) {
      return;
    }
    await this.#enqueue(station, call);
    if (Math.random() < 0.1) {
      await sleep(between(10, 3_000));
      await this.#giveUp(station, call);
    }
  }

  async #enqueue(station: Station, { callId, queueId }: PaperCall): Promise<void> {
    await this.#persist(station, 'enqueue', async () => {
      if (await station.node.store.enqueue(callId, queueId, {})) {
        station.node.dispatcher.requestMatch(queueId);
      }
    });
  }

  async #giveUp(station: Station, call: PaperCall): Promise<void> {
    if (call.over || [...call.offers.keys()].some((id) => this.#talks.has(id))) {
      return;
    }
    call.over = true;
    await this.#persist(station, 'leave', async () => {
      await station.node.store.leaveQueue(call.callId, 'abandoned');
    });
    for (const offer of call.offers.values()) {
      await this.#close(station, call, offer, { kind: 'canceled', why: 'caller-gone' });
    }
    await this.#end(station, call, { result: 'abandoned', reason: 'caller-gave-up-waiting' });
  }

  readonly #talks = new Set<string>();

  #offered(station: Station, offer: ReservedOffer): 'taken' | 'known' | 'no-call' {
    const call = station.calls.get(offer.callId);
    if (!call || call.over) {
      return 'no-call';
    }
    if (call.offers.has(offer.offerId) || this.#rung.has(offer.offerId)) {
      return 'known';
    }
    call.offers.set(offer.offerId, offer);
    this.#track(this.#ring(station, call, offer));
    return 'taken';
  }

  async #ring(station: Station, call: PaperCall, offer: ReservedOffer): Promise<void> {
    const { offerId, target } = offer;
    const go = await this.#try(station, () => station.node.store.markRinging(offerId, 'paper'));
    if (go !== true) {
      await this.#close(station, call, offer, { kind: 'canceled', why: 'withdrawn' });
      return;
    }
    if (call.over || call.closing.has(offerId) || !call.offers.has(offerId)) {
      return; // taken back while the row was written: nothing is sent, as a session does
    }
    this.#rung.add(offerId);
    const other = this.#busy.get(target.agentId);
    if (other && !other.station.node.dead) {
      this.faults.push(`${target.agentName} is rung twice at once, for ${offerId} beside ${other.offerId}`);
    }
    this.#busy.set(target.agentId, { offerId, station });
    await sleep(between(10, 300));
    if (station.node.dead || call.over || call.closing.has(offerId)) {
      return;
    }
    const what = Math.random();
    if (what < 0.75) {
      await this.#answer(station, call, offer);
    } else {
      const outcome = what < 0.85 ? 'no-answer' : what < 0.95 ? 'declined' : 'busy';
      await this.#close(station, call, offer, { kind: 'refused', outcome });
    }
  }

  async #answer(station: Station, call: PaperCall, offer: ReservedOffer): Promise<void> {
    const won = await this.#try(station, () => station.node.store.claim(offer.offerId, 'dialog'));
    if (won === undefined) {
      await this.#close(station, call, offer, { kind: 'refused', outcome: 'failed' });
      await this.#enqueue(station, call);
      return;
    }
    if (!won) {
      await this.#close(station, call, offer, { kind: 'canceled', why: 'elsewhere' });
      return;
    }
    this.answered++;
    this.#talks.add(offer.offerId);
    for (const rival of call.offers.values()) {
      if (rival !== offer) {
        this.#track(this.#close(station, call, rival, { kind: 'canceled', why: 'elsewhere' }));
      }
    }
    await sleep(between(4_000, 10_000));
    if (station.node.dead) {
      return;
    }
    call.over = true;
    await this.#close(station, call, offer, { kind: 'connection-ended', endedBy: 'agent' });
    await this.#end(station, call, { result: 'success', reason: 'agent-hung-up' });
  }

  async #close(station: Station, call: PaperCall, offer: ReservedOffer, closing: OfferClosing): Promise<void> {
    if (!call.offers.has(offer.offerId)) {
      return;
    }
    call.closing.add(offer.offerId);
    if (this.#busy.get(offer.target.agentId)?.offerId === offer.offerId) {
      this.#busy.delete(offer.target.agentId);
    }
    const { node } = station;
    if (await this.#persist(station, 'close', () => node.store.closeOffer(offer.offerId, closing))) {
      call.offers.delete(offer.offerId);
      node.dispatcher.requestMatch(offer.queueId);
      node.dispatcher.agentChanged([offer.target.agentId]);
    }
  }

  async #end(station: Station, call: PaperCall, end: Termination): Promise<void> {
    await this.#persist(station, 'end', () => station.node.store.endCall(call.callId, end));
    station.calls.delete(call.callId);
  }

  /** As a session writes its facts: again until it is written, or until the node is dead. */
  async #persist(station: Station, name: string, write: () => Promise<void>): Promise<boolean> {
    if (station.node.dead) {
      return false;
    }
    return await persist(name, write, systemClock, silentLog());
  }

  async #try<T>(station: Station, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return station.node.dead ? undefined : await ask();
    } catch {
      return undefined; // as a session: a store that does not answer loses the offer, not the caller
    }
  }

  #track(work: Promise<unknown>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  /** Somebody pauses, comes back, goes home, comes again, by a command that no node sees. */
  async changeAgent(): Promise<void> {
    const agentId = pick(this.#floor.agentIds);
    const queueId = pick(this.#floor.queueIds);
    await pick([
      () => store.pause(this.#db, agentId, 'break', 'test'),
      () => store.ready(this.#db, agentId, 'test'),
      () => store.signOut(this.#db, agentId, 'test'),
      () => store.signIn(this.#db, agentId, 'test'),
      () => store.pauseInQueue(this.#db, { agentId, queueId, by: 'test' }, 'break').catch(() => undefined),
      () => store.resumeInQueue(this.#db, { agentId, queueId, by: 'test' }).catch(() => undefined),
    ])();
  }

  async everybodyBack(): Promise<void> {
    for (const agentId of this.#floor.agentIds) {
      await store.signIn(this.#db, agentId, 'test');
      await store.ready(this.#db, agentId, 'test');
    }
    for (const member of (
      await this.#db.query<{ agentId: string; queueId: string }>(
        'select agent_id as "agentId", queue_id as "queueId" from queue_members where paused',
      )
    ).rows) {
      await store.resumeInQueue(this.#db, { ...member, by: 'test' });
    }
  }

  async kill(): Promise<void> {
    this.kills++;
    this.#blow();
    await pick(this.alive).node.kill();
  }

  #blow(): void {
    const now = performance.now();
    this.calmMs += Math.max(0, now - Math.max(this.#began, this.#killedAt + AFTERMATH_MS));
    this.#killedAt = now;
  }

  /** Some connections of some node end in the middle of whatever they do. */
  async cutConnections(): Promise<void> {
    this.cuts++;
    this.#blow();
    await this.#db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'chaos-%' and random() < 0.3`,
    );
  }

  /** Waits until no call of a living node is left. */
  async drain(timeoutMs: number): Promise<number> {
    const until = performance.now() + timeoutMs;
    const left = (): number => this.alive.reduce((sum, { calls }) => sum + calls.size, 0);
    while (left() > 0 && performance.now() < until) {
      await sleep(100);
    }
    return left();
  }

  async stop(): Promise<void> {
    for (const { node } of this.alive) {
      await node.stop();
    }
    await Promise.all(this.#work);
  }
}
