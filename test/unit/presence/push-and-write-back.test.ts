import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { store } from '../../../src/store';
import { eventually } from '../../support/call-lab';
import { LAB_CLIENT, LAB_TENANT, PresenceLab, userOf } from '../../support/presence-lab';
import type { PresenceNode } from '../../support/presence-lab';
import { waitingCall, reserve } from '../../support/scenario';

/** The product's presence, on a real database, against Graph of the simulated tenant over HTTP. */
let lab: PresenceLab;
const nodes: PresenceNode[] = [];

beforeAll(async () => {
  lab = await PresenceLab.start();
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
  lab.misbehave({ what: 'reset' });
  lab.services.subscriptions.forget();
  lab.services.graphRules.forget();
  for (const name of ['anna', 'ben', 'clara']) {
    lab.shows(name, { availability: 'Available', activity: 'Available' });
  }
  const { db } = lab.database;
  await db.query('delete from graph_subscriptions');
  await db.query('delete from presence_writes');
  await db.query('delete from leases');
  await db.query('delete from presence');
});
afterAll(() => lab.close());

async function start(options: Parameters<PresenceLab['node']>[0] = {}): Promise<PresenceNode> {
  const node = await lab.node(options);
  nodes.push(node);
  return node;
}

const shown = async (name: string): Promise<string> => {
  const { presence } = await lab.agent(name);
  return typeof presence === 'string' ? presence : `${presence.availability}/${presence.source}`;
};

const slowPoll = { SIDEKICK_PRESENCE_POLL_SECONDS: '120', SIDEKICK_PRESENCE_POLL_WAITING_SECONDS: '120' };

async function subscribed(node: PresenceNode): Promise<void> {
  await eventually('a subscription', () => (lab.services.subscriptions.list().length === 1 ? true : undefined));
  await eventually('its row', async () =>
    (await store.subscriptions(lab.database.db, '*')).length === 1 ? true : undefined,
  );
  expect(node.presence.notifications).toBeDefined();
}

const counted = async (node: PresenceNode, outcome: string): Promise<number> => {
  const { text } = await node.metrics.exposition();
  return Number(
    new RegExp(`sidekick_presence_notifications_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0,
  );
};

describe('change notifications', () => {
  it('bring a change long before the next poll, encrypted and proven', async () => {
    const node = await start({ push: true, env: slowPoll });
    await eventually('the first poll', async () =>
      (await shown('anna')) === 'Available/graph-poll' ? true : undefined,
    );
    await subscribed(node);
    lab.shows('anna', { availability: 'Busy', activity: 'InACall' });
    await eventually('the change', async () =>
      (await shown('anna')) === 'Busy/graph-subscription' ? true : undefined,
    );
    expect(node.changed).toContain(lab.scenario.agents['anna']);
    await eventually('the count', async () => ((await counted(node, 'taken')) === 1 ? true : undefined));
    expect(lab.services.graphRules.list()).toEqual([]);
  });

  it('are dropped when forged, whatever is wrong with them', async () => {
    const node = await start({ push: true, env: slowPoll });
    await subscribed(node);
    const forged = ['audience', 'issuer', 'signature', 'expired', 'sender', 'client-state', 'no-token'] as const;
    for (const [index, forge] of forged.entries()) {
      lab.misbehave({ what: 'push', forge });
      lab.shows(
        'anna',
        index % 2 === 0 ? { availability: 'Away', activity: 'Away' } : { availability: 'Busy', activity: 'Busy' },
      );
      await eventually(`the refusal of ${forge}`, async () =>
        (await counted(node, 'not-genuine')) === index + 1 ? true : undefined,
      );
    }
    lab.misbehave({ what: 'push', forge: 'data' });
    lab.shows('anna', { availability: 'DoNotDisturb', activity: 'DoNotDisturb' });
    await eventually('the refusal of changed data', async () =>
      (await counted(node, 'unreadable')) === 1 ? true : undefined,
    );
    expect(await shown('anna')).toBe('Available/graph-poll');
    expect(await counted(node, 'taken')).toBe(0);
  });

  it('that come twice or late change nothing that is newer', async () => {
    const node = await start({ push: true, env: slowPoll });
    await subscribed(node);
    lab.misbehave({ what: 'push', delayMs: 600, twice: true });
    lab.shows('ben', { availability: 'Away', activity: 'Away' });
    lab.misbehave({ what: 'push' });
    lab.shows('ben', { availability: 'BeRightBack', activity: 'BeRightBack' });
    await eventually('three notifications', async () => ((await counted(node, 'taken')) === 3 ? true : undefined));
    expect(await shown('ben')).toBe('BeRightBack/graph-subscription');
  });

  it('arrive at whichever node, and a node that starts goes on with the subscription that is there', async () => {
    const first = await start({ push: true, env: slowPoll });
    await subscribed(first);
    const [before] = await store.subscriptions(lab.database.db, '*');
    await first.close();
    await store.stopNode(lab.database.db, first.nodeId);
    const second = await start({ push: true, env: slowPoll });
    await eventually('the task', async () =>
      ((await store.presenceScopes(lab.database.db))[0]?.node ?? '') !== '' ? true : undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await store.subscriptions(lab.database.db, '*')).toMatchObject([{ id: before!.id }]);
    expect(lab.services.subscriptions.list()).toHaveLength(1);
    expect(second.presence.notifications).toBeDefined();
  });

  it('that Graph wants authorized anew are, and the address answers what Graph asks of it', async () => {
    const node = await start({ push: true, env: slowPoll });
    await subscribed(node);
    lab.misbehave({ what: 'push-reauthorize' });
    await eventually('the event', async () => ((await counted(node, 'lifecycle')) === 1 ? true : undefined));
    await eventually('the answer', async () => {
      const [row] = await store.subscriptions(lab.database.db, '*');
      return row?.reauthorizeAt === undefined ? true : undefined;
    });
    const url = `http://127.0.0.1:${node.http.address.port}/graph/notifications`;
    const echo = await fetch(`${url}?validationToken=${encodeURIComponent('a <b> & c+d')}`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '',
    });
    expect([echo.status, await echo.text(), echo.headers.get('content-type')]).toEqual([
      200,
      'a <b> & c+d',
      'text/plain; charset=utf-8',
    ]);
    const stranger = { value: [{ subscriptionId: 'nobody', clientState: 'x' }] };
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(stranger),
    });
    expect(answer.status).toBe(202);
    await eventually('the count', async () => ((await counted(node, 'unknown-subscription')) === 1 ? true : undefined));
    expect(lab.services.graphRules.list()).toEqual([]);
  });

  it('cost nothing when the account must sign in again: polling goes on', async () => {
    lab.misbehave({ what: 'accounts-revoke' });
    const node = await start({ push: true });
    lab.services.accounts.revoke();
    await eventually('the link to say so', () =>
      node.presence.links()['graph']!.detail.includes('notifications failed') ? true : undefined,
    );
    expect(node.presence.links()['graph']!.up).toBe(true);
    expect(await shown('anna')).toBe('Available/graph-poll');
  });
});

