import type { ForcedState } from '../agents/agent-state';
import type { Standing } from '../flows/announcements';
import type { Snapshot } from '../routing/types';
import type {
  AgentConfig,
  FlowConfig,
  HoursConfig,
  NumberConfig,
  PromptConfig,
  QueueConfig,
  TenantConfig,
  TrunkConfig,
} from './config-types';
import type { CallbackRow, NewCallback } from './callback-types';
import type {
  EventCursor,
  EventFilter,
  EventReport,
  NodeReport,
  QueueCaller,
  QueueMember,
  QueueSummary,
} from './report-types';
import type {
  AgentRow,
  AgentStateChange,
  AgentToPoll,
  AnswerResult,
  AuditRow,
  CallCommand,
  CallEvent,
  CallFilter,
  CallHandles,
  CallResult,
  CallRow,
  ChangedPresence,
  ConnectionEnded,
  DatabaseFacts,
  DecisionFilter,
  EndedBy,
  EnqueueInput,
  Enqueued,
  GraphSubscription,
  InsertOptions,
  LeftQueue,
  MemberRef,
  MemberStateChange,
  Millis,
  NewCall,
  NewDecision,
  NewUser,
  NodeRow,
  Offer,
  OfferEnd,
  OfferEnded,
  OfferHandles,
  OfferRef,
  OpenWork,
  PresenceAge,
  PresenceReading,
  PresenceScope,
  PresenceScopeRow,
  PresenceScopeState,
  PresenceWrite,
  Queryable,
  RecordedTraffic,
  ReleasedWork,
  SealedSecret,
  SecretRow,
  StoredCallEvent,
  StoredDecision,
  TrunkActivity,
  TrunkProxyStatus,
  TrunkStatusRow,
  UserRow,
  WantedOffer,
  VisitOutcome,
} from './types';
import type { NewVoicemail, VoicemailFile, VoicemailFilter, VoicemailRow, VoicemailState } from './voicemail-types';

type Q = Queryable;

/**
 * Every statement of the product. Each takes the pool or a transaction first. Those that change something another node
 * may wait for send the hint themselves, which arrives when their transaction commits.
 * Locks are always taken in the order call, agent, offer.
 */
export interface Store {
  // nodes
  registerNode(q: Q, node: { readonly name: string; readonly version?: string }): Promise<{ readonly nodeId: string }>;
  /** False: this node was given up as lost and must register again; what it owned was released. */
  heartbeat(q: Q, nodeId: string): Promise<boolean>;
  /** Says that the node ended. What it still owned must be released before. */
  stopNode(q: Q, nodeId: string): Promise<void>;
  /** Running nodes whose heartbeat is older than this. */
  deadNodes(q: Q, olderThanMs: number): Promise<readonly NodeRow[]>;
  /**
   * Ends what a dead node left: offers as canceled (withdrawn) or, if connected, with a connection ended by `node-lost`;
   * calls as indeterminate / node-lost. `undefined`: another node did it, or the node lives (heartbeat younger than `olderThanMs`).
   */
  releaseDeadNode(q: Q, nodeId: string, olderThanMs: number): Promise<ReleasedWork | undefined>;
  /** Stores whether this node reaches the far end of a trunk. True: that changed. */
  reportTrunk(
    q: Q,
    input: {
      readonly nodeId: string;
      readonly trunkId: string;
      readonly up: boolean;
      readonly detail?: string;
      readonly proxies?: readonly TrunkProxyStatus[];
    },
  ): Promise<boolean>;
  /** What the running nodes last saw of their trunks, by trunk and node. */
  trunkStatus(q: Q): Promise<readonly TrunkStatusRow[]>;

  /** Takes or renews a task for `forMs`. False: another node has it. */
  holdLease(q: Q, name: string, nodeId: string, forMs: number): Promise<boolean>;

