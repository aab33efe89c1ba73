import { SidekickError } from '../../../src/lib/errors';
import { silentLog } from '../../../src/lib/log';
import type { GraphCall } from '../../../src/presence/graph-request';
import { Subscriber } from '../../../src/presence/subscriber';
import type { SubscribingAccount } from '../../../src/presence/subscriber';
import type { GraphSubscription } from '../../../src/store/types';
import { ManualClock } from '../../support/manual-clock';

const MINUTE = 60_000;

/** A subscriber with a scripted Graph and a store in memory. */
function setUp(accounts = ['first', 'second'], users = 700) {
  const clock = new ManualClock();
  const world = {
    clock,
    calls: [] as { readonly at: number; readonly what: string }[],
    rows: new Map<string, GraphSubscription>(),
    users: Array.from({ length: users }, (_, i) => String(i).padStart(4, '0')),
    mine: true,
    refuse: undefined as ((call: GraphCall) => SidekickError | undefined) | undefined,
  };
  let ids = 0;
  const subscriber = new Subscriber({
    scope: '*',
    client: {
      send: async (call, tokens) => {
        world.calls.push({
          at: clock.now(),
          what: `${call.method} ${call.path} by ${(tokens as SubscribingAccount).name}`,
        });
        const refusal = world.refuse?.(call);
        if (refusal) {
          throw refusal;
        }
        const body = (call.body ?? {}) as { expirationDateTime?: string };
        return call.method === 'POST' && call.path === '/subscriptions'
          ? { id: `s${++ids}`, expirationDateTime: body.expirationDateTime }
          : call.method === 'PATCH'
            ? { expirationDateTime: body.expirationDateTime }
            : undefined;
      },
    },
    accounts: accounts.map((name) => ({ name, get: async () => 'token' })),
    keys: { current: { encryptionCertificate: 'c', encryptionCertificateId: 'i' } },
    store: {
      list: async () => [...world.rows.values()],
      save: async (row) => {
        world.rows.set(row.id, row);
      },
      remove: async (id) => {
        world.rows.delete(id);
      },
    },
    publicUrl: 'https://sidekick.example.com',
    clock,
    log: silentLog(),
    mine: () => world.mine,
    users: () => world.users,
  });
  subscriber.start();
  return { world, clock, subscriber };
}

const refused = (status: number): SidekickError =>
  new SidekickError('SK_GRAPH_REFUSED', 'no', { context: { status }, why: `status ${status}` });

describe('the subscriber', () => {
  let close: () => Promise<void>;
  const start = (...options: Parameters<typeof setUp>) => {
    const all = setUp(...options);
    close = () => all.subscriber.close();
    return all;
  };
  afterEach(() => close());

  it('divides the people among the accounts, 650 each, and says how many are left over', async () => {
    const { world, clock, subscriber } = start(['first', 'second'], 1_400);
    await clock.advance(2_000);
    expect([...world.rows.values()].map((row) => [row.account, row.users.length])).toEqual([
      ['first', 650],
      ['second', 650],
    ]);
    expect(subscriber.state()).toMatchObject({ push: 'starting', pushDetail: '100 agents need further accounts' });
  });

  it('makes a subscription anew when it has gone silent, and says so until something comes', async () => {
    const { world, clock, subscriber } = start(['first'], 5);
    await clock.advance(2_000);
    subscriber.found(['0001', '0002', '0003'], clock.now());
    await clock.advance(89_000);
    expect([...world.rows.keys()]).toEqual(['s1']);
    await clock.advance(6_000);
    expect([...world.rows.keys()]).toEqual(['s2']);
    expect(subscriber.state().push).toBe('silent');
    world.rows.set('s2', { ...world.rows.get('s2')!, notifiedAt: clock.now() + 1_000 });
    await clock.advance(4_000);
    expect(subscriber.state().push).toBe('live');
  });

  it('makes it anew where a renewal is refused, as older documents have it', async () => {
    const { world, clock } = start(['first'], 5);
    world.refuse = (call) => (call.method === 'PATCH' ? refused(405) : undefined);
    await clock.advance(41 * MINUTE);
    expect(world.calls.map(({ what }) => what.split(' ')[0])).toEqual(['POST', 'PATCH', 'DELETE', 'POST']);
    expect([...world.rows.keys()]).toEqual(['s2']);
  });

  it('renews for a day without ever letting it end', async () => {
    const { world, clock } = start(['first'], 5);
    for (let minute = 0; minute < 24 * 60; minute += 5) {
      await clock.advance(5 * MINUTE);
      expect(world.rows.get('s1')!.expiresAt).toBeGreaterThan(clock.now());
    }
    expect(world.calls.filter(({ what }) => what.startsWith('PATCH')).length).toBeLessThan(40);
  }, 60_000);

  it('waits for changes of the people to settle before it makes a new one', async () => {
    const { world, clock } = start(['first'], 5);
    await clock.advance(2_000);
    world.users = [...world.users, '9998'];
    await clock.advance(20_000);
    world.users = [...world.users, '9999'];
    await clock.advance(28_000);
    expect([...world.rows.keys()]).toEqual(['s1']);
    await clock.advance(10_000);
    expect([...world.rows.values()].map((row) => [row.id, row.users.length])).toEqual([['s2', 7]]);
  });

  it('goes on with what another node has made, and leaves everything alone while that one works', async () => {
    const { world, clock, subscriber } = start(['first'], 5);
    world.mine = false;
    await clock.advance(10_000);
    expect(world.calls).toEqual([]);
    world.rows.set('s9', {
      id: 's9',
      scope: '*',
      account: 'first',
      clientState: 'x'.repeat(32),
      users: world.users,
      expiresAt: clock.now() + 50 * MINUTE,
      patchedAt: undefined,
      reauthorizeAt: undefined,
      notifiedAt: undefined,
    });
    world.mine = true;
    await clock.advance(25 * MINUTE);
    expect(world.calls).toEqual([]);
    await clock.advance(10 * MINUTE);
    expect(world.calls.map(({ what }) => what)).toEqual(['PATCH /subscriptions/s9 by first']);
    expect(subscriber.state().push).toBe('starting');
  });

  it('tells which account Graph refuses and why, and tries again later and later', async () => {
    const { world, clock, subscriber } = start(['first'], 5);
    world.refuse = () => refused(403);
    await clock.advance(10 * MINUTE);
    expect(subscriber.state()).toMatchObject({ push: 'failed', pushDetail: 'first: status 403' });
    expect(world.calls.length).toBeLessThan(7);
  });
});
