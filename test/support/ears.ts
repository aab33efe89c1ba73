import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { AGENT_TONES, eventually } from './call-lab';
import { OUTSIDE_TONE } from './outside-phone';
import { SOUNDS } from './two-queues';

/** Everything that a caller of a story can hear. */
export const ALL_SOUNDS: readonly number[] = [...Object.values(SOUNDS), ...Object.values(AGENT_TONES), OUTSIDE_TONE];

/** Waits until the caller has heard this much more of a tone than before. */
export async function hears(call: CarrierCall, hz: number, moreMs = 200, timeoutMs?: number): Promise<void> {
  const before = call.heardMs(hz);
  await eventually(
    `${moreMs} ms of ${hz} Hz`,
    () => (call.heardMs(hz) >= before + moreMs ? true : undefined),
    timeoutMs,
  );
}
