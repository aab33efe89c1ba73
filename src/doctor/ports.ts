/** What the checks need from outside. real-ports.ts has the real thing; tests put in what fails. */
import type { X509Certificate } from 'node:crypto';
import type { GraphSettings, HostPort, HostPortSecret, Settings } from '../config/settings';
import type { ServerGreeting } from '../lib/tls-hello';
import type { SuiteFacts } from '../lib/tls-suites';
import type { DatabaseFacts, QueueConfig, TrunkActivity, PresenceAge, TenantConfig, TrunkConfig } from '../store';
import type { PresenceScopeRow, SealedSecret } from '../store/types';

export interface DoctorPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** @throws SidekickError SK_SETTINGS_INVALID naming everything that is wrong */
  readonly settings: () => Settings;
  /** Apart from the other settings, since a look at the database needs no more. @throws SidekickError */
  readonly databaseUrl: () => string;
  readonly database: (url: string) => DoctorDatabase;
  /** @throws SidekickError SK_DRACHTIO_UNREACHABLE, SK_DRACHTIO_REFUSED */
  readonly sip: (address: HostPortSecret) => Promise<SipBench>;
  /** @throws SidekickError SK_FREESWITCH_UNREACHABLE */
  readonly media: (address: HostPortSecret) => Promise<MediaBench>;
  /** What a TLS server shows, its own certificate first. */
  readonly certificates: (peer: HostPort, serverName: string) => Promise<readonly X509Certificate[]>;
  /** Versions and cipher suites that a TLS server takes. */
  readonly suites: (peer: HostPort, serverName: string) => Promise<SuiteFacts>;
  /** What a proxy of Direct Routing shows before it asks for our certificate. Undefined: it refuses our suites. */
  readonly greet: (peer: HostPort & { readonly serverName: string }) => Promise<ServerGreeting | undefined>;
  /** Roots that peers trust. */
  readonly roots: readonly X509Certificate[];
  /** A token by the app's own permission. @throws SidekickError SK_GRAPH_UNREACHABLE, SK_GRAPH_REFUSED */
  readonly graphToken: (graph: GraphSettings) => Promise<string>;
  /** Bytes; undefined: there is no such folder on this machine. */
  readonly space: (folder: string) => Promise<{ readonly free: number; readonly total: number } | undefined>;
  readonly env: (variable: string) => string | undefined;
}

export interface DoctorDatabase {
  facts(): Promise<DatabaseFacts>;
  pendingMigrations(): Promise<{ readonly pending: readonly string[]; readonly unknown: readonly string[] }>;
  tenants(): Promise<readonly TenantConfig[]>;
  trunks(): Promise<readonly TrunkConfig[]>;
  queues(): Promise<readonly QueueConfig[]>;
  trunkActivity(): Promise<readonly TrunkActivity[]>;
  sealedSecrets(): Promise<readonly SealedSecret[]>;
  presenceScopes(): Promise<readonly PresenceScopeRow[]>;
  presenceAges(): Promise<readonly PresenceAge[]>;
  close(): Promise<void>;
}

export interface SipBench {
  readonly version: string;
  readonly transports: readonly { readonly protocol: string; readonly host: string; readonly port: number }[];
  /** Sends one OPTIONS and waits for what comes of it. */
  options(request: OptionsRequest): Promise<OptionsAnswer>;
  close(): void;
}

export interface OptionsRequest {
  readonly uri: string;
  readonly proxy?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type OptionsAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly reason: string; readonly ms: number }
  /** Nothing came; `why` as the SIP server says it. */
  | { readonly kind: 'silent'; readonly why: string };

export interface MediaBench {
  /** Runs a command of the event socket and returns what it prints. */
  api(command: string): Promise<string>;
  close(): void;
}

/** What earlier checks found out for later ones. */
export class Bench {
  readonly ports: DoctorPorts;
  settings: Settings | undefined;
  database: DoctorDatabase | undefined;
  sip: SipBench | undefined;
  readonly media = new Map<string, MediaBench>();

  constructor(ports: DoctorPorts) {
    this.ports = ports;
  }

  async close(): Promise<void> {
    this.sip?.close();
    this.media.forEach((media) => media.close());
    await this.database?.close();
  }
}

/** For checks that run only after the one that sets the part. */
export function needed<T>(part: T | undefined): T {
  if (part === undefined) {
    throw new Error('a check ran before the one that it needs');
  }
  return part;
}