  // calls
  /** @throws SK_STOPPING when this node was given up as lost, SK_CONFLICT when the call is there already. */
  insertCall(q: Q, call: NewCall): Promise<{ readonly createdAt: Millis }>;
  /** Stores handles before the leg is used. False: the call is unknown or over. */
  updateCall(q: Q, callId: string, handles: CallHandles): Promise<boolean>;
  /** The caller got his 200. False: the call is unknown or over. */
  markCallAnswered(q: Q, callId: string): Promise<boolean>;
  /**
   * Ends a call once; later ends change nothing. A stay in a queue that is still open ends as abandoned
   * if the result is that, else as ended. Offers stay open until their legs are gone, and are returned.
   */
  endCall(
    q: Q,
    callId: string,
    result: CallResult,
    reason: string,
  ): Promise<{ readonly ended: boolean; readonly openOffers: readonly OfferRef[] }>;
  findCallBySipCallId(q: Q, sipCallId: string): Promise<CallRow | undefined>;
  findCall(q: Q, callId: string): Promise<CallRow | undefined>;
  listCalls(q: Q, filter?: CallFilter): Promise<readonly CallRow[]>;
  /** Writes facts in one statement. Events of unknown calls are left out. Returns how many were written. */
  appendCallEvents(q: Q, events: readonly CallEvent[]): Promise<number>;
  callEvents(q: Q, callId: string): Promise<readonly StoredCallEvent[]>;

  // voicemail
  /** A caller is about to leave a message. Writing it again changes nothing. */
  beginVoicemail(q: Q, voicemail: NewVoicemail): Promise<void>;
  /** The message is over: kept, or thrown away. False: it was over before, or is not known. */
  endVoicemail(
    q: Q,
    voicemailId: string,
    end: { readonly lengthMs: number | undefined; readonly kept: boolean },
  ): Promise<boolean>;
  /** Messages that must be over by now, of calls that have ended. */
  lostVoicemails(q: Q, limit: number): Promise<readonly VoicemailFile[]>;
  /** Messages that were deleted or whose time is over, the longest first. */
  voicemailsToDelete(q: Q, limit: number): Promise<readonly (VoicemailFile & { readonly overdueMs: Millis })[]>;
  /** Deletes the row of one of those. */
  forgetVoicemail(q: Q, voicemailId: string): Promise<void>;
  /** Newest first. */
  listVoicemails(q: Q, filter: VoicemailFilter): Promise<readonly VoicemailRow[]>;
  findVoicemail(q: Q, voicemailId: string): Promise<VoicemailRow | undefined>;
  /** False: it was so before, or is not there. */
  setVoicemailState(q: Q, voicemailId: string, state: VoicemailState, by: string): Promise<boolean>;
  /** From now on nobody sees it; a node deletes the file, then the row. False: it is not there. */
  removeVoicemail(q: Q, voicemailId: string, by: string): Promise<boolean>;

  // commands
  /** Asks the node that owns the call for something. @throws SK_NOT_FOUND when the call is unknown or over. */
  addCallCommand(
    q: Q,
    command: Pick<CallCommand, 'callId' | 'kind' | 'args' | 'by'>,
  ): Promise<{ readonly commandId: string }>;
  findCallCommand(q: Q, commandId: string): Promise<CallCommand | undefined>;
  /** Commands for calls of this node that are not done yet, oldest first. */
  openCallCommands(q: Q, nodeId: string): Promise<readonly CallCommand[]>;
  /** False: it was finished before. */
  finishCallCommand(q: Q, commandId: string, outcome: string): Promise<boolean>;

  // waiting
  /** Puts a call at its place: the first time it waited counts, also after a failed connection. `undefined`: the call is over. */
  enqueue(q: Q, input: EnqueueInput): Promise<Enqueued | undefined>;
  leaveQueue(q: Q, callId: string, outcome: Exclude<VisitOutcome, 'answered'>): Promise<LeftQueue>;
  /** Waiting calls in the order in which they will be served, first = position 1. */
  queuePositions(
    q: Q,
    queueId: string,
  ): Promise<readonly { readonly callId: string; readonly position: number; readonly waitedMs: number }[]>;

