import type { CallbackPlan, CallPlan, QueuePlan, VoicemailPlan } from './calls/ports';
import type { VoicemailRules } from './flows/flow';
import { isOpen } from './flows/hours';
import type {
  FlowConfig,
  HoursConfig,
  PromptConfig,
  QueueConfig,
  TenantConfig,
  TrunkConfig,
} from './store/config-types';

/** Music of a queue that names none: the media server's own endless stream. */
const DEFAULT_MUSIC = 'local_stream://moh';

/** The configuration as it is loaded now; replaced as a whole by each reload. */
export interface LoadedConfig {
  readonly tenants: ReadonlyMap<string, TenantConfig>;
  readonly trunks: ReadonlyMap<string, TrunkConfig>;
  readonly queues: ReadonlyMap<string, QueueConfig>;
  readonly flows: readonly FlowConfig[];
  readonly hours: readonly HoursConfig[];
  readonly prompts: readonly (PromptConfig & { readonly tenantId: string })[];
}

/** What the calls of one tenant ask configuration for; each answer is of the moment. */
export function planOf(
  tenantId: string,
  loaded: () => LoadedConfig,
  uriOf: (prompt: PromptConfig) => string,
): CallPlan {
  const named = <T extends { readonly tenantId: string; readonly name: string }>(
    all: readonly T[],
    name: string,
  ): T | undefined => all.find((one) => one.tenantId === tenantId && one.name === name);
  const promptUri = (name: string): string | undefined => {
    const prompt = named(loaded().prompts, name);
    return prompt && uriOf(prompt);
  };
  return {
    queue: (queueId) => {
      const queue = loaded().queues.get(queueId);
      return queue?.tenantId === tenantId ? queuePlan(queue, uriOf, promptUri) : undefined;
    },
    queueNamed: (name) => {
      const queue = named([...loaded().queues.values()], name);
      return queue && queuePlan(queue, uriOf, promptUri);
    },
    flow: (name) => named(loaded().flows, name),
    isOpen: (name, at) => {
      const hours = named(loaded().hours, name);
      return hours ? isOpen(hours, at) : { open: true, reason: 'these hours are not configured' };
    },
    promptUri,
    trunkTo: (e164, arrivedOn) => trunkTo(loaded(), tenantId, e164, arrivedOn),
    callback: (queueId) => {
      const queue = loaded().queues.get(queueId);
      return queue?.tenantId === tenantId ? callbackPlan(queue, promptUri) : undefined;
    },
  };
}

type Uri<T> = (what: T) => string | undefined;

function voicemailPlan(queue: QueueConfig, rules: VoicemailRules, promptUri: Uri<string>): VoicemailPlan {
  const { greeting, thanks, ...limits } = rules;
  return {
    queue: queue.name,
    ...limits,
    greetingUri: greeting === undefined ? undefined : promptUri(greeting),
    thanksUri: thanks === undefined ? undefined : promptUri(thanks),
  };
}

function callbackPlan(
  { callback }: QueueConfig,
  promptUri: (name: string) => string | undefined,
): CallbackPlan | undefined {
  return (
    callback && {
      askUri: promptUri(callback.ask),
      key: callback.key,
      confirmUri: callback.confirm === undefined ? undefined : promptUri(callback.confirm),
      tries: callback.tries,
      retryAfterMs: callback.retryAfterSeconds * 1_000,
      ringMs: callback.ringSeconds * 1_000,
      expireAfterMs: callback.expireAfterSeconds * 1_000,
    }
  );
}

function queuePlan(queue: QueueConfig, uriOf: (prompt: PromptConfig) => string, promptUri: Uri<string>): QueuePlan {
  return {
    queueId: queue.id,
    name: queue.name,
    displayName: queue.name,
    musicUri: queue.music === undefined ? DEFAULT_MUSIC : uriOf(queue.music),
    ringTimeoutMs: queue.ringTimeoutMs,
    maxWaitMs: queue.maxWaitMs,
    letRingFinish: queue.letRingFinish,
    hours: queue.hours,
    paused: queue.paused !== undefined,
    checksEntry:
      queue.maxWaiting !== undefined ||
      (['paused', 'noAgents', 'noPresence', 'estimatedWait'] as const).some(
        (reason) => queue.exits[reason] !== undefined,
      ),
    exits: queue.exits,
    voicemail: queue.voicemail && voicemailPlan(queue, queue.voicemail, promptUri),
    announcements: queue.announcements,
  };
}

/** The tenant says which numbers may be called at all; the carrier that brought the call takes it, else another that can. */
function trunkTo(
  { tenants, trunks }: LoadedConfig,
  tenantId: string,
  e164: string,
  arrivedOn: string,
): string | undefined {
  const allowed = tenants.get(tenantId)?.allowNumbers.some((beginning) => e164.startsWith(beginning)) ?? false;
  if (!allowed) {
    return undefined;
  }
  const able = [...trunks.values()].filter(
    (trunk) =>
      trunk.kind === 'carrier' &&
      trunk.enabled &&
      trunk.settings.outbound !== undefined &&
      (trunk.tenantId === undefined || trunk.tenantId === tenantId),
  );
  return (able.find((trunk) => trunk.id === arrivedOn) ?? able[0])?.id;
}
