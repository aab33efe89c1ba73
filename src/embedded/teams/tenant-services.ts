import type { Clock } from '../../lib/clock';
import { Entra } from './entra';
import { Graph, PUBLISHED_LIMITS } from './graph';
import { PresenceStore } from './presence-store';
import { Directory, type TeamsUserSpec } from './users';

/** What Direct Routing and Graph of one tenant share. */
export interface TenantServices {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly presence: PresenceStore;
  readonly entra: Entra;
  readonly graph: Graph;
}

export interface TenantServiceOptions {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientCertificate?: string;
  readonly users: readonly TeamsUserSpec[];
  /** How long Graph takes to show that a user is in a call or has left it, 0–60,000. Default 1,000. */
  readonly presenceLagMs?: number;
  /** Default 3,599 as at Entra. */
  readonly tokenLifetimeSeconds?: number;
  /** Roles of the application. Default Presence.Read.All and Presence.ReadWrite.All. */
  readonly roles?: readonly string[];
}

export const DEFAULT_ROLES: readonly string[] = ['Presence.Read.All', 'Presence.ReadWrite.All'];
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 3599;
export const DEFAULT_PRESENCE_LAG_MS = 1000;

export function makeServices(options: TenantServiceOptions, clock: Clock): TenantServices {
  const directory = new Directory(options.users);
  const presence = new PresenceStore(clock, options.presenceLagMs ?? DEFAULT_PRESENCE_LAG_MS);
  for (const spec of options.users) {
    presence.add(spec.entraUserId, spec.presence ?? { availability: 'Available', activity: 'Available' });
  }
  const entra = new Entra({
    tenantId: options.tenantId,
    clientId: options.clientId,
    ...(options.clientSecret === undefined ? {} : { clientSecret: options.clientSecret }),
    ...(options.clientCertificate === undefined ? {} : { clientCertificate: options.clientCertificate }),
    roles: options.roles ?? DEFAULT_ROLES,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS,
    clock,
  });

  return {
    clock,
    directory,
    presence,
    entra,
    graph: new Graph({ entra, presence, directory, clock }, PUBLISHED_LIMITS),
  };
}
