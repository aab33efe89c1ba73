import type { StayOutcome } from '../calls/call-state';
import type { CommandStore, PendingCommand } from '../calls/command-runner';
import type {
  CallbackRequest,
  CallbackStore,
  CallerHandles,
  CallStore,
  NewCall,
  NewVoicemail,
  OfferForecast,
  PendingCallback,
  ReservedOffer,
  Entered,
} from '../calls/ports';
import type { OfferClosing } from '../calls/offer-state';
import type { Termination } from '../calls/termination';
import type { KeptFile, VoicemailStore } from '../calls/voicemail-keeper';
import type { Decide, DecisionRecord, DispatchStore, MatchResult, MatchTravel, WaitingFor } from '../dispatch/ports';
import type { Standing } from '../flows/announcements';
import type { CallTraits } from '../flows/flow';
import { newId } from '../lib/ids';
import type { Log } from '../lib/log';
import { explain } from '../routing/explain';
import { exitOnEntry } from '../routing/overflow';
import { statusByName } from '../routing/queue-status';
import type { Decision, ExitAction, ExitReason, Snapshot } from '../routing/types';
import type { Store } from './api';
import { EventWriter } from './event-writer';
import { ForetoldOffers } from './foretold-offers';
import type { EnqueueInput, Offer, Queryable } from './types';

/** Younger offers may still be on their way to their call, milliseconds. */
const PENDING_AFTER_MS = 1_000;
/** Rows deleted in one statement, so that none takes long. */
const FORGET_AT_ONCE = 5_000;

/** Greeting, tone and the last second of the media server's count come on top of the longest message, milliseconds. */
const VOICEMAIL_SLACK_MS = 15_000;

/** How long what happened is kept, milliseconds. */
export interface Keep {
  readonly decisionsMs: number;
}

/** What the rooms of one node need of the store, on top of the statements: calls, dispatch, events. */
export class NodeStore implements CallStore, CallbackStore, DispatchStore, CommandStore, VoicemailStore {
  readonly #store: Store;
  readonly #db: Queryable;
  readonly #nodeId: string;
  readonly #keep: Keep;
  readonly #events: EventWriter;
  #travel: MatchTravel | undefined;
  #forecast: OfferForecast | undefined;
  /** Offers that this node rings, until they are closed. */
  readonly #mine = new Map<string, Pick<Offer, 'callId' | 'queueId' | 'agentId'>>();
  /** By call: the end of an offer that is being written. */
  readonly #closing = new Map<string, Promise<unknown>>();
  /** Offers whose row says that they ring since they were made, and where. */
  readonly #ringing = new Set<string>();

  constructor(store: Store, db: Queryable, nodeId: string, keep: Keep, log: Log) {
    this.#store = store;
    this.#keep = keep;
    this.#db = db;
    this.#nodeId = nodeId;
    this.#events = new EventWriter({ appendCallEvents: (events) => store.appendCallEvents(db, events) }, log);
  }

  /** From now on a match travels with what makes it necessary. */
  travelWith(travel: MatchTravel): void {
    this.#travel = travel;
  }

  /** From now on offers for calls of this node are told while they are written down. */
  foretell(forecast: OfferForecast): void {
    this.#forecast = forecast;
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
    const input = { callId, queueId, ...given(traits) };
    return await this.#travelling({ queueId }, (q) => this.#store.enqueue(q, input));
  }