  /** Where a call stands in a queue; undefined: it does not wait there. `estimate`: with the estimated wait, which costs more. */
  standing(q: Q, callId: string, queueId: string, estimate: boolean): Promise<Standing | undefined>;

  // callbacks
  /**
   * A call of its own that waits in the queue with the clock of `callId`, owned by this node. `known`: the queue is to call this number
   * back already; nothing was written. @throws SK_STOPPING when this node was given up as lost.
   */
  bookCallback(q: Q, callback: NewCallback): Promise<{ readonly callbackId: string; readonly known: boolean }>;
  /** Takes callbacks over whose node has stopped or is dead, and frees the agents who were rung for them; their ids. */
  adoptCallbacks(q: Q, nodeId: string): Promise<readonly string[]>;
  /** Of this node. */
  openCallbacks(q: Q, nodeId: string): Promise<readonly CallbackRow[]>;
  /** Newest first. */
  listCallbacks(
    q: Q,
    filter: { readonly includeEnded: boolean; readonly limit: number },
  ): Promise<readonly CallbackRow[]>;
  findCallback(q: Q, callbackId: string): Promise<CallbackRow | undefined>;
  /** The customer was not reached, so often by now; he is called again after `restMs`. */
  restCallback(q: Q, callbackId: string, tries: number, restMs: Millis): Promise<void>;
  /** The next try is due: it waits again. */
  callbackDue(q: Q, callbackId: string): Promise<void>;
  /** The customer talks with an agent; false: he was lost by a failure, and is to be called again. */
  callbackReached(q: Q, callbackId: string, reached: boolean): Promise<void>;

  // match
  /**
   * Runs `fn` in a transaction that holds the queue's lock. As `Queryable.transaction`, it may run `fn` again; `before` runs on
   * the same connection first, committed by itself and without a round trip of its own.
   */
  withQueueLock<T>(q: Q, queueId: string, fn: (tx: Q) => Promise<T>, before?: (q: Q) => Promise<unknown>): Promise<T>;
  /**
   * Everything a decision needs, in one round trip. `undefined`: no such queue. `onlyIfWaiting`: without the agents where nobody
   * waits, since there is nothing to decide.
   */
  snapshotQueue(q: Q, queueId: string, options?: { readonly onlyIfWaiting?: boolean }): Promise<Snapshot | undefined>;
  /**
   * Reserves. Left out, without an error, is an assignment whose call no longer waits there or is being offered already, or
   * whose agent was taken by another queue or is no longer ready. What is returned is reserved when the transaction commits;
   * offers for calls of the matching node are ringing from the start, since it rings them at once.
   */
  insertOffers(q: Q, assignments: readonly WantedOffer[], options?: InsertOptions): Promise<readonly Offer[]>;
  /** When something about this queue next changes by itself (wrap-up over, retry delay over). */
  dueTimes(q: Q, queueId: string): Promise<{ readonly now: Millis; readonly nextAt: Millis | undefined }>;
  /**
   * Queues with calls that wait, of this node or of all. `settledMs`: only where one of them and a member who is ready, free and
   * not kept from it have been there side by side for so long, milliseconds.
   */
  queuesWithWaitingCalls(q: Q, nodeId?: string, settledMs?: number): Promise<readonly string[]>;
  /** For each of these agents the queues with waiting calls that he serves; `able`: those that he can take a call of now. */
  queuesWaitingFor(
    q: Q,
    agentIds: readonly string[],
  ): Promise<readonly { readonly queues: readonly string[]; readonly able: boolean }[]>;
  /** Asks another node, or all, to match a queue. */
  hintQueue(q: Q, queueId: string, nodeId?: string): Promise<void>;

