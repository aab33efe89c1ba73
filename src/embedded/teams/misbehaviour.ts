import { z } from 'zod';
import { PUBLISHED_LIMITS } from './graph';
import { goodGraph } from './graph-mood';
import { goodPush } from './notifier';
import type { TenantServices } from './tenant-services';
import { DEFAULT_PRESENCE_LAG_MS, DEFAULT_ROLES, DEFAULT_TOKEN_LIFETIME_SECONDS } from './tenant-services';

/**
 * Ways in which the whole tenant can be made to fail or to use the freedom that the documents leave it. One command a
 * request; `{what: 'reset'}` takes everything back.
 */
const count = z.number().int().min(0).max(1_000_000);

export const misbehaviourSchema = z.discriminatedUnion('what', [
  /** The next requests to Graph get 429. */
  z.strictObject({ what: z.literal('graph-throttle'), requests: count, retryAfterSeconds: count.default(1) }),
  /** The next requests to Graph fail. */
  z.strictObject({
    what: z.literal('graph-fail'),
    requests: count,
    status: z.number().int().min(500).max(599).default(503),
  }),
  /** Limits of requests per 30 s other than the published ones. */
  z.strictObject({
    what: z.literal('graph-limits'),
    batchPer30s: count.default(PUBLISHED_LIMITS.batchPer30s),
    presencePer30s: count.default(PUBLISHED_LIMITS.presencePer30s),
  }),
  z.strictObject({ what: z.literal('revoke-tokens') }),
  z.strictObject({ what: z.literal('token-lifetime'), seconds: count }),
  z.strictObject({ what: z.literal('roles'), roles: z.array(z.string().max(100)).max(50) }),
  /** How late Graph shows calls; with `all`, also what a user's own client shows. */
  z.strictObject({
    what: z.literal('presence-lag'),
    ms: z.number().int().min(0).max(60_000),
    all: z.boolean().default(false),
  }),
  /** Graph answers nothing: connections are cut, or requests hang. */
  z.strictObject({ what: z.literal('graph-outage'), how: z.enum(['off', 'cut', 'hang']) }),
  /** A share of the requests gets 429. */
  z.strictObject({
    what: z.literal('graph-storm'),
    share: z.number().min(0).max(1),
    retryAfterSeconds: count.default(1),
  }),
  /** Every n-th batch is answered by a front end that lags behind. */
  z.strictObject({
    what: z.literal('graph-stale'),
    every: count,
    ms: z.number().int().min(0).max(60_000).default(20_000),
  }),
  /** Sequence numbers: right, missing, or begun anew (which happens once, now). */
  z.strictObject({ what: z.literal('graph-sequence'), numbers: z.enum(['right', 'missing', 'restart']) }),
  z.strictObject({ what: z.literal('graph-values'), values: z.enum(['documented', 'lower-case', 'new']) }),
  /** Change notifications: silent, late, twice, or forged. */
  z.strictObject({
    what: z.literal('push'),
    silent: z.boolean().default(false),
    delayMs: z.number().int().min(0).max(60_000).default(0),
    twice: z.boolean().default(false),
    forge: z
      .enum(['audience', 'issuer', 'signature', 'expired', 'sender', 'client-state', 'data', 'no-token'])
      .optional(),
  }),
  /** Graph asks every subscription for a renewed authorization, now. */
  z.strictObject({ what: z.literal('push-reauthorize') }),
  /** Graph forgets every subscription without a word. */
  z.strictObject({ what: z.literal('push-forget') }),
  /** PATCH of a subscription is refused. */
  z.strictObject({ what: z.literal('push-not-renewable'), on: z.boolean() }),
  /** Signed-in accounts must sign in again. */
  z.strictObject({ what: z.literal('accounts-revoke') }),
  /** The proxy takes requests and answers none of them, OPTIONS too. */
  z.strictObject({ what: z.literal('proxy-silent'), on: z.boolean(), proxy: z.string().max(253).optional() }),
  /** The data centre is busy: 503 with Retry-After to OPTIONS and INVITE (1.1). */
  z.strictObject({
    what: z.literal('proxy-busy'),
    on: z.boolean(),
    retryAfterSeconds: count.default(1),
    proxy: z.string().max(253).optional(),
  }),
  /** Requests in dialogs (BYE, REFER, re-INVITE) come from another machine of Teams, over a connection of its own (1.2). */
  z.strictObject({ what: z.literal('elsewhere'), on: z.boolean() }),
  /** Every answer of the proxy comes so much later, the 100 too. */
  z.strictObject({ what: z.literal('slow-answers'), ms: z.number().int().min(0).max(30_000) }),
  /**
   * Looking up the name of a proxy takes so long, as after the resolver that the SIP server asks has forgotten it; then it is known
   * for `ttlMs`. Whatever is sent to a name that is not known comes so much later.
   */
  z.strictObject({
    what: z.literal('slow-names'),
    ms: z.number().int().min(0).max(30_000),
    ttlMs: z.number().int().min(0).max(3_600_000).default(60_000),
  }),
  /** ACKs for the 200 do not reach Teams, which hangs up after its timer with 408/1106. */
  z.strictObject({ what: z.literal('lose-acks'), on: z.boolean() }),
  /**
   * The next re-INVITEs of the trunk meet one of Teams: 491 (RFC 3261 14.2). With `crossing` Teams' own one really goes out then: a
   * hold, which it takes back a second later.
   */
  z.strictObject({ what: z.literal('glare'), reinvites: count, crossing: z.boolean().default(false) }),
  /** The interval that the 200 of Teams names (RFC 4028), with the trunk as the one who refreshes. Off: as the trunk asked. */
  z.strictObject({ what: z.literal('session-timer'), seconds: count.optional() }),
  /** How the answer writes its key (2): `plain`, `lifetime` = `|2^31`, `lifetime-mki` = `|2^31|1:1`. */
  z.strictObject({ what: z.literal('crypto-form'), form: z.enum(['plain', 'lifetime', 'lifetime-mki']) }),
  /** The answer is RTP/AVP without a key, which a trunk must refuse. */
  z.strictObject({ what: z.literal('answer-plain-rtp'), on: z.boolean() }),
  z.strictObject({ what: z.literal('reset') }),
]);

