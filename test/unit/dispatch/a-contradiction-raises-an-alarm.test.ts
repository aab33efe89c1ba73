import { Dispatcher, type DispatcherDeps } from '../../../src/dispatch/dispatcher';
import { decide } from '../../../src/routing/decide';
import type { Snapshot } from '../../../src/routing/types';
import { ManualClock } from '../../support/manual-clock';
import { aCall, anAgent, aSnapshot } from '../../support/snapshots';

/** What a dispatcher tells that matches a queue with this snapshot. */
async function alarmsFor(snapshot: Snapshot): Promise<{ readonly logged: string[]; readonly counted: string[] }> {
  const logged: string[] = [];
  const counted: string[] = [];
  const note = (entry: { readonly event?: string }) => void logged.push(entry.event ?? '');
  const deps = {
    store: {
      match: () => Promise.resolve({ offers: [], snapshot, decision: decide(snapshot), leftOut: 0 }),
      recordDecisions: () => Promise.resolve(),
    },
    clock: new ManualClock(),
    log: { error: note, warn: note, info: note, debug: note },
    nodeId: 'node',
    onOffer: () => 'taken',
    onOrphan: () => undefined,
    refreshPresence: () => Promise.resolve(false),
    onSweepFound: (what: string) => void counted.push(what),
  };
  const dispatcher = new Dispatcher(deps as unknown as DispatcherDeps);
  dispatcher.requestMatch('support');
  await new Promise((resolve) => setImmediate(resolve));
  return { logged, counted };
}

describe('a snapshot with contradictions', () => {
  it('raises an alarm: an error in the log, and a count that is watched', async () => {
    const twice = { openOffers: [{ offerId: 'o', agentId: 'a' }] };
    const snapshot = aSnapshot([aCall('c1', twice), aCall('c2', twice)], [anAgent('b')]);
    expect(await alarmsFor(snapshot)).toEqual({
      logged: ['snapshot_contradicts_itself'],
      counted: ['contradiction'],
    });
  });

  it('is the only thing that does', async () => {
    expect(await alarmsFor(aSnapshot([aCall('c1')], [anAgent('a')]))).toEqual({ logged: [], counted: [] });
  });
});