  // decisions
  /** Writes decisions with what they were made from, in one statement. */
  recordDecisions(q: Q, decisions: readonly NewDecision[]): Promise<void>;
  /** Oldest first. */
  decisions(q: Q, filter: DecisionFilter): Promise<readonly StoredDecision[]>;
  /** Deletes up to `limit` decisions that are older than that, and exclusions that are over. How many decisions. */
  forgetDecisions(q: Q, olderThanMs: Millis, limit: number): Promise<number>;

  // offers
  /** Offers of this node that were made so long ago, milliseconds, and not answered yet. */
  pendingOffers(q: Q, nodeId: string, olderThanMs?: number): Promise<readonly Offer[]>;
  /**
   * Reserves one agent for a call that waited in some queue, as offer `offerId`, for a transfer. `undefined`: the agent is not ready
   * or not free, the call is over, or it never waited.
   */
  reserveAgent(q: Q, callId: string, agentId: string, offerId: string): Promise<Offer | undefined>;
  findOffer(q: Q, offerId: string): Promise<Offer | undefined>;
  /** Stores handles before the leg is used. False: the offer is over. */
  updateOffer(q: Q, offerId: string, handles: OfferHandles): Promise<boolean>;
  /** The agent's platform says that it rings. False: the offer is over. The channel is the offer's id, stored with it. */
  markRinging(q: Q, offerId: string, handles?: OfferHandles): Promise<boolean>;
  /** The agent's 200 is here. Makes exactly one winner per call, and ends the stay in the queue. */
  markAnswered(q: Q, offerId: string, handles?: OfferHandles): Promise<AnswerResult>;
  /**
   * Ends an offer that was not answered, and applies the rule for its outcome to the agent. The caller keeps the place.
   * For an offer that had won the call it is `endConnection` by `system`.
   */
  endOffer(q: Q, offerId: string, end: OfferEnd, sipStatus?: number): Promise<OfferEnded>;
  /** A talk is over: writes the connection, starts wrap-up. Ending the call itself is `endCall`. */
  endConnection(q: Q, offerId: string, endedBy: EndedBy): Promise<ConnectionEnded>;
  openOffers(q: Q, callId: string): Promise<readonly OfferRef[]>;

  // agents
  signIn(q: Q, agentId: string, by: string): Promise<AgentStateChange>;
  signOut(q: Q, agentId: string, by: string): Promise<AgentStateChange>;
  pause(q: Q, agentId: string, reason: string, by: string): Promise<AgentStateChange>;
  /** From paused, not ready or wrap-up. A signed-out agent stays signed out. */
  ready(q: Q, agentId: string, by: string): Promise<AgentStateChange>;
  endWrapUp(q: Q, agentId: string, by: string): Promise<AgentStateChange>;
  /** Adds to a wrap-up that runs; never beyond ten minutes after the end of the call. */
  extendWrapUp(q: Q, agentId: string, byMs: number, by: string): Promise<AgentStateChange>;
  /**
   * A supervisor's word. A pause stands until a supervisor ends it (`ready` or `signed-out`): the agent's own `ready` and
   * `pause` change nothing, and after signing out and in the agent is paused again.
   */
  forceState(q: Q, agentId: string, to: ForcedState, by: string): Promise<AgentStateChange>;
  /** In one queue alone; the others go on. @throws SK_NOT_FOUND where the agent is no member. */
  signInQueue(q: Q, member: MemberRef): Promise<MemberStateChange>;
  signOutQueue(q: Q, member: MemberRef): Promise<MemberStateChange>;
  pauseInQueue(q: Q, member: MemberRef, reason: string): Promise<MemberStateChange>;
  resumeInQueue(q: Q, member: MemberRef): Promise<MemberStateChange>;
  /** Makes ready whoever's wrap-up or retry delay is over; the ids. */
  expireDueStates(q: Q): Promise<readonly string[]>;
  listAgents(q: Q): Promise<readonly AgentRow[]>;
  /** By name, or by id. Throws SK_CONFLICT where two tenants have one of that name and none is given. */
  agentByName(q: Q, name: string, tenant?: string): Promise<AgentRow | undefined>;