export type MisbehaviourInput = z.input<typeof misbehaviourSchema>;
export type Misbehaviour = z.output<typeof misbehaviourSchema>;

export type CryptoForm = 'plain' | 'lifetime' | 'lifetime-mki';

/** What the SIP side looks at on each request. */
export interface ProxyMood {
  /** Proxies that are silent, or busy; an empty set means all of them. */
  silent: ReadonlySet<string> | undefined;
  busy: { readonly retryAfterSeconds: number; readonly proxies: ReadonlySet<string> } | undefined;
  elsewhere: boolean;
  slowMs: number;
  /** Names that are not in `knownUntil` (milliseconds since the epoch) cost so much. */
  slowNames: { readonly ms: number; readonly ttlMs: number; readonly knownUntil: Map<string, number> } | undefined;
  loseAcks: boolean;
  /** Re-INVITEs of the trunk that still get 491. */
  glare: number;
  /** … after Teams has sent one of its own. */
  glareCrosses: boolean;
  /** Session interval in the 200, seconds, other than the trunk asked for. */
  sessionSeconds: number | undefined;
  cryptoForm: CryptoForm;
  answerPlainRtp: boolean;
}

export function goodMood(): ProxyMood {
  return {
    silent: undefined,
    busy: undefined,
    elsewhere: false,
    slowMs: 0,
    slowNames: undefined,
    loseAcks: false,
    glare: 0,
    glareCrosses: false,
    sessionSeconds: undefined,
    cryptoForm: 'plain',
    answerPlainRtp: false,
  };
}

