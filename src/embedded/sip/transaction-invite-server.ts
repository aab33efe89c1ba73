/**
 * INVITE server transaction (RFC 3261 17.2.1, RFC 6026 7.1).
 *
 *   proceeding ──2xx──▶ accepted ──L──▶ terminated               proceeding: repeats the last provisional on a repeated INVITE
 *       └─300+─▶ completed ──ACK──▶ confirmed ──I──▶ terminated  accepted: swallows repeated INVITEs; 2xx are the owner's to repeat
 *                   └──H──▶ terminated (no ACK)                  completed: repeats the final (G) until ACK or H
 */
import * as fx from './transaction-machine';
import type { TransactionConfig, TransactionInput, TransactionStep } from './transaction-machine';

export type InviteServerState =
  | { readonly value: 'proceeding' }
  | { readonly value: 'accepted' }
  | { readonly value: 'completed'; readonly interval: number }
  | { readonly value: 'confirmed' }
  | { readonly value: 'terminated' };

type Step = TransactionStep<InviteServerState>;

const terminated: InviteServerState = { value: 'terminated' };

export const initialInviteServer: InviteServerState = { value: 'proceeding' };

export function stepInviteServer(
  state: InviteServerState,
  input: TransactionInput,
  config: TransactionConfig,
): Step | undefined {
  switch (state.value) {
    case 'proceeding':
      if (input.type === 'request') {
        return { state, effects: [fx.send] };
      }
      if (input.type === 'transport-error') {
        return { state: terminated, effects: [fx.failed] };
      }
      return input.type === 'response' ? answer(state, input.status, config) : undefined;
    case 'accepted':
      if (input.type === 'response' && input.status >= 200 && input.status < 300) {
        return { state, effects: [fx.send] };
      }
      return input.type === 'timer' && input.timer === 'L' ? { state: terminated, effects: [] } : undefined;
    case 'completed':
      return completed(state, input, config);
    case 'confirmed':
      return input.type === 'timer' && input.timer === 'I' ? { state: terminated, effects: [] } : undefined;
    case 'terminated':
      return undefined;
  }
}

function answer(state: InviteServerState, status: number, config: TransactionConfig): Step {
  if (status < 200) {
    return { state, effects: [fx.send] };
  }
  if (status < 300) {
    return { state: { value: 'accepted' }, effects: [fx.start('L', 64 * config.t1), fx.send] };
  }
  return {
    state: { value: 'completed', interval: config.t1 },
    effects: [...(config.reliable ? [] : [fx.start('G', config.t1)]), fx.start('H', 64 * config.t1), fx.send],
  };
}

function completed(
  state: InviteServerState & { value: 'completed' },
  input: TransactionInput,
  config: TransactionConfig,
): Step | undefined {
  switch (input.type) {
    case 'request':
      return { state, effects: [fx.send] };
    case 'ack': {
      const stops = [fx.stop('G'), fx.stop('H')];
      return config.reliable
        ? { state: terminated, effects: [...stops, fx.acked] }
        : { state: { value: 'confirmed' }, effects: [...stops, fx.start('I', config.t4), fx.acked] };
    }
    case 'timer':
      if (input.timer === 'G') {
        const interval = Math.min(state.interval * 2, config.t2);
        return { state: { value: 'completed', interval }, effects: [fx.start('G', interval), fx.send] };
      }
      return input.timer === 'H' ? { state: terminated, effects: [fx.timedOut] } : undefined;
    case 'transport-error':
      return { state: terminated, effects: [fx.failed] };
    case 'start':
    case 'response':
      return undefined;
  }
}
