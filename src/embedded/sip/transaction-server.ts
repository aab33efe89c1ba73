/**
 * Server transaction of every method but INVITE (RFC 3261 17.2.2).
 *
 *   trying ──1xx──▶ proceeding ──final──▶ completed ──J──▶ terminated    repeats of the request get the last response
 *      └──final──▶ completed
 */
import * as fx from './transaction-machine';
import type { TransactionConfig, TransactionInput, TransactionStep } from './transaction-machine';

export type ServerState = { readonly value: 'trying' | 'proceeding' | 'completed' | 'terminated' };

type Step = TransactionStep<ServerState>;

const terminated: ServerState = { value: 'terminated' };

export const initialServer: ServerState = { value: 'trying' };

export function stepServer(state: ServerState, input: TransactionInput, config: TransactionConfig): Step | undefined {
  switch (state.value) {
    case 'trying':
    case 'proceeding':
      if (input.type === 'response') {
        return answer(input.status, config);
      }
      if (input.type === 'transport-error') {
        return { state: terminated, effects: [fx.failed] };
      }
      return input.type === 'request' && state.value === 'proceeding' ? { state, effects: [fx.send] } : undefined;
    case 'completed':
      if (input.type === 'request') {
        return { state, effects: [fx.send] };
      }
      if (input.type === 'transport-error') {
        return { state: terminated, effects: [fx.failed] };
      }
      return input.type === 'timer' && input.timer === 'J' ? { state: terminated, effects: [] } : undefined;
    case 'terminated':
      return undefined;
  }
}

function answer(status: number, config: TransactionConfig): Step {
  if (status < 200) {
    return { state: { value: 'proceeding' }, effects: [fx.send] };
  }
  return config.reliable
    ? { state: terminated, effects: [fx.send] }
    : { state: { value: 'completed' }, effects: [fx.start('J', 64 * config.t1), fx.send] };
}
