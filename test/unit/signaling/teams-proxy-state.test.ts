import fc from 'fast-check';
import { initialProxyState, isUsable, orderProxies, stepProxy } from '../../../src/signaling/teams/proxy-state';
import type { ProxyInput, ProxyState } from '../../../src/signaling/teams/proxy-state';

const times = { periodMs: 60_000 };
const ok: ProxyInput = { kind: 'answered', now: 1, status: 200 };
const silent: ProxyInput = { kind: 'silent', now: 2, what: 'OPTIONS' };

function after(...inputs: ProxyInput[]): ProxyState {
  return inputs.reduce<ProxyState>((state, input) => stepProxy(state, input, times).state, initialProxyState);
}

describe('what is known of a proxy', () => {
  it('is asked at once at the start, then each minute while it answers', () => {
    expect(stepProxy(initialProxyState, { kind: 'start', now: 0 }, times).probeInMs).toBe(0);
    expect(stepProxy(after(ok), ok, times)).toMatchObject({ state: { kind: 'active' }, probeInMs: 60_000 });
  });

  it('one silence is checked again soon, a second one makes it down', () => {
    expect(stepProxy(after(ok), silent, times)).toMatchObject({ state: { kind: 'probing' }, probeInMs: 5_000 });
    expect(after(ok, silent, silent)).toMatchObject({ kind: 'down', reason: 'silent', detail: 'no answer to OPTIONS' });
  });

  it('a 503 makes it down at once, until a 2xx; its Retry-After says when to ask', () => {
    const busy: ProxyInput = { kind: 'answered', now: 3, status: 503, retryAfterSeconds: 20 };
    expect(stepProxy(after(ok), busy, times)).toMatchObject({
      state: { kind: 'down', reason: 'busy' },
      probeInMs: 20_000,
    });
    expect(after(ok, busy, ok).kind).toBe('recovered');
  });

  it('one that was down must answer twice before it takes calls in its old place', () => {
    const recovered = after(ok, silent, silent, ok);
    expect(recovered.kind).toBe('recovered');
    expect(orderProxies([recovered, after(ok)])).toEqual([1, 0]);
    const again = stepProxy(recovered, ok, times).state;
    expect(again.kind).toBe('active');
    expect(orderProxies([again, after(ok)])).toEqual([0, 1]);
  });

  it('one that falls silent again while it recovers is down at once', () => {
    expect(after(ok, silent, silent, ok, silent).kind).toBe('down');
  });

  it('a 403 to OPTIONS is a fault of pairing and does not prove that calls fail', () => {
    const refused = after(ok, { kind: 'answered', now: 4, status: 403 });
    expect(refused).toMatchObject({ kind: 'down', reason: 'refused', detail: 'answered 403' });
    expect(isUsable(refused)).toBe(true);
    expect(isUsable(after(ok, silent, silent))).toBe(false);
  });

  it('keeps the configured order among equals, and every proxy stays in the list', () => {
    const state: fc.Arbitrary<ProxyState> = fc.constantFrom(
      initialProxyState,
      after(ok),
      after(ok, silent, silent),
      after(ok, silent, silent, ok),
    );
    fc.assert(
      fc.property(fc.array(state, { maxLength: 5 }), (states) => {
        const order = orderProxies(states);
        expect([...order].sort((a, b) => a - b)).toEqual(states.map((_, i) => i));
        const downs = order.map((i) => states[i]?.kind === 'down');
        expect(downs).toEqual([...downs].sort((a, b) => Number(a) - Number(b)));
        const active = order.filter((i) => states[i]?.kind === 'active');
        expect(active).toEqual([...active].sort((a, b) => a - b));
      }),
    );
  });

  it('always plans the next OPTIONS, never sooner than five seconds and never later than the period', () => {
    const input: fc.Arbitrary<ProxyInput> = fc.oneof(
      fc.record({ kind: fc.constant('silent' as const), now: fc.nat(), what: fc.constantFrom('OPTIONS', 'INVITE') }),
      fc.record({ kind: fc.constant('unreachable' as const), now: fc.nat(), detail: fc.string() }),
      fc.record({
        kind: fc.constant('answered' as const),
        now: fc.nat(),
        status: fc.integer({ min: 200, max: 699 }),
        retryAfterSeconds: fc.nat(7_200),
      }),
    );
    fc.assert(
      fc.property(fc.array(input, { minLength: 1, maxLength: 30 }), (inputs) => {
        let state: ProxyState = initialProxyState;
        for (const one of inputs) {
          const step = stepProxy(state, one, times);
          state = step.state;
          expect(step.probeInMs).toBeGreaterThanOrEqual(5_000);
          expect(step.probeInMs).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });
});
