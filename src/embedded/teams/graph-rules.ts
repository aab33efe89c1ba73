/**
 * Rules of Graph and Entra for an application as one table: what each is, where teams-direct-routing-and-graph.md states it,
 * and what a request that breaks it gets. docs/simulated-teams.md shows the same table; a test keeps both equal.
 */
export interface GraphRule {
  readonly section: string;
  readonly text: string;
  /** Status of the answer; 0 = nothing is refused, it is only recorded. */
  readonly status: number;
  readonly documented: boolean;
}

const rule = (section: string, status: number, text: string, documented = true): GraphRule => ({
  section,
  text,
  status,
  documented,
});

export const GRAPH_RULES = {
  'batch-ids': rule('3.1', 400, 'getPresencesByUserId takes 1 to 650 ids'),
  'limit-batch': rule('3.1', 429, 'At most 1,500 getPresencesByUserId in 30 s'),
  'limit-presence': rule('3.1', 429, 'At most 10,000 requests for presence in 30 s'),
  'limit-graph': rule('3.1', 429, 'At most 130,000 requests to Graph in 10 s'),
  'retry-after-ignored': rule('3.1', 0, 'After a 429 nothing may be asked before Retry-After is over'),
  'session-id': rule('3.3', 400, "setPresence and clearPresence must name the application's own id as session"),
  'presence-pair': rule('3.3', 400, 'Only the five documented pairs can be set by an application'),
  'presence-duration': rule('3.3', 400, 'A session lasts 5 minutes to 4 hours'),
  'dnd-by-application': rule('3.3', 0, 'An agent who takes calls must not be set to do not disturb', false),
  'subscription-delegated': rule('3.2', 403, 'Presence subscriptions need the permission of a signed-in user'),
  'subscription-one': rule('3.2', 403, 'One presence subscription for each application and user'),
  'subscription-users': rule('3.2', 400, 'A subscription covers 1 to 650 users'),
  'subscription-change-type': rule('3.2', 400, 'changeType must be updated'),
  'subscription-lifetime': rule('3.2', 400, 'A presence subscription lives for 60 minutes at most'),
  'subscription-key': rule(
    '3.2',
    400,
    'includeResourceData needs an RSA certificate of 2,048 to 4,096 bits and its id',
  ),
  'subscription-state': rule('3.2', 400, 'clientState has 128 characters at most'),
  'validation-echo': rule('3.2', 400, 'The validation token must come back as text/plain with 200 within 10 s'),
  'reauthorize-apart': rule('3.2', 0, 'Renewal and reauthorization must be 10 minutes apart'),
  'notification-slow': rule('3.2', 0, 'A delivery must be answered within 3 s'),
  'notification-refused': rule('3.2', 0, 'A delivery must be answered with 2xx'),
} as const satisfies Record<string, GraphRule>;

export type GraphRuleName = keyof typeof GRAPH_RULES;

export interface BrokenGraphRule extends GraphRule {
  readonly rule: GraphRuleName;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly offending: string;
}

const KEPT = 1_000;

/** The rules that were broken, newest last. */
export class GraphRuleLog {
  #broken: BrokenGraphRule[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(name: GraphRuleName, offending: string): void {
    const entry = { rule: name, at: this.#now(), offending: offending.slice(0, 300), ...GRAPH_RULES[name] };
    this.#broken = [...this.#broken, entry].slice(-KEPT);
  }

  list(): readonly BrokenGraphRule[] {
    return this.#broken;
  }

  forget(): void {
    this.#broken = [];
  }
}
