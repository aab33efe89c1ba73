/**
 * What the commands that run a node need from outside the CLI. main.ts hands it in and loads it when it is used, so that
 * `sidekick --help` does not load a SIP stack.
 */
import type { HostPort, Settings } from '../config/settings';
import type { Log } from '../lib/log';
import type { Metrics } from '../lib/metrics';

export interface RunningNode {
  readonly metrics: Pick<Metrics, 'unexpectedError'>;
  readonly http: HostPort | undefined;
  links(): Readonly<Record<string, { readonly up: boolean; readonly detail: string }>>;
  /** Idempotent. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

export const EMBEDDED_PARTS = ['postgres', 'sip', 'media', 'teams'] as const;
export type EmbeddedPart = (typeof EMBEDDED_PARTS)[number];

export interface EmbedRequest {
  readonly parts: readonly EmbeddedPart[];
  readonly dataDir: string;
  /** Where the embedded SIP server takes calls, UDP and TCP. */
  readonly sip: HostPort;
  readonly log: Log;
  /** A part ended without being told to; the node cannot go on. */
  readonly onFailure: (part: EmbeddedPart, why: string) => void;
}

export interface SimulatedTenant {
  /** HTTP base: Entra, Graph, and the observation API under /_sim. */
  readonly baseUrl: string;
  /** host:port of the Direct Routing proxy. */
  readonly proxyAddress: string;
  readonly sbcName: string;
  readonly agents: readonly {
    readonly name: string;
    readonly displayName: string;
    readonly number: string;
    readonly entraUserId: string;
  }[];
  /** Sets it up for a scenario. @throws SK_USAGE for one that there is not. */
  play(scenario: string): void;
}

export interface Embedded {
  /** SIDEKICK_ settings that point at the embedded parts. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where SIP is taken, with the port that was bound. */
  readonly sip: HostPort | undefined;
  readonly tenant: SimulatedTenant | undefined;
  /** Idempotent; ends the parts in the reverse order of their start. */
  close(): Promise<void>;
}

export interface Runtime {
  startNode(settings: Settings, deps: { readonly log: Log; readonly onLost: () => void }): Promise<RunningNode>;
  startEmbedded(request: EmbedRequest): Promise<Embedded>;
}
