/**
 * Client transaction of every method but INVITE (RFC 3261 17.1.2).
 *
 *   trying ──1xx──▶ proceeding ──final──▶ completed ──K──▶ terminated    trying, proceeding: retransmit (E), give up (F)
 *      └──final──▶ completed                                              completed: swallows repeats of the final
 *      └──F, transport error──▶ terminated
 */
import * as fx from './transaction-machine';
import type { TransactionConfig, TransactionInput, TransactionStep } from './transaction-machine';

export type ClientState =
  | { readonly value: 'trying'; readonly interval: number }
  | { readonly value: 'proceeding' }
  | { readonly value: 'completed' }
  | { readonly value: 'terminated' };

type Step = TransactionStep<ClientState>;

const terminated: ClientState = { value: 'terminated' };

export function initialClient(config: TransactionConfig): ClientState {
  return { value: 'trying', interval: config.t1 };
}

export function stepClient(state: ClientState, input: TransactionInput, config: TransactionConfig): Step | undefined {
  switch (state.value) {
    case 'trying':
    case 'proceeding':
      return waiting(state, input, config);
    case 'completed':
      return input.type === 'timer' && input.timer === 'K' ? { state: terminated, effects: [] } : undefined;
    case 'terminated':
      return undefined;
  }
}

function waiting(
  state: ClientState & { value: 'trying' | 'proceeding' },
  input: TransactionInput,
  config: TransactionConfig,
): Step | undefined {
  switch (input.type) {
    case 'start':
      return {
        state,
        effects: [...(config.reliable ? [] : [fx.start('E', config.t1)]), fx.start('F', 64 * config.t1), fx.send],
      };
    case 'timer':
      if (input.timer === 'E') {
        const interval = state.value === 'trying' ? Math.min(state.interval * 2, config.t2) : config.t2;
        const next: ClientState = state.value === 'trying' ? { value: 'trying', interval } : state;
        return { state: next, effects: [fx.start('E', interval), fx.send] };
      }
      return input.timer === 'F' ? { state: terminated, effects: [fx.timedOut] } : undefined;
    case 'transport-error':
      return { state: terminated, effects: [fx.failed] };
    case 'response':
      return response(input.status, config);
    case 'request':
    case 'ack':
      return undefined;
  }
}

function response(status: number, config: TransactionConfig): Step {
  if (status < 200) {
    return { state: { value: 'proceeding' }, effects: [fx.deliver] };
  }
  const stops = [fx.stop('E'), fx.stop('F')];
  return config.reliable
    ? { state: terminated, effects: [...stops, fx.deliver] }
    : { state: { value: 'completed' }, effects: [...stops, fx.start('K', config.t4), fx.deliver] };
}