/** Carries out one command. */
export function misbehave(command: Misbehaviour, services: TenantServices, mood: ProxyMood): void {
  switch (command.what) {
    case 'graph-throttle':
      return services.graph.throttleNext(command.requests, command.retryAfterSeconds);
    case 'graph-fail':
      return services.graph.failNext(command.requests, command.status);
    case 'graph-limits':
      return services.graph.setLimits(command);
    case 'revoke-tokens':
      return services.entra.revoke();
    case 'token-lifetime':
      return services.entra.setLifetime(command.seconds);
    case 'roles':
      return services.entra.setRoles(command.roles);
    case 'presence-lag':
      return services.presence.setLag(command.ms, command.all);
    case 'graph-outage':
    case 'graph-storm':
    case 'graph-stale':
    case 'graph-sequence':
    case 'graph-values':
    case 'push':
    case 'push-reauthorize':
    case 'push-forget':
    case 'push-not-renewable':
    case 'accounts-revoke':
      return misbehaveGraph(command, services);
    case 'proxy-silent':
      mood.silent = command.on ? proxies(command.proxy) : undefined;

      return;
    case 'proxy-busy':
      mood.busy = command.on
        ? { retryAfterSeconds: command.retryAfterSeconds, proxies: proxies(command.proxy) }
        : undefined;

      return;
    case 'elsewhere':
      mood.elsewhere = command.on;

      return;
    case 'slow-answers':
      mood.slowMs = command.ms;

      return;
    case 'slow-names':
      mood.slowNames = { ms: command.ms, ttlMs: command.ttlMs, knownUntil: new Map() };

      return;
    case 'lose-acks':
      mood.loseAcks = command.on;

      return;
    case 'glare':
      mood.glare = command.reinvites;
      mood.glareCrosses = command.crossing;

      return;
    case 'session-timer':
      mood.sessionSeconds = command.seconds;

      return;
    case 'crypto-form':
      mood.cryptoForm = command.form;

      return;
    case 'answer-plain-rtp':
      mood.answerPlainRtp = command.on;

      return;
    case 'reset':
      reset(services, mood);

      return;
  }
}

function misbehaveGraph(command: Misbehaviour, services: TenantServices): void {
  const { graphMood, pushMood, presence, subscriptions, accounts } = services;
  switch (command.what) {
    case 'graph-outage':
      graphMood.outage = command.how;

      return;
    case 'graph-storm':
      graphMood.storm = { share: command.share, retryAfterSeconds: command.retryAfterSeconds };

      return;
    case 'graph-stale':
      graphMood.stale = { every: command.every, ms: command.ms };

      return;
    case 'graph-sequence':
      graphMood.sequence = command.numbers === 'missing' ? 'missing' : 'right';
      if (command.numbers === 'restart') {
        presence.restartSequence();
      }

      return;
    case 'graph-values':
      graphMood.values = command.values;

      return;
    case 'push':
      Object.assign(pushMood, {
        silent: command.silent,
        delayMs: command.delayMs,
        twice: command.twice,
        forge: command.forge,
      });

      return;
    case 'push-reauthorize':
      return subscriptions.askForReauthorization();
    case 'push-forget':
      return subscriptions.forget();
    case 'push-not-renewable':
      return subscriptions.setRenewable(!command.on);
    case 'accounts-revoke':
      return accounts.revoke();
    default:
      return;
  }
}

/** How much later a request to this proxy comes than it was sent, milliseconds. */
export function delayOf({ slowMs, slowNames }: ProxyMood, proxy: string, now: number): number {
  if (slowNames === undefined) {
    return slowMs;
  }
  const known = (slowNames.knownUntil.get(proxy) ?? 0) > now;
  if (!known) {
    slowNames.knownUntil.set(proxy, now + slowNames.ms + slowNames.ttlMs);
  }

  return slowMs + (known ? 0 : slowNames.ms);
}

function proxies(one: string | undefined): ReadonlySet<string> {
  return new Set(one === undefined ? [] : [one.toLowerCase()]);
}

function reset(services: TenantServices, mood: ProxyMood): void {
  const { graph, entra, presence } = services;
  Object.assign(services.graphMood, goodGraph());
  Object.assign(services.pushMood, goodPush());
  services.subscriptions.setRenewable(true);
  graph.throttleNext(0, 1);
  graph.failNext(0, 503);
  graph.setLimits(PUBLISHED_LIMITS);
  entra.setRoles(DEFAULT_ROLES);
  entra.setLifetime(DEFAULT_TOKEN_LIFETIME_SECONDS);
  presence.setLag(DEFAULT_PRESENCE_LAG_MS);
  Object.assign(mood, goodMood());
}
