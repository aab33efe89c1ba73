import { z } from 'zod';
import { PUBLISHED_LIMITS } from './graph';
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
  /** How late Graph shows calls. */
  z.strictObject({ what: z.literal('presence-lag'), ms: z.number().int().min(0).max(60_000) }),
  /** The proxy takes requests and answers none of them, OPTIONS too. */
  z.strictObject({ what: z.literal('proxy-silent'), on: z.boolean() }),
  /** The data centre is busy: 503 with Retry-After to OPTIONS and INVITE (1.1). */
  z.strictObject({ what: z.literal('proxy-busy'), on: z.boolean(), retryAfterSeconds: count.default(1) }),
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
  silent: boolean;
  busy: { retryAfterSeconds: number } | undefined;
  cryptoForm: CryptoForm;
  answerPlainRtp: boolean;
}

export function goodMood(): ProxyMood {
  return { silent: false, busy: undefined, cryptoForm: 'plain', answerPlainRtp: false };
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
      return services.presence.setLag(command.ms);
    case 'proxy-silent':
      mood.silent = command.on;

      return;
    case 'proxy-busy':
      mood.busy = command.on ? { retryAfterSeconds: command.retryAfterSeconds } : undefined;

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

function reset({ graph, entra, presence }: TenantServices, mood: ProxyMood): void {
  graph.throttleNext(0, 1);
  graph.failNext(0, 503);
  graph.setLimits(PUBLISHED_LIMITS);
  entra.setRoles(DEFAULT_ROLES);
  entra.setLifetime(DEFAULT_TOKEN_LIFETIME_SECONDS);
  presence.setLag(DEFAULT_PRESENCE_LAG_MS);
  Object.assign(mood, goodMood());
}
