import type { AnswerPolicy } from '../calls/ports';
import type { Role } from '../config/roles';
import type { Assignment, Explanation, PresenceValue, SkillNeed, Snapshot } from '../routing/types';

/** Every time below is milliseconds since the epoch on the clock of the database. Every id is a UUID. */
export type Millis = number;

export interface QueryOptions {
  /** Prepares the statement once per connection under this name. */
  readonly name?: string;
  /** Running it twice does no harm, so that it may be repeated after a lost connection. */
  readonly idempotent?: boolean;
  /** In a transaction: nothing follows, so COMMIT travels with it. Returns the rows that it wrote, once they are committed. */
  readonly last?: boolean;
}

export interface TransactionOptions {
  /** SQL without values that travels with BEGIN. */
  readonly opening?: string;
  /**
   * Runs on the same connection before the transaction, committed by itself; nothing waits for its answer, so that it costs no
   * round trip, nor for the disk: the commit of the transaction brings both there. If it fails, so does the whole.
   */
  readonly before?: (q: Queryable) => Promise<unknown>;
}

/** A pool, or one transaction. Statements take it first; nobody holds a connection of their own. */
export interface Queryable {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- only the statement knows its rows
  query<Row>(
    text: string,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<{ readonly rows: readonly Row[]; readonly rowCount: number }>;
  /**
   * Runs `fn` in a transaction, again from the start when Postgres asks for it (SQLSTATE 40001, 40P01, 55P03, connection
   * lost before COMMIT), so `fn` must do nothing but queries. Inside a transaction it joins the one that runs. The first
   * statement travels with BEGIN, the one marked `last` with COMMIT.
   */
  transaction<T>(fn: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

// ---------------------------------------------------------------- nodes

export interface NodeRow {
  readonly id: string;
  readonly name: string;
  readonly startedAt: Millis;
  readonly heartbeatAt: Millis;
}

export interface ReleasedWork {
  readonly calls: number;
  readonly offers: number;
  readonly visits: number;
}

// ---------------------------------------------------------------- calls

export type CallState = 'arrived' | 'answered' | 'waiting' | 'connected' | 'ended';
export type CallResult = 'success' | 'abandoned' | 'client-error' | 'server-error' | 'upstream-error' | 'indeterminate';

export interface NewCall {
  /** Chosen by the caller of this function, so that it is in the log before the row is. */
  readonly id: string;
  readonly tenantId: string;
  readonly nodeId: string;
  readonly trunkId?: string | undefined;
  /** Undefined: anonymous. */
  readonly callerNumber?: string | undefined;
  readonly callerName?: string | undefined;
  readonly dialledNumber: string;
  readonly sipCallId: string;
}

/** What a successor of the node needs; stored before the leg is used. `undefined` leaves a field, `null` empties it. */
export interface CallHandles {
  readonly mediaServer?: string | null | undefined;
  readonly callerChannelUuid?: string | null | undefined;
  readonly carrierDialogId?: string | null | undefined;
  readonly mediaDialogId?: string | null | undefined;
  readonly lastSdpSent?: string | null | undefined;
  readonly lastSdpReceived?: string | null | undefined;
}

export interface CallRow {
  readonly id: string;
  readonly tenant: string;
  readonly tenantId: string;
  readonly nodeId: string;
  readonly trunk: string | undefined;
  readonly callerNumber: string | undefined;
  readonly callerName: string | undefined;
  readonly dialledNumber: string;
  readonly sipCallId: string;
  readonly state: CallState;
  readonly mediaServer: string | undefined;
  readonly callerChannelUuid: string | undefined;
  readonly carrierDialogId: string | undefined;
  readonly mediaDialogId: string | undefined;
  readonly createdAt: Millis;
  readonly answeredAt: Millis | undefined;
  readonly queuedAt: Millis | undefined;
  readonly connectedAt: Millis | undefined;
  readonly endedAt: Millis | undefined;
  readonly result: CallResult | undefined;
  readonly reason: string | undefined;
  /** Name of the queue that the call waits in, or waited in last. */
  readonly queue: string | undefined;
  /** Name of the agent who is rung or connected. */
  readonly agent: string | undefined;
}

export interface CallFilter {
  /** Also calls that have ended; newest first. */
  readonly includeEnded?: boolean;
  readonly nodeId?: string;
  readonly limit?: number;
}

export interface CallEvent {
  readonly callId: string;
  /** `noun:verb`. */
  readonly kind: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Default: now. */
  readonly at?: Millis;
}

export interface StoredCallEvent {
  readonly at: Millis;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What somebody asked to be done with a call that lives. */
export interface CallCommand {
  readonly id: string;
  readonly callId: string;
  readonly kind: 'hangup' | 'transfer';
  /** Of a transfer: the target, as `TransferTarget` of calls/ports has it (queue, agent, number). */
  readonly args: Readonly<Record<string, unknown>>;
  readonly by: string;
  readonly createdAt: Millis;
  readonly doneAt: Millis | undefined;
  /** `done`, or why not. */
  readonly outcome: string | undefined;
}

// ---------------------------------------------------------------- waiting

export type VisitOutcome =
  'answered' | 'abandoned' | 'timed-out' | 'overflowed' | 'moved' | 'ended' | 'failed' | 'node-lost';

export interface EnqueueInput {
  readonly callId: string;
  readonly queueId: string;
  /** 0–9. Default: as before for a call that moves, else that of the queue. */
  readonly class?: number | undefined;
  /** Added to the head start of the queue. Default: as before for a call that moves, else 0. */
  readonly headStartMs?: number | undefined;
  /** On top of what the queue needs. Default: as before for a call that moves, else none. */
  readonly needs?: readonly SkillNeed[] | undefined;
  /** Names of agents who are asked first. Default: as before for a call that moves, else nobody. */
  readonly preferAgents?: readonly string[] | undefined;
}

export interface Enqueued {
  readonly visitId: string;
  /** 1 = next. */
  readonly position: number;
  readonly firstQueuedAt: Millis;
  readonly queuedAt: Millis;
  /** When the queue's `maxWaitSeconds` are over. */
  readonly maxWaitAt: Millis | undefined;
  /** The caller was here a moment ago and has the old place again. */
  readonly resumed: boolean;
}

export interface OfferRef {
  readonly offerId: string;
  readonly agentId: string;
  readonly state: 'reserved' | 'ringing' | 'connected';
}

export interface LeftQueue {
  /** False: the call was not waiting. */
  readonly left: boolean;
  /** Offers that are still open: cancel their legs, then `endOffer` each as canceled. */
  readonly openOffers: readonly OfferRef[];
}

// ---------------------------------------------------------------- offers

export type OfferOutcome = 'no-answer' | 'declined' | 'busy' | 'unreachable' | 'failed';
export type CancelReason = 'elsewhere' | 'caller-gone' | 'withdrawn';
export type OfferEnd =
  { readonly outcome: OfferOutcome } | { readonly outcome: 'canceled'; readonly reason: CancelReason };

export type AgentEndpoint =
  | {
      readonly kind: 'teams';
      readonly trunk: string;
      readonly trunkId: string;
      readonly number: string;
      readonly entraUserId: string;
    }
  | { readonly kind: 'pbx'; readonly trunk: string; readonly trunkId: string; readonly user: string }
  | { readonly kind: 'web' };

/** All that is needed to ring the agent. */
export interface Offer {
  readonly offerId: string;
  readonly callId: string;
  readonly queueId: string;
  readonly queue: string;
  readonly agentId: string;
  readonly agent: string;
  readonly agentDisplayName: string;
  readonly nodeId: string;
  readonly endpoint: AgentEndpoint;
  readonly ringTimeoutMs: number;
  readonly reservedAt: Millis;
  readonly presence: PresenceValue | 'none' | 'unknown';
  /** Whether an answer of the agent is believed, as the queue says. */
  readonly answer: AnswerPolicy;
  /** Not answered and not over. */
  readonly pending: boolean;
  /** Its row says that it rings. */
  readonly rings: boolean;
}

/** An offer to be made. */
export interface WantedOffer extends Assignment {
  /** Default: a new one. */
  readonly offerId?: string;
}

export interface InsertOptions {
  /** The node that runs the match and rings the agents of its own calls at once. */
  readonly byNode?: string;
  /** COMMIT travels with it. */
  readonly last?: boolean;
}

// ---------------------------------------------------------------- decisions

export interface NewDecision {
  readonly id: string;
  readonly queueId: string;
  readonly nodeId: string;
  readonly at: Millis;
  /** What asked for the match. */
  readonly trigger: string;
  readonly snapshot: Snapshot;
  /** Of every call that the decision says something new about. */
  readonly explanations: readonly Explanation[];
  readonly assignments: readonly Assignment[];
}

export interface StoredDecision extends NewDecision {
  readonly tenantId: string;
  readonly queue: string;
}

export interface DecisionFilter {
  readonly queueId?: string;
  /** Decisions that say something new about this call. */
  readonly callId?: string;
  readonly from?: Millis;
  readonly to?: Millis;
  /** Go on after this one: `at` and `id` of the last one read. */
  readonly after?: { readonly at: Millis; readonly id: string };
  /** Default 1000. Oldest first. */
  readonly limit?: number;
}

export interface OfferHandles {
  readonly mediaServer?: string | null | undefined;
  readonly channelUuid?: string | null | undefined;
  readonly agentDialogId?: string | null | undefined;
  readonly mediaDialogId?: string | null | undefined;
  readonly lastSdpSent?: string | null | undefined;
  readonly lastSdpReceived?: string | null | undefined;
}

export type AnswerResult =
  | {
      readonly won: true;
      readonly answeredAt: Millis;
      /** Everyone else who is rung for this call: cancel them as `elsewhere`. */
      readonly others: readonly OfferRef[];
    }
  | { readonly won: false; readonly why: 'call-gone' | 'answered-elsewhere' | 'offer-ended' };

export interface OfferEnded {
  /** False: it had ended before; nothing was changed. */
  readonly ended: boolean;
  readonly agentState: AgentStateKind | undefined;
  /** When the agent may be offered something again by itself. */
  readonly until: Millis | undefined;
  /** How long the agent rests from now, milliseconds; undefined: not at all, or not until a time that is known. */
  readonly restMs: number | undefined;
}

export type EndedBy = 'caller' | 'agent' | 'system' | 'node-lost';

export interface ConnectionEnded {
  readonly ended: boolean;
  readonly durationMs: number;
  /** End of wrap-up; undefined: ready at once, or not ready at all. */
  readonly wrapUpUntil: Millis | undefined;
  /** How long wrap-up lasts from now, milliseconds. */
  readonly restMs: number | undefined;
}

// ---------------------------------------------------------------- agents

export type AgentStateKind = 'signed-out' | 'ready' | 'paused' | 'not-ready' | 'wrap-up';

export interface AgentStateChange {
  readonly changed: boolean;
  /** The state after the attempt. */
  readonly state: AgentStateKind;
  readonly reason: string | undefined;
  /** The supervisor whose pause stands: the agent cannot end it. */
  readonly forcedBy: string | undefined;
}

export interface MemberRef {
  readonly agentId: string;
  readonly queueId: string;
  readonly by: string;
}

export interface MemberStateChange {
  readonly changed: boolean;
  /** The state after the attempt. */
  readonly signedIn: boolean;
  /** Undefined: not paused in this queue. */
  readonly pauseReason: string | undefined;
}

/** What an agent is and does in one queue. */
export interface MembershipRow {
  readonly queueId: string;
  readonly queue: string;
  readonly level: number;
  readonly position: number;
  readonly signedIn: boolean;
  readonly pauseReason: string | undefined;
  readonly lastOfferedAt: Millis | undefined;
  readonly callsToday: number;
}

export interface AgentRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly displayName: string;
  readonly endpoint: AgentEndpoint | undefined;
  readonly queues: readonly string[];
  readonly memberships: readonly MembershipRow[];
  readonly state: AgentStateKind;
  readonly reason: string | undefined;
  readonly until: Millis | undefined;
  /** The supervisor whose pause stands. */
  readonly forcedBy: string | undefined;
  readonly signedInAt: Millis | undefined;
  readonly readySince: Millis;
  readonly changedAt: Millis;
  readonly missedInRow: number;
  readonly lastCallEndedAt: Millis | undefined;
  readonly presence: PresenceValue | 'none' | 'unknown';
  readonly offer: (OfferRef & { readonly callId: string; readonly since: Millis }) | undefined;
}

// ---------------------------------------------------------------- presence

export interface PresenceReading {
  readonly agentId: string;
  readonly availability: string;
  readonly activity: string;
  readonly sequenceNumber?: string | undefined;
  /** When the request that brought it was sent, on the clock of this node. */
  readonly readAt: Millis;
  readonly source: PresenceValue['source'];
}

export interface ChangedPresence {
  readonly agentId: string;
  readonly availability: string;
  readonly activity: string;
  /** The agent answered a call of ours so long before Graph told of it; undefined: the change has another cause. */
  readonly lagMs: number | undefined;
}

/** Tenants by name whose presence one app registration reads. */
export interface PresenceScope {
  /** Only these. */
  readonly only?: readonly string[];
  /** All but these. */
  readonly except?: readonly string[];
}

export interface AgentToPoll {
  readonly agentId: string;
  readonly entraUserId: string;
  readonly readAt: Millis | undefined;
  /** `now`: could be offered a call now; `soon`: signed in; `away`: signed out or paused. */
  readonly need: 'now' | 'soon' | 'away';
  /** Smallest `staleAfterSeconds` among the queues of this agent, milliseconds; undefined: in no queue. */
  readonly staleAfterMs: number | undefined;
}

/** How reading presence goes for one app registration (`scope`: tenant's name, or `*` for all that have none). */
export interface PresenceScopeState {
  readonly agents: number;
  readonly readAt: Millis | undefined;
  readonly error: string | undefined;
  readonly pausedUntil: Millis | undefined;
  readonly requestsPerMinute: number;
  /** Median of the last measured lags of Graph, milliseconds. */
  readonly lagMs: number | undefined;
  readonly lagAt: Millis | undefined;
  readonly push: 'off' | 'starting' | 'live' | 'silent' | 'failed';
  readonly pushDetail: string | undefined;
  readonly notifiedAt: Millis | undefined;
  /** Agents whom we show as busy in Teams now. */
  readonly written: number;
}

export interface PresenceScopeRow extends PresenceScopeState {
  readonly scope: string;
  readonly node: string | undefined;
  readonly updatedAt: Millis;
}

/** An agent who should be shown as busy in Teams, or is and should no longer be. */
export interface PresenceWrite {
  readonly agentId: string;
  readonly entraUserId: string;
  /** undefined: take it back. */
  readonly reason: 'call' | 'wrap-up' | undefined;
  readonly failures: number;
}

export interface GraphSubscription {
  readonly id: string;
  readonly scope: string;
  readonly account: string;
  readonly clientState: string;
  /** Users at Entra, lower case. */
  readonly users: readonly string[];
  readonly expiresAt: Millis;
  readonly patchedAt: Millis | undefined;
  /** Since when Graph waits for a renewed authorization. */
  readonly reauthorizeAt: Millis | undefined;
  readonly notifiedAt: Millis | undefined;
}

// ---------------------------------------------------------------- leaks

export interface OpenWork {
  readonly openOffers: number;
  readonly liveCalls: number;
  readonly waitingCalls: number;
  /** Agents held by an open offer. */
  readonly reservedAgents: number;
}

/** One proxy of a Teams trunk as a node last saw it. Absent is what is not known. */
export interface TrunkProxyStatus {
  readonly host: string;
  readonly state: 'probing' | 'active' | 'down' | 'recovered' | 'untrusted';
  readonly reason?: string | undefined;
  readonly detail: string;
  readonly since: Millis;
  /** How long the last answered OPTIONS took, milliseconds. */
  readonly answerMs?: number | undefined;
  readonly addresses: readonly string[];
}

export interface TrunkStatusRow {
  readonly trunkId: string;
  readonly trunk: string;
  readonly kind: string;
  readonly nodeId: string;
  readonly node: string;
  readonly up: boolean;
  readonly detail: string;
  readonly proxies: readonly TrunkProxyStatus[];
  readonly changedAt: Millis;
  readonly checkedAt: Millis;
}

// ---------------------------------------------------------------- access

export interface SecretRow {
  /** Undefined: shared by all tenants. */
  readonly tenant: string | undefined;
  readonly name: string;
  readonly keyId: string;
  readonly updatedAt: Millis;
  readonly updatedBy: string;
}

export interface SealedSecret {
  readonly id: string;
  readonly tenantId: string | undefined;
  readonly name: string;
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

/** A tenant, or one queue of it. */
export interface UserScope {
  readonly tenant: string;
  readonly queue?: string;
}

export interface UserTokenRow {
  readonly name: string;
  readonly createdAt: Millis;
  readonly expiresAt: Millis;
  readonly usedAt: Millis | undefined;
}

export interface NewUser {
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
  /** For all tenants; else for `scopes` alone. */
  readonly everywhere: boolean;
  readonly scopes: readonly UserScope[];
  readonly entraUserId?: string | undefined;
}

export interface UserRow extends NewUser {
  readonly id: string;
  readonly disabledAt: Millis | undefined;
  readonly tokens: readonly UserTokenRow[];
}

// ---------------------------------------------------------------- traffic

/** What came to some queues in a span of time. All times are milliseconds from its beginning. */
export interface RecordedTraffic {
  readonly lengthMs: Millis;
  readonly queues: readonly {
    readonly queue: string;
    /** When calls came, ascending; each call where it first waited. */
    readonly arrivedAtMs: readonly Millis[];
    /** How long callers talked with agents. */
    readonly talkedMs: readonly Millis[];
    /** Waited in all by everybody, and how many of these gave up. */
    readonly waitedMs: Millis;
    readonly abandoned: number;
    /** From ringing to the answer; undefined: nobody answered. */
    readonly meanAnswerMs: Millis | undefined;
    readonly offers: number;
    /** Rang out or declined. */
    readonly refusedOffers: number;
  }[];
  /** Agents of these queues of whom the log knows, and when they were signed in. */
  readonly agents: readonly {
    readonly name: string;
    readonly shifts: readonly { readonly fromMs: Millis; readonly toMs: Millis }[];
  }[];
}

// ---------------------------------------------------------------- doctor

export interface DatabaseFacts {
  readonly version: string;
  /** As Postgres counts it: 180004 is 18.4. */
  readonly versionNumber: number;
  readonly now: Millis;
}

export interface TrunkActivity {
  readonly trunk: string;
  /** Undefined: none within 30 days. */
  readonly lastCallAt: Millis | undefined;
  readonly callsToday: number;
}

/** Signed-in members of a queue whose presence Graph tells. */
export interface PresenceAge {
  readonly queue: string;
  readonly agents: number;
  /** Older than the queue allows. */
  readonly stale: number;
  /** Never read. */
  readonly unknown: number;
  readonly oldestMs: number | undefined;
}

// ---------------------------------------------------------------- audit

export interface AuditRow {
  readonly at: Millis;
  readonly by: string;
  /** Name of the program that was connected. */
  readonly via: string;
  /** Undefined: of no tenant. */
  readonly tenant: string | undefined;
  readonly noun: string;
  readonly name: string;
  readonly what: 'create' | 'change' | 'remove';
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}
