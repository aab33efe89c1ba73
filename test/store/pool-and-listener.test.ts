import { connect, createServer, type Server, type Socket } from 'node:net';
import { silentLog } from '../../src/lib/log';
import { store, type Notification } from '../../src/store';
import { Listener } from '../../src/store/listener';
import { parseNotification } from '../../src/store/notifications';
import { openDatabase } from '../../src/store/pool';
import { makeScenario, waitingCall } from '../support/scenario';
import { testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await condition()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen');
}

/** Stands between us and Postgres, and can cut or go silent. */
class Proxy {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  silent = false;
  url = '';

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => to.destroy());
        from.on('data', (chunk) => {
          if (!this.silent) {
            to.write(chunk);
          }
        });
      }
    });
  }

  async listen(target: string): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address() as { port: number };
    const url = new URL(target);
    url.hostname = '127.0.0.1';
    url.port = String(address.port);
    this.url = url.href;
    return this;
  }

  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#sockets.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function listening(url: string, options: { pingMs?: number } = {}) {
  const listener = new Listener({ url, log: silentLog(), backoffMs: { first: 5, longest: 50 }, ...options });
  const heard: Notification[] = [];
  const events: string[] = [];
  listener.on('notification', (notification) => heard.push(notification));
  listener.on('connected', () => events.push('connected'));
  listener.on('disconnected', () => events.push('disconnected'));
  await listener.start();
  return { listener, heard, events };
}

const say = (id: string): Promise<unknown> =>
  test.db.query(`select pg_notify('sidekick', $1)`, [JSON.stringify({ k: 'queue', id })]);

describe('the listener', () => {
  it('hears what the statements tell: a waiting call, an offer, a free agent', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    const { listener, heard } = await listening(test.url);
    const callId = await waitingCall(test.db, scenario);
    const agentId = scenario.agents['Anna']!;
    const offers = await store.withQueueLock(test.db, scenario.queueId, (tx) =>
      store.insertOffers(tx, [{ callId, queueId: scenario.queueId, agentId }]),
    );
    const offerId = offers[0]!.offerId;
    await store.endOffer(test.db, offerId, { outcome: 'canceled', reason: 'withdrawn' });
    await store.pause(test.db, agentId, 'lunch', 'Anna');
    await until(() => heard.length >= 5);
    expect(heard).toEqual([
      { k: 'queue', id: scenario.queueId },
      { k: 'offer', id: offerId, call: callId, node: scenario.nodeId },
      { k: 'agent', id: agentId },
      { k: 'queue', id: scenario.queueId },
      { k: 'agent', id: agentId },
    ]);
    await store.endCall(test.db, callId, 'abandoned', 'caller-gave-up-waiting');
    await listener.close();
  });

  it('comes back through a cut connection, and says so', async () => {
    const proxy = await new Proxy(test.url).listen(test.url);
    const { listener, heard, events } = await listening(proxy.url);
    await say('one');
    await until(() => heard.length === 1);
    proxy.cut();
    await until(() => events.length === 3);
    expect(events).toEqual(['connected', 'disconnected', 'connected']);
    await say('two');
    await until(() => heard.length === 2);
    await listener.close();
    await proxy.close();
  });

  it('notices a far end that went silent', async () => {
    const proxy = await new Proxy(test.url).listen(test.url);
    const { listener, events } = await listening(proxy.url, { pingMs: 50 });
    proxy.silent = true;
    await until(() => events.includes('disconnected'));
    proxy.silent = false;
    proxy.cut();
    await until(() => events.filter((event) => event === 'connected').length === 2);
    await listener.close();
    await proxy.close();
  });

  it('starts without a database and finds it later', async () => {
    const proxy = await new Proxy(test.url).listen(test.url);
    const target = proxy.url;
    await proxy.close();
    const { listener, events } = await listening(target);
    expect(events).toEqual([]);
    expect(listener.connected).toBe(false);
    await listener.close();
    await listener.close();
  });

  it('can be closed while it connects', async () => {
    const listener = new Listener({ url: test.url, log: silentLog() });
    const starting = listener.start();
    await listener.close();
    await starting;
    expect(listener.connected).toBe(false);
  });

  it.each([
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"k":"queue"}',
    '{"k":"offer","id":"1"}',
    '{"k":"later","id":"1"}',
    '{"k":"call","id":1,"node":"n"}',
  ])('does not take %p for a notice', (payload) => {
    expect(parseNotification(payload)).toBeUndefined();
  });
});

describe('the pool', () => {
  it('survives that all its connections are cut, and retries what is safe', async () => {
    const proxy = await new Proxy(test.url).listen(test.url);
    const db = openDatabase({ url: proxy.url, log: silentLog(), max: 3 });
    for (let round = 0; round < 5; round++) {
      const work = Promise.all([1, 2, 3].map(() => db.query('select pg_sleep(0.05)', [], { idempotent: true })));
      await new Promise((resolve) => setTimeout(resolve, 20));
      proxy.cut();
      await work;
    }
    await db.close();
    await proxy.close();
  });

  it('does not repeat what may have happened', async () => {
    const proxy = await new Proxy(test.url).listen(test.url);
    const db = openDatabase({ url: proxy.url, log: silentLog() });
    await db.query('create table if not exists once (id int)');
    const insert = db.query('insert into once select 1 from pg_sleep(0.1)');
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.cut();
    await expect(insert).rejects.toMatchObject({ code: 'SK_POSTGRES_UNREACHABLE', context: { outcomeUnknown: true } });
    await db.close();
    await proxy.close();
  });

  it('runs a transaction again that met a deadlock', async () => {
    await test.db.query('create table deadlock (id int primary key, n int)');
    await test.db.query('insert into deadlock values (1, 0), (2, 0)');
    let runs = 0;
    let held = 0;
    let release: () => void = () => undefined;
    const bothHoldTheirFirst = new Promise<void>((resolve) => {
      release = resolve;
    });
    const add = (first: number, second: number): Promise<void> =>
      test.db.transaction(async (tx) => {
        runs++;
        await tx.query('update deadlock set n = n + 1 where id = $1', [first]);
        if (++held === 2) {
          release();
        }
        await bothHoldTheirFirst;
        await tx.query('update deadlock set n = n + 1 where id = $1', [second]);
      });
    await Promise.all([add(1, 2), add(2, 1)]);
    expect(runs).toBeGreaterThan(2);
    expect((await test.db.query('select n from deadlock order by id')).rows).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it('leaves nothing of a transaction that throws, and says when a failed statement was passed over', async () => {
    await test.db.query('create table tried (id int primary key)');
    await expect(
      test.db.transaction(async (tx) => {
        await tx.query('insert into tried values (1)');
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await expect(
      test.db.transaction(async (tx) => {
        await tx.query('insert into tried values (2)');
        await tx.query('select 1 / 0').catch(() => undefined);
      }),
    ).rejects.toMatchObject({ code: 'SK_INTERNAL' });
    expect((await test.db.query('select from tried')).rowCount).toBe(0);
  });

  it('gives up after its patience with an error that says what to do', async () => {
    const db = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', log: silentLog(), patienceMs: 50 });
    await expect(db.query('select 1')).rejects.toMatchObject({
      code: 'SK_POSTGRES_UNREACHABLE',
      next: expect.stringContaining('SIDEKICK_DATABASE_URL'),
    });
    await db.close();
    await db.close();
    await expect(db.query('select 1')).rejects.toMatchObject({ code: 'SK_STOPPING' });
  });
});
