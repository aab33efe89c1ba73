import type { Clock } from '../../lib/clock';
import { Entra } from './entra';
import { silentLog, type Log } from '../../lib/log';
import { Accounts, type AccountSpec } from './accounts';
import { Graph, PUBLISHED_LIMITS, resource } from './graph';
import { goodGraph, type GraphMood } from './graph-mood';
import { GraphRuleLog } from './graph-rules';
import { goodPush, Notifier, type PushMood } from './notifier';
import { PresenceStore } from './presence-store';
import { Subscriptions } from './subscriptions';
import { Directory, type TeamsUserSpec } from './users';

/** What Direct Routing and Graph of one tenant share. */
export interface TenantServices {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly presence: PresenceStore;
  readonly entra: Entra;
  readonly graph: Graph;
  readonly accounts: Accounts;
  readonly subscriptions: Subscriptions;
  readonly notifier: Notifier;
  readonly graphMood: GraphMood;
  readonly pushMood: PushMood;
  readonly graphRules: GraphRuleLog;
}

export interface TenantServiceOptions {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientCertificate?: string;
  /** A federated credential that is taken as the assertion of the application. */
  readonly clientAssertion?: string;
  /** People who can be signed in for change notifications. */
  readonly accounts?: readonly AccountSpec[];
  /** Chance, 0–1, for storms of 429. Default Math.random. */
  readonly random?: () => number;
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

export function makeServices(options: TenantServiceOptions, clock: Clock, log: Log = silentLog()): TenantServices {
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
    ...(options.clientAssertion === undefined ? {} : { clientAssertion: options.clientAssertion }),
    roles: options.roles ?? DEFAULT_ROLES,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS,
    clock,
  });
  const { tenantId, clientId, random = Math.random } = options;
  const [graphMood, pushMood] = [goodGraph(), goodPush()];
  const rules = new GraphRuleLog(() => clock.now());
  const accounts = new Accounts({ clock, tenantId, clientId, accounts: options.accounts ?? [] });
  const validationToken = accounts.validationToken.bind(accounts);
  const notifier = new Notifier({ clock, log, rules, tenantId, mood: pushMood, validationToken });
  const subscriptions = new Subscriptions({ clock, rules, notifier });
  presence.onChange((shown) => subscriptions.changed(shown.id, resource(shown, graphMood)));

  return {
    clock,
    directory,
    presence,
    entra,
    graph: new Graph({ entra, presence, directory, clock, mood: graphMood, rules, random }, PUBLISHED_LIMITS),
    accounts,
    subscriptions,
    notifier,
    graphMood,
    pushMood,
    graphRules: rules,
  };
}
