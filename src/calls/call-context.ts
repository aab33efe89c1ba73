import type { Clock } from '../lib/clock';
import type { Log } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import type { CallInput, CallState } from './call-state';
import type {
  AgentLegs,
  CallerHandles,
  CallerIdentity,
  CallerLeg,
  Callbacks,
  CallMedia,
  CallPlan,
  CallRoute,
  CallStore,
  Matcher,
} from './ports';

export interface CallSessionDeps {
  readonly store: CallStore;
  readonly legs: AgentLegs;
  readonly media: CallMedia;
  readonly matcher: Matcher;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'callStage' | 'offerEnded' | 'queueWaited' | 'voicemail' | 'callbackTried'>;
  /** Without it nobody is called back. */
  readonly callbacks?: Callbacks;
  /** Whether callers of this node wait for agents now. */
  readonly callersWait: () => boolean;
  readonly onUnexpected: (machine: 'call' | 'offer' | 'announcement', state: string, input: string) => void;
}

export interface CallSessionInfo {
  readonly callId: string;
  readonly sipCallId: string;
  readonly caller: CallerIdentity;
  readonly route: CallRoute;
}

/** What the parts of a session (its offers, its waiting, its flow, its transfers) share. */
export interface CallContext {
  readonly deps: CallSessionDeps;
  readonly info: CallSessionInfo;
  readonly plan: CallPlan;
  readonly caller: CallerLeg;
  readonly log: Log;
  readonly state: () => CallState;
  /** Undefined until the caller's media is there. */
  readonly handles: () => CallerHandles | undefined;
  /** Feeds the call machine. */
  readonly input: (input: CallInput) => void;
  /** An event for the story of the call. */
  readonly event: (kind: string, data?: Readonly<Record<string, unknown>>) => void;
  /** Queues a write behind the earlier ones. */
  readonly fact: (name: string, write: () => Promise<void>) => void;
}
