/**
 * Keeps one subscription alive for each signed-in account, while this node has the task. It only makes presence come sooner:
 * polling goes on unchanged, so whatever fails here costs nothing but that.
 */
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError, isSidekickError } from '../lib/errors';
import { newToken } from '../lib/ids';
import type { Log } from '../lib/log';
import type { GraphSubscription, PresenceScopeState } from '../store/types';
import type { GraphClient } from './graph-client';
import { isRecord } from './graph-client';
import { askedWaitOf, statusOf } from './graph-errors';
import type { TokenProvider } from './graph-tokens';
import type { NotificationKeys } from './notification-keys';
import { MAX_IDS_PER_READ } from './ports';
import { SilenceWatch } from './silence-watch';
import { LIFETIME_MS, NO_SUBSCRIPTION, stepSubscription } from './subscription-state';
import type { SubscriptionEffect, SubscriptionInput, SubscriptionState } from './subscription-state';

const TICK_MS = 2_000;
/** The first poll, which tells whose presence is wanted, comes before. */
const FIRST_TICK_MS = 500;
/** A change of the users waits for others, so that an import does not make a subscription for each row. */
const SETTLE_MS = 30_000;

export interface SubscriptionStore {
  list(): Promise<readonly GraphSubscription[]>;
  save(subscription: GraphSubscription): Promise<void>;
  remove(id: string): Promise<void>;
}

/** A signed-in account. */
export interface SubscribingAccount extends TokenProvider {
  readonly name: string;
}

export interface SubscriberDeps {
  readonly scope: string;
  readonly client: Pick<GraphClient, 'send'>;
  readonly accounts: readonly SubscribingAccount[];
  readonly keys: Pick<NotificationKeys, 'current'>;
  readonly store: SubscriptionStore;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this node has the task. */
  readonly mine: () => boolean;
  /** Users whose presence is to be told; lower case. */
  readonly users: () => readonly string[];
}

interface Run {
  readonly account: SubscribingAccount;
  readonly watch: SilenceWatch;
  state: SubscriptionState;
  row: GraphSubscription | undefined;
  /** When this subscription began, or the last notification came, on this node's clock. */
  heardAt: number;
  error: string | undefined;
  silent: boolean;
  busy: boolean;
}

export type PushState = Pick<PresenceScopeState, 'push' | 'pushDetail' | 'notifiedAt'>;

export class Subscriber {
  readonly #deps: SubscriberDeps;
  #runs: Run[] | undefined;
  #users: { readonly list: readonly string[]; readonly since: number; settled: readonly string[] };
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(deps: SubscriberDeps) {
    this.#deps = deps;
    this.#users = { list: [], since: -SETTLE_MS, settled: [] };
  }

  start(): void {
    this.#schedule(FIRST_TICK_MS);
  }

  /** A poll found that these users' presence had changed. */
  found(users: readonly string[], at: number): void {
    for (const run of this.#runs ?? []) {
      const covered = new Set(run.row?.users);
      run.watch.found(
        users.filter((user) => covered.has(user)),
        at,
      );
    }
  }

  state(): PushState {
    const runs = this.#runs ?? [];
    const notifiedAt = Math.max(0, ...runs.map((run) => run.row?.notifiedAt ?? 0)) || undefined;
    const uncovered = this.#users.settled.length - runs.length * MAX_IDS_PER_READ;
    const told = {
      notifiedAt,
      ...(uncovered > 0 ? { pushDetail: `${uncovered} agents need further accounts` } : { pushDetail: undefined }),
    };
    const failed = runs.find((run) => run.error !== undefined);
    if (failed) {
      return { ...told, push: 'failed', pushDetail: `${failed.account.name}: ${failed.error ?? ''}` };
    }
    if (runs.some((run) => run.silent)) {
      return { ...told, push: 'silent' };
    }
    return {
      ...told,
      push: notifiedAt !== undefined && runs.some((run) => run.state.kind === 'live') ? 'live' : 'starting',
    };
  }

