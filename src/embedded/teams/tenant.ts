import { systemClock, type Clock } from '../../lib/clock';
import { Emitter } from '../../lib/emitter';
import { SidekickError } from '../../lib/errors';
import { silentLog, type Log } from '../../lib/log';
import type { SipTimers, TlsIdentity } from '../sip/types';
import { CallBook } from './call-book';
import type { CallView } from './call-record';
import type { TenantControl, UserView } from './control-routes';
import { DirectRouting } from './direct-routing';
import { goodMood, misbehave, misbehaviourSchema, type MisbehaviourInput } from './misbehaviour';
import type { Resolver } from './own-connections';
import type { Presence } from './presence-values';
import { msalAuth, requireLoopback, startTenantHttp, type TenantHttp } from './tenant-http';
import { makeServices, type TenantServiceOptions, type TenantServices } from './tenant-services';
import type { AgentScriptInput } from './scripts';
import { parseScript, type TeamsUser } from './users';

export interface TeamsTenantOptions extends TenantServiceOptions {
  /** Loopback address. */
  readonly host: string;
  /** Direct Routing over TLS; 0 = any free port. */
  readonly sipPort: number;
  /** Entra, Graph and the control API over HTTP; 0 = any free port. */
  readonly httpPort: number;
  /** Identity of the proxies: the certificate should name sip, sip2 and sip3.pstnhub.microsoft.com. */
  readonly tls: Pick<TlsIdentity, 'key' | 'cert'>;
  /** PEM of the authority that the trunk's certificate must chain to. */
  readonly sbcCa: string;
  /** Domains of the tenant: a trunk's FQDN or the parent of it. */
  readonly domains: readonly string[];
  /** Where trunk names lead; a name that is not here leads to the address the trunk was seen at. */
  readonly resolve?: Resolver;
  /** Tones that agents listen for, hertz. Default 500, 600 … 1,000. */
  readonly listenFor?: readonly number[];
  readonly optionsPeriodMs?: number;
  /** Calls and broken rules that are kept. Default 5,000. */
  readonly keepCalls?: number;
  readonly timers?: Partial<SipTimers>;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface TenantEvents {
  'call:ringing': readonly [CallView];
  'call:answered': readonly [CallView];
  /** A tone was heard for the first time. */
  'call:heard': readonly [CallView];
  'call:ended': readonly [CallView];
}

export interface TeamsTenant extends Omit<TenantControl, 'setScript' | 'misbehave'> {
  readonly sipPort: number;
  readonly httpPort: number;
  /** Base of Graph and of Entra's authority, for SIDEKICK_GRAPH_BASE_URL and SIDEKICK_GRAPH_AUTHORITY. */
  readonly baseUrl: string;
  /** `auth` options for @azure/msal-node without a network module of its own. */
  readonly msalAuth: ReturnType<typeof msalAuth>;
  readonly events: Emitter<TenantEvents>;
  /** @throws SidekickError SK_NOT_FOUND, SK_USAGE */
  setScript(name: string, script: AgentScriptInput): void;
  misbehave(command: MisbehaviourInput): void;
  /** A refresh token of one of the accounts, as `sidekick teams sign-in` would get it. */
  refreshTokenOf(account: string): string;
  /** Calls in progress, for leak checks. */
  readonly live: number;
  close(): Promise<void>;
}

export const DEFAULT_LISTEN_FOR: readonly number[] = [500, 600, 700, 800, 900, 1000];

/**
 * Starts a simulated Teams tenant: Direct Routing over TLS, Graph and a control API over HTTP, both on loopback.
 * @throws SidekickError SK_USAGE for options that no tenant could have, SK_PORT_TAKEN
 */
export async function startTeamsTenant(options: TeamsTenantOptions): Promise<TeamsTenant> {
  requireLoopback(options.host);
  const clock = options.clock ?? systemClock;
  const services = makeServices(options, clock, options.log);
  const book = new CallBook(options.keepCalls ?? 5000);
  const mood = goodMood();
  const events = new Emitter<TenantEvents>();
  const routing = await DirectRouting.start(
    { ...options, listenFor: options.listenFor ?? DEFAULT_LISTEN_FOR },
    {
      clock,
      directory: services.directory,
      book,
      mood,
      log: options.log ?? silentLog(),
      countCall: (userId, change) => services.presence.countCall(userId, change),
      changed: (record, what) => events.emit(`call:${what}`, record.view()),
    },
  );
  const control = makeControl(services, book, routing, (command) => misbehave(command, services, mood));
  let http: TenantHttp;
  try {
    http = await startTenantHttp({ host: options.host, port: options.httpPort }, services, control, options.tenantId);
  } catch (error) {
    await routing.close();
    throw error;
  }

  return {
    ...control,
    setScript: (name, script) => control.setScript(name, parseScript(script)),
    misbehave: (command) => control.misbehave(misbehaviourSchema.parse(command)),
    refreshTokenOf: (account) => services.accounts.refreshTokenOf(account),
    sipPort: routing.port,
    httpPort: http.port,
    baseUrl: http.baseUrl,
    msalAuth: msalAuth(http.baseUrl, options.tenantId),
    events,
    get live() {
      return routing.live;
    },
    close: async () => {
      await Promise.all([http.close(), routing.close()]);
      services.presence.close();
      await services.notifier.close();
      events.removeAllListeners();
    },
  };
}

function makeControl(
  services: TenantServices,
  book: CallBook,
  routing: DirectRouting,
  carryOut: TenantControl['misbehave'],
): TenantControl {
  const { directory, presence } = services;
  const userOf = (name: string): TeamsUser => {
    const user = directory.byName(name);
    if (!user) {
      throw new SidekickError('SK_NOT_FOUND', `No simulated Teams user ${name}`, {
        next: `There are ${directory
          .all()
          .map((other) => other.name)
          .join(', ')}.`,
      });
    }

    return user;
  };

  return {
    calls: (filter = {}) => book.find(filter),
    call: (id) => book.get(id)?.view(),
    users: () => directory.all().map((user) => viewOf(user, services, book)),
    trunks: () => routing.trunks(),
    rulesBroken: () => book.broken(),
    graphRulesBroken: () => services.graphRules.list(),
    graph: () => ({
      requests: services.graph.requests,
      subscriptions: services.subscriptions.list(),
      notifications: services.notifier.sent,
    }),
    approve: (userCode, account) => {
      if (!services.accounts.approve(userCode, account)) {
        throw new SidekickError('SK_NOT_FOUND', `No sign-in with the code ${userCode}, or no account ${account}`);
      }
    },
    setScript: (name, script) => {
      userOf(name).script = script;
    },
    setPresence: (name, shown: Presence) => {
      presence.setClient(userOf(name).entraUserId, shown);
    },
    act: async (id, action) => {
      if (!book.get(id)) {
        throw new SidekickError('SK_NOT_FOUND', `No call ${id}`);
      }
      const acting = routing.act(id, action);
      if (!acting) {
        throw new SidekickError('SK_CONFLICT', `The call cannot ${action} now`, { why: 'It has ended.' });
      }
      await acting;
    },
    misbehave: carryOut,
    forget: () => {
      book.forget();
      services.graphRules.forget();
      for (const user of directory.all()) {
        user.missedCalls.length = 0;
      }
    },
  };
}

function viewOf(user: TeamsUser, { presence }: TenantServices, book: CallBook): UserView {
  const { name, displayName, number, entraUserId, toneHz, script, missedCalls } = user;
  const { availability, activity } = presence.read(entraUserId) ?? {
    availability: 'PresenceUnknown',
    activity: 'PresenceUnknown',
  };

  return {
    name,
    displayName,
    number,
    entraUserId,
    toneHz,
    script,
    presence: { availability, activity },
    calls: book.countActive(name),
    missedCalls: [...missedCalls],
  };
}
