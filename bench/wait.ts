/** Waiting in the benchmark. */
export { sleep } from '../src/lib/clock';
import { sleep } from '../src/lib/clock';

/** Looks every 5 ms; false when `timeoutMs` passed before `condition` held. */
export async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  for (const end = performance.now() + timeoutMs; performance.now() < end;) {
    if (condition()) {
      return true;
    }
    await sleep(5);
  }
  return condition();
}
