import type { CarrierSettings, PbxSettings, TeamsSettings } from '../config/documents/trunk-settings';
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
}

/** A sound: a file's path, a tone pattern (FreeSWITCH `tone_stream` syntax), or the name of an endless stream. */
export interface PromptConfig {
  readonly name: string;
  readonly kind: 'file' | 'tone' | 'stream';
  readonly source: string;
}

export interface NumberConfig {
  readonly e164: string;
  readonly tenantId: string;
  readonly tenant: string;
  readonly queueId: string;
  readonly queue: string;
  readonly greeting: PromptConfig | undefined;
}

export interface QueueConfig {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly strategy: 'longest-idle';
  readonly ringTimeoutMs: number;
  readonly wrapUpMs: number;
  readonly presence: {
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
