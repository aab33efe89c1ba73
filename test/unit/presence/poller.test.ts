import { silentLog } from '../../../src/lib/log';
import { SidekickError } from '../../../src/lib/errors';
import { PresencePoller } from '../../../src/presence/poller';
import type { AgentToPoll, GraphPresence, PresenceReading } from '../../../src/presence/ports';
import { ManualClock, settle } from '../../support/manual-clock';

const agent = (name: string, waiting = false): AgentToPoll => ({
  agentId: name,
  entraUserId: `user-${name}`,
  readAt: undefined,
  need: waiting ? 'now' : 'soon',
  staleAfterMs: 30_000,
});

const busy = (retryAfterMs?: number): SidekickError =>
  new SidekickError('SK_GRAPH_UNREACHABLE', 'busy', {
    context: { status: 429, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });

/** A poller with a scripted Graph and store around it. */
function setUp(agents: AgentToPoll[]) {
  const clock = new ManualClock();
  const world = {
    clock,
    agents,
    reads: [] as { at: number; ids: string[] }[],
    stored: [] as PresenceReading[],
    lease: undefined as boolean | undefined,
    leases: [] as number[],
    pauseMs: 0,
    pauses: [] as number[],
    storeFails: undefined as Error | undefined,
    outcomes: [] as string[],
    open: 0,
    most: 0,
    answer: (ids: readonly string[]): Promise<GraphPresence[]> =>
      Promise.resolve(
        ids.map((id) => ({ entraUserId: id, availability: 'Available', activity: 'Available', sequenceNumber: '7' })),
      ),
  };
  const poller = new PresencePoller({
    clock,
    log: silentLog(),
    intervals: { idleMs: 10_000, waitingMs: 2000, awayMs: 60_000 },
    onRead: (outcome) => world.outcomes.push(outcome),
    store: {
      agentsToPoll: () => (world.storeFails ? Promise.reject(world.storeFails) : Promise.resolve(world.agents)),
      upsertPresences: (readings) => {
        world.stored.push(...readings);
        return Promise.resolve([]);
      },
      holdPollLease: (forMs) => {
        world.leases.push(forMs);
        return Promise.resolve({ held: world.lease ?? true, pauseMs: world.pauseMs });
      },
      notePause: (forMs) => {
        world.pauses.push(forMs);
        return Promise.resolve();
      },
    },
    reader: {
      readPresences: async (ids) => {
        world.reads.push({ at: clock.now(), ids: [...ids] });
        world.most = Math.max(world.most, ++world.open);
        try {
          return await world.answer(ids);
        } finally {
          world.open--;
        }
      },
    },
  });
  const started = clock.now();
  const readsOf = (name: string): number[] =>
    world.reads.filter((r) => r.ids.includes(`user-${name}`)).map((r) => r.at - started);
  return { world, clock, poller, readsOf };
}

describe('the presence poller', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(async () => close?.());

  const start = (agents: AgentToPoll[]) => {
    const all = setUp(agents);
    close = () => all.poller.close();
    return all;
  };

  it('reads everybody at once, then agents with waiting calls every 2 s and the others every 10 s', async () => {
    const { poller, clock, readsOf } = start([agent('anna', true), agent('ben')]);
    poller.start();
    await clock.advance(20_500);
    expect(readsOf('anna')).toEqual([0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000]);
    expect(readsOf('ben')).toEqual([0, 10_000, 20_000]);
  });

  it('reads who is signed out or paused once a minute', async () => {
    const { poller, clock, readsOf } = start([{ ...agent('anna'), need: 'away' }]);
    poller.start();
    await clock.advance(121_000);
    expect(readsOf('anna')).toEqual([0, 60_000, 120_000]);
  });

  it('reads more often where a queue would soon call the value too old', async () => {
    const { poller, clock, readsOf } = start([{ ...agent('anna'), staleAfterMs: 8000 }]);
    poller.start();
    await clock.advance(12_500);
    expect(readsOf('anna')).toEqual([0, 4000, 8000, 12_000]);
  });

  it('keeps the task through a pause that Graph asked for, and tells the other nodes of it', async () => {
    const { poller, clock, world } = start([agent('anna', true)]);
    const answer = world.answer;
    world.answer = () => Promise.reject(busy(45_000));
    poller.start();
    await clock.advance(0);
    expect(world.pauses).toEqual([45_000]);
    expect(world.leases.at(-1)).toBe(55_000);
    world.answer = answer;
    await clock.advance(44_000);
    expect(world.reads).toHaveLength(1);
    await clock.advance(3000);
    expect(world.reads.length).toBeGreaterThan(1);
  });

  it('asks nothing while another node has been told to wait, not even before an offer', async () => {
    const { poller, clock, world } = start([agent('anna', true)]);
    Object.assign(world, { lease: false, pauseMs: 20_000 });
    poller.start();
    await clock.advance(2000);
    await expect(poller.refresh(['anna'])).rejects.toMatchObject({ code: 'SK_GRAPH_UNREACHABLE' });
    expect(world.reads).toEqual([]);
  });

  it('gives the store every reading with its sequence number and Microsoft’s spelling', async () => {
    const { poller, clock, world } = start([agent('anna')]);
    world.answer = () =>
      Promise.resolve([{ entraUserId: 'USER-ANNA', availability: 'busy', activity: 'inacall', sequenceNumber: 'A12' }]);
    poller.start();
    await clock.advance(0);
    expect(world.stored).toEqual([
      {
        agentId: 'anna',
        availability: 'Busy',
        activity: 'InACall',
        sequenceNumber: 'A12',
        readAt: clock.now(),
        source: 'graph-poll',
      },
    ]);
  });

  it('stores a user whom Graph does not know as unknown, never as available', async () => {
    const { poller, clock, world } = start([agent('anna'), agent('ghost')]);
    world.answer = () =>
      Promise.resolve([
        { entraUserId: 'user-anna', availability: 'Available', activity: 'Available', sequenceNumber: undefined },
      ]);
    poller.start();
    await clock.advance(0);
    expect(world.stored.find((r) => r.agentId === 'ghost')).toMatchObject({ availability: 'PresenceUnknown' });
  });

  it('asks for at most 650 users at a time, and for a shared user once', async () => {
    const many = Array.from({ length: 1400 }, (_, i) => agent(String(i)));
    const { poller, clock, world } = start([...many, { ...agent('twin'), entraUserId: 'USER-0' }]);
    poller.start();
    await clock.advance(0);
    expect(world.reads.map((r) => r.ids.length)).toEqual([650, 650, 100]);
    expect(world.stored).toHaveLength(1401);
  });

  it('refreshes at once and resolves when the store has the value', async () => {
    const { poller, clock, world, readsOf } = start([agent('anna'), agent('ben')]);
    poller.start();
    await clock.advance(1000);
    world.stored.length = 0;
    const done = poller.refresh(['anna']).then(() => world.stored.map((r) => r.agentId));
    await clock.advance(0);
    expect(await done).toEqual(['anna']);
    expect(readsOf('anna')).toEqual([0, 1000]);
    expect(readsOf('ben')).toEqual([0]);
  });

  it('never has two reads under way, and answers what is asked meanwhile with a read that began later', async () => {
    const { poller, clock, world } = start([agent('anna')]);
    const gates: (() => void)[] = [];
    const answer = world.answer;
    world.answer = async (ids) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return answer(ids);
    };
    poller.start();
    await clock.advance(0);
    let refreshed = 0;
    const asked = ['anna', 'anna', 'anna'].map((id) => poller.refresh([id]).then(() => refreshed++));
    await clock.advance(30_000);
    expect(gates).toHaveLength(1);
    gates[0]!();
    await clock.advance(0);
    expect(refreshed).toBe(0);
    expect(gates).toHaveLength(2);
    gates[1]!();
    await Promise.all(asked);
    expect(world.most).toBe(1);
    expect(refreshed).toBe(3);
  });

  it('a refresh does not put the rounds off', async () => {
    const { poller, clock, readsOf } = start([agent('anna', true), agent('ben')]);
    poller.start();
    for (let i = 0; i < 50; i++) {
      await clock.advance(200);
      const done = poller.refresh(['ben']);
      await clock.advance(0);
      await done;
    }
    expect(readsOf('anna').length).toBeGreaterThanOrEqual(5);
  });

  it('leaves Graph alone for as long as Retry-After says, refuses a refresh meanwhile at once, and goes on after it', async () => {
    const { poller, clock, world, readsOf } = start([agent('anna', true)]);
    const answer = world.answer;
    world.answer = () => Promise.reject(busy(7000));
    poller.start();
    await clock.advance(0);
    world.answer = answer;
    await expect(poller.refresh(['anna'])).rejects.toMatchObject({ code: 'SK_GRAPH_UNREACHABLE' });
    await clock.advance(6999);
    expect(readsOf('anna')).toEqual([0]);
    expect(poller.state()).toMatchObject({ failures: 1, lastSuccessAt: undefined });
    await clock.advance(1);
    expect(readsOf('anna')).toEqual([0, 7000]);
    expect(poller.state()).toMatchObject({ failures: 0, lastError: undefined });
    expect(world.outcomes).toEqual(['busy', 'ok']);
  });

  it('waits longer after each failure, up to a minute', async () => {
    const { poller, clock, world, readsOf } = start([agent('anna', true)]);
    world.answer = () => Promise.reject(new SidekickError('SK_GRAPH_UNREACHABLE', 'gone'));
    poller.start();
    await clock.advance(240_000);
    const at = readsOf('anna');
    const gaps = at.slice(1).map((time, i) => time - at[i]!);
    expect(gaps).toEqual([2000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    expect(world.outcomes.every((o) => o === 'unreachable')).toBe(true);
  });

  it('refuses those who wait for a read that failed with the reason', async () => {
    const { poller, clock, world } = start([agent('anna')]);
    world.answer = () =>
      Promise.reject(new SidekickError('SK_GRAPH_REFUSED', 'no consent', { context: { status: 403 } }));
    const done = poller.refresh(['anna']).catch((error: unknown) => error);
    await clock.advance(0);
    expect(await done).toMatchObject({ code: 'SK_GRAPH_REFUSED' });
  });

  it('goes on when the store failed, and tells those who waited', async () => {
    const { poller, clock, world } = start([agent('anna', true)]);
    world.storeFails = new Error('database gone');
    poller.start();
    await clock.advance(0);
    expect(poller.state().lastError).toContain('database gone');
    world.storeFails = undefined;
    await clock.advance(2000);
    expect(poller.state()).toMatchObject({ failures: 0, agents: 1 });
  });

  it('finds the one user id that Graph calls malformed, reads all others, and leaves that one alone for ten minutes', async () => {
    const { poller, clock, world, readsOf } = start(Array.from({ length: 40 }, (_, i) => agent(String(i), true)));
    const answer = world.answer;
    world.answer = (ids) =>
      ids.includes('user-13')
        ? Promise.reject(new SidekickError('SK_GRAPH_REFUSED', 'bad id', { context: { status: 400 } }))
        : answer(ids);
    poller.start();
    await clock.advance(0);
    expect(new Set(world.stored.map((r) => r.agentId)).size).toBe(39);
    const tried = readsOf('13').length;
    await clock.advance(599_000);
    expect(readsOf('13')).toHaveLength(tried);
    await clock.advance(4000);
    expect(readsOf('13').length).toBeGreaterThan(tried);
  });

  it('gives up splitting when Graph refuses everything as malformed', async () => {
    const { poller, clock, world } = start(Array.from({ length: 600 }, (_, i) => agent(String(i))));
    world.answer = () => Promise.reject(new SidekickError('SK_GRAPH_REFUSED', 'no', { context: { status: 400 } }));
    poller.start();
    await clock.advance(0);
    expect(world.reads.length).toBeLessThan(80);
    expect(poller.state().failures).toBe(1);
  });

  it('stands by while another node holds the lease, yet refreshes on request', async () => {
    const { poller, clock, world, readsOf } = start([agent('anna', true)]);
    world.lease = false;
    poller.start();
    await clock.advance(10_000);
    expect(poller.state().mode).toBe('standby');
    expect(readsOf('anna')).toEqual([]);
    const done = poller.refresh(['anna']);
    await clock.advance(0);
    await done;
    expect(readsOf('anna')).toEqual([10_000]);
    world.lease = true;
    await clock.advance(2000);
    expect(poller.state().mode).toBe('polling');
    expect(readsOf('anna').length).toBeGreaterThan(1);
  });

  it('passes over agents who have no Teams presence, and resolves', async () => {
    const { poller, clock, world } = start([agent('anna')]);
    const done = poller.refresh(['pbx-agent']);
    await clock.advance(0);
    await done;
    await poller.refresh([]);
    expect(world.reads).toEqual([]);
  });

  it('close refuses what waits, lets the running read end, leaves no timer, and may be called twice', async () => {
    const { poller, clock, world } = start([agent('anna')]);
    let open = (): void => undefined;
    const answer = world.answer;
    world.answer = async (ids) => {
      await new Promise<void>((resolve) => {
        open = resolve;
      });
      return answer(ids);
    };
    poller.start();
    await clock.advance(0);
    const waiting = poller.refresh(['anna']).catch((error: unknown) => error);
    let closed = false;
    const closing = poller.close().then(() => (closed = true));
    expect(await waiting).toMatchObject({ code: 'SK_STOPPING' });
    await settle();
    expect(closed).toBe(false);
    open();
    await closing;
    await poller.close();
    expect(clock.pending).toBe(0);
    await expect(poller.refresh(['anna'])).rejects.toMatchObject({ code: 'SK_STOPPING' });
  });
});
