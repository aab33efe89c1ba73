import { Dispatcher, type DispatcherDeps } from '../../../src/dispatch/dispatcher';
import type { MatchResult } from '../../../src/dispatch/ports';
import { decide } from '../../../src/routing/decide';
import { ManualClock, settle } from '../../support/manual-clock';
import { anAgent, aSnapshot } from '../../support/snapshots';

const snapshot = aSnapshot([], [anAgent('b')]);
const NOTHING: MatchResult = { offers: [], snapshot, decision: decide(snapshot), leftOut: 0 };

/** A dispatcher whose matches last until the test ends them. */
function bench() {
  const underWay: { readonly queueId: string; readonly end: () => void }[] = [];
  const hints: string[] = [];
  const match = (queueId: string): Promise<MatchResult> =>
    new Promise((resolve) => {
      underWay.push({
        queueId,
        end: () => {
          resolve(NOTHING);
        },
      });
    });
  const deps = {
    store: {
      match,
      recordDecisions: () => Promise.resolve(),
      hintQueue: (queueId: string) => Promise.resolve(void hints.push(queueId)),
    },
    clock: new ManualClock(),
    log: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined },
    nodeId: 'node',
    refreshPresence: () => Promise.resolve(false),
    onSweepFound: () => undefined,
  };
  const dispatcher = new Dispatcher(deps as unknown as DispatcherDeps);
  const went: string[] = [];
  const travel = async (name: string, queueId = 'support'): Promise<void> => {
    went.push(
      await dispatcher.travel(
        { queueId },
        () => Promise.resolve(`${name} alone`),
        async () => ({ value: `${name} with a match`, result: await match(queueId) }),
      ),
    );
  };
  const end = async (): Promise<void> => {
    underWay.shift()?.end();
    await settle();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { dispatcher, underWay, hints, travel, went, end };
}

describe('matches of one queue on one node', () => {
  it('that are asked for come one after the other, however often they are asked for', async () => {
    const { dispatcher, underWay, end } = bench();
    for (let i = 0; i < 5; i++) {
      dispatcher.requestMatch('support');
    }
    expect(underWay).toHaveLength(1);
    await end();
    expect(underWay).toHaveLength(1);
    await end();
    expect(underWay).toHaveLength(0);
  });

  it('of other queues do not wait', () => {
    const { dispatcher, underWay } = bench();
    dispatcher.requestMatch('support');
    dispatcher.requestMatch('sales');
    expect(underWay.map((m) => m.queueId)).toEqual(['support', 'sales']);
  });

  it('that travel with their cause set off beside one that is under way', async () => {
    const { dispatcher, underWay, travel, went, end } = bench();
    dispatcher.requestMatch('support');
    void travel('the end of a call');
    expect(underWay).toHaveLength(2);
    await end();
    await end();
    expect(went).toEqual(['the end of a call with a match']);
    expect(underWay).toHaveLength(0);
  });

  it('do not pile up: the third goes without, and is looked at when all are over', async () => {
    const { dispatcher, underWay, travel, went, end } = bench();
    void travel('one');
    void travel('two');
    void travel('three');
    await settle();
    expect(went).toEqual(['three alone']);
    dispatcher.requestMatch('support');
    expect(underWay).toHaveLength(2);
    await end();
    expect(underWay).toHaveLength(1);
    await end();
    // The two are over; the request that neither could answer has its match now.
    expect(underWay).toHaveLength(1);
    await end();
    expect(underWay).toHaveLength(0);
    expect(went).toEqual(['three alone', 'one with a match', 'two with a match']);
  });

  it('are left to the other nodes once this one stops', async () => {
    const { dispatcher, underWay, hints, end } = bench();
    dispatcher.requestMatch('support');
    dispatcher.requestMatch('support');
    void dispatcher.stop();
    await end();
    expect(underWay).toHaveLength(0);
    expect(hints).toEqual(['support']);
  });
});
