import { SidekickError } from '../../lib/errors';
import type { MisbehaviourInput } from './misbehaviour';
import type { AgentScriptInput } from './scripts';

/** A named day in the life of a tenant: what its agents do and what of Teams is out of order. */
export interface Scenario {
  readonly about: string;
  readonly misbehave: readonly MisbehaviourInput[];
  /** Scripts by user name; users that are not named answer by themselves. */
  readonly scripts: Readonly<Record<string, AgentScriptInput>>;
}

/** Known scenarios. docs/simulated-teams.md has the same table; a test keeps both equal. */
export const SCENARIOS = {
  'busy-data-centre': {
    about: 'every request gets 503 with Retry-After: agents count as unreachable, callers wait with music',
    misbehave: [{ what: 'proxy-busy', on: true, retryAfterSeconds: 1 }],
    scripts: {},
  },
  'slow-teams': {
    about: 'every answer of the proxy comes a second late',
    misbehave: [{ what: 'slow-answers', ms: 1_000 }],
    scripts: {},
  },
  'silent-data-centre': {
    about: 'the proxy takes requests and answers none of them, OPTIONS too',
    misbehave: [{ what: 'proxy-silent', on: true }],
    scripts: {},
  },
  'slow-names': {
    about: 'looking up the name of a proxy takes two seconds, and is forgotten after ten',
    misbehave: [{ what: 'slow-names', ms: 2_000, ttlMs: 10_000 }],
    scripts: {},
  },
  'lost-acks': {
    about: 'no ACK reaches Teams, which gives the agent up after half a minute',
    misbehave: [{ what: 'lose-acks', on: true }],
    scripts: {},
  },
  transfers: {
    about:
      'Anna transfers to Clara without asking, Ben to David after talking, Clara to the number of the support queue',
    misbehave: [],
    scripts: {
      anna: { kind: 'answer', transferAfterMs: 3_000, transferTo: 'clara' },
      ben: { kind: 'answer', transferAfterMs: 3_000, transferTo: 'david', transferKind: 'attended' },
      clara: { kind: 'answer', transferAfterMs: 3_000, transferTo: '+49301000100' },
    },
  },
  glare: {
    about: 'sessions last 90 seconds, and our refreshes meet a hold of Teams',
    misbehave: [
      { what: 'session-timer', seconds: 90 },
      { what: 'glare', reinvites: 1_000, crossing: true },
    ],
    scripts: {},
  },
  'nobody-answers': {
    about: 'one agent declines, one is busy, one is signed out, one lets it ring; only Emma answers',
    misbehave: [],
    scripts: {
      anna: { kind: 'decline', afterMs: 1_000 },
      ben: { kind: 'busy' },
      clara: { kind: 'signed-out' },
      david: { kind: 'ring-out' },
    },
  },
  voicemail: {
    about: 'the mailboxes of Anna and Ben answer at once, that of Clara after five seconds',
    misbehave: [],
    scripts: {
      anna: { kind: 'voicemail', afterMs: 0 },
      ben: { kind: 'voicemail', afterMs: 0 },
      clara: { kind: 'voicemail', afterMs: 5_000 },
    },
  },
  forks: {
    about: 'four devices ring with a To-tag each, with early media, and a fifth one answers',
    misbehave: [],
    scripts: { anna: { kind: 'answer', devices: 4, answerFromUnseenFork: true, earlyMedia: true } },
  },
  holds: {
    about: 'agents hold after two seconds, for three, and mute later',
    misbehave: [],
    scripts: {
      anna: { kind: 'answer', holdAfterMs: 2_000, holdForMs: 3_000, muteAfterMs: 8_000 },
      ben: { kind: 'answer', holdAfterMs: 2_000, holdForMs: 3_000, muteAfterMs: 8_000 },
    },
  },
  forwarding: {
    about: 'Anna forwards to a number outside: Teams sends the call out again on the trunk',
    misbehave: [],
    scripts: { anna: { kind: 'forward', to: '+491711234567' } },
  },
  'other-address': {
    about: 'BYE and hold come from another address of Microsoft, over connections of their own',
    misbehave: [{ what: 'elsewhere', on: true }],
    scripts: { anna: { kind: 'answer', holdAfterMs: 2_000, holdForMs: 2_000, hangUpAfterMs: 8_000 } },
  },
  'late-presence': {
    about: 'Graph shows calls thirty seconds late',
    misbehave: [{ what: 'presence-lag', ms: 30_000 }],
    scripts: {},
  },
  'graph-outage': {
    about: 'Graph cuts every connection: queues do what their presence.unknown says',
    misbehave: [{ what: 'graph-outage', how: 'cut' }],
    scripts: {},
  },
  'silent-subscriptions': {
    about: 'change notifications stop without a word; polling goes on',
    misbehave: [{ what: 'push', silent: true }],
    scripts: {},
  },
  'graph-storm': {
    about: 'half of the requests to Graph get 429',
    misbehave: [{ what: 'graph-storm', share: 0.5, retryAfterSeconds: 2 }],
    scripts: {},
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

/** @throws SidekickError SK_USAGE that names the known scenarios. */
export function requireScenario(name: string): ScenarioName {
  if (!Object.hasOwn(SCENARIOS, name)) {
    throw new SidekickError('SK_USAGE', `No scenario ${name}`, {
      next: `There are ${Object.keys(SCENARIOS).join(', ')}; docs/simulated-teams.md says what each does.`,
    });
  }

  return name as ScenarioName;
}

/** Sets the tenant up for a scenario. */
export function playScenario(
  tenant: { setScript(name: string, script: AgentScriptInput): void; misbehave(command: MisbehaviourInput): void },
  name: ScenarioName,
): void {
  const { misbehave, scripts }: Scenario = SCENARIOS[name];
  for (const command of misbehave) {
    tenant.misbehave(command);
  }
  for (const [user, script] of Object.entries(scripts)) {
    tenant.setScript(user, script);
  }
}
