import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { teamsSettings } from '../../src/config/documents/trunk-settings';
import { Emitter } from '../../src/lib/emitter';
import { silentLog } from '../../src/lib/log';
import { createMetrics } from '../../src/lib/metrics';
import type { NodeConfig } from '../../src/node-config';
import { startNodeTeams } from '../../src/node-teams';
import type { NodeTeams } from '../../src/node-teams';
import type { DrachtioLink } from '../../src/signaling/drachtio-link';
import { teamsTrunk } from '../../src/signaling/teams/teams-trunk';
import { store } from '../../src/store';
import { eventually } from '../support/call-lab';
import { testDatabase, type TestDatabase } from '../support/database';
import { ManualClock } from '../support/manual-clock';

const PROXY = '127.0.0.1:5061';
const CENTER = JSON.stringify({
  apiVersion: 'sidekick/v1',
  tenants: [{ name: 'demo', country: 'DE', timeZone: 'Europe/Berlin' }],
  trunks: [
    {
      name: 'teams',
      kind: 'teams',
      sbcName: 'sbc1.example.com',
      proxies: [{ host: 'sip.example.com', address: PROXY }],
    },
  ],
});

let test: TestDatabase;
let teams: NodeTeams | undefined;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  teams?.close();
  await test.close();
});

it('callers who wait for agents behind a trunk are looked at when this node finds it down or up again, and only then', async () => {
  await applyDocument(test.db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
  const [row] = await store.loadTrunks(test.db);
  const { nodeId } = await store.registerNode(test.db, { name: 'node-1' });
  const settings = teamsSettings.parse({
    sbcName: 'sbc1.example.com',
    proxies: [{ host: 'sip.example.com', port: 5061, address: PROXY }],
  });
  const trunk = teamsTrunk(row!.id, 'teams', settings);
  let asked = 0;
  teams = startNodeTeams({
    db: test.db,
    nodeId,
    link: { state: { up: true }, transports: [], events: new Emitter() } as unknown as DrachtioLink,
    config: { teamsTrunks: () => [trunk] } as unknown as NodeConfig,
    clock: new ManualClock(Date.now()),
    log: silentLog(),
    metrics: createMetrics({ processMetrics: false }),
    stopping: () => false,
    trunkChanged: () => asked++,
  });
  const peer = teams.health.peer(trunk.id, 0)!;
  const stored = (up: boolean): Promise<unknown> =>
    eventually(`up: ${up}`, async () => ((await store.trunkStatus(test.db))[0]?.up === up ? true : undefined));
  peer.answered(503, 60);
  await stored(false);
  await eventually('a match is asked for', () => (asked === 1 ? true : undefined));
  peer.answered(200, undefined);
  await stored(true);
  await eventually('a match is asked for again', () => (asked === 2 ? true : undefined));
  // Reported again, and nothing is new.
  peer.answered(503, 60);
  await eventually('down once more', () => (asked === 3 ? true : undefined));
  expect(await store.reportTrunk(test.db, { nodeId, trunkId: trunk.id, up: false })).toBe(false);
  expect(asked).toBe(3);
});