  // presence
  /**
   * Stores readings; one with an older sequence number than the stored one is dropped. `nodeNow` is the same clock as the
   * `readAt` of the readings (default Date.now()); times are stored on the clock of the database. Returns what changed.
   */
  upsertPresences(q: Q, readings: readonly PresenceReading[], nodeNow?: Millis): Promise<readonly ChangedPresence[]>;
  agentsToPoll(q: Q, scope?: PresenceScope): Promise<readonly AgentToPoll[]>;
  /**
   * Takes or renews reading presence for a scope. `nodes`: running nodes, this one among them; `pauseMs`: what is left of a
   * pause that Graph asked for.
   */
  holdPresenceLease(
    q: Q,
    scope: string,
    nodeId: string,
    forMs: number,
  ): Promise<{ readonly held: boolean; readonly nodes: number; readonly pauseMs: number }>;
  /** Nothing is to be asked of Graph for this scope, by any node, for so long. */
  pausePresenceScope(q: Q, scope: string, forMs: number): Promise<void>;
  reportPresenceScope(
    q: Q,
    scope: string,
    nodeId: string,
    state: Omit<PresenceScopeState, 'pausedUntil'>,
  ): Promise<void>;
  presenceScopes(q: Q): Promise<readonly PresenceScopeRow[]>;
  /**
   * What has to be written to Teams now: agents in a call on another platform or in wrap-up who are not shown as busy, or whose
   * session ends within `renewMs`; and those who are shown and should not be. With `on` false only the latter. Each that is to
   * be shown is noted before it is returned, so that another node can take it back.
   */
  duePresenceWrites(
    q: Q,
    input: { readonly scope: PresenceScope; readonly on: boolean; readonly renewMs: number; readonly limit: number },
  ): Promise<readonly PresenceWrite[]>;
  /** Graph took it: shown for `forMs`, or taken back (`forMs` undefined). */
  presenceWritten(q: Q, agentId: string, forMs: number | undefined): Promise<void>;
  /** It did not; tried again after `retryMs`. */
  presenceNotWritten(q: Q, agentId: string, retryMs: number, error: string): Promise<void>;
  countPresenceWrites(q: Q, scope: PresenceScope): Promise<number>;
  /** Agents behind users at Entra. */
  agentsOfUsers(
    q: Q,
    scope: PresenceScope,
    users: readonly string[],
  ): Promise<readonly { readonly agentId: string; readonly entraUserId: string }[]>;
  saveSubscription(q: Q, subscription: GraphSubscription): Promise<void>;
  deleteSubscription(q: Q, id: string): Promise<void>;
  subscriptions(q: Q, scope: string): Promise<readonly GraphSubscription[]>;
  findSubscription(q: Q, id: string): Promise<GraphSubscription | undefined>;
  /** Notes a notification or a lifecycle event that came for a subscription. */
  subscriptionHeard(q: Q, id: string, what: 'notified' | 'reauthorize'): Promise<void>;

  // configuration
  loadTenants(q: Q): Promise<readonly TenantConfig[]>;
  loadTrunks(q: Q): Promise<readonly TrunkConfig[]>;
  loadQueue(q: Q, queueId: string): Promise<QueueConfig | undefined>;
  loadQueues(q: Q): Promise<readonly QueueConfig[]>;
  loadFlows(q: Q): Promise<readonly FlowConfig[]>;
  loadHours(q: Q): Promise<readonly HoursConfig[]>;
  loadPrompts(q: Q): Promise<readonly (PromptConfig & { readonly tenantId: string })[]>;
  loadAgent(q: Q, agentId: string): Promise<AgentConfig | undefined>;
  findNumber(q: Q, e164: string): Promise<NumberConfig | undefined>;

