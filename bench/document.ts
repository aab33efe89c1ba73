/** The configuration of a benchmark: three numbers, each with a queue and agents of its own. */
import type { SimulatedUser } from './peers';

/** Few agents, one call at a time. */
export const QUIET = '+49301000100';
/** Three agents, and always somebody waiting. */
export const BUSY = '+49301000101';
/** Everybody else, for many calls at once. */
export const LARGE = '+49301000102';

const QUIET_AGENTS = 5;
export const BUSY_AGENTS = 3;
/** Agents that are not in the large queue. */
export const FEW_AGENTS = QUIET_AGENTS + BUSY_AGENTS;

export function benchDocument(options: {
  readonly users: readonly SimulatedUser[];
  readonly teamsProxy: string;
  readonly sbcName: string;
}): string {
  const { users, teamsProxy, sbcName } = options;
  const members: Readonly<Record<string, readonly SimulatedUser[]>> = {
    quiet: users.slice(0, QUIET_AGENTS),
    busy: users.slice(QUIET_AGENTS, FEW_AGENTS),
    large: users.slice(FEW_AGENTS),
  };
  const retry = { noAnswer: 1, declined: 1, busy: 1, unreachable: 1, failed: 1 };
  return JSON.stringify({
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'bench', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      {
        name: 'carrier',
        kind: 'carrier',
        tenant: 'bench',
        sources: ['127.0.0.0/8'],
        country: 'DE',
        callsPerSecond: 10_000,
        maxCalls: 10_000,
      },
      {
        name: 'teams',
        kind: 'teams',
        tenant: 'bench',
        sbcName,
        maxCalls: 10_000,
        proxies: [{ host: 'sip.pstnhub.microsoft.com', address: teamsProxy }],
      },
    ],
    queues: Object.entries(members).map(([name, agents]) => ({
      name,
      tenant: 'bench',
      wrapUpSeconds: 0,
      ringTimeoutSeconds: 15,
      retryAfterSeconds: retry,
      missesBeforeNotReady: 100,
      members: agents.map((user) => ({ agent: user.name })),
    })),
    numbers: [
      { number: QUIET, tenant: 'bench', queue: 'quiet' },
      { number: BUSY, tenant: 'bench', queue: 'busy' },
      { number: LARGE, tenant: 'bench', queue: 'large' },
    ],
    agents: users.map((user) => ({
      name: user.name,
      tenant: 'bench',
      signedIn: true,
      endpoints: [{ kind: 'teams', trunk: 'teams', number: user.number, entraUserId: user.entraUserId }],
    })),
  });
}
