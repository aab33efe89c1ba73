import fc from 'fast-check';
import { SessionLab } from '../../support/call-session';
import { settle } from '../../support/manual-clock';

describe('a call session', () => {
  it('gives the caller the place again when an agent wins the call and is gone before it could be joined', async () => {
    const lab = await new SessionLab().start();
    const leg = await lab.offer('o1');
    leg.handlers.answered({ agentDialog: 'a' });
    await settle();
    leg.handlers.left();
    leg.handlers.over();
    await settle();
    expect(lab.state).toEqual({ kind: 'waiting', queueId: 'q1', offers: [] });
    expect(lab.written.filter((w) => /enqueue|close/.test(w))).toEqual([
      'enqueue q1',
      'close o1 refused',
      'enqueue q1',
    ]);
    expect(lab.heard).not.toContain('joined o1');
  });

  it('withdraws everybody else in the moment in which one has the call, and closes each row', async () => {
    const lab = await new SessionLab().start();
    const [a, b, c] = [await lab.offer('o1'), await lab.offer('o2'), await lab.offer('o3')];
    await lab.answer(b);
    expect([a.dropped, b.dropped, c.dropped]).toEqual([true, false, true]);
    expect(lab.state).toMatchObject({ kind: 'connected', offerId: 'o2' });
    await settle();
    expect(lab.written.filter((w) => w.startsWith('close')).sort()).toEqual(['close o1 canceled', 'close o3 canceled']);
    await lab.callerLeaves();
    expect(b.dropped).toBe(true);
    await settle();
    expect(lab.finished).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  describe('whose agent hangs up', () => {
    const talk = async (options: ConstructorParameters<typeof SessionLab>[0]): Promise<SessionLab> => {
      const lab = await new SessionLab(options).start();
      const leg = await lab.offer('o1');
      await lab.answer(leg);
      leg.handlers.left();
      leg.handlers.over();
      await settle();
      return lab;
    };
    const told = (lab: SessionLab): boolean => lab.heard.includes('hang up 200');

    it('tells the caller at once where nobody waits for an agent', async () => {
      expect(told(await talk({ close: () => new Promise(() => undefined) }))).toBe(true);
    });

    it('frees the agent first where others wait, and tells the caller as soon as that is written', async () => {
      let closed = (): void => undefined;
      const lab = await talk({ othersWait: true, close: () => new Promise((resolve) => (closed = resolve)) });
      await lab.clock.advance(5);
      expect(told(lab)).toBe(false);
      closed();
      await lab.clock.advance(1);
      expect([told(lab), lab.finished]).toEqual([false, undefined]);
      await lab.clock.advance(1);
      expect(told(lab)).toBe(true);
      expect(lab.finished).toEqual({ result: 'success', reason: 'agent-hung-up' });
      expect(lab.clock.pending).toBe(0);
    });

    it('tells the caller 12 ms later at most, however long the database takes', async () => {
      const lab = await talk({ othersWait: true, close: () => new Promise(() => undefined) });
      await lab.clock.advance(11);
      expect(told(lab)).toBe(false);
      await lab.clock.advance(1);
      expect(told(lab)).toBe(true);
    });
  });

  describe('with a longest wait of a minute', () => {
    const minute = { maxWaitMs: 60_000, exits: { maxWait: { queues: ['q2'] } } };

    it('goes on to the other queue to the millisecond', async () => {
      const lab = await new SessionLab({ queues: { q1: minute } }).start();
      await lab.clock.advance(59_999);
      expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
      await lab.clock.advance(1);
      expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q2' });
      expect(lab.heard).toEqual(['music q1-music', 'music q2-music']);
      expect(lab.written.slice(-3)).toEqual(['enqueue q1', 'leave timed-out', 'enqueue q2']);
    });

    it('counts on through an agent who answered and could not be joined', async () => {
      const lab = await new SessionLab({ queues: { q1: minute } }).start();
      await lab.clock.advance(50_000);
      const leg = await lab.offer('o1');
      leg.handlers.answered({ agentDialog: 'a' });
      leg.handlers.left();
      leg.handlers.over();
      await lab.clock.advance(10_000);
      expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q2' });
    });

    it('looks at the limit again when its time comes: what was changed meanwhile counts', async () => {
      const lab = await new SessionLab({ queues: { q1: minute } }).start();
      await lab.clock.advance(30_000);
      lab.queues['q1'] = { ...lab.queues['q1']!, maxWaitMs: 90_000 };
      await lab.clock.advance(59_999);
      expect(lab.state).toMatchObject({ queueId: 'q1' });
      await lab.clock.advance(1);
      expect(lab.state).toMatchObject({ queueId: 'q2' });
    });

    it('begins anew for a caller who talked, and comes back from a transfer that nobody took', async () => {
      const lab = await new SessionLab({ queues: { q1: minute } }).start();
      await lab.answer(await lab.offer('o1'));
      await lab.clock.advance(600_000);
      const progress: number[] = [];
      lab.session.transfer(
        { target: { kind: 'agent', agentId: 'ben' }, progress: (sip) => progress.push(sip) },
        'agent',
      );
      await settle();
      expect(lab.state.kind).toBe('direct');
      expect(progress).toEqual([200]);
      const [ben] = [...lab.legs.values()].slice(-1);
      ben?.handlers.refused('declined', 603, 'no');
      await settle();
      expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
      await lab.clock.advance(59_999);
      expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
    });

    it('leaves no timer behind', async () => {
      const lab = await new SessionLab({ queues: { q1: minute } }).start();
      await lab.callerLeaves();
      await settle();
      expect(lab.clock.pending).toBe(0);
    });
  });

  it('is sent on at the door by a queue that is full, without having taken a place', async () => {
    const lab = await new SessionLab({
      queues: { q1: { checksEntry: true } },
      enter: () => ({ sentOn: { reason: 'full', action: { queue: 'q2', queueId: 'q2' } } }),
    }).start();
    expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q2' });
    expect(lab.written.filter((w) => /enter|enqueue/.test(w))).toEqual(['enter q1', 'enqueue q2']);
  });

  it('a key takes a caller who waits out of the queue, and no other key does', async () => {
    const lab = await new SessionLab({ queues: { q1: { exits: { keys: { 1: { queues: ['q2'] } } } } } }).start();
    await lab.press('2');
    expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
    await lab.press('1');
    expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q2' });
  });

  it('is not sent away by hours that closed while it was with an agent', async () => {
    const lab = await new SessionLab().start();
    lab.queues['q1'] = { ...lab.queues['q1']!, hours: 'never' };
    const leg = await lab.offer('o1');
    leg.handlers.answered({ agentDialog: 'a' });
    leg.handlers.left();
    leg.handlers.over();
    await settle();
    expect(lab.state).toMatchObject({ kind: 'waiting', queueId: 'q1' });
  });

  it('ends exits that lead round in circles instead of going round for ever', async () => {
    const lab = await new SessionLab({
      queues: {
        q1: { hours: 'never', exits: { closed: { queues: ['q2'] } } },
        q2: { hours: 'never', exits: { closed: { queues: ['q1'] } } },
      },
    }).start();
    expect(lab.state).toMatchObject({ kind: 'ended', termination: { reason: 'exit-failed' } });
  });

  it('tells an agent who is not free from one who is: the talk goes on', async () => {
    const lab = await new SessionLab().start();
    await lab.answer(await lab.offer('o1'));
    const progress: number[] = [];
    lab.session.transfer(
      { target: { kind: 'agent', agentId: 'busy' }, progress: (sip) => progress.push(sip) },
      'system',
    );
    await settle();
    expect(progress).toEqual([486]);
    expect(lab.state).toMatchObject({ kind: 'connected', offerId: 'o1' });
  });

  it('frees an agent who was reserved for a transfer while the caller hung up', async () => {
    const lab = await new SessionLab().start();
    await lab.answer(await lab.offer('o1'));
    const progress: number[] = [];
    lab.session.transfer(
      { target: { kind: 'agent', agentId: 'ben' }, progress: (sip) => progress.push(sip) },
      'system',
    );
    await lab.callerLeaves();
    await settle();
    expect(progress).toEqual([481]);
    expect(lab.written.filter((w) => w.startsWith('close'))).toHaveLength(2);
  });

  it('whatever comes when, in the end everybody is free, every row is closed and the call has ended once', async () => {
    const act = fc.oneof(
      fc.constantFrom(
        'offer',
        'offer',
        'offer',
        'ringing',
        'answered',
        'media',
        'answer',
        'answer',
        'refused',
        'left',
        'over',
      ),
      fc.constantFrom('key', 'to-queue', 'to-agent', 'to-number', 'to-busy', 'second', 'minute', 'prompt'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(act, fc.nat(5)), { maxLength: 25 }), async (acts) => {
        const lab = await new SessionLab({
          queues: { q1: { maxWaitMs: 45_000, exits: { maxWait: { queues: ['q2'] }, keys: { 1: { flow: 'f' } } } } },
          flows: [{ name: 'f', steps: [{ play: 'p' }, { enqueue: 'q1' }] }],
        }).start();
        let offers = 0;
        const finals = new Map<number, number>();
        let transfers = 0;
        for (const [what, pick] of acts) {
          const legs = [...lab.legs.values()];
          const leg = legs[legs.length - 1 - (pick % Math.max(1, legs.length))];
          const transfer = (target: Parameters<typeof lab.session.transfer>[0]['target']): void => {
            const id = transfers++;
            lab.session.transfer(
              {
                target,
                progress: (sip) => {
                  if (sip >= 200) {
                    finals.set(id, (finals.get(id) ?? 0) + 1);
                  }
                },
              },
              'system',
            );
          };
          const todo: Readonly<Record<string, () => unknown>> = {
            offer: () => {
              const { state } = lab;
              return lab.session.offerReserved({
                ...offerFor(`o${offers++}`, 'queueId' in state && state.queueId ? state.queueId : 'q1'),
              });
            },
            ringing: () => leg?.handlers.ringing(),
            answered: () => leg?.handlers.answered({ agentDialog: 'a' }),
            media: () => leg?.handlers.mediaReady({ mediaDialog: 'm' }),
            answer: () => leg && !leg.dropped && lab.answer(leg),
            refused: () => leg?.handlers.refused('busy', 486, 'busy'),
            left: () => leg?.handlers.left(),
            over: () => leg?.handlers.over(),
            key: () => lab.press('1'),
            prompt: () => lab.promptEnds(),
            second: () => lab.clock.advance(1_000),
            minute: () => lab.clock.advance(60_000),
            'to-queue': () => transfer({ kind: 'queue', queueId: 'q2' }),
            'to-agent': () => transfer({ kind: 'agent', agentId: `t${transfers}` }),
            'to-busy': () => transfer({ kind: 'agent', agentId: 'busy' }),
            'to-number': () => transfer({ kind: 'number', e164: '+4930' }),
          };
          await todo[what]?.();
          if (pick % 2 === 0) {
            await settle();
          }
        }
        await lab.callerLeaves();
        await lab.clock.advance(120_000);
        for (const leg of lab.legs.values()) {
          if (!leg.dropped) {
            // What it ended by itself, its platform has told us.
            leg.handlers.over();
          }
        }
        await lab.clock.advance(5_000);
        expect(lab.state.kind).toBe('ended');
        expect(lab.written.filter((w) => w.startsWith('end '))).toHaveLength(1);
        expect(lab.session.openOffers).toBe(0);
        expect(lab.finished).toBeDefined();
        expect(lab.clock.pending).toBe(0);
        // Whoever asked for a transfer was told once how it ended.
        expect([...finals.values()].every((n) => n === 1)).toBe(true);
        expect(finals.size).toBe(transfers);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

function offerFor(offerId: string, queueId: string): Parameters<SessionLab['session']['offerReserved']>[0] {
  return {
    offerId,
    callId: 'c1',
    queueId,
    target: {
      agentId: offerId,
      agentName: offerId,
      endpoint: { kind: 'teams', trunk: 't', trunkId: 't', number: '+49302' },
      ringTimeoutMs: 15_000,
    },
    presence: undefined,
  };
}