  /** Decided and entered under the queue's lock: a queue for so many callers never holds one more. */
  async enter(callId: string, queueId: string, traits: CallTraits): Promise<Entered | undefined> {
    return await this.#store.withQueueLock(this.#db, queueId, async (tx) => {
      const snapshot = await this.#store.snapshotQueue(tx, queueId);
      const exit = snapshot && entryExitOf(snapshot);
      if (exit) {
        return { sentOn: exit };
      }
      return await this.#store.enqueue(tx, { callId, queueId, ...given(traits) });
    });
  }

  async reserveAgent(callId: string, agentId: string, offerId: string): Promise<ReservedOffer | undefined> {
    const offer = await this.#store.reserveAgent(this.#db, callId, agentId, offerId);
    return offer && reservedOffer(offer);
  }

  bookCallback(
    id: string,
    { traits, ...request }: CallbackRequest,
  ): Promise<{ readonly callbackId: string; readonly known: boolean }> {
    return this.#store.bookCallback(this.#db, { id, nodeId: this.#nodeId, ...request, ...given(traits) });
  }

  adoptCallbacks(): Promise<readonly string[]> {
    return this.#store.adoptCallbacks(this.#db, this.#nodeId);
  }

  openCallbacks(): Promise<readonly PendingCallback[]> {
    return this.#store.openCallbacks(this.#db, this.#nodeId);
  }

  restCallback(callbackId: string, tries: number, restMs: number): Promise<void> {
    return this.#store.restCallback(this.#db, callbackId, tries, restMs);
  }

  callbackDue(callbackId: string): Promise<void> {
    return this.#store.callbackDue(this.#db, callbackId);
  }

  callbackReached(callbackId: string, reached: boolean): Promise<void> {
    return this.#store.callbackReached(this.#db, callbackId, reached);
  }

  openCallCommands(): Promise<readonly PendingCommand[]> {
    return this.#store.openCallCommands(this.#db, this.#nodeId);
  }

  async finishCallCommand(commandId: string, outcome: string): Promise<void> {
    await this.#store.finishCallCommand(this.#db, commandId, outcome);
  }

  async standing(callId: string, queueId: string, estimate: boolean): Promise<Standing | undefined> {
    return await this.#store.standing(this.#db, callId, queueId, estimate);
  }

  async leaveQueue(callId: string, outcome: StayOutcome): Promise<void> {
    await this.#store.leaveQueue(this.#db, callId, outcome);
  }

  async markRinging(offerId: string, mediaServer: string): Promise<boolean> {
    // Made by this node for a call of its own: the row said so from the start, and nobody but this call takes it back.
    if (this.#ringing.delete(offerId)) {
      return true;
    }
    return await this.#store.markRinging(this.#db, offerId, { mediaServer, channelUuid: offerId });
  }

  async claim(offerId: string, agentDialog: string): Promise<boolean> {
    const answer = await this.#store.markAnswered(this.#db, offerId, { agentDialogId: agentDialog });
    return answer.won;
  }

  async closeOffer(offerId: string, closing: OfferClosing): Promise<void> {
    const mine = this.#mine.get(offerId);
    const closed = mine
      ? this.#travelling(mine, (q) => this.#close(q, offerId, closing))
      : this.#close(this.#db, offerId, closing);
    if (mine) {
      this.#closing.set(mine.callId, closed);
    }
    let restMs: number | undefined;
    try {
      restMs = await closed;
    } finally {
      if (mine && this.#closing.get(mine.callId) === closed) {
        this.#closing.delete(mine.callId);
      }
    }
    this.#mine.delete(offerId);
    this.#ringing.delete(offerId);
    if (mine && restMs !== undefined) {
      this.#travel?.wake(mine.agentId, restMs);
    }
  }

  /** How long the agent rests from now, milliseconds; undefined: not at all, or until somebody says otherwise. */
  async #close(q: Queryable, offerId: string, closing: OfferClosing): Promise<number | undefined> {
    if (closing.kind === 'connection-ended') {
      return (await this.#store.endConnection(q, offerId, closing.endedBy)).restMs;
    }
    const end = await this.#store.endOffer(
      q,
      offerId,
      closing.kind === 'refused' ? { outcome: closing.outcome } : { outcome: 'canceled', reason: closing.why },
      closing.kind === 'refused' ? closing.sipStatus : undefined,
    );
    return end.restMs;
  }

  /** Runs a statement after which the queue wants a match: with that match, where it can be. */
  async #travelling<T>(
    about: { readonly queueId: string; readonly agentId?: string },
    statement: (q: Queryable) => Promise<T>,
  ): Promise<T> {
    const alone = (): Promise<T> => statement(this.#db);
    if (!this.#travel) {
      return await alone();
    }
    return await this.#travel.travel(about, alone, async (decide) => {
      let done: Promise<T> | undefined;
      // A transaction that has to start again must not run what was committed before it a second time: it would answer otherwise.
      const once = (q: Queryable): Promise<T> => {
        if (done === undefined) {
          const first = statement(q);
          done = first;
          first.catch(() => {
            done = undefined;
          });
        }
        return done;
      };
      const result = await this.match(about.queueId, decide, once);
      return { value: await (done ?? alone()), result };
    });
  }

  async endCall(callId: string, end: Termination): Promise<void> {
    // Both write the row of the call: sent side by side, the end of the connection, which frees the agent, may be the one that waits.
    await this.#closing.get(callId)?.catch(() => undefined); // whoever closes the offer sees to that
    await this.#store.endCall(this.#db, callId, end.result, end.reason);
  }

  async beginVoicemail(voicemail: NewVoicemail): Promise<void> {
    await this.#store.beginVoicemail(this.#db, { ...voicemail, maxMs: voicemail.maxMs + VOICEMAIL_SLACK_MS });
  }

  async endVoicemail(
    voicemailId: string,
    end: { readonly lengthMs: number | undefined; readonly kept: boolean },
  ): Promise<void> {
    await this.#store.endVoicemail(this.#db, voicemailId, end);
  }

  lostVoicemails(limit: number): Promise<readonly KeptFile[]> {
    return this.#store.lostVoicemails(this.#db, limit);
  }

  voicemailsToDelete(limit: number): Promise<readonly (KeptFile & { readonly overdueMs: number })[]> {
    return this.#store.voicemailsToDelete(this.#db, limit);
  }

  async forgetVoicemail(voicemailId: string): Promise<void> {
    await this.#store.forgetVoicemail(this.#db, voicemailId);
  }

  appendEvent(callId: string, kind: string, data?: Readonly<Record<string, unknown>>): void {
    this.#events.append({ callId, kind, at: Date.now(), ...(data === undefined ? {} : { data }) });
  }

  /** `before`: a statement that travels ahead of the match on the same connection. */
  async match(
    queueId: string,
    decide: Decide,
    before?: (q: Queryable) => Promise<unknown>,
  ): Promise<MatchResult | undefined> {
    const foretold = new ForetoldOffers(this.#forecast, this.#nodeId);
    const decideAndInsert = async (tx: Queryable): Promise<Matched | undefined> => {
      foretold.forget(); // it may be run again
      const snapshot = await this.#store.snapshotQueue(tx, queueId, { onlyIfWaiting: true });
      if (!snapshot) {
        return undefined;
      }
      const decision = decide(snapshot);
      const wanted = decision.assignments.map((assignment) => ({ ...assignment, offerId: newId() }));
      const inserted = this.#store.insertOffers(tx, wanted, { byNode: this.#nodeId, last: true });
      // Only now: the statement is on its way.
      foretold.tell(snapshot, wanted);
      return { snapshot, decision, offers: await inserted };
    };
    const result = await this.#store
      .withQueueLock(this.#db, queueId, decideAndInsert, before)
      .catch((error: unknown) => {
        foretold.forget();
        throw error;
      });
    if (!result) {
      return undefined;
    }
    const { snapshot, decision, offers } = result;
    foretold.written(offers);
    for (const offer of offers) {
      if (offer.nodeId === this.#nodeId) {
        this.#mine.set(offer.offerId, offer);
        if (offer.rings) {
          this.#ringing.add(offer.offerId);
        }
      }
    }
    return {
      snapshot,
      decision,
      offers: offers.map((o) => ({ ...reservedOffer(o), nodeId: o.nodeId })),
      leftOut: decision.assignments.length - offers.length,
    };
  }

  queuesWithWaitingCalls(settledMs?: number): Promise<readonly string[]> {
    return this.#store.queuesWithWaitingCalls(this.#db, this.#nodeId, settledMs);
  }

  async forgetOld(): Promise<void> {
    await this.#store.forgetDecisions(this.#db, this.#keep.decisionsMs, FORGET_AT_ONCE);
  }

  queuesWaitingFor(agentIds: readonly string[]): Promise<readonly WaitingFor[]> {
    return this.#store.queuesWaitingFor(this.#db, agentIds);
  }

  expireDueStates(): Promise<readonly string[]> {
    return this.#store.expireDueStates(this.#db);
  }

  async pendingOffers(): Promise<readonly ReservedOffer[]> {
    return (await this.#store.pendingOffers(this.#db, this.#nodeId, PENDING_AFTER_MS)).map((o) => this.#taken(o));
  }

  async reservedOffer(offerId: string): Promise<ReservedOffer | undefined> {
    const offer = await this.#store.findOffer(this.#db, offerId);
    return offer?.nodeId === this.#nodeId && offer.pending ? this.#taken(offer) : undefined;
  }

  #taken(offer: Offer): ReservedOffer {
    this.#mine.set(offer.offerId, offer);
    return reservedOffer(offer);
  }

  hintQueue(queueId: string, nodeId?: string): Promise<void> {
    return this.#store.hintQueue(this.#db, queueId, nodeId);
  }

  async recordDecisions(records: readonly DecisionRecord[]): Promise<void> {
    await this.#store.recordDecisions(
      this.#db,
      records.map(({ queueId, trigger, snapshot, decision, callIds }) => ({
        id: newId(),
        queueId,
        trigger,
        nodeId: this.#nodeId,
        at: snapshot.now,
        snapshot,
        explanations: callIds.map((callId) => explain(snapshot, decision, callId)),
        assignments: decision.assignments,
      })),
    );
  }

  /** Writes the events that are still collected. */
  async flush(): Promise<void> {
    await this.#events.flush();
  }

  async close(): Promise<void> {
    await this.#events.close();
  }
}

