/**
 * INVITE client transaction (RFC 3261 17.1.1, RFC 6026 7.2).
 *
 *   calling ──1xx──▶ proceeding ──2xx──▶ accepted ──M──▶ terminated     calling: retransmits (A) until any response or B
 *      │                 │                                              proceeding: waits as long as the owner does
 *      ├──2xx──▶ accepted └─300+─▶ completed ──D──▶ terminated          accepted: hands every 2xx to the owner (forks, repeats)
 *      ├─300+─▶ completed                                               completed: ACKs repeats of the final
 *      └──B, transport error──▶ terminated
 */
import * as fx from './transaction-machine';
import type { TransactionConfig, TransactionInput, TransactionStep } from './transaction-machine';

export type InviteClientState =
  | { readonly value: 'calling'; readonly interval: number }
  | { readonly value: 'proceeding' }
  | { readonly value: 'accepted' }
  | { readonly value: 'completed' }
  | { readonly value: 'terminated' };

type Step = TransactionStep<InviteClientState>;

const terminated: InviteClientState = { value: 'terminated' };

export function initialInviteClient(config: TransactionConfig): InviteClientState {
  return { value: 'calling', interval: config.t1 };
}

export function stepInviteClient(
  state: InviteClientState,
  input: TransactionInput,
  config: TransactionConfig,
): Step | undefined {
  switch (state.value) {
    case 'calling':
      return calling(state, input, config);
    case 'proceeding':
      return input.type === 'response' ? response(input.status, config, []) : undefined;
    case 'accepted':
      if (input.type === 'response' && input.status >= 200 && input.status < 300) {
        return { state, effects: [fx.deliver] };
      }
      return isTimer(input, 'M') ? { state: terminated, effects: [] } : undefined;
    case 'completed':
      if (input.type === 'response' && input.status >= 300) {
        return { state, effects: [fx.ack] };
      }
      return isTimer(input, 'D') || input.type === 'transport-error' ? { state: terminated, effects: [] } : undefined;
    case 'terminated':
      return undefined;
  }
}

function calling(
  state: InviteClientState & { value: 'calling' },
  input: TransactionInput,
  config: TransactionConfig,
): Step | undefined {
  switch (input.type) {
    case 'start':
      return {
        state,
        effects: [...(config.reliable ? [] : [fx.start('A', state.interval)]), fx.start('B', 64 * config.t1), fx.send],
      };
    case 'timer':
      if (input.timer === 'A') {
        const interval = state.interval * 2;
        return { state: { value: 'calling', interval }, effects: [fx.start('A', interval), fx.send] };
      }
      return input.timer === 'B' ? { state: terminated, effects: [fx.timedOut] } : undefined;
    case 'transport-error':
      return { state: terminated, effects: [fx.failed] };
    case 'response':
      return response(input.status, config, [fx.stop('A'), fx.stop('B')]);
    case 'request':
    case 'ack':
      return undefined;
  }
}

function response(status: number, config: TransactionConfig, before: readonly fx.TransactionEffect[]): Step {
  if (status < 200) {
    return { state: { value: 'proceeding' }, effects: [...before, fx.deliver] };
  }
  if (status < 300) {
    return { state: { value: 'accepted' }, effects: [...before, fx.start('M', 64 * config.t1), fx.deliver] };
  }
  const wait = fx.timerD(config);
  return wait === 0
    ? { state: terminated, effects: [...before, fx.ack, fx.deliver] }
    : { state: { value: 'completed' }, effects: [...before, fx.start('D', wait), fx.ack, fx.deliver] };
}

function isTimer(input: TransactionInput, timer: fx.TimerName): boolean {
  return input.type === 'timer' && input.timer === timer;
}
