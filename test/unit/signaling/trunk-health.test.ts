import { teamsSettings } from '../../../src/config/documents/trunk-settings';
import { Emitter } from '../../../src/lib/emitter';
import { silentLog } from '../../../src/lib/log';
import type { DrachtioLink } from '../../../src/signaling/drachtio-link';
import type { NameCache } from '../../../src/signaling/teams/name-cache';
import { teamsTrunk } from '../../../src/signaling/teams/teams-trunk';
import { TrunkHealth } from '../../../src/signaling/teams/trunk-health';
import { ManualClock, settle } from '../../support/manual-clock';

const [FIRST, SECOND] = ['sip.pstnhub.microsoft.com', 'sip2.pstnhub.microsoft.com'] as const;

const opened: TrunkHealth[] = [];

afterEach(() => {
  for (const health of opened.splice(0)) {
    health.close();
  }
});

/** Trunks whose clock stands still, so that only what a test says of their proxies is known. Every write waits until the test ends it. */
function watchTrunks() {
  const writes: { readonly text: string; readonly end: (error?: Error) => void }[] = [];
  const health = new TrunkHealth({
    link: { state: { up: true }, transports: [], events: new Emitter() } as unknown as DrachtioLink,
    clock: new ManualClock(1_000),
    log: silentLog(),
    metrics: {
      teamsProxyUp: () => undefined,
      teamsProxyGone: () => undefined,
      teamsPeerTrusted: () => undefined,
      teamsPeerGone: () => undefined,
    },
    names: { get: () => undefined, watch: () => undefined, close: () => undefined } as unknown as NameCache,
    report: ({ trunkId, proxies }) =>
      new Promise((resolve, reject) => {
        writes.push({
          text: `${trunkId} ${proxies.map(({ state }) => state).join(' ')}`,
          end: (error) => {
            if (error) {
              reject(error);
            } else {
              resolve();
            }
          },
        });
      }),
  });
  opened.push(health);
  const trunk = teamsTrunk(
    't1',
    'teams',
    teamsSettings.parse({ sbcName: 'sbc.example.com', proxies: [FIRST, SECOND].map((host) => ({ host, port: 5061 })) }),
  );
  return { health, trunk, writes, texts: () => writes.map(({ text }) => text) };
}

describe('the stored state of a trunk', () => {
  it('is the newest: what changes while a report is written is written after it, once', async () => {
    const w = watchTrunks();
    w.health.load([w.trunk]);
    w.health.peer('t1', 0)?.answered(200, undefined);
    w.health.peer('t1', 1)?.answered(200, undefined);
    w.health.peer('t1', 0)?.answered(503, 60);
    await settle();
    expect(w.texts()).toEqual(['t1 active probing']);
    w.writes[0]?.end();
    await settle();
    expect(w.texts().slice(1)).toEqual(['t1 down active']);
    w.writes[1]?.end();
    await settle();
    expect(w.writes).toHaveLength(2);
  });

  it('follows a write that failed, and no trunk waits for another', async () => {
    const w = watchTrunks();
    w.health.load([w.trunk, { ...w.trunk, id: 't2', name: 'second' }]);
    w.health.peer('t1', 0)?.answered(200, undefined);
    w.health.peer('t1', 1)?.answered(200, undefined);
    w.health.peer('t2', 0)?.answered(200, undefined);
    expect(w.texts()).toEqual(['t1 active probing', 't2 active probing']);
    w.writes[0]?.end(new Error('the database is away'));
    await settle();
    expect(w.texts().slice(2)).toEqual(['t1 active active']);
  });

  it('is that of the trunk as configured now, and none is written of one that is gone', async () => {
    const w = watchTrunks();
    w.health.load([w.trunk]);
    w.health.peer('t1', 0)?.answered(200, undefined);
    w.health.peer('t1', 1)?.answered(200, undefined);
    w.health.load([{ ...w.trunk, proxies: w.trunk.proxies.slice(0, 1) }]);
    w.writes[0]?.end();
    await settle();
    expect(w.texts().slice(1)).toEqual(['t1 probing']);
    w.health.peer('t1', 0)?.answered(200, undefined);
    w.health.load([]);
    w.writes[1]?.end();
    await settle();
    expect(w.writes).toHaveLength(2);
  });
});
