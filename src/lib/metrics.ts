/**
 * The figures that a node counts, for Prometheus. One table names them all; docs/metrics.md is the same table for readers and
 * a test keeps both equal. Rooms get a `Metrics` by injection and never touch the registry. Labels hold names from the
 * configuration or fixed words, never a number, an id or anything else without bound.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const SHORT_SECONDS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5];
const LONG_SECONDS = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 3600];

export const METRICS = [
  { name: 'sidekick_calls_active', type: 'gauge', labels: [], help: 'Calls that this node owns now' },
  {
    name: 'sidekick_calls_total',
    type: 'counter',
    labels: ['result', 'reason'],
    help: 'Calls that ended, by their termination',
  },
  {
    name: 'sidekick_call_duration_seconds',
    type: 'histogram',
    labels: ['result'],
    help: 'From the INVITE of the caller to the end of the call',
  },
  {
    name: 'sidekick_call_stage_seconds',
    type: 'histogram',
    labels: ['stage'],
    help: 'How long a stage of a call took on our side: answer (INVITE to 200), bridge (agent answered to joined)',
  },
  { name: 'sidekick_offers_total', type: 'counter', labels: ['outcome'], help: 'Offers to agents that ended' },
  {
    name: 'sidekick_offer_ring_seconds',
    type: 'histogram',
    labels: ['outcome'],
    help: 'From the INVITE at the agent to the end of ringing',
  },
  {
    name: 'sidekick_callbacks_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Callbacks that were booked, tries that reached the customer or did not, and callbacks that ended',
  },
  {
    name: 'sidekick_carrier_refused_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Requests of carriers and strangers that were refused',
  },
  { name: 'sidekick_queue_waiting', type: 'gauge', labels: ['queue'], help: 'Calls that wait in a queue' },
  {
    name: 'sidekick_queue_wait_seconds',
    type: 'histogram',
    labels: ['queue', 'outcome'],
    help: 'How long callers waited, by what ended the wait',
  },
  {
    name: 'sidekick_voicemails_total',
    type: 'counter',
    labels: ['queue', 'outcome'],
    help: 'Messages that callers left, by what became of them: kept, or discarded as too short or silent',
  },
  {
    name: 'sidekick_sweep_found_total',
    type: 'counter',
    labels: ['what'],
    help: 'Work that the sweep found although a notification should have told of it; more than now and then is a fault',
  },
  {
    name: 'sidekick_ignored_inputs_total',
    type: 'counter',
    labels: ['machine'],
    help: 'Inputs that a state machine did not expect in its state and ignored',
  },
  {
    name: 'sidekick_unexpected_errors_total',
    type: 'counter',
    labels: ['kind'],
    help: 'Errors that nothing in the program had provided for; each is a fault of ours or of a library, and is in the log',
  },
  {
    name: 'sidekick_presence_reads_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Requests to Graph for presence',
  },
  { name: 'sidekick_presence_read_seconds', type: 'histogram', labels: [], help: 'How long Graph took to answer' },
  {
    name: 'sidekick_teams_proxy_up',
    type: 'gauge',
    labels: ['trunk', 'proxy'],
    help: '1 while a Direct Routing proxy (or the SBC in front) answers, else 0',
  },
  {
    name: 'sidekick_teams_peer_trusted',
    type: 'gauge',
    labels: ['trunk', 'proxy'],
    help: '1 while a Direct Routing proxy shows a certificate with its name and of a listed root, else 0; absent until it was seen',
  },
  {
    name: 'sidekick_teams_failovers_total',
    type: 'counter',
    labels: ['trunk', 'reason'],
    help: 'Offers that went on to the next proxy: silent, unreachable or busy',
  },
  {
    name: 'sidekick_teams_refused_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Requests in the name of Teams that were refused, by why',
  },
  {
    name: 'sidekick_certificate_days_left',
    type: 'gauge',
    labels: ['name'],
    help: 'Days until the certificate that our SIP server shows for this SBC name expires',
  },
  {
    name: 'sidekick_presence_lag_seconds',
    type: 'histogram',
    labels: ['tenant'],
    help: 'From the answer of an agent in Teams to a call of ours until Graph told of it; * is all tenants without a registration of their own',
  },
  {
    name: 'sidekick_presence_oldest_seconds',
    type: 'gauge',
    labels: ['tenant'],
    help: 'Age of the oldest presence among the agents who are signed in, at the node that reads it',
  },
  {
    name: 'sidekick_presence_writes_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Times that an agent was shown as busy in Teams (set), was no longer (cleared), or Graph did not take it (failed)',
  },
  {
    name: 'sidekick_presence_notifications_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'What Graph sent by itself: taken, lifecycle, unknown-subscription, not-genuine, unreadable, dropped',
  },
  { name: 'sidekick_link_up', type: 'gauge', labels: ['link'], help: '1 while the link works, else 0' },
] as const satisfies readonly MetricSpec[];

export type MetricName = (typeof METRICS)[number]['name'];

export type CallStage = 'answer' | 'bridge';

/** All durations in milliseconds. */
export interface Metrics {
  callStarted(): void;
  callEnded(result: string, reason: string, durationMs: number): void;
  callStage(stage: CallStage, durationMs: number): void;
  /** `ringMs` undefined: it never rang. */
  offerEnded(outcome: string, ringMs: number | undefined): void;
  voicemail(queue: string, outcome: 'kept' | 'discarded'): void;
  /** `booked`, `reached`, `not-reached` (once for each try) or `ended`. */
  callbackTried(outcome: 'booked' | 'reached' | 'not-reached' | 'ended'): void;
  carrierRefused(reason: string): void;
  queueWaiting(queue: string, calls: number): void;
  queueWaited(queue: string, outcome: string, waitMs: number): void;
  /** Forgets a queue that is gone from the configuration. */
  queueGone(queue: string): void;
  sweepFound(what: string, count?: number): void;
  ignoredInput(machine: string): void;
  unexpectedError(kind: string): void;
  presenceRead(outcome: string, durationMs: number): void;
  teamsProxyUp(trunk: string, proxy: string, up: boolean): void;
  /** Forgets a proxy that is gone from the configuration. */
  teamsProxyGone(trunk: string, proxy: string): void;
  teamsPeerTrusted(trunk: string, proxy: string, trusted: boolean): void;
  teamsPeerGone(trunk: string, proxy: string): void;
  teamsFailover(trunk: string, reason: string): void;
  teamsRefused(reason: string): void;
  certificateDays(name: string, days: number): void;
  certificateGone(name: string): void;
  presenceLag(tenant: string, lagMs: number): void;
  presenceOldest(tenant: string, ageMs: number): void;
  presenceWrite(outcome: string): void;
  presenceNotification(outcome: string): void;
  linkUp(link: string, up: boolean): void;
  /** The text that Prometheus reads. */
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A set of metrics of its own; `processMetrics` adds CPU, memory and event loop of this process. */
export function createMetrics({ processMetrics = true } = {}): Metrics {
  const registry = new Registry();
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
  }
  const made = new Map<string, Counter | Gauge | Histogram>(METRICS.map((spec) => [spec.name, make(spec, registry)]));
  const counter = (name: MetricName): Counter => typed(made.get(name), Counter, name);
  const gauge = (name: MetricName): Gauge => typed(made.get(name), Gauge, name);
  const histogram = (name: MetricName): Histogram => typed(made.get(name), Histogram, name);
  return {
    callStarted: () => gauge('sidekick_calls_active').inc(),
    callEnded: (result, reason, durationMs) => {
      gauge('sidekick_calls_active').dec();
      counter('sidekick_calls_total').inc({ result, reason });
      histogram('sidekick_call_duration_seconds').observe({ result }, durationMs / 1000);
    },
    callStage: (stage, ms) => histogram('sidekick_call_stage_seconds').observe({ stage }, ms / 1000),
    voicemail: (queue, outcome) => {
      counter('sidekick_voicemails_total').inc({ queue, outcome });
    },
    offerEnded: (outcome, ringMs) => {
      counter('sidekick_offers_total').inc({ outcome });
      if (ringMs !== undefined) {
        histogram('sidekick_offer_ring_seconds').observe({ outcome }, ringMs / 1000);
      }
    },
    callbackTried: (outcome) => counter('sidekick_callbacks_total').inc({ outcome }),
    carrierRefused: (reason) => counter('sidekick_carrier_refused_total').inc({ reason }),
    queueWaiting: (queue, calls) => gauge('sidekick_queue_waiting').set({ queue }, calls),
    queueWaited: (queue, outcome, ms) =>
      histogram('sidekick_queue_wait_seconds').observe({ queue, outcome }, ms / 1000),
    queueGone: (queue) => gauge('sidekick_queue_waiting').remove({ queue }),
    sweepFound: (what, count = 1) => counter('sidekick_sweep_found_total').inc({ what }, count),
    ignoredInput: (machine) => counter('sidekick_ignored_inputs_total').inc({ machine }),
    unexpectedError: (kind) => counter('sidekick_unexpected_errors_total').inc({ kind }),
    presenceRead: (outcome, ms) => {
      counter('sidekick_presence_reads_total').inc({ outcome });
      histogram('sidekick_presence_read_seconds').observe(ms / 1000);
    },
    teamsProxyUp: (trunk, proxy, up) => gauge('sidekick_teams_proxy_up').set({ trunk, proxy }, up ? 1 : 0),
    teamsProxyGone: (trunk, proxy) => gauge('sidekick_teams_proxy_up').remove({ trunk, proxy }),
    teamsPeerTrusted: (trunk, proxy, trusted) =>
      gauge('sidekick_teams_peer_trusted').set({ trunk, proxy }, trusted ? 1 : 0),
    teamsPeerGone: (trunk, proxy) => gauge('sidekick_teams_peer_trusted').remove({ trunk, proxy }),
    teamsFailover: (trunk, reason) => counter('sidekick_teams_failovers_total').inc({ trunk, reason }),
    teamsRefused: (reason) => counter('sidekick_teams_refused_total').inc({ reason }),
    certificateGone: (name) => gauge('sidekick_certificate_days_left').remove({ name }),
    certificateDays: (name, days) => gauge('sidekick_certificate_days_left').set({ name }, days),
    presenceLag: (tenant, ms) => histogram('sidekick_presence_lag_seconds').observe({ tenant }, ms / 1000),
    presenceOldest: (tenant, ms) => gauge('sidekick_presence_oldest_seconds').set({ tenant }, ms / 1000),
    presenceWrite: (outcome) => counter('sidekick_presence_writes_total').inc({ outcome }),
    presenceNotification: (outcome) => counter('sidekick_presence_notifications_total').inc({ outcome }),
    linkUp: (link, up) => gauge('sidekick_link_up').set({ link }, up ? 1 : 0),
    exposition: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function make(spec: MetricSpec, registry: Registry): Counter | Gauge | Histogram {
  const common = { name: spec.name, help: spec.help, labelNames: spec.labels, registers: [registry] };
  switch (spec.type) {
    case 'counter': {
      return new Counter(common);
    }
    case 'gauge': {
      return new Gauge(common);
    }
    case 'histogram': {
      const long = [
        'sidekick_call_duration_seconds',
        'sidekick_queue_wait_seconds',
        'sidekick_offer_ring_seconds',
        'sidekick_presence_lag_seconds',
      ];
      return new Histogram({ ...common, buckets: long.includes(spec.name) ? LONG_SECONDS : SHORT_SECONDS });
    }
  }
}

function typed<T>(metric: unknown, kind: new (...args: never[]) => T, name: string): T {
  if (!(metric instanceof kind)) {
    throw new TypeError(`${name} is not a ${kind.name}`);
  }
  return metric;
}