  // reports
  /** Every queue in numbers, or the one with this id. */
  queueSummaries(q: Q, queueId?: string): Promise<readonly QueueSummary[]>;
  /** By level and position. */
  queueMembers(q: Q, queueId: string): Promise<readonly QueueMember[]>;
  /** Who waits, next first. */
  queueCallers(q: Q, queueId: string): Promise<readonly QueueCaller[]>;
  /** Names of everything that has one, by noun; of calls the newest 50. */
  namesByNoun(q: Q): Promise<Readonly<Record<string, readonly string[]>>>;
  listNodes(q: Q, includeStopped: boolean): Promise<readonly NodeReport[]>;
  /**
   * The newest that fit the filter, oldest first. `cursor` goes into a later `after`: nothing is missed so, but what is not settled
   * yet is read again, with the same of the `keys`, which go with the events.
   */
  listEvents(
    q: Q,
    filter: EventFilter,
  ): Promise<{
    readonly events: readonly EventReport[];
    readonly keys: readonly string[];
    readonly cursor: EventCursor;
  }>;
  /** The queue takes no new calls; those that wait go on waiting. False: it was paused so already. */
  pauseQueue(q: Q, queueId: string, pause: { readonly by: string; readonly reason?: string }): Promise<boolean>;
  /** False: it was not paused. */
  resumeQueue(q: Q, queueId: string, by: string): Promise<boolean>;

  // access
  /** Names only, never values. */
  listSecrets(q: Q): Promise<readonly SecretRow[]>;
  /** As they are kept: encrypted. */
  sealedSecrets(q: Q): Promise<readonly SealedSecret[]>;
  /** Makes or replaces. Without a tenant it is shared by all. */
  saveSecret(
    q: Q,
    secret: {
      readonly tenantId: string | undefined;
      readonly name: string;
      readonly sealed: Pick<SealedSecret, 'keyId' | 'nonce' | 'sealed'>;
      readonly by: string;
    },
  ): Promise<void>;
  /** False: there is none. */
  deleteSecret(q: Q, tenant: string | undefined, name: string): Promise<boolean>;
  listUsers(q: Q): Promise<readonly UserRow[]>;
  userByName(q: Q, name: string): Promise<UserRow | undefined>;
  userByEntraId(q: Q, entraUserId: string): Promise<UserRow | undefined>;
  /** By the SHA-256 of a token that is not over; notes that it was used. */
  userByToken(q: Q, digest: Buffer): Promise<UserRow | undefined>;
  /** In a transaction. @throws SK_CONFLICT, SK_NOT_FOUND for a tenant or queue of the scopes */
  createUser(q: Q, user: NewUser): Promise<void>;
  /** In a transaction; the name stays. @throws as createUser */
  updateUser(q: Q, userId: string, user: NewUser & { readonly disabled: boolean }): Promise<void>;
  /** With the user's tokens. False: there is none. */
  deleteUser(q: Q, userId: string): Promise<boolean>;
  /** Makes a token, or replaces the one of that name. */
  addUserToken(
    q: Q,
    token: {
      readonly userId: string;
      readonly name: string;
      readonly digest: Buffer;
      readonly forMs: number;
      readonly by: string;
    },
  ): Promise<{ readonly expiresAt: Millis }>;
  deleteUserToken(q: Q, userId: string, name: string): Promise<boolean>;

  // traffic
  /** What came to a queue, and to all queues that share an agent with it, in the last `lengthMs`. For simulations. */
  recordedTraffic(q: Q, queueId: string, lengthMs: Millis): Promise<RecordedTraffic>;

  /** Newest first. */
  auditTrail(q: Q, filter: { readonly limit: number }): Promise<readonly AuditRow[]>;

  // doctor
  databaseFacts(q: Q): Promise<DatabaseFacts>;
  trunkActivity(q: Q): Promise<readonly TrunkActivity[]>;
  presenceAges(q: Q): Promise<readonly PresenceAge[]>;

  // leaks
  /** What is open; all zero when nothing is left behind. */
  openWork(q: Q): Promise<OpenWork>;
}