describe('write-back', () => {
  const env = { SIDEKICK_GRAPH_WRITE_BACK: 'on' };
  const session = (name: string) => lab.services.presence.sessionOf(userOf(name), LAB_CLIENT);

  async function connected(name: string): Promise<string> {
    const { db } = lab.database;
    const callId = await waitingCall(db, lab.scenario);
    const offer = (await reserve(db, lab.scenario, callId, lab.scenario.agents[name]!))!;
    await store.markRinging(db, offer);
    await store.markAnswered(db, offer);
    return offer;
  }

  it('shows an agent in wrap-up as busy, and takes it back at the end', async () => {
    await start({ env });
    const offer = await connected('anna');
    await store.endConnection(lab.database.db, offer, 'caller');
    await eventually('busy', () => (session('anna')?.activity === 'InACall' ? true : undefined));
    const left = session('anna')!.expiresAt - Date.now();
    expect(left).toBeGreaterThan(540_000);
    expect(left).toBeLessThanOrEqual(600_000);
    await store.endWrapUp(lab.database.db, lab.scenario.agents['anna']!, 'anna');
    await eventually('free', () => (session('anna') === undefined ? true : undefined));
    expect(lab.services.graphRules.list()).toEqual([]);
  });

  it('is taken back by another node when the one that set it is dead', async () => {
    const first = await start({ env });
    const offer = await connected('ben');
    await store.endConnection(lab.database.db, offer, 'caller');
    await eventually('busy', () => (session('ben') ? true : undefined));
    await first.close();
    await lab.database.db.query(
      `update nodes set heartbeat_at = clock_timestamp() - interval '1 minute' where id = $1`,
      [first.nodeId],
    );
    await store.releaseDeadNode(lab.database.db, first.nodeId, 10_000);
    await store.endWrapUp(lab.database.db, lab.scenario.agents['ben']!, 'ben');
    expect(session('ben')).toBeDefined();
    await start({ env });
    await eventually('free', () => (session('ben') === undefined ? true : undefined));
  });

  it('never beats what the agent has chosen, and is no error where Graph refuses it', async () => {
    lab.misbehave({ what: 'roles', roles: ['Presence.Read.All'] });
    lab.misbehave({ what: 'revoke-tokens' });
    const node = await start({ env });
    const offer = await connected('clara');
    await store.endConnection(lab.database.db, offer, 'caller');
    await eventually('the link to say so', () =>
      node.presence.links()['graph']!.detail.includes('write-back fails') ? true : undefined,
    );
    expect(node.presence.links()['graph']!.up).toBe(true);
    await store.endWrapUp(lab.database.db, lab.scenario.agents['clara']!, 'clara');
  });

  it('is off unless it is switched on', async () => {
    await start();
    const offer = await connected('anna');
    await store.endConnection(lab.database.db, offer, 'caller');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(session('anna')).toBeUndefined();
    await store.endWrapUp(lab.database.db, lab.scenario.agents['anna']!, 'anna');
  });
});

describe('tenants with registrations of their own', () => {
  it('are read by themselves: the outage of one does not touch the others, and each agent is read by one', async () => {
    const { tenant } = await lab.agent('anna');
    const file = path.join(lab.directory, 'tenants.yaml');
    const registration = { tenant, tenantId: LAB_TENANT, clientId: LAB_CLIENT, clientSecretFrom: 'LAB_SECRET' };
    const urls = { baseUrl: lab.http.baseUrl, authority: lab.http.baseUrl };
    writeFileSync(file, JSON.stringify({ tenants: [{ ...registration, ...urls }] }));
    const node = await start({
      env: { SIDEKICK_GRAPH_TENANTS: file, LAB_SECRET: 'lab-secret', SIDEKICK_GRAPH_CLIENT_SECRET: 'wrong' },
    });
    await eventually('presence of the tenant', async () =>
      (await shown('anna')) === 'Available/graph-poll' ? true : undefined,
    );
    await eventually('both links', () => (node.presence.links()[`graph ${tenant}`]?.up ? true : undefined));
    expect(node.presence.links()['graph']).toMatchObject({ up: true, detail: 'no Teams agent to read', needed: false });
    const { rows } = await lab.database.db.query<{ name: string }>('select name from leases order by name');
    expect(rows.map((row) => row.name)).toEqual(['presence:*', `presence:${tenant}`]);
    expect(await store.agentsToPoll(lab.database.db, { except: [tenant] })).toEqual([]);
  });
});
