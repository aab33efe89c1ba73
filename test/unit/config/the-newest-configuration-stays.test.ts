import { silentLog } from '../../../src/lib/log';
import { NodeConfig } from '../../../src/node-config';
import type { Store } from '../../../src/store/api';
import type { QueueConfig } from '../../../src/store/config-types';
import type { Queryable } from '../../../src/store/types';
import { settle } from '../../support/manual-clock';

const opened: NodeConfig[] = [];

afterEach(() => {
  for (const config of opened.splice(0)) {
    config.close();
  }
});

/** A database whose answers hold what is stored when they are asked for, and come when the test lets them. */
async function configOf() {
  const stored = { queue: 'support', secret: 'first' };
  const reads: { readonly end: (error?: Error) => void }[] = [];
  let held = false;
  const used = { secret: '', changes: 0 };
  const none = () => Promise.resolve([]);
  const config = new NodeConfig({
    store: {
      loadTenants: none,
      loadTrunks: none,
      loadFlows: none,
      loadHours: none,
      loadPrompts: none,
      loadQueues: () => {
        const rows = [{ id: 'q', name: stored.queue } as QueueConfig];
        return held
          ? new Promise((resolve, reject) => {
              reads.push({ end: (error) => (error ? reject(error) : resolve(rows)) });
            })
          : Promise.resolve(rows);
      },
    } as unknown as Store,
    db: {} as Queryable,
    promptsDir: undefined,
    log: silentLog(),
    secrets: {
      load: async () => {
        const { secret } = stored;
        await Promise.resolve();
        used.secret = secret;
      },
    },
  });
  opened.push(config);
  await config.start(() => used.changes++);
  held = true;
  return { config, stored, reads, used, name: () => config.queues[0]?.name };
}

describe('the configuration of a node', () => {
  it('is the newest, whichever of two reads that overlap would be answered last', async () => {
    const c = await configOf();
    const first = c.config.reload();
    await settle();
    c.stored.queue = 'sales';
    const second = c.config.reload();
    await settle();
    // The later read, if it went out already, is answered before the earlier one.
    c.reads[1]?.end();
    await settle();
    c.reads[0]?.end();
    await settle();
    c.reads[1]?.end();
    await Promise.all([first, second]);
    expect(c.name()).toBe('sales');
  });

  it('is read once more, however many ask while it is read, and each of them gets what was stored before', async () => {
    const c = await configOf();
    void c.config.reload();
    await settle();
    c.stored.queue = 'sales';
    const seen = Array.from({ length: 5 }, () => c.config.reload().then(() => c.name()));
    await settle();
    c.reads[0]?.end();
    await settle();
    c.reads[1]?.end();
    expect(await Promise.all(seen)).toEqual(Array(5).fill('sales'));
    await settle();
    expect(c.reads).toHaveLength(2);
  });

  it('is read again after a read that failed, and only whoever asked for that one is told', async () => {
    const c = await configOf();
    const first = c.config.reload();
    await settle();
    c.stored.queue = 'sales';
    const second = c.config.reload();
    c.reads[0]?.end(new Error('the database is away'));
    await expect(first).rejects.toThrow('the database is away');
    await settle();
    c.reads[1]?.end();
    await second;
    expect(c.name()).toBe('sales');
  });

  it('takes secrets with it: one that was changed without a hint is used from the next look on', async () => {
    const c = await configOf();
    expect(c.used.secret).toBe('first');
    c.stored.secret = 'second';
    const reload = c.config.reload();
    await settle();
    c.reads[0]?.end();
    await reload;
    expect(c.used.secret).toBe('second');
  });

  it('is put in place no more once the node has closed', async () => {
    const c = await configOf();
    const { changes } = c.used;
    c.stored.queue = 'sales';
    const reload = c.config.reload();
    await settle();
    c.config.close();
    c.reads[0]?.end();
    await reload;
    expect(c.used.changes).toBe(changes);
    expect(c.name()).toBe('support');
  });
});
