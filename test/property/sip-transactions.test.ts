import fc from 'fast-check';
import { initialClient, stepClient } from '../../src/embedded/sip/transaction-client';
import { initialInviteClient, stepInviteClient } from '../../src/embedded/sip/transaction-invite-client';
import { initialInviteServer, stepInviteServer } from '../../src/embedded/sip/transaction-invite-server';
import type {
  TimerName,
  TransactionConfig,
  TransactionEffect,
  TransactionInput,
  TransactionStep,
} from '../../src/embedded/sip/transaction-machine';
import { initialServer, stepServer } from '../../src/embedded/sip/transaction-server';

interface Machine {
  readonly name: string;
  readonly client: boolean;
  readonly invite: boolean;
  initial(config: TransactionConfig): { readonly value: string };
  step(
    state: never,
    input: TransactionInput,
    config: TransactionConfig,
  ): TransactionStep<{ value: string }> | undefined;
}

const MACHINES: readonly Machine[] = [
  { name: 'INVITE client', client: true, invite: true, initial: initialInviteClient, step: stepInviteClient },
  { name: 'client', client: true, invite: false, initial: initialClient, step: stepClient },
  { name: 'INVITE server', client: false, invite: true, initial: () => initialInviteServer, step: stepInviteServer },
  { name: 'server', client: false, invite: false, initial: () => initialServer, step: stepServer },
];

const input = fc.oneof(
  fc.record({ type: fc.constant('response' as const), status: fc.integer({ min: 100, max: 699 }) }),
  fc.constantFrom<TransactionInput>({ type: 'request' }, { type: 'ack' }, { type: 'transport-error' }),
  fc.record({ type: fc.constant('fire' as const), pick: fc.nat(10) }),
);

/** Runs a machine with real bookkeeping of its timers; `fire` lets one of the running timers fire. */
function run(machine: Machine, reliable: boolean, inputs: readonly { type: string; status?: number; pick?: number }[]) {
  const config = { t1: 500, t2: 4000, t4: 5000, reliable };
  let state = machine.initial(config);
  const timers = new Map<TimerName, number>();
  const effects: (TransactionEffect & { readonly on: TransactionInput })[] = [];
  const feed = (next: TransactionInput): void => {
    const result = machine.step(state as never, next, config);
    if (result === undefined) {
      return;
    }
    expect(state.value).not.toBe('terminated');
    state = result.state;
    for (const effect of result.effects) {
      effects.push({ ...effect, on: next });
      if (effect.type === 'start') {
        timers.set(effect.timer, effect.ms);
      } else if (effect.type === 'stop') {
        timers.delete(effect.timer);
      }
    }
  };
  const fire = (pick: number): boolean => {
    const names = [...timers.keys()];
    const timer = names[pick % Math.max(names.length, 1)];
    if (timer === undefined) {
      return false;
    }
    timers.delete(timer);
    feed({ type: 'timer', timer });
    return true;
  };
  if (machine.client) {
    feed({ type: 'start' });
  }
  for (const one of inputs) {
    if (one.type === 'fire') {
      fire(one.pick ?? 0);
    } else {
      feed(one as TransactionInput);
    }
  }
  return { state: () => state.value, timers, effects, fire };
}

describe.each(MACHINES)('the $name machine', (machine) => {
  test('whatever comes, it ends once its timers have run out, unless an owner is still to answer', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(input, { maxLength: 30 }), (reliable, inputs) => {
        const result = run(machine, reliable, inputs);
        for (let n = 0; n < 200 && result.state() !== 'terminated'; n++) {
          // The timer that ends things is the one that is due last: let the others fire first.
          const names = [...result.timers.entries()].sort((a, b) => a[1] - b[1]);
          if (names.length === 0) {
            break;
          }
          result.fire(n > 100 ? [...result.timers.keys()].indexOf(names.at(-1)?.[0] ?? 'A') : n);
        }
        const open = machine.client ? ['proceeding'] : ['proceeding', 'trying'];
        expect([...(machine.invite || !machine.client ? open : []), 'terminated']).toContain(result.state());
      }),
    );
  });

  test('nothing is sent again by itself over a reliable transport', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
        const { effects } = run(machine, true, inputs);
        expect(effects.some((effect) => effect.type === 'send' && effect.on.type === 'timer')).toBe(false);
      }),
    );
  });

  test('a client hands on one final only (INVITE: and every 2xx), and acknowledges failures only', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(input, { maxLength: 30 }), (reliable, inputs) => {
        const { effects } = run(machine, reliable, inputs);
        const statusOf = (effect: { on: TransactionInput }): number =>
          effect.on.type === 'response' ? effect.on.status : 0;
        const finals = effects.filter((e) => e.type === 'deliver' && statusOf(e) >= 200);
        const failures = finals.filter((e) => statusOf(e) >= 300);
        const endings = effects.filter((e) => e.type === 'timed-out' || e.type === 'failed');
        if (machine.client) {
          expect(failures.length + endings.length).toBeLessThanOrEqual(1);
          expect(failures.length === 0 || finals.length === 1).toBe(true);
          expect(machine.invite || finals.length <= 1).toBe(true);
        }
        expect(effects.filter((e) => e.type === 'ack').every((e) => statusOf(e) >= 300)).toBe(true);
      }),
    );
  });
});