/** What a match read, decided and wrote down. */
interface Matched {
  readonly snapshot: Snapshot;
  readonly decision: Decision;
  readonly offers: readonly Offer[];
}

/** Hands over what is needed to ring the agent. */
export function reservedOffer(offer: Offer): ReservedOffer {
  return {
    offerId: offer.offerId,
    callId: offer.callId,
    queueId: offer.queueId,
    target: {
      agentId: offer.agentId,
      agentName: offer.agent,
      endpoint: offer.endpoint,
      ringTimeoutMs: offer.ringTimeoutMs,
    },
    presence: typeof offer.presence === 'string' ? undefined : offer.presence.availability,
    answer: offer.answer,
  };
}

/** Why a call that comes to the queue of the snapshot now is sent on, and where; undefined: it may wait. */
function entryExitOf(snapshot: Snapshot): { readonly reason: ExitReason; readonly action: ExitAction } | undefined {
  const statuses = statusByName(snapshot);
  const rules = snapshot.queues.find((queue) => queue.queueId === snapshot.queueId);
  const status = rules && statuses(rules.name);
  return status && exitOnEntry(status, statuses);
}

/** What a flow said of a call, as the statement takes it. */
function given({ headStartSeconds, ...rest }: CallTraits): Omit<EnqueueInput, 'callId' | 'queueId'> {
  return { ...rest, ...(headStartSeconds === undefined ? {} : { headStartMs: headStartSeconds * 1_000 }) };
}
