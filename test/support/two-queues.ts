import { demoUsers } from '../../src/embedded/teams/users';

/** Tones of prompts and music, so that a caller's ears tell where the call is. Apart from each other and from people's tones. */
export const SOUNDS = {
  supportMusic: 420,
  salesMusic: 560,
  announcement: 840,
  menu: 960,
  invalid: 2_100,
} as const;

export const FLOW_NUMBER = '+49301000110';
export const SALES_NUMBER = '+49301000101';

/** A tone that goes on for so long; `loops=-1` for music. */
const tone = (hz: number, ms: number): string => `%(${ms},0,${hz})`;

export interface TwoQueuesOptions {
  readonly teamsProxy: string;
  /** Members of each queue. Default: anna in support, ben in sales. */
  readonly support?: readonly string[];
  readonly sales?: readonly string[];
  readonly supportRules?: Readonly<Record<string, unknown>>;
  readonly salesRules?: Readonly<Record<string, unknown>>;
  readonly carrier?: Readonly<Record<string, unknown>>;
  readonly flows?: readonly Readonly<Record<string, unknown>>[];
  readonly allowNumbers?: readonly string[];
  /** Besides the usual. */
  readonly prompts?: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Two queues with music of their own, prompts, opening hours `always` and `never`, and a number for each queue. With `flows`,
 * `FLOW_NUMBER` leads to the first.
 */
export function twoQueues(options: TwoQueuesOptions): string {
  const { support = ['anna'], sales = ['ben'], flows = [] } = options;
  const users = demoUsers().filter(({ name }) => support.includes(name) || sales.includes(name));
  const queue = (name: string, members: readonly string[], rules: object = {}): object => ({
    name,
    tenant: 'lab',
    wrapUpSeconds: 0,
    ringTimeoutSeconds: 5,
    retryAfterSeconds: { noAnswer: 3_600, declined: 3_600, busy: 3_600, unreachable: 3_600 },
    music: `${name}-music`,
    members: members.map((agent, i) => ({ agent, position: i + 1 })),
    ...rules,
  });
  const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'lab', country: 'DE', timeZone: 'Europe/Berlin', allowNumbers: options.allowNumbers ?? [] }],
    trunks: [
      {
        name: 'carrier',
        kind: 'carrier',
        tenant: 'lab',
        sources: ['127.0.0.0/8'],
        country: 'DE',
        callsPerSecond: 1_000,
        ...options.carrier,
      },
      {
        name: 'teams',
        kind: 'teams',
        tenant: 'lab',
        sbcName: 'sbc1.example.com',
        proxies: [{ host: 'sip.pstnhub.microsoft.com', address: options.teamsProxy }],
      },
    ],
    prompts: [
      { name: 'support-music', tenant: 'lab', tone: `${tone(SOUNDS.supportMusic, 10_000)};loops=-1` },
      { name: 'sales-music', tenant: 'lab', tone: `${tone(SOUNDS.salesMusic, 10_000)};loops=-1` },
      { name: 'announcement', tenant: 'lab', tone: tone(SOUNDS.announcement, 800) },
      { name: 'menu', tenant: 'lab', tone: tone(SOUNDS.menu, 6_000) },
      { name: 'short-menu', tenant: 'lab', tone: tone(SOUNDS.menu, 400) },
      { name: 'invalid', tenant: 'lab', tone: tone(SOUNDS.invalid, 400) },
      ...(options.prompts ?? []),
    ],
    hours: [
      {
        name: 'always',
        tenant: 'lab',
        weekly: Object.fromEntries(everyDay.map((day) => [day, ['00:00-24:00']])),
      },
      { name: 'never', tenant: 'lab', weekly: {} },
    ],
    flows: flows.map((flow) => ({ tenant: 'lab', ...flow })),
    queues: [queue('support', support, options.supportRules), queue('sales', sales, options.salesRules)],
    numbers: [
      { number: '+49301000100', tenant: 'lab', queue: 'support' },
      { number: SALES_NUMBER, tenant: 'lab', queue: 'sales' },
      ...(flows[0] ? [{ number: FLOW_NUMBER, tenant: 'lab', flow: flows[0]['name'] }] : []),
    ],
    agents: users.map((user) => ({
      name: user.name,
      tenant: 'lab',
      displayName: user.displayName,
      signedIn: true,
      endpoints: [{ kind: 'teams', trunk: 'teams', number: user.number, entraUserId: user.entraUserId }],
    })),
  });
}