  /** Leaves the subscriptions as they are: another node goes on with them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.clear();
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#closed) {
      return;
    }
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#running = this.#tick()
        .catch((error: unknown) => {
          this.#deps.log.warn({ event: 'presence:subscriber-failed', error: describeError(error) });
        })
        .finally(() => {
          this.#running = undefined;
          this.#schedule(TICK_MS);
        });
    }, ms);
  }

  async #tick(): Promise<void> {
    if (!this.#deps.mine()) {
      this.#runs = undefined;
      return;
    }
    const rows = await this.#deps.store.list();
    this.#runs ??= await this.#adopt(rows);
    const chunks = this.#chunks();
    await Promise.all(this.#runs.map((run, index) => this.#step(run, rows, chunks[index] ?? [])));
  }

  /** What another node, or this one before a restart, has left; subscriptions of accounts that are gone are ended by themselves. */
  async #adopt(rows: readonly GraphSubscription[]): Promise<Run[]> {
    const names = new Set(this.#deps.accounts.map((account) => account.name));
    for (const row of rows.filter(({ account }) => !names.has(account))) {
      await this.#deps.store.remove(row.id);
    }
    return this.#deps.accounts.map((account): Run => {
      const row = rows.find((candidate) => candidate.account === account.name);
      const state: SubscriptionState =
        row === undefined
          ? NO_SUBSCRIPTION
          : {
              kind: 'live',
              id: row.id,
              expiresAt: row.expiresAt,
              users: row.users.join(),
              patchedAt: row.patchedAt,
              reauthorizedAt: undefined,
              retryAt: 0,
            };
      const heardAt = this.#deps.clock.now();
      return { account, watch: new SilenceWatch(), state, row, heardAt, error: undefined, silent: false, busy: false };
    });
  }

  #chunks(): (readonly string[])[] {
    const now = this.#deps.clock.now();
    const list = [...this.#deps.users()].sort();
    if (list.join() !== this.#users.list.join()) {
      this.#users = { list, since: now, settled: this.#users.settled };
    }
    if (this.#users.settled.length === 0 || now - this.#users.since >= SETTLE_MS) {
      this.#users.settled = this.#users.list;
    }
    return this.#deps.accounts.map((_, index) =>
      this.#users.settled.slice(index * MAX_IDS_PER_READ, (index + 1) * MAX_IDS_PER_READ),
    );
  }

  async #step(run: Run, rows: readonly GraphSubscription[], users: readonly string[]): Promise<void> {
    if (run.busy) {
      return;
    }
    const now = this.#deps.clock.now();
    run.row = rows.find(({ id }) => 'id' in run.state && id === run.state.id);
    if (run.row?.notifiedAt !== undefined && run.row.notifiedAt > run.heardAt) {
      run.heardAt = run.row.notifiedAt;
      run.silent = false;
    }
    const silent = run.state.kind === 'live' && run.watch.silent(run.heardAt, now);
    if (silent) {
      run.silent = true;
      run.watch.reset();
      this.#deps.log.warn(
        { event: 'presence:push-silent', account: run.account.name },
        'Graph sends no notifications although presence changes; polling goes on, the subscription is made anew',
      );
    }
    const reauthorizeAt = run.row?.reauthorizeAt;
    await this.#feed(run, { kind: 'tick', now, users: users.join(), reauthorizeAt, silent });
  }

  async #feed(run: Run, input: SubscriptionInput): Promise<void> {
    const next = stepSubscription(run.state, input);
    if (next === undefined) {
      return;
    }
    run.state = next.state;
    if (next.effect) {
      run.busy = true;
      const outcome = await this.#carryOut(run, next.effect);
      run.busy = false;
      await this.#feed(run, outcome);
    }
  }

  async #carryOut(run: Run, effect: SubscriptionEffect): Promise<SubscriptionInput> {
    const { clock } = this.#deps;
    try {
      const outcome = await this.#ask(run, effect);
      run.error = undefined;
      return outcome;
    } catch (error) {
      const status = statusOf(error);
      const text = isSidekickError(error) && error.why ? error.why : describeError(error);
      this.#deps.log.warn({
        event: 'presence:subscription',
        what: effect.kind,
        account: run.account.name,
        error: text,
      });
      const now = clock.now();
      switch (effect.kind) {
        case 'create': {
          run.error = text;
          return { kind: 'create-failed', now, waitMs: askedWaitOf(error) };
        }
        case 'renew': {
          const refused = status !== undefined && status >= 400 && status < 500 && status !== 429;
          return { kind: 'renew-failed', now, refused, waitMs: askedWaitOf(error) };
        }
        case 'reauthorize': {
          return { kind: 'reauthorize-failed', now };
        }
        case 'remove': {
          return status === 404 ? { kind: 'removed', now } : { kind: 'remove-failed', now };
        }
      }
    }
  }

  async #ask(run: Run, effect: SubscriptionEffect): Promise<SubscriptionInput> {
    const { client, store, clock } = this.#deps;
    const until = new Date(clock.now() + LIFETIME_MS).toISOString();
    switch (effect.kind) {
      case 'create': {
        return await this.#create(run, effect.users, until);
      }
      case 'renew': {
        const body = { expirationDateTime: until };
        const answer = await client.send({ method: 'PATCH', path: `/subscriptions/${effect.id}`, body }, run.account);
        const renewed = { kind: 'renewed', now: clock.now(), expiresAt: expiryOf(answer) } as const;
        if (run.row) {
          await store.save({
            ...run.row,
            expiresAt: renewed.expiresAt,
            patchedAt: renewed.now,
            reauthorizeAt: undefined,
          });
        }
        return renewed;
      }
      case 'reauthorize': {
        await client.send({ method: 'POST', path: `/subscriptions/${effect.id}/reauthorize` }, run.account);
        if (run.row) {
          await store.save({ ...run.row, reauthorizeAt: undefined });
        }
        return { kind: 'reauthorized', now: clock.now() };
      }
      case 'remove': {
        try {
          await client.send({ method: 'DELETE', path: `/subscriptions/${effect.id}` }, run.account);
        } finally {
          // Whatever Graph says, what still comes for it is not taken any more.
          await store.remove(effect.id);
        }
        return { kind: 'removed', now: clock.now() };
      }
    }
  }

  async #create(run: Run, users: string, until: string): Promise<SubscriptionInput> {
    const { client, store, keys, publicUrl, scope, clock } = this.#deps;
    const list = users.split(',');
    const clientState = newToken(32);
    const body = {
      changeType: 'updated',
      notificationUrl: `${publicUrl}/graph/notifications`,
      lifecycleNotificationUrl: `${publicUrl}/graph/lifecycle`,
      resource: `/communications/presences?$filter=id in (${list.map((id) => `'${id}'`).join(',')})`,
      includeResourceData: true,
      ...keys.current,
      expirationDateTime: until,
      clientState,
    };
    const answer = await client.send({ method: 'POST', path: '/subscriptions', body }, run.account);
    const id = isRecord(answer) && typeof answer['id'] === 'string' ? answer['id'] : '';
    const expiresAt = expiryOf(answer);
    run.row = {
      id,
      scope,
      account: run.account.name,
      clientState,
      users: list,
      expiresAt,
      patchedAt: undefined,
      reauthorizeAt: undefined,
      notifiedAt: undefined,
    };
    await store.save(run.row);
    run.heardAt = clock.now();
    run.watch.reset();
    return { kind: 'created', id, expiresAt, users };
  }
}

function expiryOf(answer: unknown): number {
  const text = isRecord(answer) ? answer['expirationDateTime'] : undefined;
  const at = typeof text === 'string' ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) {
    throw new Error('the answer of Graph names no end of the subscription');
  }
  return at;
}
