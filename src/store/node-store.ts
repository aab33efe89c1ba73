import type { StayOutcome } from '../calls/call-state';
import type { CommandStore, PendingCommand } from '../calls/command-runner';
import type { AgentTarget, CallerHandles, CallStore, NewCall, ReservedOffer } from '../calls/ports';
import type { OfferClosing } from '../calls/offer-state';
import type { Termination } from '../calls/termination';
import type { DispatchStore, MatchResult } from '../dispatch/ports';
import type { CallTraits } from '../flows/flow';
import type { Log } from '../lib/log';
import { explain } from '../routing/explain';
import type { Decision, Explanation, Snapshot } from '../routing/types';
import type { Store } from './api';
import { EventWriter } from './event-writer';
import type { Offer, Queryable } from './types';

/** What the rooms of one node need of the store, on top of the statements: calls, dispatch, events. */
export class NodeStore implements CallStore, DispatchStore, CommandStore {
  readonly #store: Store;
  readonly #db: Queryable;
  readonly #nodeId: string;
  readonly #events: EventWriter;

  constructor(store: Store, db: Queryable, nodeId: string, log: Log) {
    this.#store = store;
    this.#db = db;
    this.#nodeId = nodeId;
    this.#events = new EventWriter({ appendCallEvents: (events) => store.appendCallEvents(db, events) }, log);
  }

  async insertCall(call: NewCall): Promise<void> {
    this.#events.callPending(call.callId);
    try {
      await this.#store.insertCall(this.#db, {
        id: call.callId,
        tenantId: call.tenantId,
        nodeId: this.#nodeId,
        trunkId: call.trunkId,
        callerNumber: call.callerNumber,
        callerName: call.callerName,
        dialledNumber: call.dialledNumber,
        sipCallId: call.sipCallId,
      });
    } finally {
      this.#events.callStored(call.callId);
    }
  }

  async saveCallerHandles(callId: string, handles: CallerHandles): Promise<void> {
    await this.#store.updateCall(this.#db, callId, {
      mediaServer: handles.mediaServer,
      callerChannelUuid: handles.mediaChannel,
      carrierDialogId: handles.carrierDialog,
      mediaDialogId: handles.mediaDialog,
      lastSdpSent: handles.sdpToCarrier,
      lastSdpReceived: handles.sdpFromCarrier,
    });
  }

  async markAnswered(callId: string): Promise<void> {
    await this.#store.markCallAnswered(this.#db, callId);
  }

  async enqueue(
    callId: string,
    queueId: string,
    traits: CallTraits,
  ): Promise<{ readonly position: number } | undefined> {
    return await this.#store.enqueue(this.#db, {
      callId,
      queueId,
      ...(traits.class === undefined ? {} : { class: traits.class }),
      ...(traits.headStartSeconds === undefined ? {} : { headStartMs: traits.headStartSeconds * 1_000 }),
    });
  }

  async reserveAgent(callId: string, agentId: string, offerId: string): Promise<ReservedOffer | undefined> {
    const offer = await this.#store.reserveAgent(this.#db, callId, agentId, offerId);
    return offer && reservedOffer(offer);
  }

  openCallCommands(): Promise<readonly PendingCommand[]> {
    return this.#store.openCallCommands(this.#db, this.#nodeId);
  }

  async finishCallCommand(commandId: string, outcome: string): Promise<void> {
    await this.#store.finishCallCommand(this.#db, commandId, outcome);
  }

  async leaveQueue(callId: string, outcome: StayOutcome): Promise<void> {
    await this.#store.leaveQueue(this.#db, callId, outcome);
  }

  async markRinging(offerId: string, mediaServer: string): Promise<boolean> {
    return await this.#store.markRinging(this.#db, offerId, { mediaServer, channelUuid: offerId });
  }

  async claim(offerId: string, agentDialog: string): Promise<boolean> {
    const answer = await this.#store.markAnswered(this.#db, offerId, { agentDialogId: agentDialog });
    return answer.won;
  }

  async closeOffer(offerId: string, closing: OfferClosing): Promise<void> {
    if (closing.kind === 'connection-ended') {
      await this.#store.endConnection(this.#db, offerId, closing.endedBy);
      return;
    }
    await this.#store.endOffer(
      this.#db,
      offerId,
      closing.kind === 'refused' ? { outcome: closing.outcome } : { outcome: 'canceled', reason: closing.why },
      closing.kind === 'refused' ? closing.sipStatus : undefined,
    );
  }

  async endCall(callId: string, end: Termination): Promise<void> {
    await this.#store.endCall(this.#db, callId, end.result, end.reason);
  }

  appendEvent(callId: string, kind: string, data?: Readonly<Record<string, unknown>>): void {
    this.#events.append({ callId, kind, at: Date.now(), ...(data === undefined ? {} : { data }) });
  }

  async match(queueId: string, decide: (snapshot: Snapshot) => Decision): Promise<MatchResult | undefined> {
    return await this.#store.withQueueLock(this.#db, queueId, async (tx) => {
      const snapshot = await this.#store.snapshotQueue(tx, queueId);
      if (!snapshot) {
        return undefined;
      }
      const decision = decide(snapshot);
      const offers =
        decision.assignments.length === 0
          ? []
          : await this.#store.insertOffers(tx, queueId, decision.assignments, assignedCalls(snapshot, decision));
      return { decision, now: snapshot.now, offers: offers.map((o) => ({ ...reservedOffer(o), nodeId: o.nodeId })) };
    });
  }

  queuesWithWaitingCalls(): Promise<readonly string[]> {
    return this.#store.queuesWithWaitingCalls(this.#db);
  }

  queuesWaitingFor(agentIds: readonly string[]): Promise<readonly string[]> {
    return this.#store.queuesWaitingFor(this.#db, agentIds);
  }

  expireDueStates(): Promise<readonly string[]> {
    return this.#store.expireDueStates(this.#db);
  }

  async reservedOffers(): Promise<readonly ReservedOffer[]> {
    return (await this.#store.reservedOffers(this.#db, this.#nodeId)).map(reservedOffer);
  }

  /** Writes the events that are still collected. */
  async flush(): Promise<void> {
    await this.#events.flush();
  }

  async close(): Promise<void> {
    await this.#events.close();
  }
}

/** What is stored with the offers of a decision. */
function assignedCalls(snapshot: Snapshot, decision: Decision): Explanation[] {
  const ids = new Set(decision.assignments.map((assignment) => assignment.callId));
  return [...ids].map((callId) => explain(snapshot, decision, callId));
}

/** Hands over what is needed to ring the agent. */
export function reservedOffer(offer: Offer): ReservedOffer {
  return {
    offerId: offer.offerId,
    callId: offer.callId,
    queueId: offer.queueId,
    target: agentTarget(offer),
    presence: typeof offer.presence === 'string' ? undefined : offer.presence.availability,
  };
}

function agentTarget(offer: Offer): AgentTarget {
  return {
    agentId: offer.agentId,
    agentName: offer.agent,
    endpoint: offer.endpoint,
    ringTimeoutMs: offer.ringTimeoutMs,
  };
}
