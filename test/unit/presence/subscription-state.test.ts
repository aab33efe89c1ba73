import fc from 'fast-check';
import { SilenceWatch } from '../../../src/presence/silence-watch';
import { APART_MS, NO_SUBSCRIPTION, stepSubscription } from '../../../src/presence/subscription-state';
import type { SubscriptionInput, SubscriptionState } from '../../../src/presence/subscription-state';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const tick = (now: number, more: Partial<Extract<SubscriptionInput, { kind: 'tick' }>> = {}): SubscriptionInput => ({
  kind: 'tick',
  now,
  users: 'anna,ben',
  reauthorizeAt: undefined,
  silent: false,
  ...more,
});
const live = (more: object = {}): SubscriptionState => ({
  kind: 'live',
  id: 's1',
  expiresAt: HOUR,
  users: 'anna,ben',
  patchedAt: undefined,
  reauthorizedAt: undefined,
  retryAt: 0,
  ...more,
});

describe('a subscription', () => {
  it('is made for those who should be covered, and for nobody not at all', () => {
    expect(stepSubscription(NO_SUBSCRIPTION, tick(0, { users: '' }))).toBeUndefined();
    const step = stepSubscription(NO_SUBSCRIPTION, tick(0))!;
    expect(step.effect).toEqual({ kind: 'create', users: 'anna,ben' });
    expect(
      stepSubscription(step.state, { kind: 'created', id: 's1', expiresAt: HOUR, users: 'anna,ben' })!.state,
    ).toEqual(live());
  });

  it('is tried again later and later when Graph refuses it, or when Graph says', () => {
    let state: SubscriptionState = NO_SUBSCRIPTION;
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      state = stepSubscription(state, tick(1e9))!.state;
      state = stepSubscription(state, { kind: 'create-failed', now: 0, waitMs: undefined })!.state;
      waits.push((state as { retryAt: number }).retryAt);
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
    state = stepSubscription(state, tick(1e9))!.state;
    expect(stepSubscription(state, { kind: 'create-failed', now: 0, waitMs: 7_000 })!.state).toMatchObject({
      retryAt: 7_000,
    });
    expect(
      stepSubscription(stepSubscription(state, { kind: 'create-failed', now: 0, waitMs: 7_000 })!.state, tick(6_999)),
    ).toBeUndefined();
  });

  it('is renewed in its last third, and kept when that fails for now', () => {
    expect(stepSubscription(live(), tick(39 * MINUTE))).toBeUndefined();
    const renewing = stepSubscription(live(), tick(40 * MINUTE))!;
    expect(renewing.effect).toEqual({ kind: 'renew', id: 's1' });
    expect(stepSubscription(renewing.state, tick(41 * MINUTE))).toBeUndefined();
    const failed = { kind: 'renew-failed', now: 41 * MINUTE, refused: false, waitMs: undefined } as const;
    const kept = stepSubscription(renewing.state, failed)!.state;
    expect(kept).toMatchObject({ kind: 'live', retryAt: 41 * MINUTE + 30_000 });
    expect(stepSubscription(kept, tick(41 * MINUTE + 29_000))).toBeUndefined();
    const renewed = { kind: 'renewed', now: 42 * MINUTE, expiresAt: 2 * HOUR } as const;
    expect(stepSubscription(renewing.state, renewed)!.state).toMatchObject({ kind: 'live', expiresAt: 2 * HOUR });
  });

  it('is made anew when its renewal is refused, when other users are wanted, and when it is silent', () => {
    const renewing = stepSubscription(live(), tick(40 * MINUTE))!.state;
    const refused = { kind: 'renew-failed', now: 40 * MINUTE, refused: true, waitMs: undefined } as const;
    for (const step of [
      stepSubscription(renewing, refused),
      stepSubscription(live(), tick(1, { users: 'anna' })),
      stepSubscription(live(), tick(1, { silent: true })),
    ]) {
      expect(step?.effect).toEqual({ kind: 'remove', id: 's1' });
      const removed = stepSubscription(step!.state, { kind: 'removed', now: 5 })!.state;
      expect(stepSubscription(removed, tick(5))?.effect).toMatchObject({ kind: 'create' });
    }
  });

  it('is removed again and again until Graph has taken it, since a second one would be refused', () => {
    const removing = stepSubscription(live(), tick(1, { silent: true }))!.state;
    const waiting = stepSubscription(removing, { kind: 'remove-failed', now: 10 })!.state;
    expect(stepSubscription(waiting, tick(11))).toBeUndefined();
    expect(stepSubscription(waiting, tick(30_010))?.effect).toEqual({ kind: 'remove', id: 's1' });
  });

  it('that has ended is forgotten, not renewed', () => {
    expect(stepSubscription(live(), tick(HOUR))).toEqual({ state: { kind: 'none', retryAt: HOUR, failures: 0 } });
  });

  it('is reauthorized once for each time that Graph asks', () => {
    const asked = tick(5 * MINUTE, { reauthorizeAt: 4 * MINUTE });
    const step = stepSubscription(live(), asked)!;
    expect(step.effect).toEqual({ kind: 'reauthorize', id: 's1' });
    const done = stepSubscription(step.state, { kind: 'reauthorized', now: 5 * MINUTE })!.state;
    expect(stepSubscription(done, asked)).toBeUndefined();
  });

  it('never renews and reauthorizes within ten minutes, whatever happens', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.integer({ min: 1, max: 15 * MINUTE }), ask: fc.boolean(), fail: fc.boolean() }), {
          maxLength: 80,
        }),
        (steps) => {
          let state = live();
          let now = 0;
          let reauthorizeAt: number | undefined;
          const done: { kind: string; at: number }[] = [];
          for (const { gap, ask, fail } of steps) {
            now += gap;
            reauthorizeAt = ask ? now : reauthorizeAt;
            const step = stepSubscription(state, tick(now, { reauthorizeAt }));
            state = step?.state ?? state;
            if (step?.effect?.kind === 'renew') {
              done.push({ kind: 'renew', at: now });
              state = stepSubscription(
                state,
                fail
                  ? { kind: 'renew-failed', now, refused: false, waitMs: undefined }
                  : { kind: 'renewed', now, expiresAt: now + 59 * MINUTE },
              )!.state;
              if (fail) {
                done.pop();
              }
            }
            if (step?.effect?.kind === 'reauthorize') {
              done.push({ kind: 'reauthorize', at: now });
              state = stepSubscription(state, { kind: 'reauthorized', now })!.state;
            }
          }
          for (const [index, { kind, at }] of done.entries()) {
            const other = done.slice(0, index).filter((before) => before.kind !== kind);
            expect(other.every((before) => at - before.at >= APART_MS)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('the watch for silence', () => {
  it('speaks when three changes that a poll found were not told within a minute and a half', () => {
    const watch = new SilenceWatch();
    watch.found(['anna', 'ben'], 1_000);
    expect(watch.silent(0, 200_000)).toBe(false);
    watch.found(['clara'], 2_000);
    expect(watch.silent(0, 91_000)).toBe(false);
    expect(watch.silent(0, 92_001)).toBe(true);
  });

  it('forgets what came before the last notification', () => {
    const watch = new SilenceWatch();
    watch.found(['anna', 'ben', 'clara'], 1_000);
    expect(watch.silent(5_000, 200_000)).toBe(false);
    expect(watch.silent(0, 200_000)).toBe(false);
  });
});
