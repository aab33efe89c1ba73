import type { StrategyName } from '../routing/types';
import type { CarrierSettings, PbxSettings, TeamsSettings } from '../config/documents/trunk-settings';
import type { Announcements } from '../flows/announcements';
import type { CallbackRules, FlowStep, QueueExits, SkillNeed, VoicemailRules } from '../flows/flow';
import type { Hours } from '../flows/hours';
import type { AgentEndpoint } from './types';

interface TrunkBase {
  readonly id: string;
  readonly name: string;
  /** Undefined: shared by all tenants. */
  readonly tenantId: string | undefined;
  readonly enabled: boolean;
}

export type TrunkConfig =
  | (TrunkBase & { readonly kind: 'carrier'; readonly settings: CarrierSettings })
  | (TrunkBase & { readonly kind: 'teams'; readonly settings: TeamsSettings })
  | (TrunkBase & { readonly kind: 'pbx'; readonly settings: PbxSettings })
  | (TrunkBase & { readonly kind: 'web'; readonly settings: Readonly<Record<string, never>> });

export interface TenantConfig {
  readonly id: string;
  readonly name: string;
  /** ISO 3166, e.g. `DE`. */
  readonly country: string;
  /** IANA, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
  /** Beginnings of the numbers outside that calls may be sent to, E.164. */
  readonly allowNumbers: readonly string[];
}

/** A sound: a file's path, a tone pattern (FreeSWITCH `tone_stream` syntax), or the name of an endless stream. */
export interface PromptConfig {
  readonly name: string;
  readonly kind: 'file' | 'tone' | 'stream';
  readonly source: string;
}

/** A number leads to a queue or to a flow, never to both. */
export interface NumberConfig {
  readonly e164: string;
  readonly tenantId: string;
  readonly tenant: string;
  readonly queueId: string | undefined;
  readonly queue: string | undefined;
  readonly flowId: string | undefined;
  /** Name of the flow. */
  readonly flow: string | undefined;
  readonly greeting: PromptConfig | undefined;
}

export interface FlowConfig {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** Prompts, hours and queues stand in the steps by name. */
  readonly steps: readonly FlowStep[];
}

/** `timeZone` is the tenant's where the hours name none. */
export interface HoursConfig extends Hours {
  readonly id: string;
  readonly tenantId: string;
}

/** The routing rules are described in docs/configuration.md. */
export interface QueueConfig {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly strategy: StrategyName;
  readonly levels: 'strict' | 'merged';
  /** By level. A level without entry is open at once. */
  readonly levelAfterMs: Readonly<Record<string, number>>;
  readonly skipEmptyLevels: boolean;
  readonly maxParallel: number;
  readonly stepAgents: number;
  readonly stepMs: number;
  /** 0 to 9, higher is strictly first. */
  readonly priorityClass: number;
  readonly weight: number;
  /** Undefined: no call is so old. */
  readonly ageCapMs: number | undefined;
  readonly needs: readonly SkillNeed[];
  /** Without `atLeast` the need is dropped. */
  readonly relaxations: readonly { readonly afterMs: number; readonly skill: string; readonly atLeast?: number }[];
  readonly preferLastAgent: { readonly withinDays: number; readonly waitMs: number } | undefined;
  readonly spareScarceAgents: boolean;
  /** 0: a caller who calls back starts anew. */
  readonly resumeWithinMs: number;
  readonly afterCall: 'wrap-up' | 'manual-ready';
  readonly confirm: 'none' | 'dtmf';
  readonly suspiciousAnswer: 'accept' | 'confirm' | 'refuse';
  readonly suspiciousAnswerMs: number;
  /** Name of the opening hours; undefined: always open. */
  readonly hours: string | undefined;
  readonly maxWaiting: number | undefined;
  readonly letRingFinish: boolean;
  readonly noAgentsAfterMs: number | undefined;
  readonly estimatedWaitOverMs: number | undefined;
  readonly serviceLevelMs: number;
  /** Undefined: the queue takes calls. */
  readonly paused: { readonly at: number; readonly by: string; readonly reason: string | undefined } | undefined;
  /** Queues, flows and prompts stand in it by name. */
  readonly exits: QueueExits;
  /** Prompts stand in it by name; undefined: the queue keeps no messages. */
  readonly voicemail: VoicemailRules | undefined;
  /** Undefined: the queue calls nobody back. */
  readonly callback: CallbackRules | undefined;
  /** Prompts stand in it by name. Undefined: callers hear music only. */
  readonly announcements: Announcements | undefined;
  readonly ringTimeoutMs: number;
  readonly wrapUpMs: number;
  readonly presence: {
    /** `Availability` or `Availability/Activity`. */
    readonly accept: readonly string[];
    readonly staleAfterMs: number;
    readonly unknown: 'accept' | 'refuse';
    readonly graceMs: number;
  };
  readonly missesBeforeNotReady: number;
  readonly retryMs: {
    readonly noAnswer: number;
    readonly declined: number;
    readonly busy: number;
    readonly unreachable: number;
    readonly failed: number;
  };
  readonly maxWaitMs: number | undefined;
  /** Undefined: the music of the media server. */
  readonly music: PromptConfig | undefined;
  readonly priorityMs: number;
}

export interface AgentConfig {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly displayName: string;
  readonly endpoint: AgentEndpoint | undefined;
}
